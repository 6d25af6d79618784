// Partitions in the SQLite file: bounds, segments, producers; synchronous, within the caller's transaction; knows no topic's life.

import { PRODUCERS_MAX, UPKEEP_BATCHES_MAX } from '../base/limits.ts';
import { offsetAt } from '../data/record.ts';
import { admit } from '../ports/admission.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  FetchedBatch,
  ProducerStamp,
  TopicPartition,
} from '../ports/log.ts';
import {
  type Cleaned,
  type Cleaner,
  type CleaningRead,
  cleaningTurn,
  grownBy,
  isCompactionDue,
  NOT_CLEANED,
  type Replacement,
} from '../ports/cleaning.ts';
import { decodeRing, encodeRing } from '../ports/producer-ring.ts';
import { judge, type KnownProducer, toForget } from '../ports/producers.ts';
import {
  checkIncarnation,
  checkOffset,
  missingBatch,
  storedBatch,
  unknownPartition,
  unknownTopic,
} from '../ports/refusals.ts';
import { type BatchSize, expired } from '../ports/retention.ts';
import type { TopicPolicy } from '../ports/topic-policy.ts';
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
  /** Bytes of all its batches. */
  readonly lengthBytes: number;
  readonly incarnation: string;
  /** JSON of the topic's policy. */
  readonly policy: string;
  /** JSON of how far compaction has come; null: it has not begun. */
  readonly cleaned: string | null;
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
    const row = this.#row(at);
    const { incarnation, next: highWatermark } = row;
    checkIncarnation(at.topic, given.incarnation, incarnation);
    const admitted = admit(bytes, policyIn(row), nowMs);
    const { count, crc } = admitted;
    const answer = { count, highWatermark, incarnation };
    if (producer !== undefined) {
      const repeat = this.#judged(row, producer, { count, crc, nowMs });
      if (repeat !== null) return { ...answer, base: repeat.base, duplicate: true };
    }
    const next = highWatermark + count;
    this.#database.run(
      'INSERT INTO segment VALUES (?, ?, ?, ?, ?)',
      row.id,
      highWatermark,
      count,
      admitted.maxTimestamp,
      admitted.bytes,
    );
    this.#database.run(
      'UPDATE partition SET next = ?, lengthBytes = lengthBytes + ? WHERE id = ?',
      next,
      admitted.bytes.length,
      row.id,
    );
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
    checkOffset(at, from, { start, highWatermark });
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
      if (!follows || base + count <= next) throw missingBatch(at, next);
      storedBatch(at, data, { base, count });
      batches.push({ base, count, bytes: data });
      total += data.length;
      next = base + count;
    }
    if (next !== highWatermark) throw missingBatch(at, next);
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
    const records = storedBatch(at, row.data, row);
    const found = records.timestamps.findIndex((timestamp) => timestamp >= ms);
    return offsetAt(records, row.base, found);
  }

  /** Lets whole batches below `before` go. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION */
  trim(at: TopicPartition, before: number): void {
    this.#trim(this.#row(at).id, before);
  }

  #trim(id: number, before: number): void {
    const gone = 'partition = ?1 AND base < ?2 AND base + count <= ?2';
    this.#database.run(
      `UPDATE partition SET lengthBytes = lengthBytes -
         (SELECT coalesce(sum(length(data)), 0) FROM segment WHERE ${gone}) WHERE id = ?1`,
      id,
      before,
    );
    this.#database.run(`DELETE FROM segment WHERE ${gone}`, id, before);
    this.#database.run(
      'UPDATE partition SET start = coalesce((SELECT min(base) FROM segment WHERE partition = ?1), next) WHERE id = ?1',
      id,
    );
  }

  /** One turn. @returns true when another turn has something to do. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, CORRUPT */
  upkeep(at: TopicPartition, cleaner: Cleaner, nowMs: number): boolean {
    return this.#expire(this.#row(at), nowMs) || this.#clean(at, cleaner, nowMs);
  }

  #clean(at: TopicPartition, cleaner: Cleaner, nowMs: number): boolean {
    const row = this.#row(at);
    const { id, start, lengthBytes, incarnation } = row;
    const newest = this.#database.get<{ base: number | null }>(
      'SELECT max(base) AS base FROM segment WHERE partition = ?',
      id,
    );
    const cleaned = row.cleaned === null ? NOT_CLEANED : (JSON.parse(row.cleaned) as Cleaned);
    const head = newest?.base ?? start;
    const policy = policyIn(row);
    const of = { incarnation, policy, start, head, lengthBytes, cleaned, nowMs };
    return cleaningTurn(cleaner, of, isCompactionDue(of), {
      read: (wanted) => this.#wanted(at, id, wanted),
      replace: (replacement) => this.#replace(row, replacement),
      store: (done) =>
        this.#database.run(
          'UPDATE partition SET cleaned = ? WHERE id = ?',
          JSON.stringify(done),
          id,
        ),
    });
  }

  #wanted(at: TopicPartition, id: number, wanted: CleaningRead): readonly FetchedBatch[] {
    const { from, to, batchesMax, bytesMax } = wanted;
    const found: FetchedBatch[] = [];
    let read = 0;
    const rows = this.#database.each<SegmentRow>(
      `SELECT base, count, data FROM segment WHERE partition = ?1 AND base < ?3
         AND base >= coalesce((SELECT max(base) FROM segment WHERE partition = ?1 AND base <= ?2), ?2)
         ORDER BY base LIMIT ?4`,
      id,
      from,
      to,
      batchesMax,
    );
    for (const { base, count, data } of rows) {
      // What a rewritten batch is made of must be what was appended: its checksum will be new.
      storedBatch(at, data, { base, count });
      found.push({ base, count, bytes: data });
      read += data.length;
      if (read >= bytesMax) break;
    }
    return found;
  }

  #replace({ id, lengthBytes }: PartitionRow, replacement: Replacement): number {
    const { from, to, batches } = replacement;
    const range = 'partition = ? AND base >= ? AND base < ?';
    const size = `SELECT sum(length(data)) AS gone FROM segment WHERE ${range}`;
    const gone = this.#database.get<{ gone: number }>(size, id, from, to)?.gone ?? 0;
    this.#database.run(`DELETE FROM segment WHERE ${range}`, id, from, to);
    for (const { base, count, maxTimestamp, bytes } of batches) {
      this.#database.run(
        'INSERT INTO segment VALUES (?, ?, ?, ?, ?)',
        id,
        base,
        count,
        maxTimestamp,
        bytes,
      );
    }
    const left = lengthBytes + grownBy(replacement, gone);
    this.#database.run('UPDATE partition SET lengthBytes = ? WHERE id = ?', left, id);
    return left;
  }

  #expire(row: PartitionRow, nowMs: number): boolean {
    const { id, lengthBytes, next: highWatermark } = row;
    const oldest = this.#database.each<BatchSize>(
      `SELECT base, count, maxTimestamp, length(data) AS lengthBytes FROM segment
         WHERE partition = ? ORDER BY base LIMIT ?`,
      id,
      UPKEEP_BATCHES_MAX + 1,
    );
    const gone = expired(oldest, { policy: policyIn(row), highWatermark, lengthBytes, nowMs });
    if (gone !== null) this.#trim(id, gone.before);
    return gone?.isMore === true;
  }

  #row(at: TopicPartition): PartitionRow {
    const row = this.#database.get<PartitionRow>(
      `SELECT p.id, p.start, p.next, p.forgottenMs, p.producers, p.lengthBytes, p.cleaned, t.incarnation, t.policy
         FROM partition p JOIN topic t ON t.name = p.topic WHERE p.topic = ? AND p.partition = ?`,
      at.topic,
      at.partition,
    );
    if (row !== undefined) return row;
    const topic = this.#database.get<{ partitions: number }>(
      'SELECT partitions FROM topic WHERE name = ?',
      at.topic,
    );
    throw topic === undefined ? unknownTopic(at.topic) : unknownPartition(at, topic.partitions);
  }
}

const NOBODY = { ids: [], forgottenMs: -Infinity };

function policyIn({ policy }: PartitionRow): TopicPolicy {
  return JSON.parse(policy) as TopicPolicy;
}
