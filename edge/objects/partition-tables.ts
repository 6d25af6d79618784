// One partition in SQLite: segments, producers, subscribers; synchronous, and knows neither calls nor alarms.

import { assert } from '../../runtime/base/assert.ts';
import { PRODUCERS_MAX } from '../../runtime/base/limits.ts';
import type { Bounds, FetchedBatch } from '../../runtime/ports/log.ts';
import { decodeRing, encodeRing } from '../../runtime/ports/producer-ring.ts';
import { type KnownProducer, toForget } from '../../runtime/ports/producers.ts';
import type { PartitionSpec } from '../env.ts';

/** The one row of `meta`: which partition this is, and its bounds. */
export interface PartitionMeta {
  readonly tenant: string;
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly generation: number;
  readonly retentionMs: number | null;
  readonly start: number;
  readonly next: number;
  readonly forgottenMs: number;
}

interface MetaRow {
  [column: string]: SqlStorageValue;
  open: number;
  tenant: string;
  topic: string;
  partition: number;
  incarnation: string;
  generation: number;
  retentionMs: number | null;
  start: number;
  next: number;
  forgottenMs: number | null;
}

const TABLES = `
CREATE TABLE IF NOT EXISTS meta(
  id INTEGER PRIMARY KEY CHECK (id = 0), open INTEGER NOT NULL, tenant TEXT NOT NULL, topic TEXT NOT NULL,
  partition INTEGER NOT NULL, incarnation TEXT NOT NULL, generation INTEGER NOT NULL, retentionMs REAL,
  start INTEGER NOT NULL, next INTEGER NOT NULL, forgottenMs REAL);
CREATE TABLE IF NOT EXISTS segment(
  base INTEGER PRIMARY KEY, count INTEGER NOT NULL, maxTimestamp REAL NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS producer(
  id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next INTEGER NOT NULL, lastMs REAL NOT NULL, ring BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriber(name TEXT PRIMARY KEY) WITHOUT ROWID;
`;

/** What one accepted batch is stored with. */
export interface NewSegment {
  readonly base: number;
  readonly count: number;
  readonly maxTimestamp: number;
  readonly crc: number;
  readonly bytes: Uint8Array;
}

export class PartitionTables {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  /** The partition as it stands; null while it is not open. */
  meta(): PartitionMeta | null {
    const row = this.#sql.exec<MetaRow>('SELECT * FROM meta').toArray()[0];
    if (row === undefined || row.open !== 1) return null;
    return { ...row, forgottenMs: row.forgottenMs ?? -Infinity };
  }

  /** Opens the partition empty, unless this generation of it, or a later one, has been opened or closed. */
  open(spec: PartitionSpec): void {
    if (this.#generation() >= spec.generation) return;
    this.#clear();
    this.#sql.exec(
      `INSERT OR REPLACE INTO meta VALUES (0, 1, ?, ?, ?, ?, ?, ?, 0, 0, NULL)`,
      spec.tenant,
      spec.at.topic,
      spec.at.partition,
      spec.incarnation,
      spec.generation,
      spec.retentionMs,
    );
  }

  /** Removes the records of that generation; what is left refuses a late `open` of it. */
  close(generation: number): void {
    if (this.#generation() > generation) return;
    this.#clear();
    this.#sql.exec(
      `INSERT OR REPLACE INTO meta VALUES (0, 0, '', '', 0, '', ?, NULL, 0, 0, NULL)`,
      generation,
    );
  }

  #generation(): number {
    const row = this.#sql.exec<{ generation: number }>('SELECT generation FROM meta').toArray()[0];
    return row?.generation ?? -1;
  }

  #clear(): void {
    this.#sql.exec('DELETE FROM segment; DELETE FROM producer; DELETE FROM subscriber;');
  }

  append(segment: NewSegment): void {
    const { base, count, maxTimestamp, crc, bytes } = segment;
    this.#sql.exec(
      'INSERT INTO segment VALUES (?, ?, ?, ?, ?)',
      base,
      count,
      maxTimestamp,
      crc,
      bytes,
    );
    this.#sql.exec('UPDATE meta SET next = ?', base + count);
  }

  /**
   * Batches from the one that holds `from`; beyond the first it stops before `bytesMax`.
   * @param verify checks a batch's bytes against its stored checksum
   */
  read(
    from: number,
    bytesMax: number,
    verify: (bytes: Uint8Array, crc: number, base: number) => void,
  ): FetchedBatch[] {
    const batches: FetchedBatch[] = [];
    let bytes = 0;
    const rows = this.#sql.exec<{ base: number; count: number; crc: number; data: ArrayBuffer }>(
      `SELECT base, count, crc, data FROM segment
       WHERE base >= coalesce((SELECT max(base) FROM segment WHERE base <= ?1), ?1) ORDER BY base`,
      from,
    );
    for (const row of rows) {
      if (row.base + row.count <= from) continue;
      const data = new Uint8Array(row.data);
      if (batches.length > 0 && bytes + data.length > bytesMax) break;
      verify(data, row.crc, row.base);
      bytes += data.length;
      batches.push({ base: row.base, count: row.count, bytes: data });
      if (bytes >= bytesMax) break;
    }
    return batches;
  }

  /** The first batch with a timestamp at or after `ms`; null when there is none. */
  firstAtOrAfter(ms: number): FetchedBatch | null {
    const row = this.#sql
      .exec<{ base: number; count: number; data: ArrayBuffer }>(
        'SELECT base, count, data FROM segment WHERE maxTimestamp >= ? ORDER BY base LIMIT 1',
        ms,
      )
      .toArray()[0];
    if (row === undefined) return null;
    return { base: row.base, count: row.count, bytes: new Uint8Array(row.data) };
  }

  /** Lets whole batches below `before` go. */
  trim(before: number): void {
    this.#sql.exec('DELETE FROM segment WHERE base + count <= ?1 AND base < ?1', before);
    this.#sql.exec('UPDATE meta SET start = coalesce((SELECT min(base) FROM segment), next)');
  }

  /**
   * The offset below which every batch is older than `beforeMs`: what retention lets go.
   * The newest batch stays, so that the partition's time can be seen.
   */
  expiredBelow(beforeMs: number): number {
    const row = this.#sql
      .exec<{ base: number | null }>(
        `SELECT coalesce(
           (SELECT min(base) FROM segment WHERE maxTimestamp >= ?), (SELECT max(base) FROM segment), 0) AS base`,
        beforeMs,
      )
      .one();
    return row.base ?? 0;
  }

  producer(id: string): KnownProducer | null {
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
  }

  #makeRoom(nowMs: number): void {
    const held = this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM producer').one().n;
    if (held < PRODUCERS_MAX) return;
    const idle = this.#sql
      .exec<{ id: string; lastMs: number }>('SELECT id, lastMs FROM producer')
      .toArray();
    const { ids, forgottenMs } = toForget(idle, nowMs);
    assert(ids.length > 0, 'a full table of producers has one to forget');
    for (const id of ids) this.#sql.exec('DELETE FROM producer WHERE id = ?', id);
    this.#sql.exec('UPDATE meta SET forgottenMs = max(coalesce(forgottenMs, ?1), ?1)', forgottenMs);
  }

  subscribers(): string[] {
    return this.#sql
      .exec<{ name: string }>('SELECT name FROM subscriber ORDER BY name')
      .toArray()
      .map((row) => row.name);
  }

  subscribe(name: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO subscriber VALUES (?)', name);
  }

  unsubscribe(name: string): void {
    this.#sql.exec('DELETE FROM subscriber WHERE name = ?', name);
  }
}

/** Bounds as every reply carries them. */
export function boundsOf(meta: PartitionMeta): Bounds {
  return { start: meta.start, highWatermark: meta.next, incarnation: meta.incarnation };
}
