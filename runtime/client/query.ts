// SELECT at the edge: rows as they come, with the types that the answer says; knows no plan.

import { PortError, StatementError } from '../base/errors.ts';
import type { PublicOptions, PublicRow } from '../data/row.ts';
import type { Type } from '../data/type.ts';
import { cutAtCommas, parseType } from '../data/type-text.ts';
import type { QueryColumn } from '../engine/query-rows.ts';
import { CellReader } from './cells.ts';
import { type Connection, jsonCall } from './connection.ts';
import { errorOf } from './errors.ts';
import { cut, Lines } from './lines.ts';

export interface QueryOptions extends PublicOptions {
  /** As SET gives them, for this query alone. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** Ends the query. */
  readonly signal?: AbortSignal | undefined;
}

/** One row with what a bare row does not say. */
export interface AnsweredChange {
  readonly row: PublicRow;
  /** true: the row's key was deleted from the table; columns that are not its key are null. */
  readonly isDelete: boolean;
}

/** What the first line of an answer says. */
interface Header {
  readonly queryId: string | null;
  readonly columns: readonly QueryColumn[];
  readonly types: readonly Type[];
}

const LINES_TYPE = 'application/vnd.ksqlapi.delimited.v1';

/**
 * The rows of one query, to be read once: `for await (const row of rows)`. Leaving the loop, `close`, `await using` and the abort signal all
 * end the query. The edge reads on only as fast as the rows are read.
 */
export class AnswerRows implements AsyncIterable<PublicRow>, AsyncDisposable {
  /** `push` goes on until it is ended; `pull` ends with its last row. */
  readonly kind: 'push' | 'pull';
  /** null for a pull query. */
  readonly queryId: string | null;
  readonly columns: readonly QueryColumn[];
  readonly #types: readonly Type[];
  readonly #lines: Lines;
  readonly #options: QueryOptions;
  #finalMessage: string | null = null;
  #isRead = false;
  #isClosed = false;

  /** Use `query`. */
  constructor({ queryId, columns, types }: Header, lines: Lines, options: QueryOptions) {
    this.kind = queryId === null ? 'pull' : 'push';
    this.queryId = queryId;
    this.columns = columns;
    this.#types = types;
    this.#lines = lines;
    this.#options = options;
    if (options.signal?.aborted === true) void this.close();
    else options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** @throws what ended the query before its last row; UNAVAILABLE when the answer was cut off */
  async *changes(): AsyncGenerator<AnsweredChange, void, undefined> {
    if (this.#isRead) throw new StatementError('INVALID', 'the rows of a query are read once');
    this.#isRead = true;
    try {
      while (!this.#isClosed) {
        const line = await this.#lines.next();
        if (this.#isClosed) return;
        if (line === null) return;
        const change = this.#changeOf(line);
        if (change !== null) yield change;
      }
    } catch (thrown) {
      if (!this.#isClosed) throw thrown;
    } finally {
      await this.close();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PublicRow, void, undefined> {
    for await (const { row } of this.changes()) yield row;
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
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    await this.#lines.cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #abort = (): void => void this.close();

  /** null: the line holds no row. */
  #changeOf(line: string): AnsweredChange | null {
    if (!line.startsWith(ROW)) {
      const { finalMessage, errorMessage } = JSON.parse(line) as Element;
      if (errorMessage !== undefined) throw errorOf(200, errorMessage);
      this.#finalMessage = finalMessage ?? null;
      return null;
    }
    const isDelete = line.endsWith(DELETED);
    const cells = new CellReader(
      line.slice(ROW.length, isDelete ? -DELETED.length : -ROW_END.length),
      this.#options,
    );
    const values = cells.row(this.#types);
    cells.end();
    // Without a prototype, so that a column of any name is a column like any other.
    const row = Object.create(null) as PublicRow;
    this.columns.forEach(({ name }, i) => {
      row[name] = values[i] ?? null;
    });
    return { row, isDelete };
  }
}

/** How an element begins and ends that holds a row. */
const ROW = '{"row":{"columns":';
const ROW_END = '}}';
const DELETED = ',"tombstone":true}}';

/** The elements of an answer that hold no row. */
interface Element {
  readonly header?: { readonly queryId?: string; readonly schema: string } | undefined;
  readonly finalMessage?: string | undefined;
  readonly errorMessage?: object | undefined;
}

/**
 * Asks (pull) or subscribes (push, EMIT CHANGES). Asks again while the edge does not answer; once rows have come, a cut ends a push query
 * with UNAVAILABLE.
 * @throws {StatementError} what is wrong with the text
 */
export async function query(
  connection: Connection,
  sql: string,
  options: QueryOptions = {},
): Promise<AnswerRows> {
  const { properties = {}, signal } = options;
  const body = { ksql: sql, streamsProperties: properties };
  const call = jsonCall('/query', body, signal);
  const accepting = { ...call, headers: { ...call.headers, Accept: LINES_TYPE } };
  const { lines, first } = await connection.retried(accepting, async (response) => {
    if (response.body === null) throw cut(null);
    const lines = new Lines(response.body);
    const first = await lines.next();
    if (first === null) throw cut(null);
    return { lines, first };
  });
  const { header, errorMessage } = JSON.parse(first) as Element;
  if (header === undefined) throw errorOf(200, errorMessage ?? first);
  return new AnswerRows(headerOf(header), lines, options);
}

function headerOf({ queryId, schema }: NonNullable<Element['header']>): Header {
  const types: Type[] = [];
  const columns = (schema === '' ? [] : cutAtCommas(schema)).map((text) => {
    const [, quoted = '', type = ''] = /^`((?:[^`]|``)*)` (.*?)(?: KEY)?$/su.exec(text) ?? [];
    const parsed = parseType(type);
    if (parsed === null) throw new PortError('CORRUPT', `an answer has a column '${text}'`);
    types.push(parsed);
    return { name: quoted.replaceAll('``', '`'), type };
  });
  return { queryId: queryId ?? null, columns, types };
}
