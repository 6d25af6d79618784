// Topics of the edge: create, describe, list, delete; knows no record.

import type { TimestampType, TopicDescription } from '../ports/log.ts';
import { type Connection, jsonCall, readJson, topicPath } from './connection.ts';

/** What a topic is made with. */
export interface NewTopic {
  readonly name: string;
  /** 1 when absent; it never changes. */
  readonly partitions?: number | undefined;
  /** How long records stay, in ms; null or absent: for ever. */
  readonly retentionMs?: number | null | undefined;
  /** The oldest batches go while the others of their partition are still so many bytes; null or absent: none does. */
  readonly retentionBytes?: number | null | undefined;
  readonly compacted?: boolean | undefined;
  /** How long a tombstone stays after compaction first met it, in ms; absent: a day. */
  readonly deleteRetentionMs?: number | undefined;
  /** Whose clock gives records their timestamps; absent: the producer's (`CreateTime`). */
  readonly timestampType?: TimestampType | undefined;
  /** How far a producer's timestamp may lie ahead of the edge's clock, in ms; null: any distance; absent: an hour. */
  readonly timestampAfterMaxMs?: number | null | undefined;
}

/** A topic with the offsets that it holds now. */
export interface TopicBounds extends TopicDescription {
  readonly bounds: readonly {
    readonly partition: number;
    /** The first offset that is still there. */
    readonly start: number;
    /** The offset of the next record. */
    readonly highWatermark: number;
    /** Bytes that the partition's object holds, and whether it takes more: it refuses appends when it is full. */
    readonly storageBytes: number;
    readonly storage: 'ok' | 'nearlyFull' | 'full';
  }[];
}

/** The topics of an edge: `client.topics`, or `new Topics(connection)`. */
export class Topics {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * @throws {PortError} TOPIC_EXISTS; UNAVAILABLE when it is not known whether the topic was made
   * @throws {EdgeError} BAD_REQUEST for what a topic has not
   */
  create(topic: NewTopic): Promise<TopicDescription> {
    return this.#connection.once(jsonCall('/topics', topic), readJson<TopicDescription>);
  }

  /** @throws {PortError} UNKNOWN_TOPIC */
  describe(topic: string): Promise<TopicBounds> {
    const call = { method: 'GET', path: topicPath(topic) } as const;
    return this.#connection.retried(call, readJson<TopicBounds>);
  }

  /** All topics of the tenant, without the offsets that they hold. */
  async list(): Promise<readonly TopicDescription[]> {
    const { topics } = await this.#connection.retried(
      { method: 'GET', path: '/topics' },
      readJson<{ readonly topics: readonly TopicDescription[] }>,
    );
    return topics;
  }

  /**
   * Removes a topic and its records.
   * @throws {PortError} UNKNOWN_TOPIC; UNAVAILABLE when it is not known whether it was removed
   * @throws {EdgeError} IN_USE while a stream or table stands on it
   */
  async delete(topic: string): Promise<void> {
    const call = { method: 'DELETE', path: topicPath(topic) } as const;
    await this.#connection.once(call, (response) => response.arrayBuffer());
  }
}
