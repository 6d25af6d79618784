// Partitions in the SQLite file: bounds, segments, producers; synchronous, within the caller's transaction; knows no topic's life.

import { PortError } from '../base/errors.ts';
import { PRODUCERS_MAX } from '../base/limits.ts';
import { parseRecordBatch, verify } from '../data/record.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  FetchedBatch,
  ProducerStamp,
  TopicPartition,
} from '../ports/log.ts';
import { decodeRing, encodeRing } from '../ports/producer-ring.ts';
import { judge, type KnownProducer, toForget } from '../ports/producers.ts';
import type { Database } from './database.ts';

/** One append to be made. */
export interface Append {
  readonly at: TopicPartition;
  readonly bytes: Uint8Array;
  readonly producer: ProducerStamp | undefined;
  readonly incarnation: string | undefined;
  readonly nowMs: number;
}

/** A partition as it stands, and what its topic says. */
interface PartitionRow {
  readonly id: number;
  readonly start: number;
  readonly next: number;
  /** See ports/producers.ts; null: no producer was forgotten. */
  readonly forgottenMs: number | null;
  /** How many there are in `producer`, so that an append need not count them. */
  readonly producers: number;
  readonly incarnation: string;
  readonly retentionMs: number | null;
}

interface SegmentRow {
  readonly base: number;
  readonly count: number;
  readonly data: Uint8Array;
}

interface ProducerRow {
  readonly epoch: number;
  readonly next: number;
  readonly lastMs: number;
  readonly ring: Uint8Array;
}

export class Partitions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Judges and appends.
   * @throws {PortError} as `Log.append` says, before anything is written: other work of the transaction may stay
   */
  append({ at, bytes, producer, nowMs, ...given }: Append): AppendResult {
    const { count, maxTimestamp } = verify(bytes);
    const row = this.#row(at);
    const { incarnation, next: highWatermark } = row;
    if (given.incarnation !== undefined && given.incarnation !== incarnation) {
      throw new PortError(
        'INCARNATION_CHANGED',
        `topic '${at.topic}' was dropped and created again since it was last seen`,
        { incarnation },
      );
    }
    const answer = { count, highWatermark, incarnation };
    if (producer !== undefined) {
      const repeat = this.#judged(row, producer, { count, crc: sumOf(bytes), nowMs });
      if (repeat !== null) return { ...answer, base: repeat.base, duplicate: true };
    }
    const next = highWatermark + count;
    this.#database.run(
      'INSERT INTO segment VALUES (?, ?, ?, ?, ?)',
      row.id,
      highWatermark,
      count,
      maxTimestamp,
      bytes,
    );
    this.#database.run('UPDATE partition SET next = ? WHERE id = ?', next, row.id);
    return { ...answer, base: highWatermark, duplicate: false, highWatermark: next };
  }

  /** Remembers the producer. @returns where the batch stands already; null when it is to be appended */
  #judged(
    row: PartitionRow,
    stamp: ProducerStamp,
    batch: { readonly count: number; readonly crc: number; readonly nowMs: number },
  ): { readonly base: number | null } | null {
    const { nowMs } = batch;
    const known = this.#producer(row.id, stamp.id);
    const isFull = known === null && row.producers >= PRODUCERS_MAX;
    const gone = isFull ? toForget(this.#idle(row.id), nowMs) : NOBODY;
    const forgottenMs = Math.max(row.forgottenMs ?? -Infinity, gone.forgottenMs);
    const verdict = judge(known, { stamp, ...batch, highWatermark: row.next, forgottenMs });
    for (const id of gone.ids) {
      this.#database.run('DELETE FROM producer WHERE partition = ? AND id = ?', row.id, id);
    }
    const { epoch, next, lastMs, batches } = verdict.producer;
    this.#database.run(
      'INSERT OR REPLACE INTO producer VALUES (?, ?, ?, ?, ?, ?)',
      row.id,
      stamp.id,
      epoch,
      next,
      lastMs,
      encodeRing(batches),
    );
    if (known === null) {
      this.#database.run(
        'UPDATE partition SET producers = ?, forgottenMs = ? WHERE id = ?',
        row.producers + 1 - gone.ids.length,
        forgottenMs === -Infinity ? null : forgottenMs,
        row.id,
      );
    }
    return verdict.kind === 'repeat' ? { base: verdict.base } : null;
  }

  #producer(partition: number, id: string): KnownProducer | null {
    const row = this.#database.get<ProducerRow>(
      'SELECT epoch, next, lastMs, ring FROM producer WHERE partition = ? AND id = ?',
      partition,
      id,
    );
    if (row === undefined) return null;
    const { ring, ...rest } = row;
    return { ...rest, batches: decodeRing(id, ring) };
  }

  #idle(partition: number): { readonly id: string; readonly lastMs: number }[] {
    return this.#database.all('SELECT id, lastMs FROM producer WHERE partition = ?', partition);
  }

  /** @throws {PortError} OFFSET_OUT_OF_RANGE, CORRUPT, UNKNOWN_TOPIC, UNKNOWN_PARTITION */
  read(at: TopicPartition, from: number, bytesMax: number): Fetched {
    const { id, start, next: highWatermark, incarnation } = this.#row(at);
    if (!(from >= start && from <= highWatermark)) {
      throw new PortError(
        'OFFSET_OUT_OF_RANGE',
        `topic '${at.topic}' partition ${at.partition} holds offsets ${start} to ${highWatermark}; ${from} was asked for`,
        { start, highWatermark },
      );
    }
    const batches: FetchedBatch[] = [];
    const fetched = { batches, start, highWatermark, incarnation };
    if (from === highWatermark) return fetched;
    let total = 0;
    let next = from;
    const rows = this.#database.each<SegmentRow>(
      `SELECT base, count, data FROM segment WHERE partition = ?
         AND base >= coalesce((SELECT max(base) FROM segment WHERE partition = ? AND base <= ?), ?) ORDER BY base`,
      id,
      id,
      from,
      from,
    );
    for (const { base, count, data } of rows) {
      if (batches.length > 0 && total + data.length > bytesMax) return fetched;
      // The first may begin below the offset asked for; the others follow each other.
      const follows = batches.length === 0 ? base <= next : base === next;
      if (!follows || base + count <= next) throw missing(at, next);
      verifyStored(data, count, at, base);
      batches.push({ base, count, bytes: data });
      total += data.length;
      next = base + count;
    }
    if (next !== highWatermark) throw missing(at, next);
    return fetched;
  }

  /** @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION */
  bounds(at: TopicPartition): Bounds {
    const { start, next, incarnation } = this.#row(at);
    return { start, highWatermark: next, incarnation };
  }

  /** @throws {PortError} CORRUPT, UNKNOWN_TOPIC, UNKNOWN_PARTITION */
  offsetForTime(at: TopicPartition, ms: number): number {
    const { id, next } = this.#row(at);
    const row = this.#database.get<SegmentRow>(
      'SELECT base, count, data FROM segment WHERE partition = ? AND maxTimestamp >= ? ORDER BY base LIMIT 1',
      id,
      ms,
    );
    if (row === undefined) return next;
    verifyStored(row.data, row.count, at, row.base);
    const { timestamps } = parseRecordBatch(row.data, 'CORRUPT', { checksum: false });
    return row.base + timestamps.findIndex((timestamp) => timestamp >= ms);
  }

  /** Lets whole batches below `before` go. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION */
  trim(at: TopicPartition, before: number): void {
    this.#trim(this.#row(at).id, before);
  }

  #trim(id: number, before: number): void {
    this.#database.run(
      'DELETE FROM segment WHERE partition = ? AND base < ? AND base + count <= ?',
      id,
      before,
      before,
    );
    this.#database.run(
      'UPDATE partition SET start = coalesce((SELECT min(base) FROM segment WHERE partition = ?), next) WHERE id = ?',
      id,
      id,
    );
  }

  /**
   * Lets go what is older than the topic keeps: batches from the oldest on, up to the first that holds a younger record. The newest batch
   * stays, so that the partition's time can be seen.
   */
  expire(at: TopicPartition, nowMs: number): void {
    const { id, retentionMs } = this.#row(at);
    if (retentionMs === null) return;
    const row = this.#database.get<{ base: number | null }>(
      `SELECT coalesce(
         (SELECT base FROM segment WHERE partition = ? AND maxTimestamp >= ? ORDER BY base LIMIT 1),
         (SELECT max(base) FROM segment WHERE partition = ?)) AS base`,
      id,
      nowMs - retentionMs,
      id,
    );
    if (row !== undefined && row.base !== null) this.#trim(id, row.base);
  }

  #row(at: TopicPartition): PartitionRow {
    const row = this.#database.get<PartitionRow>(
      `SELECT p.id, p.start, p.next, p.forgottenMs, p.producers, t.incarnation, t.retentionMs
         FROM partition p JOIN topic t ON t.name = p.topic WHERE p.topic = ? AND p.partition = ?`,
      at.topic,
      at.partition,
    );
    if (row !== undefined) return row;
    const topic = this.#database.get<{ partitions: number }>(
      'SELECT partitions FROM topic WHERE name = ?',
      at.topic,
    );
    if (topic === undefined) {
      throw new PortError('UNKNOWN_TOPIC', `topic '${at.topic}' does not exist`);
    }
    throw new PortError(
      'UNKNOWN_PARTITION',
      `topic '${at.topic}' has partitions 0 to ${topic.partitions - 1}; ${at.partition} was asked for`,
    );
  }
}

const NOBODY = { ids: [], forgottenMs: -Infinity };

/** The checksum that a verified record batch carries, behind the magic bytes (PROTOCOL.md section 2). */
function sumOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
}

function missing(at: TopicPartition, offset: number): PortError {
  return new PortError(
    'CORRUPT',
    `topic '${at.topic}' partition ${at.partition} has no batch at offset ${offset}`,
    { offset },
  );
}

function verifyStored(bytes: Uint8Array, count: number, at: TopicPartition, base: number): void {
  const refuse = (cause?: unknown) =>
    new PortError(
      'CORRUPT',
      `topic '${at.topic}' partition ${at.partition} offset ${base}: the stored batch fails its checks`,
      { offset: base },
      { cause },
    );
  let found: number;
  try {
    found = parseRecordBatch(bytes, 'CORRUPT').count;
  } catch (cause) {
    throw refuse(cause);
  }
  if (found !== count) throw refuse();
}
