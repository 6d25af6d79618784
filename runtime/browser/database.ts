// The IndexedDB database behind a tab's log and store: its object stores, versions and the lock that admits one writer.

import type { Cleaned } from '../ports/cleaning.ts';
import type { TopicDescription } from '../ports/log.ts';
import type { TopicPolicy } from '../ports/topic-policy.ts';
import type { KnownProducer } from '../ports/producers.ts';
import type {
  CounterEntry,
  OffsetEntry,
  Restored,
  StreamTimeEntry,
  TaskId,
} from '../ports/store.ts';
import { databaseName } from './database-name.ts';
import { RARE_ROWS } from './parts.ts';
import { asked, type Rows, type WritableRows } from './requests.ts';

/** Raised when an object store changes; an older tab then closes its connection (`versionchange`). */
export const DATABASE_VERSION = 1;

export type PartitionKey = [topic: string, partition: number];

/** One partition's ends. */
export interface PartitionRow {
  readonly start: number;
  readonly highWatermark: number;
  readonly incarnation: string;
  /** See ports/producers.ts; -Infinity: no producer was forgotten. */
  readonly forgottenMs: number;
  /** Producers in `producers` of this partition, so that most appends need not count them. */
  readonly producers: number;
  /** Bytes of all batches; absent in a database of before they were counted. */
  readonly lengthBytes?: number | undefined;
  /** What its topic says; absent in a database of before partitions knew it. */
  readonly policy?: TopicPolicy | undefined;
  /** How far compaction has come; absent: it has not begun. */
  readonly cleaned?: Cleaned | undefined;
}

/** One accepted record batch: a row a batch, never a row a record. */
export interface SegmentRow {
  readonly count: number;
  readonly maxTimestamp: number;
  readonly bytes: Uint8Array;
}

/** A task's last commit without its state. */
export interface TaskRow {
  readonly commit: number;
  readonly epoch: number;
  /** false until the first commit: there is nothing yet that a pull query could read. */
  readonly committed: boolean;
  readonly producer: string;
  readonly offsets: readonly OffsetEntry[];
  readonly streamTimes: readonly StreamTimeEntry[];
  readonly counters: readonly CounterEntry[];
  readonly sequences: Restored['sequences'];
}

interface Schema {
  topics: { key: string; value: TopicDescription };
  partitions: { key: PartitionKey; value: PartitionRow };
  segments: { key: [topic: string, partition: number, base: number]; value: SegmentRow };
  producers: { key: [topic: string, partition: number, id: string]; value: KnownProducer };
  tasks: { key: TaskId; value: TaskRow };
  /** Deltas of a task's state, in the order of their sequence; see state-log.ts. */
  state: { key: [task: TaskId, sequence: number]; value: Uint8Array };
}

export type StoreName = keyof Schema;

/** What requests of an object store take and give. */
export type RowsOf<S extends StoreName> = Rows<Schema[S]['key'], Schema[S]['value']>;
export type WritableRowsOf<S extends StoreName> = WritableRows<
  Schema[S]['key'],
  Schema[S]['value']
>;

/** A transaction over every object store. */
export interface ReadTransaction extends Pick<IDBTransaction, 'error' | 'addEventListener'> {
  objectStore<S extends StoreName>(name: S): RowsOf<S>;
}

export interface WriteTransaction
  extends ReadTransaction, Pick<IDBTransaction, 'abort' | 'commit'> {
  objectStore<S extends StoreName>(name: S): WritableRowsOf<S>;
}

/** An `IDBDatabase`, with the types of what is in it. */
export interface Database {
  transaction(stores: readonly StoreName[]): ReadTransaction;
  transaction(
    stores: readonly StoreName[],
    mode: 'readwrite',
    options: IDBTransactionOptions,
  ): WriteTransaction;
  close(): void;
}

/** Every object store; they have no index and no key path. */
export const STORES: readonly StoreName[] = [
  'topics',
  'partitions',
  'segments',
  'producers',
  'tasks',
  'state',
];

/**
 * Opens (and makes or upgrades) the database.
 * @param onClosed called when the browser closes the connection: another tab upgrades it to the version, or (null) storage was cleared
 * @throws {PortError} UNAVAILABLE when the browser refuses (private mode, quota, a newer version on disk)
 */
export async function openDatabase(
  name: string,
  onClosed: (wanted: number | null) => void,
): Promise<Database> {
  try {
    const opening = indexedDB.open(databaseName(name), DATABASE_VERSION);
    opening.addEventListener('upgradeneeded', () => {
      const { result } = opening;
      for (const store of STORES) {
        if (!result.objectStoreNames.contains(store)) result.createObjectStore(store);
      }
    });
    const database = await asked(opening);
    database.addEventListener('versionchange', ({ newVersion }) => {
      database.close();
      onClosed(newVersion);
    });
    database.addEventListener('close', () => onClosed(null));
    return database as unknown as Database;
  } catch (cause) {
    return await refused(name, cause);
  }
}

/**
 * Takes the lock of the database's one writer, and keeps it until the returned function is called or the tab goes. What that gives
 * resolves when the lock is free.
 * @param wait true: waits until the other writer goes; false: refuses at once
 * @throws {PortError} LOCKED when another tab or Worker holds it; UNAVAILABLE when the browser refuses locks (a frame of another site)
 */
export function lockDatabase(name: string, wait: boolean): Promise<() => Promise<void>> {
  return new Promise((granted) => {
    const freed = navigator.locks.request(
      databaseName(name),
      { ifAvailable: !wait },
      async (lock) => {
        if (lock === null) return granted(refused(name, lock));
        await new Promise<void>((release) => {
          granted(async () => {
            release();
            await freed;
          });
        });
      },
    );
    freed.catch((cause: unknown) => granted(refused(name, cause)));
  });
}

/** @param cause why the browser does not give it; null: another tab or Worker has it */
async function refused(name: string, cause: unknown): Promise<never> {
  throw (await RARE_ROWS.load()).refusedDatabase(name, cause);
}
