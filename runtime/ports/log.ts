// The log port: topics, partitions and record batches by offset; knows no SQL and no host.

import type { HandedBatch } from '../data/handed-batch.ts';

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** Records older than this may go; null: kept for ever. */
  readonly retentionMs: number | null;
  /** The oldest batches may go while the others are still so many bytes a partition; null or absent: kept, however many. */
  readonly retentionBytes?: number | null | undefined;
  /** true: every record has a key, and only the newest record of a key is sure to stay. */
  readonly compacted: boolean;
  /** How long a tombstone stays after compaction first met it; absent: DELETE_RETENTION_MS. */
  readonly deleteRetentionMs?: number | undefined;
  /** Whose clock gives records their timestamps; absent: the producer's. */
  readonly timestampType?: TimestampType | undefined;
  /** How far a producer's timestamp may lie ahead of the partition's clock; null: any distance; absent: as the host has it. */
  readonly timestampAfterMaxMs?: number | null | undefined;
  /** true: written by millrace alone (repartition topics, the catalog). */
  readonly internal: boolean;
}

/** Kafka's names: the time at which a record was made, or at which it was appended. */
export type TimestampType = 'CreateTime' | 'LogAppendTime';

export interface TopicDescription extends TopicSpec {
  readonly retentionBytes: number | null;
  readonly deleteRetentionMs: number;
  readonly timestampType: TimestampType;
  readonly timestampAfterMaxMs: number | null;
  /** Changes when the topic is dropped and created again or restored: offsets of another incarnation mean nothing. */
  readonly incarnation: string;
}

/**
 * Who appends, for exactly-once: a batch of n records takes the sequences `sequence .. sequence + n - 1` of its producer
 * at its partition. An epoch only fences: the sequence goes on across epochs.
 */
export interface ProducerStamp {
  /** `<creation time in ms>.<name>`: an unknown one older than the partition's memory is refused. */
  readonly id: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** A record batch and who appends it. */
export interface StampedBatch {
  readonly bytes: Uint8Array;
  readonly stamp: ProducerStamp;
}

export interface AppendResult {
  /** Offset of the first record; null for a repeat that is older than the partition remembers offsets. */
  readonly base: number | null;
  readonly count: number;
  /** true: the batch had been appended before and nothing was written now. */
  readonly duplicate: boolean;
  readonly highWatermark: number;
  readonly incarnation: string;
}

export interface FetchedBatch {
  /** The first offset that the batch covers: that of its first record, unless the topic is compacted. */
  readonly base: number;
  /** Offsets that it covers, so that `base + count` is read next; the batch of a compacted topic may hold fewer records. */
  readonly count: number;
  /** A record batch as PROTOCOL.md describes it; the checksum was verified by the adapter. */
  readonly bytes: Uint8Array;
  /** The greatest timestamp in it; absent: the log does not have it at hand. */
  readonly maxTimestamp?: number | undefined;
  /** The same as `bytes`, which are made when they are asked for; absent: it came as bytes. */
  readonly handed?: HandedBatch | undefined;
}

export interface Fetched {
  /** In offset order; the first may begin below the offset asked for; at least one batch when there is one. */
  readonly batches: readonly FetchedBatch[];
  readonly start: number;
  readonly highWatermark: number;
  readonly incarnation: string;
}

export interface Bounds {
  /** The earliest offset kept. */
  readonly start: number;
  /** The offset that the next record will get. */
  readonly highWatermark: number;
  readonly incarnation: string;
}

export type Unsubscribe = () => void;

/**
 * A partitioned log. Every promise that resolves has its effect durable; every refusal is a `PortError` and changed
 * nothing (but UNAVAILABLE, after which the outcome is unknown and the same call with the same stamp is safe).
 */
export interface Log {
  /**
   * True: its records are elsewhere and a read is a call, so that tasks read ahead while they commit, and read again what they have read to
   * its end only when they were woken: subscribers are woken after the last record of all in any case.
   */
  readonly isRemote?: boolean | undefined;
  /** True while appends are under way, so that a read takes in more; absent where they are done within their call. */
  readonly isAppending?: boolean | undefined;
  /** Creates the topic. @throws {PortError} TOPIC_EXISTS */
  create(topic: TopicSpec): Promise<TopicDescription>;
  /** Removes the topic with its records. @throws {PortError} UNKNOWN_TOPIC */
  remove(topic: string): Promise<void>;
  describe(topic: string): Promise<TopicDescription | null>;
  list(): Promise<readonly TopicDescription[]>;
  /**
   * Appends one record batch, all or nothing.
   * @param incarnation when given, the topic's incarnation the caller knows
   * @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, INVALID_BATCH, INVALID_RECORD (a record without a key on a compacted
   *   topic), INVALID_TIMESTAMP, RECORD_TOO_LARGE, INCARNATION_CHANGED, FENCED, OUT_OF_ORDER_SEQUENCE (detail.expected), UNKNOWN_PRODUCER, SEQUENCE_REUSED, STORAGE_FULL, UNAVAILABLE
   */
  append(
    at: TopicPartition,
    bytes: Uint8Array,
    producer?: ProducerStamp | undefined,
    incarnation?: string | undefined,
  ): Promise<AppendResult>;
  /**
   * As `append` for each, in this order and in one call; absent: there are no calls to be saved. Each is judged by itself.
   * @returns what each was refused for, as `append` throws it; null: it is there
   * @throws {PortError} UNAVAILABLE: the outcome of all is unknown
   */
  appendAll?(
    at: TopicPartition,
    batches: readonly StampedBatch[],
  ): Promise<readonly (Error | null)[]>;
  /**
   * Reads from an offset. Beyond the first batch it stops before `bytesMax`.
   * @throws {PortError} OFFSET_OUT_OF_RANGE (detail.start, detail.highWatermark), UNKNOWN_TOPIC, UNKNOWN_PARTITION, CORRUPT
   */
  read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched>;
  bounds(at: TopicPartition): Promise<Bounds>;
  /** The first offset whose timestamp is at or after `ms`; the high watermark when there is none. */
  offsetForTime(at: TopicPartition, ms: number): Promise<number>;
  /** Lets records below `before` go; whole batches only. */
  trim(at: TopicPartition, before: number): Promise<void>;
  /** Calls `wake` after records came in, at least once after the last of them. A hint: it may come late or twice. */
  subscribe(at: TopicPartition, wake: () => void): Unsubscribe;
}
