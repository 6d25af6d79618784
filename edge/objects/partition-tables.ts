// One partition in SQLite: segments, producers, subscribers; synchronous, and knows neither calls nor alarms.

import { assert } from '../../runtime/base/assert.ts';
import {
  PRODUCERS_KEPT_MAX,
  PRODUCERS_MAX,
  RECORD_BATCH_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import type { FetchedBatch } from '../../runtime/ports/log.ts';
import { decodeRing, encodeRing } from '../../runtime/ports/producer-ring.ts';
import { type KnownProducer, toForget } from '../../runtime/ports/producers.ts';
import { sumOf } from '../../runtime/ports/plain-append.ts';
import type { StoredBatch } from '../../runtime/ports/refusals.ts';
import type { BatchSize } from '../../runtime/ports/retention.ts';
import type { PartitionSpec } from '../env.ts';
import { CheckedSpans } from './checked-spans.ts';
import {
  goesOn,
  META_TABLES,
  type PartitionMeta,
  storeClosed,
  storedGeneration,
  storedMeta,
  storeOpened,
} from './partition-meta.ts';
import { grouped, type NewSegment } from './segment-groups.ts';
import { Tail } from './tail.ts';

/** A stored batch. */
export interface SegmentRow {
  [column: string]: SqlStorageValue;
  base: number;
  count: number;
  crc: number;
  data: ArrayBuffer;
}

const TABLES = `
CREATE TABLE IF NOT EXISTS segment(
  base INTEGER PRIMARY KEY, count INTEGER NOT NULL, maxTimestamp REAL NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS producer(
  id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next INTEGER NOT NULL, lastMs REAL NOT NULL, ring BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriber(name TEXT PRIMARY KEY) WITHOUT ROWID;
`;

/** A batch of this size costs more to look at than to ask for later. */
const LARGE_BYTES_MIN = 32_768;

/** How a read judges what it finds. */
interface ReadChecks {
  readonly verify: (bytes: Uint8Array, stored: StoredBatch) => void;
  readonly missing: (offset: number) => Error;
}

export class PartitionTables {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  /** What `meta` says, appends of this transaction included; undefined: it must be read. */
  #meta: PartitionMeta | null | undefined = undefined;
  /** null: they must be read. */
  #subscribers: readonly string[] | null = null;
  /** Those of the last appends, as the table has them. */
  readonly #producers = new Map<string, KnownProducer>();
  /** The newest batches up to the high watermark: those who keep up read them, and a look at the disk costs more than all else that they do. */
  readonly #tail = new Tail();
  /** Batches whose sums were right when they were last read from the database. */
  readonly checked = new CheckedSpans();
  /** Appended in this transaction, and not written yet. */
  #appended: NewSegment[] = [];

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(META_TABLES + TABLES);
  }

  /**
   * Runs the body as one transaction. However many appends are in it, the bounds are written once, and small batches as one.
   * @throws what the body throws; then nothing of it is left, here or in the storage
   */
  transaction<T>(body: () => T): T {
    try {
      const { result, segments } = this.#storage.transactionSync(() => {
        const result = body();
        return { result, segments: this.#writeAppended() };
      });
      this.#tail.add(segments);
      return result;
    } catch (thrown) {
      this.#appended = [];
      this.forget();
      throw thrown;
    }
  }

  /** The batches from an offset on up to the high watermark; null where they are not in memory, or none begins there. */
  recent(from: number): readonly FetchedBatch[] | null {
    const meta = this.meta();
    return meta === null ? null : this.#tail.read(from, meta.next, Infinity);
  }

  /** Reads `meta` anew when it is next asked for: to be called by whoever else has written it. */
  forget(): void {
    this.#forgetMeta();
    this.#subscribers = null;
    this.#producers.clear();
    this.#tail.clear();
    this.checked.clear();
  }

  #forgetMeta(): void {
    assert(this.#appended.length === 0, 'bounds are written before they are forgotten');
    this.#meta = undefined;
  }

  /** The partition as it stands; null while it is not open. */
  meta(): PartitionMeta | null {
    return (this.#meta ??= storedMeta(this.#sql));
  }

  /** Opens the partition, unless this generation of it, or a later one, has been opened or closed: empty, or, where it was restored, with its records. */
  open(spec: PartitionSpec): void {
    if (storedGeneration(this.#sql) >= spec.generation) return;
    const before = this.meta();
    if (spec.restored !== undefined && before !== null && goesOn(this.#sql, before, spec)) {
      this.forget();
      return;
    }
    this.#clear();
    storeOpened(this.#sql, spec);
  }

  /** Removes the records of that generation; what is left refuses a late `open` of it. */
  close(generation: number): void {
    if (storedGeneration(this.#sql) > generation) return;
    this.#clear();
    storeClosed(this.#sql, generation);
  }

  #clear(): void {
    this.forget();
    this.#sql.exec(
      'DELETE FROM segment; DELETE FROM producer; DELETE FROM subscriber; DELETE FROM earlier;',
    );
  }

  /** Appends a batch to an open partition; within `transaction`. */
  append(segment: NewSegment): void {
    const { base, count } = segment;
    const meta = this.meta();
    assert(meta !== null && meta.next === base, 'a batch is appended at the end');
    this.#meta = { ...meta, next: base + count };
    this.#appended.push(segment);
  }

  #writeAppended(): readonly NewSegment[] {
    if (this.#appended.length === 0) return [];
    const segments = grouped(this.#appended);
    this.#appended = [];
    const meta = this.#meta;
    assert(meta !== undefined && meta !== null, 'what was appended to is known');
    let { lengthBytes } = meta;
    for (const segment of segments) {
      insertSegment(this.#sql, segment);
      lengthBytes += segment.bytes.length;
    }
    this.#meta = { ...meta, lengthBytes };
    this.#sql.exec('UPDATE meta SET next = ?, lengthBytes = ?', meta.next, lengthBytes);
    return segments;
  }

  /**
   * Batches from the one that holds `from`; beyond the first it stops before `bytesMax`.
   * @param verify checks a batch against what is stored with it
   * @param missing makes the error of an offset that no batch covers
   */
  read(
    { next: end }: PartitionMeta,
    from: number,
    bytesMax: number,
    { verify, missing }: ReadChecks,
  ): FetchedBatch[] {
    const tail = this.#tail.read(from, end, bytesMax);
    if (tail !== null) return tail;
    const batches: FetchedBatch[] = [];
    if (from === end) return batches;
    let bytes = 0;
    let next = from;
    for (const { base, count, crc, data: buffer } of this.#segmentsFrom(from)) {
      const data = new Uint8Array(buffer);
      if (batches.length > 0 && bytes + data.length > bytesMax) return batches;
      // The first may begin below the offset asked for; the others follow each other.
      const follows = batches.length === 0 ? base <= next : base === next;
      if (!follows || base + count <= next) throw missing(next);
      verify(data, { base, count, crc });
      bytes += data.length;
      next = base + count;
      batches.push({ base, count, bytes: data });
      // One of the same size would not fit any more: it is not taken from the disk for nothing.
      const more = data.length >= LARGE_BYTES_MIN ? data.length : 1;
      if (bytes + more > bytesMax) return batches;
    }
    if (next !== end) throw missing(next);
    return batches;
  }

  /** Bytes of the batch that holds the offset, where those are more than `bytesMax`; else 0. */
  needed(offset: number, bytesMax: number): number {
    const length = bytesMax < RECORD_BATCH_BYTES_MAX ? this.#lengthAt(offset) : 0;
    return length > bytesMax ? length : 0;
  }

  #lengthAt(offset: number): number {
    const { next = 0 } = this.meta() ?? {};
    const tail = this.#tail.read(offset, next, 0)?.[0];
    if (tail !== undefined || offset >= next) return tail?.bytes.length ?? 0;
    const sql = 'SELECT length(data) AS n FROM segment WHERE base <= ? ORDER BY base DESC LIMIT 1';
    return this.#sql.exec<{ n: number }>(sql, offset).toArray()[0]?.n ?? 0;
  }

  /** From the one that holds the offset on. Nearly always one begins there, and looking for where else it may be costs as much as reading a small one. */
  *#segmentsFrom(offset: number): Generator<SegmentRow> {
    const from = 'SELECT base, count, crc, data FROM segment WHERE base >=';
    const rows = this.#sql.exec<SegmentRow>(`${from} ? ORDER BY base`, offset);
    const first = rows.next();
    if (first.done !== true && first.value.base === offset) {
      yield first.value;
      yield* rows;
      return;
    }
    yield* this.#sql.exec<SegmentRow>(
      `${from} coalesce((SELECT max(base) FROM segment WHERE base <= ?1), ?1) ORDER BY base`,
      offset,
    );
  }

  /** The first batch with a timestamp at or after `ms`; null when there is none. */
  firstAtOrAfter(ms: number): (FetchedBatch & StoredBatch) | null {
    const row = this.#sql
      .exec<SegmentRow>(
        'SELECT base, count, crc, data FROM segment WHERE maxTimestamp >= ? ORDER BY base LIMIT 1',
        ms,
      )
      .toArray()[0];
    if (row === undefined) return null;
    const { data, ...stored } = row;
    return { ...stored, bytes: new Uint8Array(data) };
  }

  /** Lets whole batches below `before` go. */
  trim(before: number): void {
    const gone = 'base + count <= ?1 AND base < ?1';
    // Batches in memory may stay: nobody reads before the start.
    this.#forgetMeta();
    this.#sql.exec(
      `UPDATE meta SET lengthBytes = lengthBytes - (SELECT coalesce(sum(length(data)), 0) FROM segment WHERE ${gone})`,
      before,
    );
    this.#sql.exec(`DELETE FROM segment WHERE ${gone}`, before);
    this.#sql.exec('UPDATE meta SET start = coalesce((SELECT min(base) FROM segment), next)');
  }

  /** The oldest batches, at most that many, without their bytes. */
  *oldest(batchesMax: number): Generator<BatchSize> {
    yield* this.#sql.exec<{
      base: number;
      count: number;
      maxTimestamp: number;
      lengthBytes: number;
    }>(
      'SELECT base, count, maxTimestamp, length(data) AS lengthBytes FROM segment ORDER BY base LIMIT ?',
      batchesMax,
    );
  }

  producer(id: string): KnownProducer | null {
    return this.#producers.get(id) ?? this.#storedProducer(id);
  }

  #storedProducer(id: string): KnownProducer | null {
    const row = this.#sql
      .exec<{ epoch: number; next: number; lastMs: number; ring: ArrayBuffer }>(
        'SELECT epoch, next, lastMs, ring FROM producer WHERE id = ?',
        id,
      )
      .toArray()[0];
    if (row === undefined) return null;
    const batches = decodeRing(id, new Uint8Array(row.ring));
    return { epoch: row.epoch, next: row.next, lastMs: row.lastMs, batches };
  }

  /** Stores what is remembered of a producer; a new one may push out the idle ones. */
  remember(id: string, producer: KnownProducer, isNew: boolean, nowMs: number): void {
    if (isNew) this.#makeRoom(nowMs);
    this.#sql.exec(
      'INSERT OR REPLACE INTO producer VALUES (?, ?, ?, ?, ?)',
      id,
      producer.epoch,
      producer.next,
      producer.lastMs,
      encodeRing(producer.batches),
    );
    if (this.#producers.size >= PRODUCERS_KEPT_MAX) this.#producers.clear();
    this.#producers.set(id, producer);
  }

  /** How many are remembered. */
  get producers(): number {
    return this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM producer').one().n;
  }

  #makeRoom(nowMs: number): void {
    if (this.producers < PRODUCERS_MAX) return;
    const idle = this.#sql
      .exec<{ id: string; lastMs: number }>('SELECT id, lastMs FROM producer')
      .toArray();
    const { ids, forgottenMs } = toForget(idle, nowMs);
    assert(ids.length > 0, 'a full table of producers has one to forget');
    for (const id of ids) this.#sql.exec('DELETE FROM producer WHERE id = ?', id);
    this.#producers.clear();
    this.#sql.exec('UPDATE meta SET forgottenMs = max(coalesce(forgottenMs, ?1), ?1)', forgottenMs);
    const meta = this.meta();
    assert(meta !== null, 'a partition that is appended to is open');
    this.#meta = { ...meta, forgottenMs: Math.max(meta.forgottenMs, forgottenMs) };
  }

  subscribers(): readonly string[] {
    return (this.#subscribers ??= this.#sql
      .exec<{ name: string }>('SELECT name FROM subscriber ORDER BY name')
      .toArray()
      .map((row) => row.name));
  }

  subscribe(name: string): void {
    this.#subscribers = null;
    this.#sql.exec('INSERT OR IGNORE INTO subscriber VALUES (?)', name);
  }

  unsubscribe(name: string): void {
    this.#subscribers = null;
    this.#sql.exec('DELETE FROM subscriber WHERE name = ?', name);
  }
}

/** Stores a batch, with the checksum that its bytes carry, and nothing beside it. */
export function insertSegment(sql: SqlStorage, segment: NewSegment): void {
  const { base, count, maxTimestamp, bytes } = segment;
  sql.exec(
    'INSERT INTO segment VALUES (?, ?, ?, ?, ?)',
    base,
    count,
    maxTimestamp,
    sumOf(bytes),
    bytes,
  );
}
