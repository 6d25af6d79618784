// What objects count in memory while they live, and what they answer when they are asked; knows no text format.

import type { AppendResult, TopicPartition } from '../../runtime/ports/log.ts';
import type { CounterEntry } from '../../runtime/ports/store.ts';
import type { Wire } from '../wire.ts';

/** Counters of a partition since its object began. */
export interface PartitionCounts {
  readonly appendedRecords: number;
  readonly appendedBytes: number;
  readonly appendedBatches: number;
  readonly repeatedBatches: number;
  readonly refused: readonly (readonly [code: string, appends: number])[];
  readonly rowsWritten: number;
}

/** What a partition answers. */
export interface PartitionMetrics extends PartitionCounts {
  readonly start: number;
  readonly highWatermark: number;
  readonly lengthBytes: number;
  readonly storageBytes: number;
  readonly producers: number;
}

/** What a task answers. */
export interface TaskMetrics {
  readonly state: string;
  readonly counters: readonly CounterEntry[];
  /** Every input, with the position that is committed; null: none is. */
  readonly inputs: readonly { readonly at: TopicPartition; readonly position: number | null }[];
  readonly commits: number;
  readonly commitMs: number;
  readonly outboxAppends: number;
  readonly outboxBytes: number;
  readonly storageBytes: number;
  readonly rowsWritten: number;
}

/** A task of a tenant, as its catalog lists it. */
export interface ListedTask {
  readonly query: string;
  readonly task: string;
}

/**
 * Counts the rows that an object's statements write, where each is executed: `sql` is the one value through which all of an object's code
 * reaches its database, so it is told to count there. To be called once, in the constructor of the object, before any statement.
 */
export function rowsWrittenBy(sql: SqlStorage): () => number {
  let rows = 0;
  const exec = sql.exec.bind(sql);
  Object.defineProperty(sql, 'exec', {
    configurable: true,
    value: (query: string, ...bindings: unknown[]) => {
      const cursor = exec(query, ...bindings);
      rows += cursor.rowsWritten;
      return cursor;
    },
  });
  return () => rows;
}

export class PartitionMeter {
  readonly #rowsWritten: () => number;
  #records = 0;
  #bytes = 0;
  #batches = 0;
  #repeats = 0;
  /** By code: those of PortError, and a fault of ours. */
  readonly #refused = new Map<string, number>();

  constructor(sql: SqlStorage) {
    this.#rowsWritten = rowsWrittenBy(sql);
  }

  /** Counts what an append came to, and passes it on. */
  appended(lengthBytes: number, wire: Wire<AppendResult>): Wire<AppendResult> {
    if (!wire.ok) {
      const code = wire.error.name === 'PortError' ? wire.error.code : 'INTERNAL';
      this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
    } else if (wire.value.duplicate) {
      this.#repeats += 1;
    } else {
      this.#records += wire.value.count;
      this.#bytes += lengthBytes;
      this.#batches += 1;
    }
    return wire;
  }

  counts(): PartitionCounts {
    return {
      appendedRecords: this.#records,
      appendedBytes: this.#bytes,
      appendedBatches: this.#batches,
      repeatedBatches: this.#repeats,
      refused: [...this.#refused],
      rowsWritten: this.#rowsWritten(),
    };
  }
}

/** Each commit that is timed stands for as many. */
const TIMED_EVERY = 8;

export class TaskMeter {
  readonly rowsWritten: () => number;
  readonly #storage: DurableObjectStorage;
  #commits = 0;
  #commitMs = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.rowsWritten = rowsWrittenBy(storage.sql);
  }

  /**
   * To be called in the turn of a commit. The clock of a Worker stands still within a turn, so what is timed is the way to the disk: of one
   * commit in so many, since to wait for it is a turn of the object more.
   */
  async committed(): Promise<void> {
    this.#commits += 1;
    if (this.#commits % TIMED_EVERY !== 1) return;
    const fromMs = Date.now();
    try {
      await this.#storage.sync();
    } catch {
      return; // The platform ends the object, and its callers see the failure; there is nothing to count any more.
    }
    this.#commitMs += (Date.now() - fromMs) * TIMED_EVERY;
  }

  counts(): Pick<TaskMetrics, 'commits' | 'commitMs' | 'rowsWritten' | 'storageBytes'> {
    return {
      commits: this.#commits,
      commitMs: this.#commitMs,
      rowsWritten: this.rowsWritten(),
      storageBytes: this.#storage.sql.databaseSize,
    };
  }
}
