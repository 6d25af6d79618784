// One task as an object: wake-ups in, turns of the task, its status out; it knows no operator and no SQL text.

import { DurableObject } from 'cloudflare:workers';
import { messageOf, PortError, TaskCorrupted } from '../../runtime/base/errors.ts';
import { SLICE_CALLS_MAX } from '../../runtime/base/limits.ts';
import { log } from '../../runtime/base/log.ts';
import { loadFunctions } from '../../runtime/engine/functions.ts';
import { answerPull } from '../../runtime/engine/pull.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { PullPlan } from '../../runtime/plan/pull.ts';
import type { Fetched, TopicPartition } from '../../runtime/ports/log.ts';
import { movedRows } from '../../runtime/task/moved-rows.ts';
import { Task } from '../../runtime/task/task.ts';
import { inputsOf, subtopologyOf, taskId } from '../../runtime/task/topology.ts';
import { wallClock } from '../adapters/do-clock.ts';
import { boundedLog } from '../adapters/bounded-log.ts';
import { RemoteLog } from '../adapters/remote-log.ts';
import { SqliteStore } from '../adapters/sqlite-store.ts';
import {
  type Commanded,
  type EdgeEnv,
  partitionAt,
  type ProcessorPort,
  type ProcessorStatus,
} from '../env.ts';
import { kernel } from '../kernel.ts';
import { registry } from '../registry.ts';
import { NO_ROWS, pulledRows, type PulledRows, refusesHeavy } from '../rows.ts';
import { type TaskMetrics, TaskMeter } from '../metrics/meters.ts';
import { settle, settleAsync, unwrap, type Wire } from '../wire.ts';
import { type Ending, haveCome } from './after-restore.ts';
import { Alarm } from './alarm.ts';
import { EarlierState } from './earlier-state.ts';
import { endedWith } from './ended-with.ts';
import { type Process, type ProcessorSpec, ProcessorTables } from './processor-tables.ts';
import { RestoredTask } from './restored-task.ts';

/** How long turns go on within one event before the alarm goes on with them: the time that an event may take is bounded. */
const SLICE_MS = 5_000;
/** How long after a wake-up the alarm sees that the task was let finish, should the instance have ended meanwhile. */
const HEAL_MS = 2_000;
/** How soon the alarm comes again after something unforeseen. */
const RETRY_MS = 1_000;

/** A commit that changes nothing but what is said beside it. */
const NOTHING = { offsets: [], streamTimes: [], counters: [], changes: [], outbox: [] };

export class Processor extends DurableObject<EdgeEnv> implements ProcessorPort {
  readonly #tables: ProcessorTables;
  readonly #store: SqliteStore;
  readonly #meter: TaskMeter;
  readonly #restored: RestoredTask;
  #task: Task | null = null;
  /** Of that task. */
  #log: RemoteLog | null = null;
  #endings: readonly Ending[] = []; // Of that task, too.
  #isRunning = false;
  /** Commands that are not done. */
  #commands = 0;
  #lastCommand: Promise<void> = Promise.resolve();
  /** What lines of the log name. */
  #named: { readonly query?: string; readonly task?: string } = {};
  /** Counts wake-ups, so that one during a turn is not lost. */
  #wakes = 0;
  /** As many wake-ups had come when the task last had nothing left to do; null: not yet. */
  #restedWakes: number | null = null;
  /** What has failed is tried again then, however many wake-ups come before; null: nothing has, or a command has come since. */
  #retryAtMs: number | null = null;
  readonly #alarm: Alarm;
  readonly #earlierState = new EarlierState(this.ctx);

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx.storage);
    this.#meter = new TaskMeter(ctx.storage);
    this.#tables = new ProcessorTables(ctx.storage.sql);
    this.#store = this.createStore(ctx.storage);
    const { storage } = ctx;
    this.#restored = new RestoredTask({ env, storage, tables: this.#tables, store: this.#store });
    this.#store.onCommit = () => ctx.waitUntil(this.#meter.committed());
    void ctx.blockConcurrencyWhile(() => this.#alarm.load()).then(() => this.#heal());
  }

  /** Replaced in tests, which put failures between its steps. */
  protected createStore(storage: DurableObjectStorage): SqliteStore {
    return new SqliteStore(storage);
  }

  async start(spec: ProcessorSpec): Promise<Wire<null>> {
    return this.#command(spec.sequence ?? spec.planned, async () => {
      await this.#stopTask();
      this.#swap(spec);
      this.#heal();
    });
  }

  /**
   * The new plan and the rows as it has them, in one transaction. Rows that cannot be read are left to the task, which knows what is to be
   * done about its state.
   */
  #swap(spec: ProcessorSpec): void {
    const id = taskId(spec.task);
    try {
      this.ctx.storage.transactionSync(() => {
        this.#tables.start(spec);
        if (spec.plan.moved === undefined) return;
        const { reader, commit: after } = this.#store.loadNow(id);
        const changes = movedRows(spec.plan, spec.task.subtopology, reader);
        if (changes.length > 0) this.#store.commitNow(id, { ...NOTHING, after, changes });
      });
    } catch (thrown) {
      const isDamaged = thrown instanceof PortError && thrown.code === 'CORRUPT';
      if (!isDamaged && !(thrown instanceof TaskCorrupted)) throw thrown;
      this.ctx.storage.transactionSync(() => this.#tables.start(spec));
    }
  }

  async pause(paused: boolean, sequence: number): Promise<Wire<null>> {
    return this.#command(sequence, async () => {
      this.ctx.storage.transactionSync(() => this.#tables.setPaused(paused, sequence));
      if (paused) await this.#stopTask();
      else this.#heal();
    });
  }

  async remove(sequence: number): Promise<Wire<null>> {
    return this.#command(sequence, async () => {
      await this.#stopTask();
      const process = this.#tables.process();
      // From here on every wake-up is answered with "unknown", which unsubscribes.
      this.ctx.storage.transactionSync(() => {
        this.#tables.remove(sequence);
        if (process !== null) this.#store.removeNow(taskId(process.task));
      });
    });
  }

  /** One command after the other, each once; while one is carried out no turn begins. */
  async #command(sequence: number, carryOut: () => Promise<void>): Promise<Wire<null>> {
    return settleAsync(async () => {
      this.#commands += 1;
      const before = this.#lastCommand;
      const done = before.then(() => (sequence > this.#tables.commanded ? carryOut() : undefined));
      this.#lastCommand = done.catch(() => undefined);
      try {
        await done;
      } finally {
        this.#commands -= 1;
        this.#retryAtMs = null;
        this.#heal();
      }
      return null;
    });
  }

  /** After the turn that is under way has committed what it made. */
  async #stopTask(): Promise<void> {
    await this.#task?.stop();
    this.#task = null;
    this.#restedWakes = null;
  }

  /** Goes on with what is marked: at once, since an alarm whose handler has died comes again only after seconds, whatever is armed meanwhile. */
  #heal(): void {
    if (this.#tables.process()?.pending !== true) return;
    this.#alarm.arm(Date.now() + HEAL_MS);
    this.ctx.waitUntil(this.#drive());
  }

  async wake(
    at: TopicPartition,
    _highWatermark: number,
    brought: Fetched | null,
  ): Promise<Wire<boolean>> {
    return settle(() => {
      const process = this.#tables.process();
      if (process === null) return false;
      if (process.error !== null || process.paused) return true;
      this.#wakes += 1;
      if (brought !== null) this.#log?.bring(at, brought);
      this.#task?.wake();
      if (!process.pending) this.#tables.setPending(true);
      this.#alarm.arm(Math.max(Date.now() + HEAL_MS, this.#retryAtMs ?? 0));
      this.ctx.waitUntil(this.#drive());
      return true;
    });
  }

  async pull(pull: PullPlan, planned: number, bytesMax?: number): Promise<Wire<PulledRows>> {
    return settleAsync(async () => {
      const process = this.#tables.planned(planned);
      if (process === null) return NO_ROWS;
      const own = taskId(process.task);
      const answer = await answerPull({
        pull,
        plan: process.plan,
        reader: async (task) => (task === own ? this.#store.reader(task) : null),
        formats: FORMATS,
        registry,
        clock: wallClock,
        check: refusesHeavy(),
      });
      // A replacement moves rows to where this plan does not look for them.
      if (this.#tables.planned(planned) === null) return NO_ROWS;
      return pulledRows(answer, pull.order.length > 0, bytesMax);
    });
  }

  async status(): Promise<Wire<ProcessorStatus | null>> {
    return settle(() => {
      const process = this.#tables.process();
      if (process === null) return null;
      const { error, paused, task } = process;
      const { counters, offsets } = this.#store.position(taskId(task));
      const state = paused ? 'PAUSED' : error === null ? 'RUNNING' : 'ERROR';
      return { state, error, pending: process.pending && !this.#isAtRest, counters, offsets };
    });
  }

  async commanded(): Promise<Wire<Commanded>> {
    return settle(() => this.#tables.told);
  }

  async instance(): Promise<string> {
    return this.#earlierState.instance;
  }

  async putBack(toMs: number): Promise<Wire<string>> {
    return settleAsync(() => this.#earlierState.putBack(toMs));
  }

  async metrics(): Promise<Wire<TaskMetrics | null>> {
    return settle(() => {
      const process = this.#tables.process();
      if (process === null) return null;
      const { error, paused, plan, task } = process;
      const { counters, offsets } = this.#store.position(taskId(task));
      const positions = new Map(
        offsets.map(({ at, next }) => [`${at.partition} ${at.topic}`, next]),
      );
      const inputs = inputsOf(subtopologyOf(plan, task.subtopology), task.partition).map((at) => {
        return { at, position: positions.get(`${at.partition} ${at.topic}`) ?? null };
      });
      const state = paused ? 'PAUSED' : error === null ? 'RUNNING' : 'ERROR';
      return { state, counters, inputs, ...this.#store.outbox(), ...this.#meter.counts() };
    });
  }

  /** Nothing has come since the task had nothing left to do. */
  get #isAtRest(): boolean {
    return !this.#isRunning && this.#restedWakes === this.#wakes;
  }

  /** Goes on with what is marked, and takes the mark away once nothing is left to do. Never throws: a throwing alarm is lost in the end. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    if (this.#isRunning) return this.#alarm.arm(Date.now() + HEAL_MS);
    if (!this.#isAtRest) await this.#drive();
    if (this.#isAtRest) this.#unmark();
  }

  /** In a turn that sees that nothing is left: a later wake-up marks and arms again. */
  #unmark(): void {
    this.ctx.storage.transactionSync(() => {
      this.#store.forgetAcknowledged();
      this.#tables.setPending(false);
    });
  }

  /** Runs turns until nothing is left to do, or the alarm is to go on; one loop at a time, and none while what has failed waits. Never throws. */
  async #drive(): Promise<void> {
    if (this.#isRunning) return;
    if (this.#retryAtMs !== null && Date.now() < this.#retryAtMs)
      return this.#alarm.arm(this.#retryAtMs);
    this.#retryAtMs = null;
    this.#isRunning = true;
    try {
      await this.#run();
    } catch (thrown) {
      log('error', 'processor-turns', { ...this.#named, thrown });
      this.#retryAt(Date.now() + RETRY_MS);
    } finally {
      this.#isRunning = false;
    }
  }

  #retryAt(atMs: number): void {
    this.#retryAtMs = atMs;
    this.#alarm.arm(atMs);
  }

  async #run(): Promise<void> {
    const process = this.#tables.process();
    // A command that is being carried out arms the alarm again when it is done.
    if (process === null || process.error !== null || process.paused || this.#commands > 0) return;
    const task = (this.#task ??= await this.#opened(process));
    if (task === null) return;
    const until = Date.now() + SLICE_MS;
    const callsMax = (this.#log?.calls ?? 0) + SLICE_CALLS_MAX;
    for (;;) {
      const wakes = this.#wakes;
      const turn = await task.turn();
      switch (turn.kind) {
        case 'progress':
          if (Date.now() < until && (this.#log?.calls ?? 0) < callsMax) continue;
          this.#alarm.arm(Date.now());
          return;
        case 'wait':
          this.#alarm.arm(turn.untilMs);
          return;
        case 'failed':
          this.#retryAt(turn.untilMs);
          return;
        case 'idle':
          if (this.#endings.length > 0 && (await this.#isPastEndings(process))) return;
          if (this.#wakes !== wakes) continue;
          if (this.#commands === 0) this.#restedWakes = wakes;
          return;
        case 'ended':
          await this.#end(task);
          return;
      }
    }
  }

  /** The task, once everybody knows of it and its functions are there; null when another plan has come meanwhile, or the end of this one. */
  async #opened(process: Process): Promise<Task | null> {
    this.#named = { query: process.task.query, task: taskId(process.task) };
    const { commanded } = this.#tables;
    if (!process.subscribed) await this.#subscribe(process);
    await loadFunctions(process.plan, registry);
    const lost = await this.#restored.refusal(process);
    if (this.#commands > 0 || this.#tables.commanded !== commanded) this.#heal();
    else if (lost === null) return this.#createTask(process);
    else this.#tables.setError(messageOf(lost));
    return null;
  }

  /** A fenced task begins anew from its last commit; any other end stays until RESUME or a new plan. One that was stopped is no end. */
  async #end(task: Task): Promise<void> {
    if (this.#task === task) this.#task = null;
    if (task.state === 'FENCED') this.#retryAt(Date.now() + RETRY_MS);
    const process = this.#tables.process();
    if (task.state !== 'ERROR' || process === null) return;
    const { commanded } = this.#tables;
    const found = await this.#restored.ended(process, task.error);
    // Another plan, or the end of this one, has come meanwhile, and is carried out without it.
    if (this.#commands > 0 || this.#tables.commanded !== commanded) return this.#heal();
    if ('moved' in found) {
      await this.#restored.move(process, found);
      this.#alarm.arm(Date.now());
    } else {
      const told = endedWith(found.error);
      log('error', 'task-ended', { ...this.#named, thrown: found.error, ...told.logged });
      this.#tables.setError(told.text);
    }
  }

  /**
   * Everything is taken in and delivered up to where the inputs go on otherwise than before.
   * @returns false: it has not come so far
   */
  async #isPastEndings(process: Process): Promise<boolean> {
    const { offsets } = this.#store.position(taskId(process.task));
    if (!haveCome(offsets, this.#endings)) return false;
    const { commanded } = this.#tables;
    await this.#stopTask();
    const lost = await this.#restored.lost(process);
    if (this.#commands > 0 || this.#tables.commanded !== commanded) return true;
    if (lost === null) this.#tables.setEndings([]);
    else this.#tables.setError(messageOf(lost));
    this.#alarm.arm(Date.now());
    return true;
  }

  async #subscribe({ tenant, object, task, plan }: Process): Promise<void> {
    const inputs = inputsOf(subtopologyOf(plan, task.subtopology), task.partition);
    await Promise.all(
      inputs.map(async (at) => unwrap(partitionAt(this.env, tenant, at).subscribe(object))),
    );
    this.#tables.setSubscribed();
  }

  #createTask({ tenant, task, plan }: Process): Task {
    const log = (this.#log = new RemoteLog({ env: this.env, tenant }));
    this.#endings = this.#tables.endings();
    return new Task({
      name: task,
      plan,
      log: boundedLog(log, this.#endings),
      store: this.#store,
      clock: wallClock,
      formats: FORMATS,
      registry,
      kernel,
      commitIntervalMs: 0,
    });
  }
}
