// The log port over a SQLite file: topics, grouped appends, retention and wake-ups; knows no engine and no task.

import { assert } from '../base/assert.ts';
import { PortError } from '../base/errors.ts';
import { PARTITIONS_MAX } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  Log,
  ProducerStamp,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Unsubscribe,
} from '../ports/log.ts';
import { RETENTION_SWEEP_MS } from '../ports/retention.ts';
import { type Database, refusing } from './database.ts';
import { type Append, Partitions } from './partitions.ts';

interface QueuedAppend extends Append {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (thrown: unknown) => void;
}

interface TopicRow extends Omit<TopicDescription, 'compacted' | 'internal'> {
  readonly compacted: number;
  readonly internal: number;
}

const DESCRIPTION = 'name, partitions, retentionMs, compacted, internal, incarnation';

/** Topics in a SQLite file: what an append resolves with stands in the database. */
export class SqliteLog implements Log {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #partitions: Partitions;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** When a partition last looked for what may go. */
  readonly #sweptMs = new Map<string, number>();
  #queue: QueuedAppend[] = [];

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#partitions = new Partitions(database);
  }

  async create(topic: TopicSpec): Promise<TopicDescription> {
    assert(
      topic.partitions >= 1 && topic.partitions <= PARTITIONS_MAX,
      'a topic has 1 .. PARTITIONS_MAX partitions',
    );
    const incarnation = `${this.#clock.now()}-${crypto.randomUUID()}`;
    const { name, partitions, retentionMs, compacted, internal } = topic;
    this.#database.transaction('creating a topic', () => {
      if (this.#described(name) !== null) {
        throw new PortError('TOPIC_EXISTS', `topic '${name}' exists already`);
      }
      this.#database.run(
        `INSERT INTO topic(${DESCRIPTION}) VALUES (?, ?, ?, ?, ?, ?)`,
        name,
        partitions,
        retentionMs,
        compacted ? 1 : 0,
        internal ? 1 : 0,
        incarnation,
      );
      for (let partition = 0; partition < partitions; partition++) {
        this.#database.run(
          'INSERT INTO partition(topic, partition, start, next, forgottenMs, producers) VALUES (?, ?, 0, 0, NULL, 0)',
          name,
          partition,
        );
      }
    });
    return { ...topic, incarnation };
  }

  async remove(topic: string): Promise<void> {
    const partitions = this.#database.transaction('removing a topic', () => {
      const known = this.#described(topic);
      if (known === null) throw new PortError('UNKNOWN_TOPIC', `topic '${topic}' does not exist`);
      const ids = 'SELECT id FROM partition WHERE topic = ?';
      this.#database.run(`DELETE FROM segment WHERE partition IN (${ids})`, topic);
      this.#database.run(`DELETE FROM producer WHERE partition IN (${ids})`, topic);
      this.#database.run('DELETE FROM partition WHERE topic = ?', topic);
      this.#database.run('DELETE FROM topic WHERE name = ?', topic);
      return known.partitions;
    });
    for (let partition = 0; partition < partitions; partition++) {
      this.#sweptMs.delete(keyOf({ topic, partition }));
      this.wake({ topic, partition });
    }
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    return refusing('a look at a topic', () => this.#described(topic));
  }

  #described(topic: string): TopicDescription | null {
    const row = this.#database.get<TopicRow>(
      `SELECT ${DESCRIPTION} FROM topic WHERE name = ?`,
      topic,
    );
    return row === undefined ? null : descriptionOf(row);
  }

  async list(): Promise<readonly TopicDescription[]> {
    return refusing('a look at the topics', () =>
      this.#database
        .all<TopicRow>(`SELECT ${DESCRIPTION} FROM topic ORDER BY id`)
        .map(descriptionOf),
    );
  }

  async append(
    at: TopicPartition,
    bytes: Uint8Array,
    producer?: ProducerStamp | undefined,
    incarnation?: string | undefined,
  ): Promise<AppendResult> {
    const nowMs = this.#clock.now();
    return await new Promise<AppendResult>((resolve, reject) => {
      this.#queue.push({ at, bytes, producer, incarnation, nowMs, resolve, reject });
      if (this.#queue.length === 1) queueMicrotask(() => this.#appendQueued());
    });
  }

  /** Group commit: what one turn of the caller appends is one transaction, and one wait for the disk; each is judged by itself. */
  #appendQueued(): void {
    const group = this.#queue;
    this.#queue = [];
    const settled: (() => void)[] = [];
    try {
      this.#database.transaction('an append', () => {
        for (const append of group) {
          try {
            const result = this.appendNow(append);
            settled.push(() => {
              append.resolve(result);
              if (!result.duplicate) this.wake(append.at);
            });
          } catch (refusal) {
            // Refused before anything was written; what else goes wrong goes wrong for all.
            if (!(refusal instanceof PortError)) throw refusal;
            settled.push(() => append.reject(refusal));
          }
        }
      });
    } catch (failure) {
      for (const { reject } of group) reject(failure);
      return;
    }
    for (const done of settled) done();
  }

  /**
   * Appends within the caller's transaction, and lets go what is too old; the caller wakes the readers once that has succeeded.
   * @throws {PortError} as `append`, before anything is written
   */
  appendNow(append: Append): AppendResult {
    const { at, nowMs } = append;
    const result = this.#partitions.append(append);
    const key = keyOf(at);
    if (nowMs - (this.#sweptMs.get(key) ?? -Infinity) >= RETENTION_SWEEP_MS) {
      this.#sweptMs.set(key, nowMs);
      this.#partitions.expire(at, nowMs);
    }
    return result;
  }

  async read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    return refusing('a read', () => this.#partitions.read(at, from, bytesMax));
  }

  async bounds(at: TopicPartition): Promise<Bounds> {
    return refusing('a look at a partition', () => this.#partitions.bounds(at));
  }

  async offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    return refusing('a search by time', () => this.#partitions.offsetForTime(at, ms));
  }

  async trim(at: TopicPartition, before: number): Promise<void> {
    this.#database.transaction('a trim', () => this.#partitions.trim(at, before));
  }

  subscribe(at: TopicPartition, wake: () => void): Unsubscribe {
    const key = keyOf(at);
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    waiting.add(wake);
    return () => {
      waiting.delete(wake);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    };
  }

  /** Tells subscribers, in a later turn, that records came in. */
  wake(at: TopicPartition): void {
    for (const wake of this.#waiting.get(keyOf(at)) ?? []) queueMicrotask(wake);
  }
}

function descriptionOf({ compacted, internal, ...rest }: TopicRow): TopicDescription {
  return { ...rest, compacted: compacted === 1, internal: internal === 1 };
}

function keyOf(at: TopicPartition): string {
  return `${at.partition} ${at.topic}`;
}
