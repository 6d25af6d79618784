// One partition of one topic as an object: appends, fetches, and hints to those who wait; it knows no SQL text and no task.

import { DurableObject } from 'cloudflare:workers';
import { assert } from '../../runtime/base/assert.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { log } from '../../runtime/base/log.ts';
import { offsetAt } from '../../runtime/data/record.ts';
import { admit } from '../../runtime/ports/admission.ts';
import type { AppendResult, Bounds, Fetched, ProducerStamp } from '../../runtime/ports/log.ts';
import {
  type Arrival,
  judge,
  type KnownProducer,
  type Verdict,
} from '../../runtime/ports/producers.ts';
import {
  checkIncarnation,
  checkOffset,
  missingBatch,
  type StoredBatch,
  storedBatch,
} from '../../runtime/ports/refusals.ts';
import {
  type EdgeEnv,
  type Continued,
  type PartitionPort,
  type PartitionSpec,
  type StorageUsage,
  subscriberByName,
} from '../env.ts';
import type { FetchedWithin } from '../fetched-within.ts';
import {
  framesAnswer,
  framesBytes,
  framesQueryOf,
  framesRefusal,
  type FramesQuery,
} from '../frames.ts';
import { heldPages } from '../held-pages.ts';
import { PartitionMeter, type PartitionMetrics } from '../metrics/meters.ts';
import { isRelayName } from '../names.ts';
import { settle, settleAsync, unwrap, type Wire } from '../wire.ts';
import { Alarm } from './alarm.ts';
import { type Append, AppendQueue } from './append-queue.ts';
import { EarlierState } from './earlier-state.ts';
import { HINT_RETRY_MS, Hints } from './hints.ts';
import { boundsOf, earlierEnd, type PartitionMeta } from './partition-meta.ts';
import { PartitionTables } from './partition-tables.ts';
import { PartitionUpkeep } from './partition-upkeep.ts';
import { checkStored } from './stored-check.ts';
import { StorageGuard } from './storage-guard.ts';
import { Waiters } from './waiters.ts';

/** How soon the alarm comes again after something unforeseen. */
const FAULT_RETRY_MS = 30_000;
/** The longest that a read waits for a record. */
const WAIT_MS_MAX = 30_000;

export class Partition extends DurableObject<EdgeEnv> implements PartitionPort {
  readonly #tables: PartitionTables;
  readonly #upkeep: PartitionUpkeep;
  readonly #guard: StorageGuard;
  readonly #meter: PartitionMeter;
  readonly #waiters = new Waiters();
  readonly #appends = new AppendQueue({
    append: (append) => this.#append(append),
    transaction: (body) => this.#tables.transaction(body),
    onAppended: () => this.#appended(),
    durable: () => this.ctx.storage.sync(),
    arrived: () => scheduler.wait(0),
  });
  readonly #hints = new Hints({
    bounds: () => {
      const meta = this.#tables.meta();
      return meta === null ? null : boundsOf(meta);
    },
    recent: (from) => this.#tables.recent(from),
    subscribers: () => this.#tables.subscribers(),
    unsubscribe: (name) => this.#tables.unsubscribe(name),
    wake: (name, highWatermark, brought) => this.#wake(name, highWatermark, brought),
  });
  readonly #alarm: Alarm;
  readonly #earlierState = new EarlierState(this.ctx);

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx.storage);
    this.#meter = new PartitionMeter(ctx.storage.sql);
    this.#tables = new PartitionTables(ctx.storage);
    this.#upkeep = new PartitionUpkeep(ctx.storage.sql, this.#tables);
    this.#guard = new StorageGuard(ctx.storage.sql, env);
    // Then it tells whatever was to be told before this instance began.
    void ctx.blockConcurrencyWhile(() => this.#alarm.load()).then(() => this.#hint());
  }

  async open(spec: PartitionSpec): Promise<Wire<null>> {
    return this.#changed(() => this.#tables.open(spec));
  }

  async close(generation: number): Promise<Wire<null>> {
    return this.#changed(() => this.#tables.close(generation));
  }

  /** Whoever waits for records of what was here learns that it is here no more. */
  #changed(change: () => void): Wire<null> {
    return settle(() => {
      const meta = this.#tables.meta();
      const relays = this.#tables.subscribers().filter(isRelayName);
      this.#tables.transaction(change);
      this.#hints.closed();
      if (meta === null || meta.incarnation === this.#tables.meta()?.incarnation) return null;
      this.#waiters.wakeAll();
      this.#dismiss(relays, meta);
      // Behind what relays have been told, which look at everything then.
      if (this.#tables.subscribers().length > 0) this.#alarm.arm(Date.now() + HINT_RETRY_MS);
      return null;
    });
  }

  /** Lets sockets learn that the topic is gone, or another one; a relay that is not reached finds out when it next looks. */
  #dismiss(relays: readonly string[], { topic, partition }: PartitionMeta): void {
    for (const name of relays) {
      const gone = subscriberByName(this.env, name).wake({ topic, partition }, Infinity, null);
      this.ctx.waitUntil(unwrap(gone).catch(() => false));
    }
  }

  async append(
    bytes: Uint8Array,
    stamp: ProducerStamp | null,
    incarnation: string | null,
  ): Promise<Wire<AppendResult>> {
    const append = { bytes, stamp, incarnation };
    return this.#metered(append, await this.#appends.add(append));
  }

  async appendAll(appends: readonly Append[]): Promise<readonly Wire<AppendResult>[]> {
    const answers = await Promise.all(this.#appends.addAll(appends));
    return appends.map((append, i) => this.#metered(append, answers[i]));
  }

  #metered({ bytes }: Append, wire: Wire<AppendResult> | undefined): Wire<AppendResult> {
    assert(wire !== undefined, 'every append has an answer');
    return this.#meter.appended(bytes.length, wire);
  }

  #append({ bytes, stamp, incarnation }: Append): AppendResult {
    const meta = this.#meta(incarnation);
    const nowMs = Date.now();
    const { count, crc, ...admitted } = admit(bytes, meta.policy, nowMs);
    const { next: base, forgottenMs } = meta;
    const known = stamp === null ? null : this.#tables.producer(stamp.id);
    const verdict =
      stamp === null
        ? null
        : this.judged(known, { stamp, count, crc, highWatermark: base, forgottenMs, nowMs });
    if (stamp !== null && verdict?.kind === 'repeat') {
      this.#tables.remember(stamp.id, verdict.producer, false, nowMs);
      return { ...replyOf(meta), base: verdict.base, count, duplicate: true };
    }
    // The last refusal: appends share transactions, so that nothing may be written before it.
    this.#guard.checkRoom(meta.topic, meta.partition, bytes.length);
    if (stamp !== null && verdict !== null)
      this.#tables.remember(stamp.id, verdict.producer, known === null, nowMs);
    this.#tables.append({ base, count, ...admitted });
    return { ...replyOf(meta), base, count, duplicate: false, highWatermark: base + count };
  }

  /** Replaced in tests, which put faults into the protocol. @throws {PortError} what the batch is refused for */
  protected judged(known: KnownProducer | null, arrival: Arrival): Verdict {
    return judge(known, arrival);
  }

  /** Arms the alarm in the turn of the append, then wakes who waits: memory may be lost, the alarm is not. */
  #appended(): void {
    this.#hint(this.#hints.retryMs);
    this.#alarm.arm(this.#upkeep.dueMs(Date.now()));
    this.#waiters.wakeAll();
  }

  async read(
    from: number,
    bytesMax: number,
    waitMs: number,
    incarnation: string | null,
  ): Promise<Wire<Fetched>> {
    const query = { from, bytesMax, waitMs, incarnation };
    return settleAsync(() => this.#readOrWait(query, () => this.#read(query, false)));
  }

  async readWithin(
    from: number,
    bytesMax: number,
    waitMs: number,
    incarnation: string | null,
  ): Promise<Wire<FetchedWithin>> {
    const query = { from, bytesMax, waitMs, incarnation };
    return settleAsync(() => this.#readOrWait(query, () => this.#readWithin(query)));
  }

  #readWithin(query: FramesQuery): FetchedWithin {
    const needed = this.#tables.needed(query.from, query.bytesMax);
    if (needed === 0) return { ...this.#read(query, false), needed };
    return { batches: [], ...boundsOf(this.#meta(query.incarnation)), needed };
  }

  /** As `read`, as an answer whose body is the batches, whose sums their reader checks; a page is shorter than it was asked for while many lie here. */
  override async fetch(request: Request): Promise<Response> {
    try {
      const query = framesQueryOf(request);
      const { body, ...bounds } = await this.#readOrWait(query, () => this.#page(query));
      return framesAnswer(bounds, body);
    } catch (thrown) {
      return framesRefusal(thrown);
    }
  }

  /** Counted in the turn in which it is read, and refused before: all who wait for a record read it in one turn, in which no garbage is collected. */
  #page(query: FramesQuery): Fetched & { readonly body: Uint8Array<ArrayBuffer> | ReadableStream } {
    const bytesMax = heldPages.bytesMax(query.bytesMax);
    heldPages.makeRoom(this.#tables.needed(query.from, bytesMax));
    const fetched = this.#read({ ...query, bytesMax }, true);
    return { ...fetched, body: heldPages.body(framesBytes(fetched.batches)) };
  }

  async #readOrWait<F extends Fetched & Partial<FetchedWithin>>(
    { waitMs }: FramesQuery,
    read: () => F,
  ): Promise<F> {
    const first = read();
    const { batches, needed = 0 } = first;
    if (batches.length > 0 || needed > 0 || waitMs <= 0) return first;
    await this.#waiters.wait(Math.min(waitMs, WAIT_MS_MAX));
    return read();
  }

  #read({ from, bytesMax, incarnation }: FramesQuery, readerChecks: boolean): Fetched {
    const meta = this.#meta(incarnation);
    const bounds = boundsOf(meta);
    checkOffset(meta, from, bounds);
    const batches = this.#tables.read(meta, from, bytesMax, {
      verify: (bytes, stored) => this.#check(meta, bytes, stored, readerChecks),
      missing: (offset) => missingBatch(meta, offset),
    });
    return { batches, ...bounds };
  }

  /** A sum costs as much as the rest of a page: for readers who check it anyway it is checked once by this instance, for all others each time. */
  #check(meta: PartitionMeta, bytes: Uint8Array, stored: StoredBatch, readerChecks: boolean): void {
    const { checked } = this.#tables;
    const to = stored.base + stored.count;
    const isKnown = readerChecks && checked.has(stored.base, to);
    checkStored(meta, bytes, stored, isKnown);
    if (!isKnown) checked.add(stored.base, to);
  }

  async bounds(): Promise<Wire<Bounds>> {
    return settle(() => boundsOf(this.#meta(null)));
  }

  async continued(incarnation: string): Promise<Wire<Continued>> {
    return settle(() => {
      const meta = this.#meta(null);
      return { incarnation: meta.incarnation, end: earlierEnd(this.ctx.storage.sql, incarnation) };
    });
  }

  async sequenceOf(producer: string): Promise<Wire<number>> {
    return settle(() => {
      this.#meta(null);
      return this.#tables.producer(producer)?.next ?? 0;
    });
  }

  async instance(): Promise<string> {
    return this.#earlierState.instance;
  }

  async putBack(toMs: number): Promise<Wire<string>> {
    return settleAsync(() => this.#earlierState.putBack(toMs));
  }

  async usage(): Promise<Wire<Bounds & StorageUsage>> {
    return settle(() => ({ ...boundsOf(this.#meta(null)), ...this.#guard.usage() }));
  }

  async metrics(): Promise<Wire<PartitionMetrics>> {
    return settle(() => {
      const { start, next: highWatermark, lengthBytes } = this.#meta(null);
      const { storageBytes } = this.#guard.usage();
      const producers = this.#tables.producers;
      const kept = { start, highWatermark, lengthBytes, storageBytes, producers };
      return { ...kept, ...this.#meter.counts() };
    });
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
      const records = storedBatch(meta, batch.bytes, batch);
      const found = records.timestamps.findIndex((timestamp) => timestamp >= ms);
      return offsetAt(records, batch.base, found);
    });
  }

  async trim(before: number): Promise<Wire<null>> {
    return settle(() => {
      this.#meta(null);
      this.#tables.transaction(() => this.#tables.trim(before));
      return null;
    });
  }

  async subscribe(name: string): Promise<Wire<null>> {
    return settle(() => {
      this.#meta(null);
      this.#tables.subscribe(name);
      this.#hints.subscribed(name);
      this.#hint();
      return null;
    });
  }

  async subscribers(): Promise<Wire<readonly string[]>> {
    return settle(() => this.#tables.subscribers());
  }

  async unsubscribe(name: string): Promise<Wire<null>> {
    return settle(() => {
      this.#tables.unsubscribe(name);
      this.#hints.unsubscribed(name);
      return null;
    });
  }

  /** Repeats the hints that were not acknowledged, and lets expired records go. Never throws: a throwing alarm is lost in the end. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    let place: { readonly topic?: string; readonly partition?: number } = {};
    try {
      const meta = this.#tables.meta();
      if (meta === null) return;
      place = { topic: meta.topic, partition: meta.partition };
      const telling = this.#hints.tellAll();
      const dueMs = this.#upkeep.alarm(Date.now());
      if (dueMs !== null) this.#alarm.arm(dueMs);
      await telling;
      if (this.#hints.isBehind) {
        this.#hints.postpone();
        this.#alarm.arm(Date.now() + this.#hints.retryMs);
      }
    } catch (thrown) {
      log('error', 'partition-alarm', { ...place, thrown });
      this.#alarm.arm(Date.now() + FAULT_RETRY_MS);
    }
  }

  /** One turn of upkeep as if it were that time. @returns true when another turn has something to do */
  upkeep(nowMs: number): boolean {
    return this.#upkeep.turn(nowMs);
  }

  /** @throws {PortError} UNKNOWN_PARTITION while this partition is not open, INCARNATION_CHANGED */
  #meta(incarnation: string | null): PartitionMeta {
    const meta = this.#tables.meta();
    if (meta === null) throw new PortError('UNKNOWN_PARTITION', 'this partition does not exist');
    checkIncarnation(meta.topic, incarnation, meta.incarnation);
    return meta;
  }

  async #wake(name: string, highWatermark: number, brought: Fetched | null): Promise<boolean> {
    const { topic, partition } = this.#meta(null);
    const subscriber = subscriberByName(this.env, name);
    return unwrap(subscriber.wake({ topic, partition }, highWatermark, brought));
  }

  /** @param retryMs when the alarm looks whether all know */
  #hint(retryMs = HINT_RETRY_MS): void {
    if (this.#tables.subscribers().length === 0) return;
    this.#alarm.arm(Date.now() + retryMs);
    this.ctx.waitUntil(this.#hints.tellAll());
  }
}

function replyOf(meta: PartitionMeta): { highWatermark: number; incarnation: string } {
  return { highWatermark: meta.next, incarnation: meta.incarnation };
}
