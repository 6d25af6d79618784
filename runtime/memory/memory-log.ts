// The log in memory: topics as arrays of record batches; the reference for every other adapter of the port.

import { assert } from '../base/assert.ts';
import { PARTITIONS_MAX, PRODUCERS_MAX } from '../base/limits.ts';
import type { HandedBatch } from '../data/handed-batch.ts';
import { offsetAt, parseRecordBatch } from '../data/record.ts';
import { admit } from '../ports/admission.ts';
import {
  type Cleaned,
  Cleaner,
  type CleaningRead,
  cleaningTurn,
  isCompactionDue,
  NOT_CLEANED,
  type Replacement,
} from '../ports/cleaning.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  FetchedBatch,
  Log,
  ProducerStamp,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Unsubscribe,
} from '../ports/log.ts';
import { judge, toForget, type KnownProducer } from '../ports/producers.ts';
import {
  checkIncarnation,
  checkOffset,
  topicExists,
  unknownPartition,
  unknownTopic,
} from '../ports/refusals.ts';
import { type BatchSize, expired } from '../ports/retention.ts';
import { RETENTION_SWEEP_MS } from '../ports/upkeep.ts';
import { describedTopic } from '../ports/topic-policy.ts';
import { Wakes } from '../ports/wakes.ts';

interface Stored extends FetchedBatch {
  readonly maxTimestamp: number;
}

interface Partition {
  batches: Stored[];
  start: number;
  highWatermark: number;
  /** Bytes of all batches. */
  lengthBytes: number;
  producers: Map<string, KnownProducer>;
  forgottenMs: number;
  /** When it last looked for batches that may go. */
  sweptMs: number;
  readonly cleaner: Cleaner;
  cleaned: Cleaned;
}

interface Topic {
  readonly description: TopicDescription;
  readonly partitions: readonly Partition[];
}

/** Bytes of a batch; they are not made for that. */
function lengthOf(batch: Stored): number {
  return batch.handed?.lengthBytes ?? batch.bytes.length;
}

/** Undoes one step of a transaction that failed. */
type Undo = () => void;

/** Topics in memory. Everything happens at once within a call, so that a store may append within its own commit. */
export class MemoryLog implements Log {
  readonly #clock: Clock;
  readonly #topics = new Map<string, Topic>();
  readonly #wakes = new Wakes();
  #incarnations = 0;
  /** Non-null while a transaction runs. */
  #undo: Undo[] | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async create(topic: TopicSpec): Promise<TopicDescription> {
    assert(
      topic.partitions >= 1 && topic.partitions <= PARTITIONS_MAX,
      'a topic has 1 .. PARTITIONS_MAX partitions',
    );
    if (this.#topics.has(topic.name)) throw topicExists(topic.name);
    const description = describedTopic(topic, `${++this.#incarnations}-${crypto.randomUUID()}`);
    const partitions = Array.from({ length: topic.partitions }, () => ({
      batches: [],
      start: 0,
      highWatermark: 0,
      lengthBytes: 0,
      producers: new Map<string, KnownProducer>(),
      forgottenMs: -Infinity,
      sweptMs: -Infinity,
      cleaner: new Cleaner(),
      cleaned: NOT_CLEANED,
    }));
    this.#topics.set(topic.name, { description, partitions });
    return description;
  }

  async remove(topic: string): Promise<void> {
    const { partitions } = this.#topic(topic);
    this.#topics.delete(topic);
    partitions.forEach((_, partition) => this.#wakes.wake({ topic, partition }));
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    return this.#topics.get(topic)?.description ?? null;
  }

  async list(): Promise<readonly TopicDescription[]> {
    return [...this.#topics.values()].map((topic) => topic.description);
  }

  async append(
    at: TopicPartition,
    bytes: Uint8Array,
    producer?: ProducerStamp | undefined,
    incarnation?: string | undefined,
  ): Promise<AppendResult> {
    return this.appendNow(at, bytes, producer, incarnation);
  }

  /**
   * As `append`, within the caller's turn: for a store that commits to this log.
   * @param given bytes, or what a task hands over to another, in a topic that takes every record as it is
   * @param isTrusted true: the bytes were made in this process, and nobody need check what is in them
   */
  appendNow(
    at: TopicPartition,
    given: Uint8Array | HandedBatch,
    producer?: ProducerStamp | undefined,
    incarnation?: string | undefined,
    isTrusted = false,
  ): AppendResult {
    const { description } = this.#topic(at.topic);
    const partition = this.#partition(at);
    const known = description.incarnation;
    checkIncarnation(at.topic, incarnation, known);
    const nowMs = this.#clock.now();
    const base = partition.highWatermark;
    const admitted =
      given instanceof Uint8Array ? admit(given, description, nowMs, isTrusted) : given;
    const { count, crc, maxTimestamp } = admitted;
    if (producer !== undefined) {
      const before = partition.producers.get(producer.id) ?? null;
      const verdict = judge(before, {
        stamp: producer,
        count,
        crc,
        highWatermark: base,
        forgottenMs: partition.forgottenMs,
        nowMs,
      });
      this.#remember(partition, producer.id, before, verdict.producer);
      if (verdict.kind === 'repeat') {
        return {
          base: verdict.base,
          count,
          duplicate: true,
          highWatermark: base,
          incarnation: known,
        };
      }
    }
    const place = { base, count, maxTimestamp };
    const stored: Stored =
      given instanceof Uint8Array ? { ...place, bytes: admitted.bytes } : given.within(place);
    partition.batches.push(stored);
    partition.highWatermark = base + count;
    partition.lengthBytes += lengthOf(stored);
    this.#undo?.push(() => {
      partition.batches.pop();
      partition.highWatermark = base;
      partition.lengthBytes -= lengthOf(stored);
    });
    if (partition.cleaner.isRunning || nowMs - partition.sweptMs >= RETENTION_SWEEP_MS) {
      partition.sweptMs = nowMs;
      this.upkeep(at);
    }
    this.#wakes.wake(at);
    return { base, count, duplicate: false, highWatermark: base + count, incarnation: known };
  }

  /** Runs `body` all or nothing: what it appended with `appendNow` is gone when it throws. */
  transaction(body: () => void): void {
    assert(this.#undo === null, 'a transaction holds no other');
    const undo: Undo[] = [];
    this.#undo = undo;
    try {
      body();
    } catch (thrown) {
      for (const step of undo.reverse()) step();
      throw thrown;
    } finally {
      this.#undo = null;
    }
  }

  async read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    const partition = this.#partition(at);
    const { start, highWatermark } = partition;
    checkOffset(at, from, partition);
    const batches: FetchedBatch[] = [];
    let bytes = 0;
    for (let i = firstFrom(partition.batches, from); i < partition.batches.length; i++) {
      const batch = partition.batches[i];
      if (batch === undefined || (batches.length > 0 && bytes + lengthOf(batch) > bytesMax)) break;
      batches.push(batch);
      bytes += lengthOf(batch);
    }
    return {
      batches,
      start,
      highWatermark,
      incarnation: this.#topic(at.topic).description.incarnation,
    };
  }

  async bounds(at: TopicPartition): Promise<Bounds> {
    const { start, highWatermark } = this.#partition(at);
    return { start, highWatermark, incarnation: this.#topic(at.topic).description.incarnation };
  }

  async offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    const partition = this.#partition(at);
    const batch = partition.batches.find(({ maxTimestamp }) => maxTimestamp >= ms);
    if (batch === undefined) return partition.highWatermark;
    const records = parseRecordBatch(batch.bytes, 'CORRUPT', { checksum: false });
    const found = records.timestamps.findIndex((timestamp) => timestamp >= ms);
    return offsetAt(records, batch.base, found);
  }

  async trim(at: TopicPartition, before: number): Promise<void> {
    const partition = this.#partition(at);
    const kept = partition.batches.findIndex((batch) => batch.base + batch.count > before);
    drop(partition, kept < 0 ? partition.batches.length : kept);
  }

  /** One turn of what keeps a partition small. @returns true when another turn has something to do */
  upkeep(at: TopicPartition): boolean {
    const { description: policy } = this.#topic(at.topic);
    const partition = this.#partition(at);
    const nowMs = this.#clock.now();
    const gone = expired(sizes(partition.batches), { ...partition, policy, nowMs });
    drop(partition, gone?.batches ?? 0);
    if (gone?.isMore === true) return true;
    const { incarnation } = policy;
    const head = partition.batches.at(-1)?.base ?? partition.start;
    const of = { ...partition, incarnation, policy, head, nowMs };
    return cleaningTurn(partition.cleaner, of, isCompactionDue(of), {
      read: (wanted) => wantedOf(partition.batches, wanted),
      replace: (replacement) => replace(partition, replacement),
      store: (cleaned) => (partition.cleaned = cleaned),
    });
  }

  subscribe(at: TopicPartition, wake: () => void): Unsubscribe {
    return this.#wakes.subscribe(at, wake);
  }

  #remember(
    partition: Partition,
    id: string,
    before: KnownProducer | null,
    after: KnownProducer,
  ): void {
    const { producers, forgottenMs } = partition;
    if (before === null && producers.size >= PRODUCERS_MAX) {
      const idle = [...producers].map(([id, { lastMs }]) => ({ id, lastMs }));
      const forgotten = toForget(idle, this.#clock.now());
      const removed = forgotten.ids.map((id) => [id, producers.get(id)] as const);
      for (const [id] of removed) producers.delete(id);
      partition.forgottenMs = Math.max(forgottenMs, forgotten.forgottenMs);
      this.#undo?.push(() => {
        for (const [id, known] of removed) if (known !== undefined) producers.set(id, known);
        partition.forgottenMs = forgottenMs;
      });
    }
    producers.set(id, after);
    this.#undo?.push(() => {
      if (before === null) producers.delete(id);
      else producers.set(id, before);
    });
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw unknownTopic(name);
    return topic;
  }

  #partition(at: TopicPartition): Partition {
    const { partitions } = this.#topic(at.topic);
    const partition = partitions[at.partition];
    if (partition === undefined) throw unknownPartition(at, partitions.length);
    return partition;
  }
}

function* sizes(batches: readonly Stored[]): Generator<BatchSize> {
  for (const batch of batches) {
    const { base, count, maxTimestamp } = batch;
    yield { base, count, maxTimestamp, lengthBytes: lengthOf(batch) };
  }
}

/** Lets the oldest batches go, that many. */
function drop(partition: Partition, count: number): void {
  if (count <= 0) return;
  for (const batch of partition.batches.splice(0, count)) partition.lengthBytes -= lengthOf(batch);
  partition.start = partition.batches[0]?.base ?? partition.highWatermark;
}

function wantedOf(batches: readonly Stored[], wanted: CleaningRead): readonly Stored[] {
  const found: Stored[] = [];
  let read = 0;
  for (let i = firstFrom(batches, wanted.from); i < batches.length; i++) {
    const batch = batches[i];
    if (batch === undefined || batch.base >= wanted.to) break;
    if (found.length === wanted.batchesMax || read >= wanted.bytesMax) break;
    found.push(batch);
    read += lengthOf(batch);
  }
  return found;
}

function replace(partition: Partition, { from, to, batches }: Replacement): number {
  const kept = partition.batches.filter(({ base }) => base < from || base >= to);
  kept.splice(firstFrom(kept, from), 0, ...batches);
  partition.batches = kept;
  return (partition.lengthBytes = kept.reduce((sum, batch) => sum + lengthOf(batch), 0));
}

/** Index of the first batch that holds an offset at or above `from`. */
function firstFrom(batches: readonly FetchedBatch[], from: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const batch = batches[middle];
    if (batch !== undefined && batch.base + batch.count <= from) low = middle + 1;
    else high = middle;
  }
  return low;
}
