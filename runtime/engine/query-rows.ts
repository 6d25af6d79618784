// The answer of a query as its caller sees it: rows or batches to iterate over, once, and an end; knows no task.

import { asyncDispose } from '../base/async-dispose.ts';
import { endedBy } from '../ports/ended-by.ts';
import { StatementError } from '../base/errors.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import type { PublicOptions, PublicRow, publicRow } from '../data/row.ts';
import type { Schema } from '../data/schema.ts';

/** One column of an answer. */
export interface QueryColumn {
  readonly name: string;
  /** As SQL spells it. */
  readonly type: string;
}

/** One row with what a bare row does not say. */
export interface QueryChange {
  readonly row: PublicRow;
  /** true: the row's key was deleted from the table; columns that are not its key are null. */
  readonly isDelete: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly rowtime: number;
}

/** The answer of a query before anybody reads it. */
export interface QueryRowsOptions {
  readonly kind: 'push' | 'pull';
  readonly queryId: string | null;
  /** Columns in the order of the SELECT. */
  readonly schema: Schema;
  /** The same for people. */
  readonly columns: readonly QueryColumn[];
  readonly next: () => Promise<Batch | null>;
  readonly close: () => Promise<void>;
  /** See `QueryRows.finalMessage`; absent: there is none. */
  readonly finalMessage?: (() => string | null) | undefined;
  /** See `QueryRows.idle`; absent: there is nothing to wait for. */
  readonly idle?: (() => Promise<void>) | undefined;
  /** Makes rows of batches, once somebody reads rows: a Worker hands batches on and needs none. */
  readonly rows: () => Promise<{ readonly publicRow: typeof publicRow }>;
  readonly public: PublicOptions;
}

/**
 * The rows of one query, to be read once: `for await (const row of rows)`. Leaving the loop, `close`, `await using` and the abort signal
 * all end the query.
 */
export class QueryRows implements AsyncIterable<PublicRow>, AsyncDisposable {
  /** `push` goes on until it is ended; `pull` ends with its last row. */
  readonly kind: 'push' | 'pull';
  /** null for a pull query. */
  readonly queryId: string | null;
  /** Names and SQL types in the order of the SELECT. */
  readonly columns: readonly QueryColumn[];
  /** The same as `batches` have them. */
  readonly schema: Schema;
  readonly #options: QueryRowsOptions;
  #isRead = false;

  constructor(options: QueryRowsOptions) {
    this.kind = options.kind;
    this.queryId = options.queryId;
    this.schema = options.schema;
    this.columns = options.columns;
    this.#options = options;
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'QueryRows';
  }

  /** The rows as batches, for readers that are in a hurry; the columns stand in the order of the SELECT. */
  batches(): AsyncGenerator<Batch, void, undefined> {
    return this.#left(this.#batches());
  }

  async *#batches(): AsyncGenerator<Batch, void, undefined> {
    if (this.#isRead) throw new StatementError('INVALID', 'the rows of a query are read once');
    this.#isRead = true;
    try {
      for (let batch; (batch = await this.#options.next()); batch = null) yield batch; // Or the last one would be held while the next one is waited for.
    } finally {
      await this.close();
    }
  }

  /** The rows, each with whether its key was deleted from the table; to be read once, as the rows themselves. @throws what ended the query before its last row */
  changes(): AsyncGenerator<QueryChange, void, undefined> {
    return this.#left(this.#changes());
  }

  async *#changes(): AsyncGenerator<QueryChange, void, undefined> {
    const { publicRow } = await this.#options.rows();
    for await (const batch of this.#batches()) {
      for (let i = 0; i < batch.length; i++) {
        const position = positionOf(batch, i);
        yield {
          row: publicRow(batch, i, this.#options.public),
          isDelete: batch.op?.[position] === Op.Delete,
          rowtime: batch.rowtime[position] ?? 0,
        };
      }
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<PublicRow, void, undefined> {
    return this.#left(this.#rows());
  }

  async *#rows(): AsyncGenerator<PublicRow, void, undefined> {
    for await (const { row } of this.#changes()) yield row;
  }

  /** Items that may be left while the next one is waited for. */
  #left<T>(items: AsyncGenerator<T, void, undefined>): typeof items {
    return endedBy(items, () => this.close());
  }

  /** All rows; for pull queries and push queries with LIMIT. */
  async all(): Promise<PublicRow[]> {
    const rows: PublicRow[] = [];
    for await (const row of this) rows.push(row);
    return rows;
  }

  /**
   * Resolves when a push query has taken in all that its topics hold now and its reader has come back for more, or when it has ended. The
   * rows must be read meanwhile.
   */
  async idle(): Promise<void> {
    await this.#options.idle?.();
  }

  /** How ksqlDB says that no more rows will come: `Limit Reached`, `Query Completed`; null before the end, where there is no such word, and on the page's side of a Worker. */
  get finalMessage(): string | null {
    return this.#options.finalMessage?.() ?? null;
  }

  /** Ends the query. */
  close(): Promise<void> {
    return this.#options.close();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
