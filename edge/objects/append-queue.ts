// Appends that wait for the transaction before them and then share the next one; bounded; knows no storage and no record.

import { PortError } from '../../runtime/base/errors.ts';
import { APPENDS_WAITING_BYTES_MAX, APPENDS_WAITING_MAX } from '../../runtime/base/limits.ts';
import type { AppendResult, ProducerStamp } from '../../runtime/ports/log.ts';
import { settle, toWire, type Wire } from '../wire.ts';

/** One append as it was called. */
export interface Append {
  readonly bytes: Uint8Array;
  readonly stamp: ProducerStamp | null;
  readonly incarnation: string | null;
}

interface Waiting {
  readonly append: Append;
  readonly resolve: (answer: Wire<AppendResult>) => void;
}

export interface AppendQueueOptions {
  /** Judges and writes one append, in the transaction of its group. @throws {PortError} before it has written anything */
  readonly append: (append: Append) => AppendResult;
  /** Runs the body as one transaction. */
  readonly transaction: (body: () => void) => void;
  /** Called in the turn of a transaction that has changed something. */
  readonly onAppended: () => void;
  /** Resolves when what was written is durable. */
  readonly durable: () => Promise<void>;
  /** Resolves once what has arrived at the object by now has been handed to it. */
  readonly arrived: () => Promise<void>;
}

/** How often a group that still grows is waited for. */
const GATHER_ROUNDS_MAX = 8;

/**
 * What one append alone costs is mostly its transaction, and while that is on its way to the disk the whole process may stand still: those
 * that come meanwhile share the next; and once several calls have shared one, those that are on their way already are waited for.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isRunning = false;
  /** Calls whose appends wait, and how many the last group was of. */
  #calls = 0;
  #callsBefore = 1;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  /** The answer leaves the object once it is durable. */
  add(append: Append): Promise<Wire<AppendResult>> {
    const answer = this.#wait(append);
    this.#called();
    return answer;
  }

  /** As `add` for each: those that come together share a transaction. */
  addAll(appends: readonly Append[]): Promise<Wire<AppendResult>>[] {
    const answers = appends.map((append) => this.#wait(append));
    this.#called();
    return answers;
  }

  #called(): void {
    this.#calls += 1;
    if (!this.#isRunning) void this.#run();
  }

  #wait(append: Append): Promise<Wire<AppendResult>> {
    const { length } = append.bytes;
    const isFull =
      this.#waiting.length >= APPENDS_WAITING_MAX ||
      (this.#waitingBytes > 0 && this.#waitingBytes + length > APPENDS_WAITING_BYTES_MAX);
    if (isFull) {
      const message = `${this.#waiting.length} appends wait here; try again later`;
      const detail = { appends: this.#waiting.length, bytes: this.#waitingBytes };
      return Promise.resolve({
        ok: false,
        error: toWire(new PortError('OVERLOADED', message, detail)),
      });
    }
    const { promise, resolve } = Promise.withResolvers<Wire<AppendResult>>();
    this.#waiting.push({ append, resolve });
    this.#waitingBytes += length;
    return promise;
  }

  /** Never rejects: what goes wrong is answered. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#waiting.length > 0) {
        // Where calls come one by one, a turn of the object is worth more than the company.
        if (this.#callsBefore > 1) await this.#gather();
        this.#callsBefore = this.#calls;
        this.#calls = 0;
        const group = this.#waiting;
        this.#waiting = [];
        this.#waitingBytes = 0;
        this.#commit(group);
        await this.#options.durable();
      }
    } catch (thrown) {
      // What was written is lost, and the platform ends the object with all its calls; what still comes is told so.
      for (const { resolve } of this.#waiting.splice(0))
        resolve({ ok: false, error: toWire(thrown) });
      this.#waitingBytes = 0;
    } finally {
      this.#isRunning = false;
    }
  }

  /** For as long as there are more of them in each round. */
  async #gather(): Promise<void> {
    let before = 0;
    for (let round = 0; round < GATHER_ROUNDS_MAX && this.#waiting.length > before; round++) {
      before = this.#waiting.length;
      await this.#options.arrived();
    }
  }

  #commit(group: readonly Waiting[]): void {
    const { append, transaction, onAppended } = this.#options;
    let answers: Wire<AppendResult>[] = [];
    try {
      transaction(() => {
        answers = group.map((waiting) => judged(() => append(waiting.append)));
      });
    } catch (thrown) {
      // The storage refused one of them, and with it the transaction: each by itself, so that it takes no other along.
      answers = group.map((waiting) => {
        let answer: Wire<AppendResult> = { ok: false, error: toWire(thrown) };
        const own = settle(() =>
          transaction(() => {
            answer = judged(() => append(waiting.append));
          }),
        );
        return own.ok ? answer : own;
      });
    }
    if (answers.some((answer) => answer.ok && !answer.value.duplicate)) onAppended();
    for (const [i, { resolve }] of group.entries()) {
      const answer = answers[i];
      if (answer !== undefined) resolve(answer);
    }
  }
}

/** A refusal is an answer; anything else is the transaction's end. */
function judged(append: () => AppendResult): Wire<AppendResult> {
  try {
    return { ok: true, value: append() };
  } catch (thrown) {
    if (thrown instanceof PortError) return { ok: false, error: toWire(thrown) };
    throw thrown;
  }
}
