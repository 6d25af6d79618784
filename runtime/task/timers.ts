// What happens in a task without input: periods that end on the wall clock, and stream time that follows it; knows no loop and no commit.

import type { Emit, Operator, StreamTime } from '../operators/operator.ts';

export { Blocks } from './blocks.ts';

/** What a session lets time do. */
export interface Timed {
  readonly operators: readonly Operator[];
  /** What each of them emits to. */
  readonly emits: readonly Emit[];
  /** Stream time follows the wall clock once no input has come for so many ms; null: only rows move it. */
  readonly idleMs: number | null;
  /** The wall clock at the last input; committed with it. */
  readonly inputAt: StreamTime;
}

/**
 * Told of the wall clock at every turn. With an idle time-out of `idleMs`, stream time is never more than that behind the wall clock once
 * no input has come for as long; it is moved only when an operator waits for it, so that a quiet task commits nothing.
 */
export class Timers {
  readonly #timed: Timed;

  constructor(timed: Timed) {
    this.#timed = timed;
  }

  /** Lets the operators do what is due. True when something was, which is to be committed. */
  tick(nowMs: number, hasInput: boolean): boolean {
    const { operators, emits, idleMs, inputAt } = this.#timed;
    // A clock that was set back must not put the end of the quiet off for as long as it had been ahead.
    if (hasInput || nowMs < inputAt.ms) inputAt.ms = nowMs;
    const toMs = idleMs === null ? -Infinity : nowMs - idleMs;
    const moves = toMs >= inputAt.ms && toMs >= this.#dueAtStreamMs();
    const ticks = nowMs >= least(operators, (operator) => operator.dueAtMs?.());
    // In the order of the flow: what one emits reaches the next before that is told the time.
    operators.forEach((operator, index) => {
      const emit = emits[index] as Emit;
      if (moves) operator.advance?.(toMs, emit);
      operator.tick?.(nowMs, emit);
    });
    return moves || ticks;
  }

  /** The wall-clock time at which something is due; Infinity when nothing is. */
  get dueAtMs(): number {
    const { operators, idleMs, inputAt } = this.#timed;
    const byClock = least(operators, (operator) => operator.dueAtMs?.());
    if (idleMs === null) return byClock;
    return Math.min(byClock, Math.max(inputAt.ms, this.#dueAtStreamMs()) + idleMs);
  }

  #dueAtStreamMs(): number {
    return least(this.#timed.operators, (operator) => operator.dueAtStreamMs?.());
  }
}

function least(
  operators: readonly Operator[],
  of: (operator: Operator) => number | undefined,
): number {
  return operators.reduce((ms, operator) => Math.min(ms, of(operator) ?? Infinity), Infinity);
}
