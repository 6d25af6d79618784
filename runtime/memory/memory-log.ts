// The log in memory: topics as record batches one after the other; the reference for every other adapter of the port.

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
import { expired } from '../ports/retention.ts';
import { RETENTION_SWEEP_MS } from '../ports/upkeep.ts';
import { describedTopic } from '../ports/topic-policy.ts';
import { Wakes } from '../ports/wakes.ts';
import { type Stored, StoredBatches } from './stored-batches.ts';

interface Partition {
  readonly batches: StoredBatches;
  start: number;
  highWatermark: number;
  producers: Map<string, KnownProducer>;
  forgottenMs: number;
  /** When it last looked for batches that may go, to the end; until then each append looks. */
  sweptMs: number;
  readonly cleaner: Cleaner;
  cleaned: Cleaned;
}

interface Topic {
  readonly description: TopicDescription;
  readonly partitions: readonly Partition[];
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
  /** Where records came in: nothing is let go for those that may yet be taken back. */
  readonly #appended: TopicPartition[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes of all batches. */
  get lengthBytes(): number {
    let bytes = 0;
    for (const { partitions } of this.#topics.values())
      for (const { batches } of partitions) bytes += batches.lengthBytes;
    return bytes;
  }

  async create(topic: TopicSpec): Promise<TopicDescription> {
    assert(
      topic.partitions >= 1 && topic.partitions <= PARTITIONS_MAX,
      'a topic has 1 .. PARTITIONS_MAX partitions',
    );
    if (this.#topics.has(topic.name)) throw topicExists(topic.name);
    const description = describedTopic(topic, `${++this.#incarnations}-${crypto.randomUUID()}`);
    const partitions = Array.from({ length: topic.partitions }, () => ({
      batches: new StoredBatches(),
      start: 0,
      highWatermark: 0,
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
    const stored = given instanceof Uint8Array ? admitted.bytes : given;
    partition.batches.push({ base, count, maxTimestamp }, stored);
    partition.highWatermark = base + count;
    this.#undo?.push(() => {
      partition.batches.pop();
      partition.highWatermark = base;
    });
    this.#appended.push(at);
    if (this.#undo === null) this.#sweep();
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
      this.#appended.length = 0;
      throw thrown;
    } finally {
      this.#undo = null;
    }
    this.#sweep();
  }

  async read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    const partition = this.#partition(at);
    checkOffset(at, from, partition);
    const batches: FetchedBatch[] = [];
    let bytes = 0;
    for (const batch of partition.batches.from(from)) {
      bytes += batch.lengthBytes;
      if (batches.length > 0 && bytes > bytesMax) break;
      batches.push(batch);
    }
    return { batches, ...this.#bounds(at) };
  }

  async bounds(at: TopicPartition): Promise<Bounds> {
    return this.#bounds(at);
  }

  #bounds(at: TopicPartition): Bounds {
    const { start, highWatermark } = this.#partition(at);
    return { start, highWatermark, incarnation: this.#topic(at.topic).description.incarnation };
  }

  async offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    const partition = this.#partition(at);
    for (const { base, bytes, maxTimestamp } of partition.batches.from(0)) {
      if (maxTimestamp < ms) continue;
      const records = parseRecordBatch(bytes, 'CORRUPT', { checksum: false });
      const found = records.timestamps.findIndex((timestamp) => timestamp >= ms);
      return offsetAt(records, base, found);
    }
    return partition.highWatermark;
  }

  async trim(at: TopicPartition, before: number): Promise<void> {
    drop(this.#partition(at), before);
  }

  /** A turn of upkeep where records came in, unless one has lately found nothing more to do. */
  #sweep(): void {
    const nowMs = this.#clock.now();
    for (const at of this.#appended.splice(0)) {
      const partition = this.#partition(at);
      if (nowMs - partition.sweptMs < RETENTION_SWEEP_MS) continue;
      partition.sweptMs = this.upkeep(at) ? -Infinity : nowMs;
    }
  }

  /** One turn of what keeps a partition small. @returns true when another turn has something to do */
  upkeep(at: TopicPartition): boolean {
    const { description: policy } = this.#topic(at.topic);
    const partition = this.#partition(at);
    const nowMs = this.#clock.now();
    const { batches } = partition;
    const { lengthBytes } = batches;
    const gone = expired(batches.from(0), { ...partition, lengthBytes, policy, nowMs });
    if (gone !== null) drop(partition, gone.before);
    if (gone?.isMore === true) return true;
    const { incarnation } = policy;
    const head = batches.last ?? partition.start;
    const of = { ...partition, lengthBytes: batches.lengthBytes, incarnation, policy, head, nowMs };
    return cleaningTurn(partition.cleaner, of, isCompactionDue(of), {
      read: (wanted) => wantedOf(batches, wanted),
      replace: (replacement) => {
        batches.replace(replacement);
        return batches.lengthBytes;
      },
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

/** Lets batches go that end at the offset or before. */
function drop(partition: Partition, before: number): void {
  partition.batches.drop(before);
  partition.start = partition.batches.first ?? partition.highWatermark;
}

function wantedOf(batches: StoredBatches, wanted: CleaningRead): readonly Stored[] {
  const found: Stored[] = [];
  let read = 0;
  for (const batch of batches.from(wanted.from)) {
    if (batch.base >= wanted.to) break;
    if (found.length === wanted.batchesMax || read >= wanted.bytesMax) break;
    found.push(batch);
    read += batch.lengthBytes;
  }
  return found;
}
