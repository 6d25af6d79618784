// One life of a task, from restore to the first failure: state, position, operators and outbox together; knows no loop and no retry.

import { assert } from '../base/assert.ts';
import { madeTooMuch, TaskCorrupted } from '../base/errors.ts';
import {
  MADE_ROWS_MAX,
  OUTBOX_APPENDS_MAX,
  OUTBOX_BYTES_MAX,
  PUSH_ROWS_MAX,
} from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { RowProblem, StreamTime } from '../operators/operator.ts';
import type {
  CounterEntry,
  IntoBlock,
  OffsetEntry,
  Restored,
  StateBlock,
  StatePack,
  StateBytes,
  StateReader,
} from '../ports/store.ts';
import { buildTask, type Wiring } from './build.ts';
import { Current } from './current.ts';
import type { Blocks } from './blocks.ts';
import { TaskInputs, type Run } from './inputs.ts';
import type { Outbox } from './outbox.ts';
import { DELIVERY, TIMERS, WRONG_RECORDS } from './parts.ts';
import type { ProblemLog } from './problems.ts';
import { PROCESSING_LOG_TOPIC } from './task-topics.ts';
import { REPLAY, REPLAYED } from './replay.ts';
import { Sequences } from './sequences.ts';
import type { Outgoing } from './sink.ts';
import { StreamTimes } from './stream-times.ts';
import { loaded, resetOf, startOf } from './start.ts';
import type { TaskOptions } from './task.ts';
import type { Timers } from './timers.ts';
import { inputsOf, subtopologyOf, taskId } from './topology.ts';
import { withParts } from './with-parts.ts';

/** Stands among the stream times for the task's logical clock. */
const NOW = '@now';
/** Likewise for the wall clock at the last input of a task with timers, so that an idle time goes on over restarts. */
const INPUT = '@input';

/**
 * Everything between two commits is here, synchronous and in memory. After anything throws the session is thrown away, and with it every
 * change that was not committed.
 */
export class Session {
  /** null: nothing has waited for delivery since the session opened, nor can. */
  outbox: Outbox | null = null;
  readonly inputs: TaskInputs;
  /** false when the task reads from the latest offsets and has not yet committed which they are. */
  readonly isPlaced: boolean;
  readonly #options: TaskOptions;
  readonly #restored: Restored;
  readonly #task: string;
  readonly #wiring: Wiring;
  /** null: nothing happens without input. */
  readonly #timers: Timers | null = null;
  /** null: nothing is held back from one commit to the next. */
  readonly blocks: Blocks | null = null;
  /** Committed state as it was when the session opened, and as it is after its commits. */
  readonly state: StateReader;
  readonly #current: Current;
  /** null: there was none. */
  #problems: ProblemLog | null = null;
  readonly #counters: Map<string, CounterEntry>;
  readonly #times: StreamTimes;
  readonly #sequences: Sequences;
  readonly #changedCounters = new Map<string, CounterEntry>();
  readonly #outgoing: Outgoing[] = [];
  #outgoingBytes = 0;
  #rows: Batch[] = [];
  #rowsCount = 0;
  #commit: number;
  /** See replay.ts. */
  readonly #replay: StreamTime;
  #isDirty = false;
  /** Changes of the next commit that are no operator's. */
  readonly #also: StateBytes[] = [];
  #taken = 0;
  readonly #isLogged: boolean;

  private constructor(options: TaskOptions, restored: Restored, positions: readonly OffsetEntry[]) {
    this.#options = options;
    this.isPlaced =
      options.plan.from === 'earliest' || positions.length === restored.offsets.length;
    this.#task = taskId(options.name);
    this.#commit = restored.commit;
    this.state = restored.reader;
    this.#counters = new Map(restored.counters.map((counter) => [counter.name, counter]));
    this.#times = new StreamTimes(restored.streamTimes);
    this.#sequences = new Sequences(restored.sequences);
    this.#replay = this.#times.of(REPLAY);
    if (this.#isReplaying && options.plan.moved !== undefined) {
      throw new TaskCorrupted('the query was replaced meanwhile');
    }
    const incarnations = positions.map(({ incarnation }) => incarnation);
    this.#current = new Current(this.#task, incarnations);
    this.#current.nowMs = this.#times.of(NOW).ms;
    const part = subtopologyOf(options.plan, options.name.subtopology);
    this.#wiring = buildTask(part, {
      partition: options.name.partition,
      formats: options.formats,
      registry: options.registry,
      kernel: options.kernel,
      state: restored.reader,
      internalChecksums: options.internalChecksums ?? true,
      sharing: options.sharing ?? null,
      streamTime: (step) => this.#times.of(step),
      report: (problem) => this.#report(problem),
      count: (name, by) => this.#count(name, by),
      current: this.#current,
      time: () => this.#current.time,
      client: (batch) => {
        this.#rows.push(batch);
        this.#rowsCount += batch.length;
        if (this.#rowsCount > MADE_ROWS_MAX) madeTooMuch();
      },
    });
    const { idleMs = null } = options.plan;
    if (idleMs !== null || part.steps.some(({ step }) => step === 'coalesce')) {
      const inputAt = this.#times.of(INPUT);
      if (inputAt.ms === -Infinity) inputAt.ms = options.clock.now();
      this.#timers = new TIMERS.code.Timers({ ...this.#wiring, idleMs, inputAt });
    }
    const cache = part.steps.find((step) => step.step === 'cache');
    if (cache?.step === 'cache')
      this.blocks = new TIMERS.code.Blocks(cache, { ...this.#wiring, clock: options.clock });
    // While state is made again from its input, a gap in that would make another one.
    const resets = positions.map(({ at }) =>
      this.#isReplaying || options.isWhole === true ? null : resetOf(options, part, at),
    );
    const { blocks } = this;
    const { readers } = this.#wiring;
    this.inputs = new TaskInputs(readers, positions, resets, blocks, options.sharing);
    this.#isLogged = positions.every(({ at }) => at.topic !== PROCESSING_LOG_TOPIC);
    this.#restored = restored;
    if (restored.pending.length > 0) this.outbox = this.#newOutbox();
  }

  /**
   * Takes the task over and rebuilds it from its last commit.
   * @throws {PortError} what the store and the log refuse
   */
  static async open(options: TaskOptions): Promise<Session> {
    const restored = await loaded(options);
    const part = subtopologyOf(options.plan, options.name.subtopology);
    const inputs = inputsOf(part, options.name.partition);
    const positions = await Promise.all(
      inputs.map((at) => startOf(options, part, at, restored.offsets)),
    );
    const session = await withParts(() => new Session(options, restored, positions));
    if (options.plan.moved !== undefined) {
      const moved = await withParts(() =>
        WRONG_RECORDS.code.movedRows(options.plan, part.id, restored.reader),
      );
      if (moved.length > 0) {
        await session.commit(moved);
        // Operators look at the store when they are built: they must find the rows where they are now.
        session.close();
        return Session.open(options);
      }
    }
    return session;
  }

  get counters(): readonly CounterEntry[] {
    return [...this.#counters.values()];
  }

  counter(name: string): number {
    return this.#counters.get(name)?.value ?? 0;
  }

  /** Records taken in since the last commit, the current run included. */
  get taken(): number {
    return this.#taken;
  }

  /** True when something was processed since the last commit. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** True when what has been made since the last commit must be committed before more is made. Not within a block, which is bounded. */
  get isHeavy(): boolean {
    if (this.blocks?.isOpen === true) return false;
    let bytes = this.#outgoingBytes;
    for (const output of this.#wiring.outputs) bytes += output.waitingBytes;
    return (
      this.#outgoing.length >= OUTBOX_APPENDS_MAX / 2 ||
      bytes >= OUTBOX_BYTES_MAX / 2 ||
      this.#rowsCount >= PUSH_ROWS_MAX
    );
  }

  /** Tells of what the last fetch has found to be gone. */
  takeGaps(): void {
    for (const gap of this.inputs.gaps.splice(0)) {
      this.#isDirty = true;
      this.#count('errors', 1);
      if (!this.#isLogged) continue;
      this.#send(WRONG_RECORDS.code.gapEntry(this.#options.name, gap, this.#current.nowMs));
    }
  }

  /** Takes the next run in, synchronously. False when an input must be fetched first or nothing is waiting. */
  process(recordsMax: number): boolean {
    const most = this.#isReplaying ? this.#untilReplayed(recordsMax) : recordsMax;
    const { pair } = this.#wiring;
    if (most === Infinity && pair && this.inputs.takePair(pair, this.#took)) {
      this.#problems?.endChunk();
      return true;
    }
    const run = this.inputs.take(most);
    if (run === null) return false;
    this.blocks?.begin(run);
    this.#begin(run);
    this.#wiring.feed(run.input, run.batches);
    this.blocks?.end(run, this.inputs.positions);
    this.#end(run);
    if (this.#isReplaying) this.#silence();
    return true;
  }

  /** True while the task makes again what it had made before its state was damaged. */
  get #isReplaying(): boolean {
    return this.#replay.ms > 0;
  }

  #untilReplayed(recordsMax: number): number {
    const [position] = this.inputs.positions;
    return Math.min(recordsMax, this.#replay.ms - (position?.next ?? 0));
  }

  /** Drops what was made: it was committed the first time. Behind the last of it the state is what it was. */
  #silence(): void {
    const [position] = this.inputs.positions;
    const isOver = position !== undefined && position.next >= this.#replay.ms;
    if (isOver) this.blocks?.handOver();
    this.flush();
    this.#outgoing.length = 0;
    this.#outgoingBytes = 0;
    this.#rows = [];
    this.#rowsCount = 0;
    if (!isOver) return;
    this.#also.push(REPLAYED);
    this.#replay.ms = 0;
  }

  /** Lets time do what is due. */
  tick(hasInput: boolean): void {
    if (this.#timers?.tick(this.#options.clock.now(), hasInput) === true) this.#isDirty = true;
  }

  /** The wall-clock time at which something is due without input; Infinity when nothing is. */
  get dueAtMs(): number {
    return Math.min(this.#timers?.dueAtMs ?? Infinity, this.blocks?.dueAtMs ?? Infinity);
  }

  /** Takes one record in without processing it: it goes to the dead-letter topic. */
  giveUp(attempts: number, error: string): void {
    const run = this.inputs.take(1);
    assert(run !== null, 'there is a record to give up');
    this.#begin(run);
    const origin = this.#current.origin(run.from);
    this.#report({ code: 'DEAD_LETTER', origin: run.from, field: '', reason: error });
    this.#send(WRONG_RECORDS.code.deadLetter(this.#options.name, origin, attempts, error));
    this.#count('deadLetters', 1);
    this.#end(run);
  }

  #begin(run: Run): void {
    this.#took(run.to - run.from);
    this.#current.begin(run.records, run.place, run.chunkFrom, run.chunkTo);
    if (this.#wiring.countsInput[run.input] === true) this.#count('in', run.to - run.from);
    for (const { index, error } of run.skipped) {
      WRONG_RECORDS.code.refuseStrictly(error, this.#options.plan);
      this.#log({
        code: error.code,
        origin: index,
        field: error.field,
        reason: error.message,
      });
    }
    if (run.skipped.length > 0) this.#count('errors', run.skipped.length);
  }

  readonly #took = (records: number): void => {
    this.#isDirty = true;
    this.#taken += records;
  };

  #end(run: Run): void {
    if (run.to !== run.chunkTo) return;
    this.#wiring.settle();
    this.#problems?.endChunk();
  }

  /** Ends a turn: what was written so far becomes appends, so that `isHeavy` sees it. */
  flush(): void {
    this.#wiring.settle();
    for (const output of this.#wiring.outputs) output.drain((outgoing) => this.#send(outgoing));
    this.#problems?.drain((outgoing) => this.#send(outgoing));
  }

  #send(outgoing: Outgoing): void {
    this.#outgoing.push(outgoing);
    this.#outgoingBytes += outgoing.handed?.lengthBytes ?? outgoing.bytes.length;
  }

  /**
   * Commits what was processed, all or nothing, and offers its appends to the outbox.
   * @returns rows for the client, which may be shown now
   */
  async commit(extra: readonly StateBytes[] = []): Promise<readonly Batch[]> {
    this.blocks?.handOver();
    this.flush();
    const changes: StateBytes[] = [...extra, ...this.#also.splice(0)];
    const { store, log } = this.#options;
    // Before the commit: a call that leaves after it has to wait until it is durable.
    if (log.isRemote === true) this.inputs.readAhead(log);
    const blocks: (StateBlock | StatePack)[] = [];
    const intoBlock: IntoBlock | null =
      store.takesBlocks === true ? (block) => blocks.push(block) : null;
    const into = (change: StateBytes): void => void changes.push(change);
    for (const operator of this.#wiring.operators) operator.changes?.(into, intoBlock);
    const outbox = this.#sequences.give(this.#outgoing.splice(0));
    // Before the commit too: behind it nothing may be missing.
    if (outbox.length > 0 && store.delivers !== true)
      this.outbox ??= await withParts(() => this.#newOutbox());
    this.#outgoingBytes = 0;
    this.#current.letGo();
    this.#times.of(NOW).ms = this.#current.nowMs;
    const streamTimes = this.#times.changed();
    const counters = [...this.#changedCounters.values()];
    const rows = this.#rows;
    this.#rows = [];
    this.#rowsCount = 0;
    this.#changedCounters.clear();
    this.#isDirty = false;
    const after = this.#commit;
    const offsets = this.inputs.positions;
    const pending = await store.commit(this.#task, {
      after,
      offsets,
      streamTimes,
      counters,
      changes,
      blocks,
      outbox,
      taken: this.#taken,
    });
    this.#taken = 0;
    this.#commit = after + 1;
    this.outbox?.offer(pending);
    return rows;
  }

  #newOutbox(): Outbox {
    return DELIVERY.code.outboxOf(this.#options, this.#restored, this.#wiring.schemas);
  }

  /** Late rows have counters of their own. A reader of the processing log only counts, or it would feed itself for ever. */
  #report(problem: RowProblem): void {
    if (this.#isLogged) this.#log(problem);
    if (problem.code !== 'LATE') this.#count('errors', 1);
  }

  #log(problem: RowProblem): void {
    const { name } = this.#options;
    this.#problems ??= new WRONG_RECORDS.code.ProblemLog(name, this.#current, PROCESSING_LOG_TOPIC);
    this.#problems.add(problem);
  }

  #count(name: string, by: number): void {
    if (by === 0) return;
    const counter = { name, value: this.counter(name) + by };
    this.#counters.set(name, counter);
    this.#changedCounters.set(name, counter);
  }

  close(): void {
    for (const operator of this.#wiring.operators) operator.close?.();
    for (const reader of this.#wiring.readers.flat()) reader.close?.();
  }
}
