// Rows of several chunks in one batch, where nothing behind their join asks for the time of each; knows no operator.

import { InvariantError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { RecordHeader } from '../data/record.ts';
import { builtinRegistry } from '../functions/builtins.ts';
import type { Emit, LogicalTime, Moment, RowProblem } from '../operators/operator.ts';
import type { Step, Subtopology } from '../plan/step.ts';
import { wholeForeignKey } from '../operators/foreign-key-steps.ts';
import { type BuildContext, type CurrentRows, LAST_KEPT } from './build.ts';
import type { CurrentMoment } from './current.ts';

/** Functions that give what hangs on the time or the place of a record; aggregates that do name its offset. */
const ASKING_FUNCTIONS = /^(UNIX_TIMESTAMP|UNIX_DATE|RANDOM|UUID|.*OFFSET.*)$/;

/** What is run in the place of a sub-topology. */
export interface Joined {
  readonly part: Subtopology;
  readonly context: BuildContext;
}

/**
 * A sub-topology with joins as it is run: a foreign key join within it as one step, and rows of several moments
 * together where no step asks for the time, an offset or chance.
 */
export function joinedWhole(planned: Subtopology, context: BuildContext): Joined {
  const part = wholeForeignKey(planned);
  if (part.rowByRow === true) return { part, context };
  const current = new TogetherRows(context.current, part.steps);
  const { report } = context;
  return {
    part,
    context: {
      ...context,
      current,
      report: (problem) => current.report(problem, report),
    },
  };
}

/** Of functions of the user's own nobody knows. */
function asksForTime(steps: readonly Step[]): boolean {
  const builtins = builtinRegistry();
  let asks = false;
  // Plans are plain JSON, and name functions in members of that name, beside their signature.
  JSON.stringify(steps, (key, value: unknown) => {
    // They emit rows of a moment of their own, or their code may ask.
    if (key === 'step' && (value === 'process' || LAST_KEPT.test(value as string))) asks = true;
    if (typeof value === 'object' && value !== null && 'function' in value) {
      const { function: name, signature } = value as Readonly<Record<string, string>>;
      if (name === undefined || signature === undefined || ASKING_FUNCTIONS.test(name)) asks = true;
      else if (builtins.bySignature(name, signature) === null) asks = true;
    }
    return value;
  });
  return asks;
}

/** What asks for it all the same. */
const NO_TIME: LogicalTime = {
  get now(): number {
    return refuse();
  },
  get seed(): string {
    return refuse();
  },
};

function refuse(): never {
  throw new InvariantError('rows of several moments have no time of their own');
}

/** A moment for rows of several: the origins of each one's rows count from where those of the one before end. */
class Together implements CurrentMoment {
  readonly records = null;
  readonly time = NO_TIME;
  readonly parts: readonly CurrentMoment[];
  readonly from: readonly number[];
  /** Of origins. */
  readonly end: number;

  constructor(parts: readonly CurrentMoment[]) {
    this.parts = parts;
    let end = 0;
    this.from = parts.map((part) => {
      const from = end;
      end += part instanceof Together ? part.end : (part.records?.count ?? 0);
      return from;
    });
    this.end = end;
  }

  get place(): CurrentMoment['place'] {
    return (this.parts[0] as CurrentMoment).place;
  }

  /** Where the row of an origin belongs; null: of no record, as of the last ones. */
  of(origin: number | null): { readonly moment: CurrentMoment; readonly origin: number | null } {
    let place = this.parts.length - 1;
    if (origin !== null) while ((this.from[place] as number) > origin) place--;
    const moment = this.parts[place] as CurrentMoment;
    const own = origin === null ? null : origin - (this.from[place] as number);
    return moment instanceof Together ? moment.of(own) : { moment, origin: own };
  }
}

/** The moments that one is made of, each with what the origins of its rows count from; itself where it is of one chunk. */
export function leavesOf(
  moment: CurrentMoment,
  from = 0,
): readonly { readonly moment: CurrentMoment; readonly from: number }[] {
  if (!(moment instanceof Together)) return [{ moment, from }];
  return moment.parts.flatMap((part, i) => leavesOf(part, from + (moment.from[i] as number)));
}

function together(moments: readonly Moment[]): {
  readonly moment: Moment;
  readonly from: readonly number[];
} {
  // They are what `moment` gave: nothing else makes one.
  const moment = new Together(moments as readonly CurrentMoment[]);
  return { moment, from: moment.from };
}

/** What operators are given in the place of what is at hand, so that rows of several moments may stand in one batch. */
class TogetherRows implements CurrentRows {
  readonly #current: CurrentRows;
  readonly #steps: readonly Step[];
  /** null: nobody has asked yet. Mostly nobody does, and it costs a look at the whole plan. */
  #asksForTime: boolean | null = null;

  constructor(current: CurrentRows, steps: readonly Step[]) {
    this.#current = current;
    this.#steps = steps;
  }

  get together(): CurrentRows['together'] {
    this.#asksForTime ??= asksForTime(this.#steps);
    return this.#asksForTime ? undefined : together;
  }

  get moment(): CurrentMoment {
    return this.#current.moment;
  }

  begin(...chunk: Parameters<CurrentRows['begin']>): void {
    this.#current.begin(...chunk);
  }

  turn(moment: Moment): void {
    this.#current.turn(moment);
  }

  emit(moment: Moment, batch: Batch, out: Emit): void {
    this.#current.emit(moment, batch, out);
  }

  headers(origin: number): readonly RecordHeader[] {
    return this.#in(origin, (own) => this.#current.headers(own as number));
  }

  /** Tells a problem as of the chunk that its row is of. */
  report(problem: RowProblem, report: (problem: RowProblem) => void): void {
    this.#in(problem.origin, (origin) => report({ ...problem, origin }));
  }

  #in<T>(origin: number | null, work: (origin: number | null) => T): T {
    const { moment } = this.#current;
    if (!(moment instanceof Together)) return work(origin);
    const own = moment.of(origin);
    this.#current.turn(own.moment);
    try {
      return work(own.origin);
    } finally {
      this.#current.turn(moment);
    }
  }
}
