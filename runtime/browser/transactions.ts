// Transactions of the IndexedDB database: all or nothing, complete before they count, refused as port errors; knows no log and no store.

import { messageOf, PortError } from '../base/errors.ts';
import { withParts } from '../task/with-parts.ts';
import { type Database, type ReadTransaction, STORES, type WriteTransaction } from './database.ts';

/** What a log and a store need from their host. */
export interface IdbOptions {
  readonly database: Database;
  /** Wall-clock time in ms. */
  readonly now: () => number;
  /** 'strict' waits until the disk has the bytes; 'relaxed' until the operating system has them. */
  readonly durability: 'relaxed' | 'strict';
  /** How often, at most, the log looks by itself for what partitions need not keep; absent: RETENTION_SWEEP_MS; null: never. */
  readonly sweepMs?: number | null | undefined;
}

/**
 * Runs the work in one transaction and waits until that is complete; a failure aborts it, so that nothing is half written. The work
 * awaits nothing but requests of its transaction, which would else end under it. Where it comes upon code that is not fetched, the
 * transaction is aborted, and all of the work is done again in another one once the code is there.
 * @throws {PortError} the work's own; STORAGE_FULL; UNAVAILABLE
 */
export async function write<T>(
  options: IdbOptions,
  doing: string,
  work: (transaction: WriteTransaction) => Promise<T>,
): Promise<T> {
  return await translated(doing, async () => {
    const { database, durability } = options;
    const transaction = database.transaction(STORES, 'readwrite', { durability });
    const aborted = new Promise<boolean>((ended) => {
      transaction.addEventListener('complete', () => ended(false));
      transaction.addEventListener('abort', () => ended(true));
    });
    try {
      const result = await work(transaction);
      transaction.commit();
      if (await aborted)
        throw transaction.error ?? new DOMException('the browser aborted it', 'AbortError');
      return result;
    } catch (cause) {
      abort(transaction);
      await aborted;
      // A request that its transaction took down says no more than that.
      const isTakenDown = cause instanceof DOMException && cause.name === 'AbortError';
      throw isTakenDown ? (transaction.error ?? cause) : cause;
    }
  });
}

function abort(transaction: WriteTransaction): void {
  try {
    transaction.abort();
  } catch (late) {
    // InvalidStateError: it has ended already, by the same failure.
    if (!(late instanceof DOMException && late.name === 'InvalidStateError')) throw late;
  }
}

/**
 * Runs reads in one transaction; the work awaits its requests and nothing else. Work that comes upon code which is not fetched is repeated,
 * in another one, once it is.
 * @throws {PortError} the work's own; UNAVAILABLE
 */
export async function read<T>(
  { database }: IdbOptions,
  doing: string,
  work: (transaction: ReadTransaction) => Promise<T>,
): Promise<T> {
  return await translated(doing, () => work(database.transaction(STORES)));
}

/** What IndexedDB throws becomes a port error. */
async function translated<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await withParts(work);
  } catch (cause) {
    throw portError(cause, doing);
  }
}

function portError(cause: unknown, doing: string): unknown {
  if (!(cause instanceof DOMException)) return cause;
  const full = cause.name === 'QuotaExceededError';
  return new PortError(
    full ? 'STORAGE_FULL' : 'UNAVAILABLE',
    full
      ? `the browser's storage is full: ${doing} wrote nothing`
      : `IndexedDB failed at ${doing}: ${messageOf(cause)}`,
    {},
    { cause },
  );
}

/** The bytes in a buffer of their own. A view would be stored with all of its buffer, and would keep all of it in memory. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : bytes.slice();
}
