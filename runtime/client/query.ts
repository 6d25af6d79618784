// SELECT at the edge: rows as they come, with the types that the answer says, and on from where they were after a cut; knows no plan and no connection.

import { asyncDispose } from '../base/async-dispose.ts';
import { StatementError } from '../base/errors.ts';
import type { PublicRow } from '../data/row.ts';
import type { QueryColumn } from '../engine/query-rows.ts';
import { endedBy } from '../ports/ended-by.ts';
import type { AnswerHeader, AnswerPart, Asked, OpenAnswer } from './answer.ts';
import type { QueryOptions } from './ask.ts';
import { CellReader } from './cells.ts';
import type { Connection } from './connection.ts';
import { openEvents } from './events.ts';
import { Reconnects } from './retry.ts';

/** One row with what a bare row does not say. */
export interface AnsweredChange {
  readonly row: PublicRow;
  /** true: the row's key was deleted from the table; columns that are not its key are null. */
  readonly isDelete: boolean;
}

type Open = (token: string | null) => Promise<OpenAnswer>;

/**
 * The rows of one query, to be read once: `for await (const row of rows)`. Leaving the loop, `close`, `await using` and the abort signal all
 * end the query. The edge reads on only as fast as the rows are read.
 *
 * A push query that `isResumable` goes on behind its last row when the connection is cut, tried again for as long as the connection says: no
 * row is lost, none comes twice. Another one ends with UNAVAILABLE, because what it has counted is gone.
 */
export class AnswerRows implements AsyncIterable<PublicRow>, AsyncDisposable {
  /** `push` goes on until it is ended; `pull` ends with its last row. */
  readonly kind: 'push' | 'pull';
  readonly columns: readonly QueryColumn[];
  readonly isResumable: boolean;
  readonly #open: Open;
  readonly #reconnects: Reconnects;
  readonly #control: AbortController;
  readonly #options: QueryOptions;
  #header: AnswerHeader;
  #answer: OpenAnswer;
  #token: string | null;
  #finalMessage: string | null = null;
  #isRead = false;

  /** Use `query`. */
  constructor(
    answer: OpenAnswer,
    from: {
      readonly open: Open;
      readonly reconnects: Reconnects;
      readonly control: AbortController;
      readonly options: QueryOptions;
    },
  ) {
    this.#answer = answer;
    this.#header = answer.header;
    this.kind = answer.header.queryId === null ? 'pull' : 'push';
    this.columns = answer.header.columns;
    this.isResumable = answer.header.isResumable;
    this.#token = answer.header.token;
    this.#open = from.open;
    this.#reconnects = from.reconnects;
    from.reconnects.opened();
    this.#control = from.control;
    this.#options = from.options;
    from.control.signal.addEventListener('abort', this.#ended, { once: true });
    if (from.control.signal.aborted) this.#ended();
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'AnswerRows';
  }

  /** null for a pull query; another one after each cut. */
  get queryId(): string | null {
    return this.#header.queryId;
  }

  /** @throws what ended the query before its last row; UNAVAILABLE when the answer was cut off, and could not be gone on with */
  changes(): AsyncGenerator<AnsweredChange, void, undefined> {
    return endedBy(this.#changes(), () => this.close());
  }

  async *#changes(): AsyncGenerator<AnsweredChange, void, undefined> {
    if (this.#isRead) throw new StatementError('INVALID', 'the rows of a query are read once');
    this.#isRead = true;
    const { signal } = this.#control;
    try {
      for (;;) {
        const part = await this.#next();
        if (part.kind === 'end') {
          this.#finalMessage = part.message;
          return;
        }
        const { rows, deleted, token } = this.#read(part.text);
        for (const [i, row] of rows.entries()) {
          if (signal.aborted) return;
          this.#answer.taken();
          yield { row, isDelete: deleted.has(i) };
        }
        this.#token = token ?? part.token;
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      await this.close();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<PublicRow, void, undefined> {
    return endedBy(this.#rows(), () => this.close());
  }

  async *#rows(): AsyncGenerator<PublicRow, void, undefined> {
    for await (const { row } of this.#changes()) yield row;
  }

  /** All rows; for pull queries and push queries with LIMIT. */
  async all(): Promise<PublicRow[]> {
    const rows: PublicRow[] = [];
    for await (const row of this) rows.push(row);
    return rows;
  }

  /** How ksqlDB says that no more rows will come: `Limit Reached`, `Query Completed`; null before the end and where there is no such word. */
  get finalMessage(): string | null {
    return this.#finalMessage;
  }

  /** Ends the query. */
  async close(): Promise<void> {
    this.#control.abort();
    await this.#answer.close();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #ended = (): void => void this.#answer.close();

  /** The next of the answer, on another connection where this one is cut. */
  async #next(): Promise<AnswerPart> {
    const { signal } = this.#control;
    for (;;) {
      try {
        const part = await this.#answer.next();
        this.#reconnects.worked();
        return part;
      } catch (thrown) {
        if (this.#token === null || signal.aborted) throw thrown;
        await this.#answer.close();
        if (!(await this.#reconnects.wait(thrown, signal))) throw thrown;
      }
      this.#answer = await this.#open(this.#token);
      this.#header = this.#answer.header;
      this.#reconnects.opened();
      if (signal.aborted) await this.#answer.close();
    }
  }

  #read(text: string) {
    const { rows, deleted, token } = new CellReader(text, this.#options).message(
      this.#header.types,
    );
    const made = rows.map((values) => {
      // Without a prototype, so that a column of any name is a column like any other.
      const row = Object.create(null) as PublicRow;
      this.columns.forEach(({ name }, i) => {
        row[name] = values[i] ?? null;
      });
      return row;
    });
    return { rows: made, deleted, token };
  }
}

/** As `query` of ask.ts. */
export async function openQuery(
  connection: Connection,
  sql: string,
  options: QueryOptions,
): Promise<AnswerRows> {
  const { properties = {}, transport = 'sse', signal } = options;
  signal?.throwIfAborted();
  const control = new AbortController();
  const abort = (): void => control.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  control.signal.addEventListener('abort', () => signal?.removeEventListener('abort', abort));
  const open = async (token: string | null): Promise<OpenAnswer> => {
    const asked: Asked = { sql, properties, token, signal: control.signal };
    if (transport === 'sse') return openEvents(connection, asked);
    return (await connection.sockets()).query(asked);
  };
  const answer = await open(null).catch((thrown: unknown) => {
    control.abort(); // Lets go of the signal, which may be one for all of a page's queries.
    throw thrown;
  });
  const reconnects = new Reconnects(connection.deadlineMs);
  return new AnswerRows(answer, { open, reconnects, control, options });
}
