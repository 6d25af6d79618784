// Partitions in memory whose storage can be put back to an earlier state, as objects of the edge: with a catalog that knows their topics' incarnations; knows no task.

import type { Restores } from '../../edge/objects/after-restore.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { MemoryLog } from '../../runtime/memory/memory-log.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { originOf } from '../../runtime/ports/incarnation.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  Log,
  ProducerStamp,
  TopicDescription,
  TopicPartition,
  Unsubscribe,
} from '../../runtime/ports/log.ts';
import { checkIncarnation } from '../../runtime/ports/refusals.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';

import type { TaskBackup } from './put-back-host.ts';

interface Op {
  readonly bytes: Uint8Array;
  readonly stamp: ProducerStamp | undefined;
  readonly count: number;
}

/** What the storage of a partition holds: all that was appended, and what it says of itself. */
interface Storage {
  readonly ops: readonly Op[];
  readonly incarnation: string;
  readonly earlier: ReadonlyMap<string, number | null>;
}

export type LogBackup = ReadonlyMap<string, Storage>;

interface Partition extends Storage {
  /** Made of `ops`. */
  readonly log: MemoryLog;
}

export interface PutBackOptions {
  /** A mutant: topics keep the incarnation that they had. */
  readonly isForgetful?: boolean | undefined;
}

export class PutBackLog implements Log, Restores {
  readonly #clock: Clock;
  readonly #isForgetful: boolean;
  /** What the catalog says. */
  readonly #topics = new Map<string, TopicDescription>();
  readonly #partitions = new Map<string, Partition>();
  #generation = 1_000;
  /** Restores that nobody had announced and that were found out. */
  foundOut = 0;

  constructor(clock: Clock, topics: readonly TopicDescription[], options: PutBackOptions = {}) {
    this.#clock = clock;
    this.#isForgetful = options.isForgetful ?? false;
    for (const topic of topics) this.#topics.set(topic.name, topic);
  }

  /** Everything empty; once. */
  async open(): Promise<void> {
    for (const { name: topic, partitions, incarnation } of this.#topics.values())
      for (let partition = 0; partition < partitions; partition++)
        await this.#hold({ topic, partition }, { ops: [], incarnation, earlier: new Map() });
  }

  async #hold(at: TopicPartition, storage: Storage): Promise<void> {
    const log = new MemoryLog(this.#clock);
    await log.create(this.#topic(at.topic));
    for (const { bytes, stamp } of storage.ops) log.appendNow(at, bytes, stamp);
    this.#partitions.set(partitionKey(at), { ...storage, log });
  }

  get places(): readonly TopicPartition[] {
    return [...this.#topics.values()].flatMap(({ name: topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
  }

  backup(): LogBackup {
    return new Map(this.#partitions);
  }

  /** A task has committed something, under the incarnations that its inputs have now. */
  isPresent({ state, endings }: TaskBackup): boolean {
    if (state === null || !state.committed || endings.length > 0) return false;
    return [...state.offsets.values()].every(
      ({ at, incarnation }) => this.#partition(at).incarnation === incarnation,
    );
  }

  async putBack(backup: LogBackup, at: TopicPartition): Promise<void> {
    const storage = backup.get(partitionKey(at));
    if (storage === undefined) throw new Error('a backup holds every partition');
    await this.#hold(at, storage);
  }

  /** Gives a topic another incarnation, as the catalog does: partitions keep their records. */
  renew(topic: string, found: number | null = null): void {
    if (this.#isForgetful) return;
    const known = this.#topic(topic);
    const incarnation = `${originOf(known.incarnation)}~${++this.#generation}`;
    this.#topics.set(topic, { ...known, incarnation });
    for (let partition = 0; partition < known.partitions; partition++) {
      const before = this.#partition({ topic, partition });
      const end = partition === found ? null : ended(before);
      const earlier = new Map(before.earlier);
      if (end !== null) for (const [of, known] of earlier) if (known === null) earlier.set(of, end);
      for (const of of [before.incarnation, known.incarnation]) earlier.set(of, end);
      const key = partitionKey({ topic, partition });
      this.#partitions.set(key, { ...before, incarnation, earlier });
    }
  }

  /** From outside: under the incarnation that the catalog has. */
  async produce(at: TopicPartition, bytes: Uint8Array): Promise<void> {
    const isOther = (): boolean =>
      this.#partition(at).incarnation !== this.#topic(at.topic).incarnation;
    if (isOther() && !this.#isForgetful) this.renew(at.topic);
    const { incarnation } = this.#isForgetful ? this.#partition(at) : this.#topic(at.topic);
    await this.append(at, bytes, undefined, incarnation);
  }

  async append(
    at: TopicPartition,
    bytes: Uint8Array,
    stamp?: ProducerStamp | undefined,
    incarnation?: string | undefined,
  ): Promise<AppendResult> {
    const partition = this.#partition(at);
    checkIncarnation(at.topic, incarnation, partition.incarnation);
    const result = partition.log.appendNow(at, bytes, stamp);
    if (!result.duplicate) {
      const ops = [...partition.ops, { bytes, stamp, count: result.count }];
      this.#partitions.set(partitionKey(at), { ...partition, ops });
    }
    return { ...result, incarnation: partition.incarnation };
  }

  async read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    const { log, incarnation } = this.#partition(at);
    return { ...(await log.read(at, from, bytesMax)), incarnation };
  }

  async bounds(at: TopicPartition): Promise<Bounds> {
    const { log, incarnation } = this.#partition(at);
    return { ...(await log.bounds(at)), incarnation };
  }

  async continued(at: TopicPartition, known: string) {
    const { incarnation, earlier } = this.#partition(at);
    return { incarnation, end: earlier.get(known) ?? null };
  }

  async highWatermark(at: TopicPartition): Promise<number> {
    return ended(this.#partition(at));
  }

  async sequenceOf(at: TopicPartition, producer: string): Promise<number> {
    const last = this.#partition(at).ops.findLast(({ stamp }) => stamp?.id === producer);
    return last?.stamp === undefined ? 0 : last.stamp.sequence + last.count;
  }

  async found(at: TopicPartition, incarnation: string | null): Promise<void> {
    const known = incarnation ?? this.#partition(at).incarnation;
    if (this.#topic(at.topic).incarnation !== known) return;
    this.foundOut += 1;
    this.renew(at.topic, at.partition);
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    return this.#topics.get(topic) ?? null;
  }

  async list(): Promise<readonly TopicDescription[]> {
    return [...this.#topics.values()];
  }

  async offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    return this.#partition(at).log.offsetForTime(at, ms);
  }

  async trim(): Promise<void> {
    throw new PortError('UNAVAILABLE', 'so little is never trimmed');
  }

  subscribe(): Unsubscribe {
    throw new Error('tasks are driven by turns');
  }

  async create(): Promise<TopicDescription> {
    throw new Error('the topics are there from the beginning');
  }

  async remove(): Promise<void> {
    throw new Error('the topics are there to the end');
  }

  #topic(topic: string): TopicDescription {
    const known = this.#topics.get(topic);
    if (known === undefined) throw new PortError('UNKNOWN_TOPIC', `'${topic}' does not exist`);
    return known;
  }

  #partition(at: TopicPartition): Partition {
    const partition = this.#partitions.get(partitionKey(at));
    if (partition === undefined) throw new PortError('UNKNOWN_PARTITION', partitionKey(at));
    return partition;
  }
}

function ended({ ops }: Storage): number {
  return ops.reduce((sum, { count }) => sum + count, 0);
}
