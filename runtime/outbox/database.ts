// The IndexedDB database of an outbox: opened, opened again where the browser has closed it, and its transactions; knows no record's way.

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { messageOf, PortError } from '../base/errors.ts';
import type { KeptBatch, KeptRecord, OutboxTotals, RefusedRecord } from './kept.ts';

/** The producer of a partition's batches, and the sequence of its next one. */
interface KeptProducer {
  readonly incarnation: string;
  readonly id: string;
  readonly next: number;
  readonly usedMs: number;
}

interface Schema extends DBSchema {
  records: { key: number; value: KeptRecord };
  /** By place. */
  batches: { key: string; value: KeptBatch };
  producers: { key: string; value: KeptProducer };
  refused: { key: number; value: Omit<RefusedRecord, 'id'> };
  totals: { key: 'all'; value: OutboxTotals };
  /**
   * How often a tab has begun to send; the partition, modulo how many there are, of records without a key: the same in every turn, or newer ones could overtake; and
   * which database it is: another one where all was cleared. Absent in one of before it was told.
   */
  turns: { key: 'all' | 'spare' | 'made'; value: number };
}

type Store = keyof typeof STORES;
type Database = IDBPDatabase<Schema>;
/** How often it is opened again for one transaction: a browser may close it as soon as it is open. */
const OPENED_AGAIN_MAX = 5;

/** What of a transaction says whose turn it is. */
export interface Turns {
  get(key: 'all'): Promise<number | undefined>;
}

export type Change = IDBPTransaction<Schema, Store[], 'readwrite'>;
type Look = IDBPTransaction<Schema, Store[]>;

const STORES = {
  records: true,
  batches: true,
  producers: true,
  refused: true,
  totals: true,
  turns: true,
};
const NAMES = Object.keys(STORES) as Store[];

/**
 * Browsers close databases under a page: all do when its site is cleared, those of iOS when it goes to the background. It is opened again then, and what had not
 * begun begins there.
 */
export class OutboxDatabase {
  readonly #name: string;
  /** null: it is to be opened. */
  #opening: Promise<Database> | null = null;
  /** Which one was opened last; null: none was. */
  #made: { readonly made: number | undefined } | null = null;
  #isClosed = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** @throws {PortError} UNAVAILABLE */
  async open(): Promise<void> {
    await translated(() => this.#database());
  }

  /** For good. */
  close(): void {
    this.#isClosed = true;
    this.#opening?.then(
      (database) => database.close(),
      () => undefined, // Whoever asked for it has heard.
    );
  }

  #database(): Promise<Database> {
    if (this.#isClosed) return Promise.reject(new PortError('UNAVAILABLE', 'the outbox is closed'));
    if (this.#opening !== null) return this.#opening;
    const opening = this.#opened(() => this.#forget(opening));
    opening.catch(() => this.#forget(opening));
    return (this.#opening = opening);
  }

  /** Whoever asks next has it opened again. */
  #forget(opening: Promise<Database>): void {
    if (this.#opening === opening) this.#opening = null;
  }

  /** @throws {PortError} UNAVAILABLE, once, where the one that was opened before is gone with what it kept */
  async #opened(onClosed: () => void): Promise<Database> {
    const database = await openDB<Schema>(this.#name, 1, {
      async upgrade(made, _old, _new, change) {
        made.createObjectStore('records', { autoIncrement: true });
        for (const store of ['batches', 'producers', 'refused', 'totals', 'turns'] as const)
          made.createObjectStore(store);
        await change.objectStore('turns').put(Math.random(), 'made');
      },
      // Another version of this code, or the user who clears the site's data, waits for it.
      blocking: (_old, _new, { target }) => {
        (target as IDBDatabase).close();
        onClosed();
      },
      terminated: onClosed,
    });
    const before = this.#made;
    this.#made = { made: await database.get('turns', 'made') };
    if (before === null || before.made === this.#made.made) return database;
    database.close();
    throw new PortError('UNAVAILABLE', 'the browser has cleared what this outbox had kept');
  }

  /** A transaction, over another connection where the last one has been closed. */
  async #begin<T>(begin: (database: Database) => T): Promise<T> {
    for (let left = OPENED_AGAIN_MAX; ; left--) {
      const opening = this.#database();
      try {
        return begin(await opening);
      } catch (thrown) {
        const isClosed = thrown instanceof DOMException && thrown.name === 'InvalidStateError';
        if (!isClosed || left === 0) throw thrown;
        this.#forget(opening); // What says so may still be on its way.
      }
    }
  }

  /** What changes nothing is done again where it fails. */
  look<T>(work: (look: Look) => Promise<T>): Promise<T> {
    const look = async (): Promise<T> =>
      work(await this.#begin((database) => database.transaction(NAMES)));
    return translated(async () => {
      try {
        return await look();
      } catch (thrown) {
        if (!(thrown instanceof DOMException)) throw thrown;
        return await look();
      }
    });
  }

  /** One transaction, on the disk before it resolves. Where `work` throws nothing of it is kept. */
  change<T>(work: (change: Change) => Promise<T>): Promise<T> {
    return translated(async () => {
      const change = await this.#begin((database) =>
        database.transaction(NAMES, 'readwrite', { durability: 'strict' }),
      );
      // What `work` throws is what the caller hears; the end of the transaction says no more.
      change.done.catch(() => undefined);
      try {
        const result = await work(change);
        await change.done;
        return result;
      } catch (thrown) {
        if (change.error === null) abort(change);
        throw thrown;
      }
    });
  }
}

function abort(change: Change): void {
  try {
    change.abort();
  } catch (thrown) {
    // It has ended already: nothing is left to take back.
    if (!(thrown instanceof DOMException)) throw thrown;
  }
}

/** What IndexedDB throws as an error of ours. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    const isFull = cause.name === 'QuotaExceededError';
    const message = isFull
      ? "the browser's storage is full: nothing was kept"
      : `IndexedDB failed: ${messageOf(cause)}`;
    throw new PortError(isFull ? 'STORAGE_FULL' : 'UNAVAILABLE', message, {}, { cause });
  }
}
