// Runs one plan by itself over logs in memory, each of its topics with the same number of partitions; knows no case and no statement.

import { PortError } from '../../runtime/base/errors.ts';
import { partitionOf } from '../../runtime/base/hash.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import { loadFunctions } from '../../runtime/engine/functions.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { FunctionRegistry } from '../../runtime/functions/registry.ts';
import { ManualClock } from '../../runtime/memory/manual-clock.ts';
import { MemoryLog } from '../../runtime/memory/memory-log.ts';
import { MemoryStore } from '../../runtime/memory/memory-store.ts';
import type { ForeignKeyJoinStep } from '../../runtime/plan/join-step.ts';
import type { Plan, Step } from '../../runtime/plan/step.ts';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from '../../runtime/task/task-topics.ts';
import { Task } from '../../runtime/task/task.ts';
import { tasksOf } from '../../runtime/task/topology.ts';
import type { TopicRecord } from './records.ts';

const BYTES_MAX = 2 ** 30;

/** The query by itself, its state and its time its own. The wall clock stands at 0. */
export class Driver {
  #plan: Plan;
  readonly #partitions: number;
  readonly #registry: FunctionRegistry;
  readonly #kernel: WebAssembly.Module | null;
  readonly #clock = new ManualClock();
  readonly #log = new MemoryLog(this.#clock);
  readonly #store = new MemoryStore({ clock: this.#clock, deliverTo: this.#log });
  #tasks: readonly Task[] = [];
  /** By partition of the sink: the offset up to which it was read. */
  readonly #drained: number[];
  /** Records without a key so far. */
  #keyless = 0;

  private constructor(
    plan: Plan,
    registry: FunctionRegistry,
    kernel: WebAssembly.Module | null,
    partitions: number,
  ) {
    this.#plan = withPartitions(plan, partitions);
    this.#partitions = partitions;
    this.#drained = Array.from({ length: partitions }, () => 0);
    this.#registry = registry;
    this.#kernel = kernel;
  }

  /** @param partitions of each topic that the query reads or writes */
  static async open(
    plan: Plan,
    registry: FunctionRegistry,
    kernel: WebAssembly.Module | null,
    partitions = 1,
  ): Promise<Driver> {
    const driver = new Driver(plan, registry, kernel, partitions);
    await loadFunctions(plan, registry);
    const internal = plan.internalTopics.map(({ name }) => name);
    const own = [...internal, PROCESSING_LOG_TOPIC, DEAD_LETTERS_TOPIC];
    const users = [...driver.sources, ...(driver.sink === null ? [] : [driver.sink])];
    for (const name of new Set([...users, ...own])) {
      await driver.#log.create({
        name,
        partitions,
        retentionMs: null,
        compacted: false,
        internal: own.includes(name),
      });
    }
    driver.#start();
    return driver;
  }

  /** The user topics that it reads. */
  get sources(): readonly string[] {
    return stepsOf(this.#plan).flatMap((step) => (step.step === 'source' ? [step.topic] : []));
  }

  /** The topic that it writes; null: it only keeps state. */
  get sink(): string | null {
    const sink = stepsOf(this.#plan).find((step) => step.step === 'sink');
    return sink?.step === 'sink' ? sink.topic : null;
  }

  /** Puts another plan in the place of the one that runs, with its state. */
  async replace(plan: Plan): Promise<void> {
    await this.close();
    this.#plan = withPartitions(plan, this.#partitions);
    await loadFunctions(plan, this.#registry);
    this.#start();
  }

  /**
   * True: rows go to another task and their answers come back. Answers to rows that have changed meanwhile are dropped, so that what comes out
   * hangs on how many rows are under way.
   */
  get goesRound(): boolean {
    const steps = stepsOf(this.#plan);
    return steps.some((step) => step.step === 'foreignKeyJoin' && !isWithin(this.#plan, step));
  }

  #start(): void {
    this.#tasks = tasksOf(this.#plan).map(
      (name) =>
        new Task({
          name,
          plan: this.#plan,
          log: this.#log,
          store: this.#store,
          clock: this.#clock,
          formats: FORMATS,
          registry: this.#registry,
          kernel: this.#kernel,
          commitIntervalMs: 0,
        }),
    );
  }

  /** Throws the tasks away and starts them again from their last commit. */
  async restart(): Promise<void> {
    await this.close();
    this.#start();
  }

  /** Appends the records to the topic at once, and does nothing with them yet. */
  async append(topic: string, records: readonly TopicRecord[]): Promise<void> {
    const chosen = records.map((record) => this.#partitionOf(record));
    for (const partition of new Set(chosen)) {
      await this.#appendTo(
        { topic, partition },
        records.filter((_, index) => chosen[index] === partition),
      );
    }
  }

  /** Runs until nothing is left to do, and gives what came into the sink, partition by partition. */
  async settle(): Promise<TopicRecord[]> {
    await this.#runTasks();
    return this.#drain();
  }

  async pipe(topic: string, records: readonly TopicRecord[]): Promise<TopicRecord[]> {
    await this.append(topic, records);
    return this.settle();
  }

  /** As a producer chooses: by the key, and round robin where there is none. */
  #partitionOf({ key }: TopicRecord): number {
    return key === null ? this.#keyless++ % this.#partitions : partitionOf(key, this.#partitions);
  }

  async #appendTo(to: TopicPartition, records: readonly TopicRecord[]): Promise<void> {
    const builder = new RecordBatchBuilder();
    const flush = async (): Promise<void> => {
      const bytes = builder.finish();
      if (bytes !== null) await this.#log.append(to, bytes);
    };
    for (const record of records) {
      const append = (): boolean =>
        builder.append(record.key, record.value, record.timestamp, record.headers);
      if (append()) continue;
      await flush();
      append();
    }
    await flush();
  }

  async #runTasks(): Promise<void> {
    for (let moved = true; moved;) {
      moved = false;
      for (const task of this.#tasks) {
        for (;;) {
          const turn = await task.turn();
          if (turn.kind === 'idle') break;
          if (turn.kind === 'ended') throw task.error ?? new PortError('UNAVAILABLE', 'it stopped');
          if ('untilMs' in turn) this.#clock.advanceTo(turn.untilMs);
          moved = true;
        }
      }
    }
  }

  async #drain(): Promise<TopicRecord[]> {
    const { sink } = this;
    const drained: TopicRecord[] = [];
    if (sink === null) return drained;
    for (const [partition, from] of this.#drained.entries()) {
      const { batches } = await this.#log.read({ topic: sink, partition }, from, BYTES_MAX);
      for (const { base, count, bytes } of batches) {
        const records = parseRecordBatch(bytes);
        for (let i = Math.max(0, from - base); i < count; i++) {
          drained.push({
            key: records.key(i),
            value: records.value(i),
            timestamp: records.timestamps[i] ?? 0,
            headers: records.headers(i),
          });
        }
        this.#drained[partition] = base + count;
      }
    }
    return drained;
  }

  async close(): Promise<void> {
    await Promise.all(this.#tasks.map((task) => task.stop()));
  }
}

/** True when the answers are made by the task that wants them. */
function isWithin(plan: Plan, { id, responses }: ForeignKeyJoinStep): boolean {
  const part = plan.subtopologies.find(({ steps }) => steps.some((step) => step.id === id));
  const from = part?.steps.find((step) => step.id === responses);
  return from !== undefined && from.step !== 'internalSource';
}

function stepsOf(plan: Plan): readonly Step[] {
  return plan.subtopologies.flatMap((part) => part.steps);
}

/** The same steps where every topic has so many partitions: what a plan computes does not hang on their number. */
function withPartitions(plan: Plan, partitions: number): Plan {
  return {
    ...plan,
    internalTopics: plan.internalTopics.map((topic) => ({ ...topic, partitions })),
    subtopologies: plan.subtopologies.map((part) => ({
      ...part,
      partitions,
      steps: part.steps.map((step) => ('partitions' in step ? { ...step, partitions } : step)),
    })),
  };
}
