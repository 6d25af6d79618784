// The log port over calls to partition and catalog objects; it knows no storage and keeps no record.

import { PortError } from '../../runtime/base/errors.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  Log,
  ProducerStamp,
  StampedBatch,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Unsubscribe,
} from '../../runtime/ports/log.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import { HINT_BYTES_MAX, HINTS_KEPT_MAX } from '../../runtime/base/limits.ts';
import { isOutOfCalls, outOfCalls } from '../calls.ts';
import {
  catalogOf,
  type EdgeEnv,
  partitionAt,
  type PartitionPort,
  type StorageUsage,
} from '../env.ts';
import type { FetchedWithin } from '../fetched-within.ts';
import { framesOf, type FramesQuery } from '../frames.ts';
import type { Append } from '../objects/append-queue.ts';
import { isPartitionNumber, isTopicName, unknownPartition, unknownTopic } from '../names.ts';
import { answered, fromWire, noAnswer, unwrap } from '../wire.ts';
import { Follower } from './follower.ts';

/** How long one call waits at a partition for records, while somebody follows it. */
const FOLLOW_WAIT_MS = 20_000;

export interface RemoteLogOptions {
  readonly env: EdgeEnv;
  readonly tenant: string;
  /** How an append is sent; without it each is a call of its own. */
  readonly send?: ((at: TopicPartition, append: Append) => Promise<AppendResult>) | undefined;
  /** How `subscribe` learns of records; without it each subscription follows its partition with waiting reads. */
  readonly subscribe?: ((at: TopicPartition, wake: () => void) => Unsubscribe) | undefined;
  /** Refuses partitions that are not there, where they are named from outside; without it whoever asks knows that they are. */
  readonly check?: ((at: TopicPartition) => Promise<void> | null) | undefined;
  /** Where the topics are known without asking the catalog: in the catalog itself. */
  readonly describe?: ((topic: string) => TopicDescription | null) | undefined;
  /** Is told of each call that fails. */
  readonly failed?: ((thrown: unknown) => void) | undefined;
}

/** The log of one tenant. */
export class RemoteLog implements Log {
  readonly isRemote = true;
  readonly #env: EdgeEnv;
  readonly #tenant: string;
  readonly #subscribe: (at: TopicPartition, wake: () => void) => Unsubscribe;

  /** By partition, what a wake-up has brought along, until the next read. */
  readonly #brought = new Map<string, Fetched>();
  /** By partition, those who follow it here. */
  readonly #followers = new Map<string, Set<Follower>>();
  readonly #describe: ((topic: string) => TopicDescription | null) | null;
  readonly #send: (at: TopicPartition, append: Append) => Promise<AppendResult>;
  readonly #check: ((at: TopicPartition) => Promise<void> | null) | null;
  readonly #failed: (thrown: unknown) => void;
  #calls = 0;

  constructor({ env, tenant, subscribe, describe, send, check, failed }: RemoteLogOptions) {
    this.#env = env;
    this.#tenant = tenant;
    this.#send =
      send ??
      (async (at, { bytes, stamp, incarnation }) =>
        unwrap(partitionAt(env, tenant, at).append(bytes, stamp, incarnation)));
    this.#describe = describe ?? null;
    this.#check = check ?? null;
    this.#failed = failed ?? (() => undefined);
    this.#subscribe = subscribe ?? ((at, wake) => this.#follow(at, wake));
  }

  /** Calls to partitions so far. */
  get calls(): number {
    return this.#calls;
  }

  create(topic: TopicSpec): Promise<TopicDescription> {
    return unwrap(catalogOf(this.#env, this.#tenant).createTopic(this.#tenant, topic));
  }

  async remove(topic: string): Promise<void> {
    await unwrap(catalogOf(this.#env, this.#tenant).removeTopic(topic));
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    if (this.#describe !== null) return this.#describe(topic);
    return unwrap(catalogOf(this.#env, this.#tenant).topic(topic));
  }

  list(): Promise<readonly TopicDescription[]> {
    return unwrap(catalogOf(this.#env, this.#tenant).topics());
  }

  append(
    at: TopicPartition,
    bytes: Uint8Array,
    producer?: ProducerStamp | undefined,
    incarnation?: string | undefined,
  ): Promise<AppendResult> {
    const append = { bytes, stamp: producer ?? null, incarnation: incarnation ?? null };
    return this.#explained(at, () => this.#send(at, append));
  }

  appendAll(
    at: TopicPartition,
    batches: readonly StampedBatch[],
  ): Promise<readonly (Error | null)[]> {
    return this.#explained(at, async () => {
      const appends = batches.map((batch) => ({ ...batch, incarnation: null }));
      const answers = await answered(partitionAt(this.#env, this.#tenant, at).appendAll(appends));
      const refusals = batches.map((_, i) => {
        const answer = answers[i];
        if (answer === undefined) return noAnswer();
        return answer.ok ? null : fromWire(answer.error);
      });
      const [first] = refusals;
      if (first instanceof PortError && first.code === 'UNKNOWN_PARTITION') throw first;
      return refusals;
    });
  }

  read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    const read = (): Promise<Fetched> => this.readOrWait(at, from, bytesMax, 0, null);
    return this.#readBeside(at, from, read);
  }

  /** As `read`, for whoever has no room for more than `bytesMax`. */
  async readWithin(at: TopicPartition, from: number, bytesMax: number): Promise<FetchedWithin> {
    const read = (): Promise<Fetched & Partial<FetchedWithin>> =>
      this.readWithinOrWait(at, from, bytesMax, 0, null);
    return { needed: 0, ...(await this.#readBeside(at, from, read)) };
  }

  /** Reads unless a follower has brought it along, and tells them how far that is. */
  async #readBeside<F extends Fetched & Partial<FetchedWithin>>(
    at: TopicPartition,
    from: number,
    read: () => Promise<F>,
  ): Promise<F | Fetched> {
    const followers = this.#followers.get(partitionKey(at));
    if (followers === undefined) return read();
    // No more than anybody has room for.
    for (const follower of followers) {
      const taken = follower.taken(from);
      if (taken === null) continue;
      for (const other of followers) other.hasRead(from, taken);
      return taken;
    }
    const fetched = await read();
    const isRead = (fetched.needed ?? 0) === 0;
    if (isRead) for (const follower of followers) follower.hasRead(from, fetched);
    return fetched;
  }

  /** Takes what a read from the first of these batches would give: the next read, if it is that one, needs no call. */
  bring(at: TopicPartition, fetched: Fetched): void {
    const key = partitionKey(at);
    this.#brought.delete(key);
    for (const oldest of this.#brought.keys()) {
      if (this.#brought.size < HINTS_KEPT_MAX) break;
      this.#brought.delete(oldest);
    }
    this.#brought.set(key, fetched);
  }

  #takeBrought(at: TopicPartition, from: number, incarnation: string | null): Fetched | null {
    const key = partitionKey(at);
    const brought = this.#brought.get(key);
    if (brought === undefined) return null;
    this.#brought.delete(key);
    const isAsked = brought.batches[0]?.base === from;
    return isAsked && (incarnation ?? brought.incarnation) === brought.incarnation ? brought : null;
  }

  /** As `read`, waiting up to `waitMs` at the partition when there is nothing at `from`. */
  readOrWait(
    at: TopicPartition,
    from: number,
    bytesMax: number,
    waitMs: number,
    incarnation: string | null,
  ): Promise<Fetched> {
    const brought = bytesMax < HINT_BYTES_MAX ? null : this.#takeBrought(at, from, incarnation);
    if (brought !== null) return Promise.resolve(brought);
    return this.#explained(at, async () => {
      const partition = partitionAt(this.#env, this.#tenant, at);
      return unwrap(partition.read(from, bytesMax, waitMs, incarnation));
    });
  }

  /** As `readOrWait`, for whoever has no room for more than `bytesMax`. */
  readWithinOrWait(
    at: TopicPartition,
    from: number,
    bytesMax: number,
    waitMs: number,
    incarnation: string | null,
  ): Promise<FetchedWithin> {
    return this.#explained(at, async () => {
      const partition = partitionAt(this.#env, this.#tenant, at);
      return unwrap(partition.readWithin(from, bytesMax, waitMs, incarnation));
    });
  }

  /** As `readOrWait`, as an answer to a reader whose bytes are only passed on. */
  frames(at: TopicPartition, query: FramesQuery): Promise<Response> {
    return this.#explained(at, async () =>
      framesOf(partitionAt(this.#env, this.#tenant, at), query),
    );
  }

  bounds(at: TopicPartition): Promise<Bounds> {
    return this.#explained(at, async () =>
      unwrap(partitionAt(this.#env, this.#tenant, at).bounds()),
    );
  }

  /** As `bounds`, with how full the partition is. */
  usage(at: TopicPartition): Promise<Bounds & StorageUsage> {
    return this.#explained(at, async () =>
      unwrap(partitionAt(this.#env, this.#tenant, at).usage()),
    );
  }

  offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    return this.#explained(at, async () =>
      unwrap(partitionAt(this.#env, this.#tenant, at).offsetForTime(ms)),
    );
  }

  async trim(at: TopicPartition, before: number): Promise<void> {
    await this.#explained(at, async () =>
      unwrap(partitionAt(this.#env, this.#tenant, at).trim(before)),
    );
  }

  subscribe(at: TopicPartition, wake: () => void): Unsubscribe {
    return this.#subscribe(at, wake);
  }

  /**
   * A partition that is not open cannot say why; the catalog can: no such topic, no such partition, or not opened yet,
   * which passes.
   */
  #explained<T>(at: TopicPartition, call: () => Promise<T>): Promise<T> {
    return this.#told(() => this.#checked(at, call));
  }

  async #checked<T>(at: TopicPartition, call: () => Promise<T>): Promise<T> {
    const checking = this.#check?.(at) ?? null;
    if (checking !== null) await checking;
    try {
      return await call();
    } catch (thrown) {
      if (!(thrown instanceof PortError) || thrown.code !== 'UNKNOWN_PARTITION') throw thrown;
      if (!isTopicName(at.topic)) throw unknownTopic(at.topic);
      const topic = await this.describe(at.topic);
      if (topic === null) throw unknownTopic(at.topic);
      if (!isPartitionNumber(at.partition) || at.partition >= topic.partitions) {
        throw unknownPartition(at);
      }
      throw new PortError('UNAVAILABLE', `topic '${at.topic}' is being created`);
    }
  }

  /** Counts a call, and tells when it fails. */
  async #told<T>(call: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    try {
      return await call();
    } catch (thrown) {
      this.#failed(thrown);
      throw isOutOfCalls(thrown) ? outOfCalls(thrown) : thrown;
    }
  }

  /** What one follower may bring along before anybody has made room for it: all of them together as much as a hint. */
  get #broughtBytesMax(): number {
    let followers = 1;
    for (const { size } of this.#followers.values()) followers += size;
    return Math.floor(HINT_BYTES_MAX / followers);
  }

  #follow(at: TopicPartition, wake: () => void): Unsubscribe {
    const key = partitionKey(at);
    const partition = (): PartitionPort => partitionAt(this.#env, this.#tenant, at);
    const follower = new Follower({
      wake,
      follow: (seen) =>
        this.#told(
          async () => (await unwrap(partition().follow(seen, FOLLOW_WAIT_MS))).highWatermark,
        ),
      read: (from) =>
        this.#told(async () =>
          unwrap(partition().readWithin(from, this.#broughtBytesMax, FOLLOW_WAIT_MS, null)),
        ),
    });
    const followers = this.#followers.get(key) ?? new Set();
    this.#followers.set(key, followers);
    followers.add(follower);
    return () => {
      follower.stop();
      followers.delete(follower);
      if (followers.size === 0 && this.#followers.get(key) === followers)
        this.#followers.delete(key);
    };
  }
}
