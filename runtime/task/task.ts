// The loop of a task: restore, read, process, commit, deliver, and again; what fails is thrown away and restored. Knows no SQL and no host.

import { InvariantError, isPassing, messageOf, PortError, TaskCorrupted } from '../base/errors.ts';
import type { WasmModule } from '../base/host-types.ts';
import { PartMissing } from '../base/part.ts';
import type { Batch } from '../data/batch.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Plan } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, Unsubscribe } from '../ports/log.ts';
import type { CounterEntry, OffsetEntry, TaskStore } from '../ports/store.ts';
import { isNoRecordsFault, RecordCrash } from './crash.ts';
import { nextTurn } from './next-turn.ts';
import { REPARTITION, WRONG_RECORDS } from './parts.ts';
import type { PoisonHunt } from './poison.ts';
import { HUNT_KEY, HUNT_TABLE } from './task-topics.ts';
import { Session } from './session.ts';
import type { Sharing } from './sharing.ts';
import { inputsOf, subtopologyOf, type TaskName } from './topology.ts';
import type { Trimming } from './trimming.ts';
import { withParts } from './with-parts.ts';

export interface TaskOptions {
  readonly name: TaskName;
  readonly plan: Plan;
  readonly log: Log;
  readonly store: TaskStore;
  readonly clock: Clock;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  /** null: everything runs on the row path. */
  readonly kernel: WasmModule | null;
  /** How often a busy task commits at most; 0: after every turn. */
  readonly commitIntervalMs: number;
  /** false: its internal topics never leave this process, so that their batches need no checksum. */
  readonly internalChecksums?: boolean | undefined;
  /** With which tasks values of topics are decoded together; absent: with none. */
  readonly sharing?: Sharing | undefined;
  /** true: records that a topic has let go before they were read end it, with OFFSET_OUT_OF_RANGE. */
  readonly isWhole?: boolean | undefined;
  /** Takes rows of a client step, once their commit has succeeded; the task waits for it. */
  readonly onRows?: ((rows: readonly Batch[]) => void | Promise<void>) | undefined;
  /** Called when the task has come to an end that it does not leave by itself. */
  readonly onEnd?: ((state: TaskState, error: Error) => void) | undefined;
}

/** FENCED: another owner has taken over. ERROR: nothing will change by trying again. */
export type TaskState = 'RUNNING' | 'STOPPED' | 'FENCED' | 'ERROR';

/**
 * What a turn came to: `progress`, go on at once; `idle`, nothing to do until an input has more; `wait`, something is to be tried again at
 * that time, or when an input has more; `failed`, no turn before that time, whatever comes in; `ended`, the task has left RUNNING.
 */
export type Turn =
  | { readonly kind: 'progress' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'wait' | 'failed'; readonly untilMs: number }
  | { readonly kind: 'ended' };

const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 30_000;
/** How long turns may follow each other before other work of the thread gets its turn. */
const SLICE_MS = 12;

const PROGRESS: Turn = { kind: 'progress' };
const IDLE: Turn = { kind: 'idle' };
const ENDED: Turn = { kind: 'ended' };

/**
 * One sub-topology on one partition. A host that lives by wake-ups calls `turn`; one with a running process calls `start`, which loops
 * over `turn` and sleeps on subscriptions. Never two turns at once: calls that overlap share one.
 */
export class Task {
  readonly options: TaskOptions;
  #state: TaskState = 'RUNNING';
  #error: Error | null = null;
  #session: Session | null = null;
  /** null: no record has failed. */
  #hunt: PoisonHunt | null = null;
  #turn: Promise<Turn> | null = null;
  #failures = 0;
  #committedAtMs = -Infinity;
  #counters: readonly CounterEntry[] = [];
  #positions: readonly OffsetEntry[] = [];
  #wake: (() => void) | null = null;
  #isWoken = false;
  #loop: Promise<void> | null = null;
  #turns = 0;
  #ended = 0;
  /** Its state was damaged and is made again from its input. */
  #isRebuilt = false;
  /** Of internal topics; null: there are none, or nothing has been committed. */
  #trimming: Trimming | null = null;
  readonly #watchers: (() => void)[] = [];

  constructor(options: TaskOptions) {
    this.options = options;
  }

  get state(): TaskState {
    return this.#state;
  }

  /** Why the task has ended, or that it waits until the storage has room; else null. */
  get error(): Error | null {
    return this.#error;
  }

  /** Committed totals. */
  get counters(): readonly CounterEntry[] {
    return this.#counters;
  }

  /** Committed positions, and whether every append has been delivered. */
  get progress(): { readonly positions: readonly OffsetEntry[]; readonly isDelivered: boolean } {
    return {
      positions: this.#positions,
      isDelivered: this.#session !== null && this.#session.outbox?.isEmpty !== false,
    };
  }

  /** True while a turn runs; what it has made may not have been handed over yet. */
  get isInTurn(): boolean {
    return this.#turn !== null;
  }

  /** Turns that have committed something. */
  get turns(): number {
    return this.#turns;
  }
  /** Turns that have ended, idle ones too. */
  get ended(): number {
    return this.#ended;
  }

  /** Resolves when more turns have ended than `ended` said, or when there will be none. */
  changedSince(ended: number): Promise<void> {
    if (this.#state !== 'RUNNING' || this.#ended > ended) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  /** Opens the task without a turn: where it starts to read is settled then. @throws what the ports refuse */
  async prepare(): Promise<void> {
    this.#session ??= await this.#opened();
  }

  /** Opens the task and ends it, so that its state is as its plan has it. What ends it shows in the state. @throws {PortError} what passes: it is as before */
  async restore(): Promise<void> {
    try {
      await this.prepare();
    } catch (thrown) {
      const { kind } = await this.#failed(thrown);
      if (kind === 'progress') return await this.restore();
      if (kind === 'failed') throw thrown;
    } finally {
      await this.stop();
    }
  }

  /** One bounded turn. Does not throw: what goes wrong is dealt with here and shows in the state. */
  turn(): Promise<Turn> {
    return (this.#turn ??= this.#guarded());
  }

  async #guarded(): Promise<Turn> {
    let turn: Turn;
    try {
      // Never at once: that it is under way is noted before it ends.
      turn = await (this.#state === 'RUNNING' ? this.#once() : ENDED);
      // Not before: whoever looks while it is tried again would find that nothing is wrong.
      if (this.#failures > 0) this.#error = null;
      this.#failures = 0;
    } catch (thrown) {
      turn = await this.#failed(thrown);
    }
    this.#turn = null;
    this.#ended += 1;
    for (const resolve of this.#watchers.splice(0)) resolve();
    return turn;
  }

  async #once(): Promise<Turn> {
    const session = (this.#session ??= await this.#opened());
    const { outbox, inputs } = session;
    // Not yet in the first turn of the loop, which reads what has come in before; nor while a commit waits for what is under way.
    const { log } = this.options;
    inputs.isTold = log.isRemote === true || (this.#loop !== null && !session.isDirty);
    if (outbox?.isFull) {
      const { retryAtMs } = await outbox.deliver();
      if (outbox.isFull && retryAtMs !== null) return { kind: 'wait', untilMs: retryAtMs };
    }
    const hasInput = await inputs.fetch(log);
    session.takeGaps();
    if (hasInput) this.#process(session);
    session.tick(hasInput);
    const isDue = session.isDirty && this.#isCommitDue(session, hasInput);
    if (isDue) await this.#commit(session);
    // Behind a commit a log that is at hand has no more until somebody says so; one that is a call is asked again.
    const isOver = isDue ? !log.isRemote && inputs.isCaughtUp(log) : !hasInput;
    if (!isOver) return PROGRESS;
    // The commit may have made another one.
    const { outbox: last } = session;
    const retryAtMs = last?.isEmpty === false ? (await last.deliver()).retryAtMs : null;
    const untilMs = Math.min(retryAtMs ?? Infinity, session.dueAtMs);
    return untilMs === Infinity ? IDLE : { kind: 'wait', untilMs };
  }

  async #opened(): Promise<Session> {
    const session = await Session.open(this.options);
    // "From the latest" is one place, settled here: what comes in while a failed session is opened again must not be skipped.
    if (!session.isPlaced) await session.commit([]);
    const hunt = session.state.get(HUNT_TABLE, HUNT_KEY);
    this.#hunt = hunt && (await withParts(() => new WRONG_RECORDS.code.PoisonHunt(hunt)));
    this.#show(session);
    return session;
  }

  /** Synchronous, from the first record to the last. */
  #process(session: Session): void {
    const hunt = this.#hunt;
    const { verdict = null } = hunt ?? {};
    if (verdict !== null) {
      session.giveUp(verdict.attempts, verdict.error);
      return;
    }
    try {
      if (hunt !== null) {
        session.process(hunt.limit);
      } else {
        let goesOn = true;
        // Outputs of all runs of a turn go into common batches: one append for many small ones of the input.
        while (goesOn) goesOn = session.process(Infinity) && !this.#mustStop(session);
      }
      session.flush();
    } catch (thrown) {
      if (isNoRecordsFault(thrown)) throw thrown;
      throw new RecordCrash(session.taken, thrown);
    }
  }

  /** Within a turn: where a block has ended is the last chance to commit before the next one has. */
  #mustStop(session: Session): boolean {
    return session.isHeavy || (session.blocks?.isOpen === false && this.#isIntervalOver());
  }

  #isIntervalOver(): boolean {
    const passedMs = this.options.clock.now() - this.#committedAtMs;
    return Math.abs(passedMs) >= this.options.commitIntervalMs;
  }

  #isCommitDue(session: Session, hasInput: boolean): boolean {
    if (this.#hunt !== null) return true;
    if (session.blocks?.isHeld === true) return false;
    const isAtEnd = !hasInput || session.inputs.isCaughtUp(this.options.log);
    return isAtEnd || session.isHeavy || this.#isIntervalOver();
  }

  async #commit(session: Session): Promise<void> {
    const hunt = this.#hunt;
    hunt?.passed(session.taken);
    const rows = await session.commit(hunt === null ? [] : [hunt.change()]);
    if (hunt?.isActive === false) this.#hunt = null;
    this.#committedAtMs = this.options.clock.now();
    this.#turns += 1;
    this.#show(session);
    if (rows.length > 0) await this.options.onRows?.(rows);
    if (this.options.plan.internalTopics.length > 0) {
      this.#trimming ??= await withParts(() => new REPARTITION.code.Trimming(this.options));
      await this.#trimming.trim(session.inputs.positions);
    }
    if (session.outbox?.isEmpty === false) await session.outbox.deliver();
  }

  #show(session: Session): void {
    this.#counters = session.counters;
    this.#positions = session.inputs.positions;
  }

  /** The session is lost; what follows depends on whose fault it was. */
  async #failed(thrown: unknown): Promise<Turn> {
    this.#discard();
    try {
      if (thrown instanceof PartMissing) await thrown.part.load();
      else if (thrown instanceof RecordCrash || thrown instanceof TaskCorrupted) {
        const { mend } = await WRONG_RECORDS.load();
        this.#isRebuilt = await mend(thrown, this.options, this.#isRebuilt);
      } else throw thrown;
      return PROGRESS;
    } catch (beyond) {
      return this.#judge(beyond);
    }
  }

  #judge(thrown: unknown): Turn {
    if (isPassing(thrown)) {
      const waitMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.#failures++);
      this.#error = thrown.code === 'STORAGE_FULL' ? thrown : null;
      // What came in meanwhile is read by the next try, and hurries it no more than what comes from now on.
      this.#isWoken = false;
      return { kind: 'failed', untilMs: this.options.clock.now() + waitMs };
    }
    if (this.#state === 'RUNNING') {
      const isFenced = thrown instanceof PortError && thrown.code === 'FENCED';
      const error = thrown instanceof Error ? thrown : new InvariantError(messageOf(thrown));
      this.#state = isFenced ? 'FENCED' : 'ERROR';
      this.#error = error;
      this.options.onEnd?.(this.#state, error);
    }
    return ENDED;
  }

  #discard(): void {
    this.#session?.close();
    this.#session = null;
    this.#hunt = null;
  }

  /** Runs until `stop` or an end. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /**
   * Something may have come in.
   * @param isDue true: the next turn is not waited for, whatever it waits for
   */
  wake(isDue = true): void {
    this.#isWoken = true;
    this.#session?.inputs.wake();
    if (isDue) this.#wake?.();
  }

  async #run(): Promise<void> {
    const { log, plan, name, clock } = this.options;
    const inputs = inputsOf(subtopologyOf(plan, name.subtopology), name.partition);
    // Records do not hurry a turn that waits to be made again.
    const onRecords = (): void => this.wake(this.#failures === 0);
    const subscriptions: Unsubscribe[] = inputs.map((at) => log.subscribe(at, onRecords));
    // By the host's clock, so that a simulation's interleaving hangs on its seed alone, not on the machine's speed.
    let sliceBegan = clock.now();
    while (this.#state === 'RUNNING') {
      this.#isWoken = false;
      const turn = await this.turn();
      if (turn.kind !== 'progress') await this.#sleep(turn);
      // A clock that was set back ends the slice too.
      else if (Math.abs(clock.now() - sliceBegan) >= SLICE_MS) await nextTurn();
      else continue;
      sliceBegan = clock.now();
    }
    for (const unsubscribe of subscriptions) unsubscribe();
  }

  #sleep(turn: Turn): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isWoken || this.#state !== 'RUNNING') return resolve();
      const wake = (this.#wake = () => {
        this.#wake = null;
        cancel?.();
        resolve();
      });
      const cancel = 'untilMs' in turn ? this.options.clock.wakeAt(turn.untilMs, wake) : null;
    });
  }

  /** Ends the loop after the current turn; nothing of an unfinished one is committed. */
  async stop(): Promise<void> {
    if (this.#state === 'RUNNING') this.#state = 'STOPPED';
    this.#wake?.();
    await this.#loop;
    await this.#turn;
    this.#discard();
    for (const resolve of this.#watchers.splice(0)) resolve();
  }
}
