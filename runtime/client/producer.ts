// A producer of the client: takes records, chooses their partitions and holds no more than it may; knows no request.

import { asyncDispose } from '../base/async-dispose.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import { LimitError, PortError } from '../base/errors.ts';
import { partitionOf } from '../base/hash.ts';
import {
  DELIVERY_MS_MAX,
  PRODUCER_BUFFER_BYTES_MAX,
  PRODUCER_SENDS_MAX,
  RECORD_BATCH_BYTES_MAX,
} from '../base/limits.ts';
import { checkOptions } from '../base/options.ts';
import { checkSizes, checkTimestamp } from '../data/record.ts';
import type { ProducedAt, ProducedRecord } from '../engine/insert.ts';
import type { Connection } from './connection.ts';
import type { Waiting } from './batcher.ts';
import { PartitionSender } from './partition-sender.ts';
import { Topics } from './topics.ts';

/** How records are gathered, held and tried. */
export interface ProducerOptions {
  /** How long a record waits for others that go along, in ms; 5 when absent. */
  readonly lingerMs?: number | undefined;
  /** Bytes at which a batch goes; 256 KiB when absent, at most RECORD_BATCH_BYTES_MAX. */
  readonly batchBytes?: number | undefined;
  /** Records at which a batch goes; 10,000 when absent. */
  readonly batchRecords?: number | undefined;
  /** Bytes that wait or are under way; absent, and at most: PRODUCER_BUFFER_BYTES_MAX. Beyond it `send` waits. */
  readonly bufferBytes?: number | undefined;
  /** How long a record is tried, from `send` on, in ms; absent: what the connection has. */
  readonly deadlineMs?: number | undefined;
}

const OPTIONS = {
  lingerMs: 'number',
  batchBytes: 'number',
  batchRecords: 'number',
  bufferBytes: 'number',
  deadlineMs: 'number',
};

const LINGER_MS = 5;
const BATCH_BYTES = 262_144;
const BATCH_RECORDS = 10_000;
/** What a record costs beside its bytes while it waits: its lengths, its promise and what settles it. */
const WAITING_BYTES = 256;

/** A record on its way, from `send` until it is settled. */
interface Taken extends Waiting {
  readonly topic: string;
  readonly partition: number | null;
  readonly sizeBytes: number;
  readonly endMs: number;
  readonly group: Group;
  resolve(place: ProducedAt): void;
  reject(error: Error): void;
}

/** The records between two calls of `flush`. */
interface Group {
  open: number;
  readonly done: PromiseWithResolvers<void>;
}

/** What is known of a topic, and what waits until it is. */
interface KnownTopic {
  readonly name: string;
  /** null: it is known. */
  waiting: Taken[] | null;
  partitions: number;
  incarnation: string;
  /** The edge is asked whether it is the same one still. */
  isDoubted: boolean;
  readonly senders: Map<number, PartitionSender>;
  /** Where records without a key go until a batch is full. */
  sticky: number;
}

/**
 * Appends records to topics of the edge. Each record is appended once, in the order of `send` within its partition, whatever is lost or
 * repeated on the way; `send` tells where it stands.
 */
export class Producer implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #options: ProducerOptions;
  readonly #topics = new Map<string, KnownTopic>();
  /** Records beyond what the buffer holds, in the order of `send`. */
  readonly #beyond: Taken[] = [];
  /** Groups that somebody waits for. */
  readonly #flushed = new Set<Group>();
  #group: Group = newGroup();
  #room: PromiseWithResolvers<void> | null = null;
  #bufferedBytes = 0;
  #isClosed = false;

  /** @throws {TypeError} for options that are none */
  constructor(connection: Connection, options: ProducerOptions = {}) {
    checkOptions('producer', options, OPTIONS);
    this.#connection = connection;
    this.#options = options;
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'Producer';
  }

  /** Bytes of the records that are not settled yet and have their place in the buffer. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /**
   * Appends a record. Resolves once it is durable, with its place; waits for room where the buffer is full.
   * @throws {PortError} RECORD_TOO_LARGE, INVALID_TIMESTAMP; UNKNOWN_TOPIC, UNKNOWN_PARTITION; INCARNATION_CHANGED when the topic was dropped
   *   and created again meanwhile; UNAVAILABLE when the edge did not answer in time: whether the record is there is then not known
   * @throws {LimitError} PRODUCER_SENDS_MAX when that many calls wait already: await `ready` before each
   */
  send(topic: string, record: ProducedRecord): Promise<ProducedAt> {
    return new Promise((resolve, reject) => this.#take(topic, record, { resolve, reject }));
  }

  /** Resolves when the buffer has room. */
  ready(): Promise<void> {
    if (this.#hasRoom(0)) return Promise.resolve();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Sends without lingering; resolves when every record of an earlier `send` is settled, well or not. */
  async flush(): Promise<void> {
    if (this.#group.open > 0) {
      this.#flushed.add(this.#group);
      this.#group = newGroup();
    }
    for (const topic of this.#topics.values()) hurry(topic);
    await Promise.all([...this.#flushed].map(({ done }) => done.promise));
  }

  /** Sends what there is, waits for it as `flush` does, and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(
    topic: string,
    given: ProducedRecord,
    { resolve, reject }: Pick<Taken, 'resolve' | 'reject'>,
  ): void {
    if (this.#isClosed) throw new PortError('UNAVAILABLE', 'the producer is closed');
    const { partition = null, headers = [] } = given;
    const timestamp = given.timestamp ?? Date.now();
    const key = bytesOf(given.key ?? null);
    // Whoever writes no types may leave it out, as the engine and the edge let them.
    const value = bytesOf(given.value ?? null);
    checkSizes(key?.length ?? 0, value?.length ?? 0);
    checkTimestamp(timestamp);
    let sizeBytes = (key?.length ?? 0) + (value?.length ?? 0) + WAITING_BYTES;
    for (const header of headers) sizeBytes += header.name.length + (header.value?.length ?? 0);
    const { deadlineMs = DELIVERY_MS_MAX } = this.#options;
    const endMs = performance.now() + Math.min(deadlineMs, this.#connection.deadlineMs);
    const group = this.#group;
    const record = { key, value, timestamp, headers, sizeBytes, endMs, group };
    const taken: Taken = { topic, partition, ...record, resolve, reject };
    const isBeyond = this.#beyond.length > 0 || !this.#hasRoom(sizeBytes);
    if (isBeyond && this.#beyond.length >= PRODUCER_SENDS_MAX) {
      const message = `${PRODUCER_SENDS_MAX} calls of send wait for room: await ready() before`;
      throw new LimitError('PRODUCER_SENDS_MAX', message);
    }
    group.open++;
    if (isBeyond) this.#beyond.push(taken);
    else this.#admit(taken);
  }

  #hasRoom(bytes: number): boolean {
    const { bufferBytes = PRODUCER_BUFFER_BYTES_MAX } = this.#options;
    const most = Math.min(bufferBytes, PRODUCER_BUFFER_BYTES_MAX);
    // One record always has room, however long it is.
    return this.#bufferedBytes === 0 || this.#bufferedBytes + bytes < most;
  }

  #admit(taken: Taken): void {
    this.#bufferedBytes += taken.sizeBytes;
    const topic = this.#topic(taken.topic);
    if (topic.waiting === null) this.#place(topic, taken);
    else topic.waiting.push(taken);
  }

  #topic(name: string): KnownTopic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic: KnownTopic = {
      name,
      waiting: [],
      partitions: 0,
      incarnation: '',
      isDoubted: false,
      senders: new Map(),
      sticky: 0,
    };
    this.#topics.set(name, topic);
    void this.#learn(topic);
    return topic;
  }

  /** Asks for the topic; what waits for it then goes its way or fails. It never rejects. */
  async #learn(topic: KnownTopic): Promise<void> {
    let failed: { readonly error: Error } | null = null;
    try {
      const { partitions, incarnation } = await new Topics(this.#connection).describe(topic.name);
      topic.partitions = partitions;
      topic.incarnation = incarnation;
      topic.sticky = randomBelow(partitions);
    } catch (thrown) {
      failed = { error: thrown as Error };
      this.#forget(topic);
    }
    const waiting = topic.waiting ?? [];
    topic.waiting = null;
    for (const taken of waiting) {
      if (failed === null) this.#place(topic, taken);
      else this.#fail(taken, failed.error);
    }
  }

  /** The next record asks for the topic anew. */
  #forget(topic: KnownTopic): void {
    if (this.#topics.get(topic.name) !== topic) return;
    this.#topics.delete(topic.name);
    hurry(topic);
  }

  /** It may have been made again, with more partitions: if so, the next record asks for it anew. */
  #doubt(topic: KnownTopic): void {
    if (topic.isDoubted) return;
    topic.isDoubted = true;
    void new Topics(this.#connection)
      .describe(topic.name)
      .then(
        // The same one keeps its senders: their records come before all that follow.
        ({ incarnation }) => incarnation === topic.incarnation || this.#forget(topic),
        // The record was refused in any case; the next one that is asks again.
        () => undefined,
      )
      .finally(() => (topic.isDoubted = false));
  }

  #place(topic: KnownTopic, taken: Taken): void {
    const { key, endMs } = taken;
    const partition =
      taken.partition ?? (key === null ? topic.sticky : partitionOf(key, topic.partitions));
    if (!Number.isInteger(partition) || partition < 0 || partition >= topic.partitions) {
      const message = `topic '${topic.name}' has no partition ${partition}`;
      this.#fail(taken, new PortError('UNKNOWN_PARTITION', message));
      this.#doubt(topic);
      return;
    }
    try {
      const isFull = this.#sender(topic, partition).add({
        key,
        value: taken.value,
        timestamp: taken.timestamp,
        headers: taken.headers,
        endMs,
        done: (offset) => {
          this.#release(taken);
          taken.resolve({ partition, offset });
        },
        failed: (error) => this.#fail(taken, error),
      });
      if (isFull && partition === topic.sticky) topic.sticky = randomBelow(topic.partitions);
    } catch (thrown) {
      this.#fail(taken, thrown as Error);
    }
  }

  #sender(topic: KnownTopic, partition: number): PartitionSender {
    const known = topic.senders.get(partition);
    if (known !== undefined) return known;
    const { lingerMs = LINGER_MS, batchBytes, batchRecords = BATCH_RECORDS } = this.#options;
    const sender = new PartitionSender({
      connection: this.#connection,
      topic: topic.name,
      partition,
      incarnation: topic.incarnation,
      lingerMs,
      bytesMax: Math.min(batchBytes ?? BATCH_BYTES, RECORD_BATCH_BYTES_MAX),
      recordsMax: batchRecords,
      isUrgent: () => this.#flushed.size > 0 || this.#beyond.length > 0,
      onGone: () => this.#forget(topic),
    });
    topic.senders.set(partition, sender);
    return sender;
  }

  #fail(taken: Taken, error: Error): void {
    this.#release(taken);
    taken.reject(error);
  }

  /** Gives its room to those that wait for some. */
  #release({ sizeBytes, group }: Taken): void {
    this.#bufferedBytes -= sizeBytes;
    if (--group.open === 0 && this.#flushed.delete(group)) group.done.resolve();
    for (let next = this.#beyond[0]; next !== undefined; next = this.#beyond[0]) {
      if (!this.#hasRoom(next.sizeBytes)) return;
      this.#beyond.shift();
      this.#admit(next);
    }
    if (!this.#hasRoom(0)) return;
    this.#room?.resolve();
    this.#room = null;
  }
}

function newGroup(): Group {
  return { open: 0, done: Promise.withResolvers() };
}

function hurry(topic: KnownTopic): void {
  for (const sender of topic.senders.values()) sender.hurry();
}

function randomBelow(count: number): number {
  return Math.floor(Math.random() * count);
}

function bytesOf(given: Uint8Array | string | null): Uint8Array | null {
  return typeof given === 'string' ? encodeUtf8(given) : given;
}
