// What a Worker's isolate remembers of topics for a moment, and how it learns that it is out of date; knows no HTTP.

import { type PortCode, PortError } from '../runtime/base/errors.ts';
import type { TopicDescription, TopicPartition } from '../runtime/ports/log.ts';
import { RemoteLog } from './adapters/remote-log.ts';
import { catalogOf, type EdgeEnv } from './env.ts';
import { isPartitionNumber, isTopicName, unknownPartition, unknownTopic } from './names.ts';
import { unwrap } from './wire.ts';

/** How long a description is used without asking the catalog again. */
const FRESH_MS = 1_000;
/** Descriptions that one isolate keeps. */
const TOPICS_MAX = 1_000;

interface Known {
  readonly topic: TopicDescription;
  readonly atMs: number;
}

/** Topics by tenant and name. Only topics that exist are remembered: a name that is missing is asked for each time. */
export class TopicCache {
  readonly #known = new Map<string, Known>();

  /** @throws {PortError} UNKNOWN_TOPIC */
  async describe(env: EdgeEnv, tenant: string, topic: string): Promise<TopicDescription> {
    const key = `${tenant}/${topic}`;
    const known = this.#known.get(key);
    if (known !== undefined && Date.now() - known.atMs < FRESH_MS) return known.topic;
    if (!isTopicName(topic)) throw unknownTopic(topic);
    const found = await unwrap(catalogOf(env, tenant).topic(topic));
    this.#known.delete(key);
    if (found === null) throw unknownTopic(topic);
    if (this.#known.size >= TOPICS_MAX) this.#known.clear();
    this.#known.set(key, { topic: found, atMs: Date.now() });
    return found;
  }

  /** As the catalog has it now: whoever asks for a topic itself keeps what it is told for longer. @throws {PortError} UNKNOWN_TOPIC */
  describeAnew(env: EdgeEnv, tenant: string, topic: string): Promise<TopicDescription> {
    this.#known.delete(`${tenant}/${topic}`);
    return this.describe(env, tenant, topic);
  }

  /**
   * Refuses a partition that is not there, before its object is asked: one would be made for it, with a database that stays. One that was there once
   * is not asked for again, however long ago that was.
   * @returns null: it is there; else it may reject
   * @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION
   */
  check(env: EdgeEnv, tenant: string, at: TopicPartition): Promise<void> | null {
    const { topic, partition } = at;
    if (!isPartitionNumber(partition)) throw unknownPartition(at);
    const known = this.#known.get(`${tenant}/${topic}`)?.topic.partitions ?? 0;
    return partition < known ? null : this.#checkAnew(env, tenant, at);
  }

  async #checkAnew(env: EdgeEnv, tenant: string, at: TopicPartition): Promise<void> {
    const { partitions } = await this.describeAnew(env, tenant, at.topic);
    if (at.partition >= partitions) throw unknownPartition(at);
  }

  /**
   * Runs `use` with the topic; when what was remembered is out of date (dropped, created again), asks the catalog and
   * runs it once more. `use` must be safe to repeat after such a refusal, which changed nothing.
   */
  async with<T>(
    env: EdgeEnv,
    tenant: string,
    topic: string,
    use: (topic: TopicDescription) => Promise<T>,
  ): Promise<T> {
    try {
      return await use(await this.describe(env, tenant, topic));
    } catch (thrown) {
      if (!isOutOfDate(thrown)) throw thrown;
    }
    const known = await this.describeAnew(env, tenant, topic);
    try {
      return await use(known);
    } catch (thrown) {
      // A partition that has another one than the catalog; not a client, who is told of the catalog's.
      const isOther = isOutOfDate(thrown) && thrown.code === 'INCARNATION_CHANGED';
      if (!isOther || thrown.detail['incarnation'] === known.incarnation) throw thrown;
      return use(await this.realigned(env, tenant, topic));
    }
  }

  /** As the catalog has it once all of its partitions know: one of them was put back to before it heard of the present incarnation. @throws {PortError} UNKNOWN_TOPIC */
  async realigned(env: EdgeEnv, tenant: string, topic: string): Promise<TopicDescription> {
    await unwrap(catalogOf(env, tenant).realign(topic));
    return this.describeAnew(env, tenant, topic);
  }
}

/** A topic that was made again may have other partitions, too. */
const OUT_OF_DATE: readonly PortCode[] = [
  'INCARNATION_CHANGED',
  'UNKNOWN_TOPIC',
  'UNKNOWN_PARTITION',
];

function isOutOfDate(thrown: unknown): thrown is PortError {
  return thrown instanceof PortError && OUT_OF_DATE.includes(thrown.code);
}

/** The log of one tenant for an object that is asked for topics by name. */
export function checkedLog(env: EdgeEnv, tenant: string): RemoteLog {
  const topics = new TopicCache();
  return new RemoteLog({ env, tenant, check: (at) => topics.check(env, tenant, at) });
}
