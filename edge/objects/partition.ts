// One partition of one topic as an object: appends, fetches, and hints to those who wait; it knows no SQL text and no task.

import { DurableObject } from 'cloudflare:workers';
import { messageOf, PortError } from '../../runtime/base/errors.ts';
import { parseRecordBatch, verify } from '../../runtime/data/record.ts';
import type { AppendResult, Bounds, Fetched, ProducerStamp } from '../../runtime/ports/log.ts';
import { judge, type Verdict } from '../../runtime/ports/producers.ts';
import { RETENTION_SWEEP_MS } from '../../runtime/ports/retention.ts';
import { type EdgeEnv, type PartitionPort, type PartitionSpec, processorByName } from '../env.ts';
import { settle, settleAsync, unwrap, type Wire } from '../wire.ts';
import { Alarm } from './alarm.ts';
import { boundsOf, type PartitionMeta, PartitionTables } from './partition-tables.ts';
import { Waiters } from './waiters.ts';

/** How long after an append the alarm repeats hints that were not acknowledged; doubles up to the maximum. */
const HINT_RETRY_MS = 1_000;
const HINT_RETRY_MS_MAX = 30_000;
/** The longest that a read waits for a record. */
const WAIT_MS_MAX = 30_000;

export class Partition extends DurableObject<EdgeEnv> implements PartitionPort {
  readonly #tables: PartitionTables;
  readonly #waiters = new Waiters();
  /** High watermark that each subscriber has acknowledged; lost with the instance, then told again. */
  readonly #told = new Map<string, number>();
  #hinting = false;
  #retryMs = HINT_RETRY_MS;
  readonly #alarm: Alarm;

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx.storage);
    this.#tables = new PartitionTables(ctx.storage.sql);
    void ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.load();
      // Whatever was to be told before this instance began is told again.
      if (this.#tables.subscribers().length > 0) this.#alarm.arm(Date.now() + HINT_RETRY_MS);
    });
  }

  async open(spec: PartitionSpec): Promise<Wire<null>> {
    return settle(() => {
      this.ctx.storage.transactionSync(() => this.#tables.open(spec));
      return null;
    });
  }

  async close(generation: number): Promise<Wire<null>> {
    return settle(() => {
      this.ctx.storage.transactionSync(() => this.#tables.close(generation));
      this.#told.clear();
      this.#waiters.wakeAll();
      return null;
    });
  }

  async append(
    bytes: Uint8Array,
    stamp: ProducerStamp | null,
    incarnation: string | null,
  ): Promise<Wire<AppendResult>> {
    return settle(() => {
      const result = this.ctx.storage.transactionSync(() =>
        this.#append(bytes, stamp, incarnation),
      );
      if (!result.duplicate) this.#appended();
      return result;
    });
  }

  #append(
    bytes: Uint8Array,
    stamp: ProducerStamp | null,
    incarnation: string | null,
  ): AppendResult {
    const meta = this.#meta(incarnation);
    const { count, maxTimestamp } = verify(bytes);
    const crc = crcOf(bytes);
    const base = meta.next;
    if (stamp !== null) {
      const verdict = this.judged(meta, stamp, count, crc);
      if (verdict.kind === 'repeat') {
        return { ...replyOf(meta), base: verdict.base, count, duplicate: true };
      }
    }
    this.#tables.append({ base, count, maxTimestamp, crc, bytes });
    return { ...replyOf(meta), base, count, duplicate: false, highWatermark: base + count };
  }

  /** Judges a stamped batch and remembers its producer, in the transaction of the append. */
  protected judged(meta: PartitionMeta, stamp: ProducerStamp, count: number, crc: number): Verdict {
    const nowMs = Date.now();
    const known = this.#tables.producer(stamp.id);
    const { next: highWatermark, forgottenMs } = meta;
    const verdict = judge(known, { stamp, count, crc, highWatermark, forgottenMs, nowMs });
    this.#tables.remember(stamp.id, verdict.producer, known === null, nowMs);
    return verdict;
  }

  /** Arms the alarm in the turn of the append, then wakes who waits: memory may be lost, the alarm is not. */
  #appended(): void {
    const meta = this.#tables.meta();
    if (this.#tables.subscribers().length > 0) {
      this.#alarm.arm(Date.now() + this.#retryMs);
      this.#hint();
    } else if (meta !== null && meta.retentionMs !== null) {
      this.#alarm.arm(Date.now() + RETENTION_SWEEP_MS);
    }
    this.#waiters.wakeAll();
  }

  async read(
    from: number,
    bytesMax: number,
    waitMs: number,
    incarnation: string | null,
  ): Promise<Wire<Fetched>> {
    return settleAsync(async () => {
      const first = this.#read(from, bytesMax, incarnation);
      if (first.batches.length > 0 || waitMs <= 0) return first;
      await this.#waiters.wait(Math.min(waitMs, WAIT_MS_MAX));
      return this.#read(from, bytesMax, incarnation);
    });
  }

  #read(from: number, bytesMax: number, incarnation: string | null): Fetched {
    const meta = this.#meta(incarnation);
    const { start, next } = meta;
    if (!(from >= start && from <= next)) {
      const range = `within ${start} .. ${next}`;
      throw new PortError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${from} of '${meta.topic}' ${meta.partition} is not ${range}`,
        { start, highWatermark: next },
      );
    }
    return { batches: this.#tables.read(from, bytesMax, verifyStored), ...boundsOf(meta) };
  }

  async bounds(): Promise<Wire<Bounds>> {
    return settle(() => boundsOf(this.#meta(null)));
  }

  async follow(seen: number, waitMs: number): Promise<Wire<Bounds>> {
    return settleAsync(async () => {
      const before = boundsOf(this.#meta(null));
      if (before.highWatermark > seen || waitMs <= 0) return before;
      await this.#waiters.wait(Math.min(waitMs, WAIT_MS_MAX));
      return boundsOf(this.#meta(null));
    });
  }

  async offsetForTime(ms: number): Promise<Wire<number>> {
    return settle(() => {
      const meta = this.#meta(null);
      const batch = this.#tables.firstAtOrAfter(ms);
      if (batch === null) return meta.next;
      const { timestamps } = parseRecordBatch(batch.bytes);
      return batch.base + timestamps.findIndex((timestamp) => timestamp >= ms);
    });
  }

  async trim(before: number): Promise<Wire<null>> {
    return settle(() => {
      this.#meta(null);
      this.ctx.storage.transactionSync(() => this.#tables.trim(before));
      return null;
    });
  }

  async subscribe(processor: string): Promise<Wire<null>> {
    return settle(() => {
      this.#meta(null);
      this.#tables.subscribe(processor);
      this.#told.delete(processor);
      this.#alarm.arm(Date.now() + HINT_RETRY_MS);
      this.#hint();
      return null;
    });
  }

  async unsubscribe(processor: string): Promise<Wire<null>> {
    return settle(() => {
      this.#tables.unsubscribe(processor);
      this.#told.delete(processor);
      return null;
    });
  }

  /** Repeats the hints that were not acknowledged, and lets expired records go. Never throws: a throwing alarm is lost in the end. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    try {
      const meta = this.#tables.meta();
      if (meta === null) return;
      await this.#hintAll();
      if (this.#untold(meta).length > 0) {
        this.#retryMs = Math.min(this.#retryMs * 2, HINT_RETRY_MS_MAX);
        this.#alarm.arm(Date.now() + this.#retryMs);
      }
      if (meta.retentionMs !== null) this.#expire(meta.retentionMs);
    } catch (thrown) {
      console.error(`partition alarm: ${messageOf(thrown)}`);
      this.#alarm.arm(Date.now() + HINT_RETRY_MS_MAX);
    }
  }

  #expire(retentionMs: number): void {
    const { storage } = this.ctx;
    storage.transactionSync(() => {
      const before = this.#tables.expiredBelow(Date.now() - retentionMs);
      this.#tables.trim(before);
    });
    this.#alarm.arm(Date.now() + RETENTION_SWEEP_MS);
  }

  /** @throws {PortError} UNKNOWN_PARTITION while this partition is not open, INCARNATION_CHANGED */
  #meta(incarnation: string | null): PartitionMeta {
    const meta = this.#tables.meta();
    if (meta === null) throw new PortError('UNKNOWN_PARTITION', 'this partition does not exist');
    if (incarnation !== null && incarnation !== meta.incarnation) {
      throw new PortError(
        'INCARNATION_CHANGED',
        `topic '${meta.topic}' was dropped and created again`,
        { incarnation: meta.incarnation },
      );
    }
    return meta;
  }

  #hint(): void {
    if (this.#hinting) return;
    this.ctx.waitUntil(this.#hintAll());
  }

  #untold(meta: PartitionMeta): string[] {
    return this.#tables.subscribers().filter((name) => (this.#told.get(name) ?? -1) < meta.next);
  }

  /** Tells every subscriber of the high watermark until none is behind or one does not answer; the alarm does the rest. */
  async #hintAll(): Promise<void> {
    if (this.#hinting) return;
    this.#hinting = true;
    try {
      for (;;) {
        const meta = this.#tables.meta();
        const untold = meta === null ? [] : this.#untold(meta);
        if (meta === null || untold.length === 0) {
          this.#retryMs = HINT_RETRY_MS;
          return;
        }
        const answers = await Promise.all(untold.map((name) => this.#wake(name, meta)));
        if (!answers.every(Boolean)) return;
      }
    } finally {
      this.#hinting = false;
    }
  }

  async #wake(name: string, { topic, partition, next }: PartitionMeta): Promise<boolean> {
    try {
      const known = await unwrap(processorByName(this.env, name).wake({ topic, partition }, next));
      if (known) this.#told.set(name, next);
      else this.#tables.unsubscribe(name);
      return true;
    } catch {
      return false; // Unreachable for now; the alarm asks again.
    }
  }
}

function replyOf(meta: PartitionMeta): { highWatermark: number; incarnation: string } {
  return { highWatermark: meta.next, incarnation: meta.incarnation };
}

/** The checksum that a record batch carries: bytes 4 .. 8. */
function crcOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
}

/** @throws {PortError} CORRUPT when stored bytes are not what was appended */
function verifyStored(bytes: Uint8Array, crc: number, base: number): void {
  parseRecordBatch(bytes);
  if (crcOf(bytes) !== crc) {
    throw new PortError('CORRUPT', `the batch at ${base} is not the one appended`, { base });
  }
}
