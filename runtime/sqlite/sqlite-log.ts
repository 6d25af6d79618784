// The log port over a SQLite file: topics, grouped appends, retention and wake-ups; knows no engine and no task.

import { assert } from '../base/assert.ts';
import { PortError } from '../base/errors.ts';
import { log } from '../base/log.ts';
import { PARTITIONS_MAX } from '../base/limits.ts';
import { Cleaner } from '../ports/cleaning.ts';
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
import { topicExists, unknownTopic } from '../ports/refusals.ts';
import { RETENTION_SWEEP_MS } from '../ports/upkeep.ts';
import { describedTopic, policyOf, type TopicPolicy } from '../ports/topic-policy.ts';
import { partitionKey, Wakes } from '../ports/wakes.ts';
import { type Database, refusing } from './database.ts';
import { type Append, Partitions } from './partitions.ts';

interface QueuedAppend extends Append {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (thrown: unknown) => void;
}

interface TopicRow extends Pick<TopicDescription, 'name' | 'partitions' | 'incarnation'> {
  readonly internal: number;
  /** JSON of the topic's policy. */
  readonly policy: string;
}

const DESCRIPTION = 'name, partitions, internal, incarnation, policy';

/** Topics in a SQLite file: what an append resolves with stands in the database. */
export class SqliteLog implements Log {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #partitions: Partitions;
  readonly #wakes = new Wakes();
  /** When a partition last looked for what may go. */
  readonly #sweptMs = new Map<string, number>();
  /** Of partitions whose upkeep is not done. */
  readonly #cleaners = new Map<string, Cleaner>();
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
    const { name, partitions, internal } = topic;
    this.#database.transaction('creating a topic', () => {
      if (this.#described(name) !== null) {
        throw topicExists(name);
      }
      this.#database.run(
        `INSERT INTO topic(${DESCRIPTION}) VALUES (?, ?, ?, ?, ?)`,
        name,
        partitions,
        internal ? 1 : 0,
        incarnation,
        JSON.stringify(policyOf(topic)),
      );
      for (let partition = 0; partition < partitions; partition++) {
        this.#database.run(
          `INSERT INTO partition(topic, partition, start, next, forgottenMs, producers, lengthBytes, cleaned)
             VALUES (?, ?, 0, 0, NULL, 0, 0, NULL)`,
          name,
          partition,
        );
      }
    });
    return describedTopic(topic, incarnation);
  }

  async remove(topic: string): Promise<void> {
    const partitions = this.#database.transaction('removing a topic', () => {
      const known = this.#described(topic);
      if (known === null) throw unknownTopic(topic);
      const ids = 'SELECT id FROM partition WHERE topic = ?';
      this.#database.run(`DELETE FROM segment WHERE partition IN (${ids})`, topic);
      this.#database.run(`DELETE FROM producer WHERE partition IN (${ids})`, topic);
      this.#database.run('DELETE FROM partition WHERE topic = ?', topic);
      this.#database.run('DELETE FROM topic WHERE name = ?', topic);
      return known.partitions;
    });
    for (let partition = 0; partition < partitions; partition++) {
      this.#sweptMs.delete(partitionKey({ topic, partition }));
      this.#cleaners.delete(partitionKey({ topic, partition }));
      this.#wakes.wake({ topic, partition });
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
   * Appends within the caller's transaction; the caller calls `wake` once that has succeeded.
   * @throws {PortError} as `append`, before anything is written
   */
  appendNow(append: Append): AppendResult {
    return this.#partitions.append(append);
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
    return this.#wakes.subscribe(at, wake);
  }

  /** One turn of what keeps a partition small. @returns true when another turn has something to do */
  upkeep(at: TopicPartition): boolean {
    const key = partitionKey(at);
    const cleaner = this.#cleaners.get(key) ?? new Cleaner();
    const nowMs = this.#clock.now();
    // A pass goes on only from what was stored.
    this.#cleaners.delete(key);
    const isMore = this.#database.transaction('upkeep', () =>
      this.#partitions.upkeep(at, cleaner, nowMs),
    );
    if (isMore) this.#cleaners.set(key, cleaner);
    return isMore;
  }

  /** Tells subscribers, in a later turn, that records came in, and does a turn of upkeep where one is due or has been begun. */
  wake(at: TopicPartition): void {
    this.#wakes.wake(at);
    const key = partitionKey(at);
    const nowMs = this.#clock.now();
    const isDue = nowMs - (this.#sweptMs.get(key) ?? -Infinity) >= RETENTION_SWEEP_MS;
    if (!isDue && !this.#cleaners.has(key)) return;
    this.#sweptMs.set(key, nowMs);
    try {
      this.upkeep(at);
    } catch (failure) {
      // The append has succeeded. A batch that is damaged is named to whoever reads it, and the next look tries again.
      log('error', 'upkeep', { ...at, thrown: failure });
    }
  }
}

function descriptionOf({ internal, policy, incarnation, ...rest }: TopicRow): TopicDescription {
  const spec = { ...rest, ...(JSON.parse(policy) as TopicPolicy), internal: internal === 1 };
  return describedTopic(spec, incarnation);
}
