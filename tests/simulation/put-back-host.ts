// Tasks over partitions that can be put back, driven turn by turn as objects of the edge drive theirs, through crashes and refusals; judges no output.

import {
  afterRestore,
  begunOnLost,
  type Ending,
  haveCome,
  madeOfLost,
} from '../../edge/objects/after-restore.ts';
import { boundedLog } from '../../edge/adapters/bounded-log.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import { builtinRegistry } from '../../runtime/functions/builtins.ts';
import { backup, restore } from '../../runtime/memory/backup.ts';
import { type FaultPlan, Life } from '../../runtime/memory/faults.ts';
import type { ManualClock } from '../../runtime/memory/manual-clock.ts';
import { MemoryStore } from '../../runtime/memory/memory-store.ts';
import type { TaskState } from '../../runtime/memory/query-store.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { OffsetEntry } from '../../runtime/ports/store.ts';
import { Task } from '../../runtime/task/task.ts';
import { taskId, type TaskName, tasksOf } from '../../runtime/task/topology.ts';
import type { PutBackLog } from './put-back-log.ts';

const registry = builtinRegistry();
const NOTHING = { streamTimes: [], counters: [], changes: [], outbox: [] };
/** Turns that one settling may take: what takes more is stuck. */
const TURNS_MAX = 5_000;

/** What the storage of a task's object holds, beside its store. */
interface Kept {
  readonly endings: readonly Ending[];
  /** Why it has ended; null while it has not. */
  readonly error: string | null;
}

interface Running {
  readonly task: Task;
  readonly endings: readonly Ending[];
}

export interface TaskBackup extends Kept {
  readonly state: TaskState | null;
}

export interface HostOptions {
  readonly clock: ManualClock;
  readonly log: PutBackLog;
  readonly plans: readonly Plan[];
  /** A mutant: tasks do not stop where their inputs go on otherwise. */
  readonly isUnheld?: boolean | undefined;
}

export class PutBackHost {
  readonly #options: HostOptions;
  readonly #store: MemoryStore;
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, Running>();
  #faults: FaultPlan = { at: () => 'none' };
  #crashed: Promise<null> = Promise.resolve(null);
  #life: Life;
  crashes = 0;
  /** Tasks that went on under another incarnation, and those of them that had to stop on the way. */
  movedOn = 0;
  held = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#store = new MemoryStore({ clock: options.clock });
    this.#life = this.#begun();
  }

  get names(): readonly TaskName[] {
    return this.#options.plans.flatMap(tasksOf);
  }

  get errors(): readonly string[] {
    return [...this.#kept.values()].flatMap(({ error }) => error ?? []);
  }

  arm(faults: FaultPlan): void {
    this.#faults = faults;
  }

  #begun(): Life {
    let over: (nothing: null) => void = () => undefined;
    this.#crashed = new Promise((resolve) => {
      over = resolve;
    });
    return new Life({ at: (operation) => this.#faults.at(operation) }, () => over(null));
  }

  /** All instances are gone; what is durable stays. */
  crash(): void {
    this.#life.crash();
    this.#running.clear();
    this.#life = this.#begun();
    this.crashes += 1;
  }

  backup(name: TaskName): TaskBackup {
    const id = taskId(name);
    return { state: backup(this.#store, id), ...this.#keptOf(id) };
  }

  /** What was never committed cannot be put back to. */
  putBack(name: TaskName, { state, endings, error }: TaskBackup): void {
    if (state === null) return;
    restore(this.#store, taskId(name), state);
    this.#kept.set(taskId(name), { endings, error });
  }

  /** As RESUME does. */
  resume(): void {
    for (const [id, kept] of this.#kept) this.#kept.set(id, { ...kept, error: null });
  }

  /** Turns of every task, at most so many rounds, until none has anything to do. */
  async run(roundsMax = Infinity): Promise<void> {
    let turns = 0;
    for (let round = 0; round < roundsMax; round++) {
      let isBusy = false;
      for (const name of this.names) {
        if (++turns > TURNS_MAX) throw new Error(`nothing came of ${TURNS_MAX} turns`);
        const done = await Promise.race([this.#turn(name), this.#crashed]);
        if (done === null) this.crash();
        if (done !== false) isBusy = true;
      }
      if (!isBusy) return;
    }
  }

  #keptOf(id: string): Kept {
    return this.#kept.get(id) ?? { endings: [], error: null };
  }

  /** @returns false: there is nothing to do */
  async #turn(name: TaskName): Promise<boolean> {
    const id = taskId(name);
    const { endings, error } = this.#keptOf(id);
    if (error !== null) return false;
    let running = this.#running.get(id);
    if (running === undefined) {
      const { lost } = this.#hasOnlyBegun(name) ? await this.#madeOfLost(name) : { lost: null };
      if (lost !== null && this.#options.isUnheld !== true) {
        this.#kept.set(id, { endings, error: lost.message });
        return true;
      }
      this.#running.set(id, (running = this.#opened(name, endings)));
    }
    const { task } = running;
    // A wake-up that nobody has lost.
    task.wake();
    const turn = await task.turn();
    switch (turn.kind) {
      case 'progress':
        return true;
      case 'wait':
      case 'failed':
        this.#options.clock.advanceTo(Math.max(turn.untilMs, this.#options.clock.now()));
        return true;
      case 'idle':
        return running.endings.length > 0 && this.#isPastEndings(name, running.endings);
      case 'ended':
        this.#running.delete(id);
        if (task.state === 'ERROR') await this.#end(name, task.error);
        return true;
    }
  }

  #plan({ query: of }: TaskName): Plan {
    const plan = this.#options.plans.find(({ query }) => query === of);
    if (plan === undefined) throw new Error('a task is of a plan');
    return plan;
  }

  async #madeOfLost(name: TaskName): Promise<{ lost: Error | null; commit: number }> {
    const plan = this.#plan(name);
    const judge = this.#hasOnlyBegun(name) ? begunOnLost : madeOfLost;
    const restored = await this.#store.load(taskId(name));
    const lost = await judge(this.#options.log, { plan, name }, restored);
    return { lost, commit: restored.commit };
  }

  #hasOnlyBegun(name: TaskName): boolean {
    return this.#store.tasks.get(taskId(name))?.committed === false;
  }

  #opened(name: TaskName, endings: readonly Ending[]): Running {
    const plan = this.#plan(name);
    const { log, clock } = this.#options;
    const task = new Task({
      name,
      plan,
      log: boundedLog(this.#life.log(log), endings),
      store: this.#life.store(this.#store),
      clock,
      formats: FORMATS,
      registry,
      kernel: null,
      commitIntervalMs: 0,
    });
    return { task, endings };
  }

  #offsets(id: string): readonly OffsetEntry[] {
    return [...(this.#store.tasks.get(id)?.offsets.values() ?? [])];
  }

  async #end(name: TaskName, error: Error | null): Promise<void> {
    const id = taskId(name);
    const { log: restores } = this.#options;
    const offsets = this.#offsets(id);
    const found = await afterRestore({ restores, offsets, error });
    if ('error' in found) {
      this.#kept.set(id, { ...this.#keptOf(id), error: found.error?.message ?? 'ended' });
      return;
    }
    this.movedOn += 1;
    const { lost, commit: after } = await this.#madeOfLost(name);
    await this.#store.commit(id, { ...NOTHING, after, offsets: found.moved });
    if (lost === null || this.#options.isUnheld === true) return;
    this.held += 1;
    const ended = offsets.length > 1 ? lost.message : null;
    this.#kept.set(id, { endings: found.endings, error: ended });
  }

  async #isPastEndings(name: TaskName, endings: readonly Ending[]): Promise<boolean> {
    const id = taskId(name);
    if (!haveCome(this.#offsets(id), endings)) return false;
    this.#running.delete(id);
    const { lost } = await this.#madeOfLost(name);
    this.#kept.set(
      id,
      lost === null ? { endings: [], error: null } : { endings, error: lost.message },
    );
    return true;
  }
}
