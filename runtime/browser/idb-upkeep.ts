// What keeps partitions in IndexedDB small, in transactions so short that no commit waits long; fetched when a topic first needs it.

import { PortError } from '../base/errors.ts';
import {
  Cleaner,
  type CleaningRead,
  grownBy,
  isCompactionDue,
  NOT_CLEANED,
  type Replacement,
} from '../ports/cleaning.ts';
import type { FetchedBatch, TopicPartition } from '../ports/log.ts';
import { storedBatch } from '../ports/refusals.ts';
import { type BatchSize, expired } from '../ports/retention.ts';
import { RETENTION_SWEEP_MS } from '../ports/upkeep.ts';
import { partitionKey } from '../ports/wakes.ts';
import { logLater } from '../task/log-later.ts';
import type { PartitionRow, WriteTransaction } from './database.ts';
import { NO_POLICY, partitionIn } from './idb-append.ts';
import { asked, nextOf } from './requests.ts';
import { type IdbOptions, owned, write } from './transactions.ts';

/** What one turn reads at most; a batch comes with its bytes, whether they are wanted or not. */
const TURN_BYTES = 1_048_576;
const TURN_BATCHES = 64;

/** The upkeep of all partitions of a database. */
export class IdbUpkeep {
  readonly #options: IdbOptions;
  /** Of partitions whose upkeep is not done. */
  readonly #cleaners = new Map<string, Cleaner>();
  /** When a partition was last looked at for what may go. */
  readonly #sweptMs = new Map<string, number>();
  readonly #sweeping = new Set<string>();
  readonly #changed: (at: TopicPartition) => void;

  /** @param changed told of each partition that may not be what it was */
  constructor(options: IdbOptions, changed: (at: TopicPartition) => void) {
    this.#options = options;
    this.#changed = changed;
  }

  /** Records were appended: looks for what may go where that was not done lately. */
  look(at: TopicPartition): void {
    const key = partitionKey(at);
    const { sweepMs = RETENTION_SWEEP_MS } = this.#options;
    const nowMs = this.#options.now();
    const restedMs = nowMs - (this.#sweptMs.get(key) ?? -Infinity);
    if (sweepMs === null || restedMs < sweepMs || this.#sweeping.has(key)) return;
    this.#sweptMs.set(key, nowMs);
    this.#sweeping.add(key);
    void this.#sweep(at).then(() => this.#sweeping.delete(key));
  }

  /** The partition has gone. */
  forget(at: TopicPartition): void {
    this.#sweptMs.delete(partitionKey(at));
  }

  /** Turn after turn of upkeep, appends and commits between them, until there is nothing to do. */
  async #sweep(at: TopicPartition): Promise<void> {
    try {
      while (await this.turn(at)) await new Promise((rest) => setTimeout(rest));
    } catch (failure) {
      // The topic or the database has gone; else the next sweep tries again.
      if (!isGone(failure)) logLater('error', 'upkeep', { ...at, thrown: failure });
    }
  }

  /** One turn. @returns true when another turn has something to do. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, CORRUPT, UNAVAILABLE */
  async turn(at: TopicPartition): Promise<boolean> {
    const key = partitionKey(at);
    const cleaner = this.#cleaners.get(key) ?? new Cleaner();
    // A pass goes on only from what was stored.
    this.#cleaners.delete(key);
    const isMore = await write(this.#options, 'upkeep', async (transaction) => {
      const nowMs = this.#options.now();
      const row = await partitionIn(transaction, at);
      if (await expire(transaction, at, row, nowMs)) return true;
      return await clean(transaction, at, cleaner, nowMs);
    });
    this.#changed(at);
    if (isMore) this.#cleaners.set(key, cleaner);
    return isMore;
  }
}

function isGone(failure: unknown): boolean {
  const code = failure instanceof PortError ? failure.code : null;
  return code === 'UNKNOWN_TOPIC' || code === 'UNKNOWN_PARTITION' || code === 'UNAVAILABLE';
}

async function clean(
  transaction: WriteTransaction,
  at: TopicPartition,
  cleaner: Cleaner,
  nowMs: number,
): Promise<boolean> {
  const row = await partitionIn(transaction, at);
  const { policy = NO_POLICY, start, incarnation, cleaned = NOT_CLEANED } = row;
  if (!policy.compacted) return false;
  const lengthBytes = row.lengthBytes ?? (await countBytes(transaction, at));
  const head = (await newestBelow(transaction, at, row.highWatermark)) ?? start;
  const of = { incarnation, policy, start, head, lengthBytes, cleaned, nowMs };
  const wanted = cleaner.wanted(of, isCompactionDue(of));
  if (wanted === null) return false;
  const { replacement, isDone } = cleaner.take(await read(transaction, at, wanted));
  const grown = replacement === null ? 0 : await replace(transaction, at, replacement);
  const after = lengthBytes + grown;
  const done = isDone ? { cleaned: cleaner.result(after) } : {};
  transaction
    .objectStore('partitions')
    .put({ ...row, lengthBytes: after, ...done }, [at.topic, at.partition]);
  return !isDone;
}

/** Base of the last batch that begins at or below an offset; null: there is none. */
async function newestBelow(
  transaction: WriteTransaction,
  at: TopicPartition,
  offset: number,
): Promise<number | null> {
  const range = IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, offset]);
  const cursor = await asked(transaction.objectStore('segments').openKeyCursor(range, 'prev'));
  return cursor?.key[2] ?? null;
}

/** Batches as the pass wants them, of a partition that has any below `to`. */
async function read(
  transaction: WriteTransaction,
  at: TopicPartition,
  { from, to, batchesMax, bytesMax }: CleaningRead,
): Promise<readonly FetchedBatch[]> {
  const found: FetchedBatch[] = [];
  const first = (await newestBelow(transaction, at, from)) ?? from;
  if (first >= to) return found;
  let length = 0;
  const key: [string, number] = [at.topic, at.partition];
  const range = IDBKeyRange.bound([...key, first], [...key, to], false, true);
  let cursor = await asked(transaction.objectStore('segments').openCursor(range));
  while (cursor !== null && length < bytesMax && found.length < batchesMax) {
    const { count, bytes } = cursor.value;
    const base = cursor.key[2];
    // What a rewritten batch is made of must be what was appended: its checksum will be new.
    storedBatch(at, bytes, { base, count });
    found.push({ base, count, bytes });
    length += bytes.length;
    cursor = await nextOf(cursor);
  }
  return found;
}

/** @returns by how many bytes the partition has grown */
async function replace(
  transaction: WriteTransaction,
  at: TopicPartition,
  replacement: Replacement,
): Promise<number> {
  const segments = transaction.objectStore('segments');
  const key: [string, number] = [at.topic, at.partition];
  const { from, to, batches } = replacement;
  const range = IDBKeyRange.bound([...key, from], [...key, to], false, true);
  const before = await asked(segments.getAll(range));
  segments.delete(range);
  for (const { base, count, maxTimestamp, bytes } of batches) {
    segments.add({ count, maxTimestamp, bytes: owned(bytes) }, [...key, base]);
  }
  return grownBy(
    replacement,
    before.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
}

async function expire(
  transaction: WriteTransaction,
  at: TopicPartition,
  row: PartitionRow,
  nowMs: number,
): Promise<boolean> {
  const key: [string, number] = [at.topic, at.partition];
  const { policy = NO_POLICY, highWatermark } = row;
  const lengthBytes = row.lengthBytes ?? (await countBytes(transaction, at));
  const oldest = await sizesFrom(transaction, at, row);
  const gone = expired(oldest, { policy, highWatermark, lengthBytes, nowMs });
  if (gone === null) return false;
  const below = IDBKeyRange.bound([...key, row.start], [...key, gone.before], false, true);
  transaction.objectStore('segments').delete(below);
  const kept = lengthBytes - gone.lengthBytes;
  transaction.objectStore('partitions').put({ ...row, start: gone.before, lengthBytes: kept }, key);
  return gone.batches === oldest.length;
}

/** The oldest batches: as many as a turn may read. */
async function sizesFrom(
  transaction: WriteTransaction,
  at: TopicPartition,
  { start, highWatermark }: PartitionRow,
): Promise<BatchSize[]> {
  const found: BatchSize[] = [];
  let read = 0;
  const key: [string, number] = [at.topic, at.partition];
  const range = IDBKeyRange.bound([...key, start], [...key, highWatermark]);
  let cursor = await asked(transaction.objectStore('segments').openCursor(range));
  while (cursor !== null && read < TURN_BYTES && found.length < TURN_BATCHES) {
    const { count, maxTimestamp, bytes } = cursor.value;
    found.push({ base: cursor.key[2], count, maxTimestamp, lengthBytes: bytes.length });
    read += bytes.length;
    cursor = await nextOf(cursor);
  }
  return found;
}

/** Once for a partition of a database of before they were counted. */
async function countBytes(transaction: WriteTransaction, at: TopicPartition): Promise<number> {
  let total = 0;
  const range = IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, []]);
  let cursor = await asked(transaction.objectStore('segments').openCursor(range));
  while (cursor !== null) {
    total += cursor.value.bytes.length;
    cursor = await nextOf(cursor);
  }
  return total;
}
