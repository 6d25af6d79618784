// Two inputs that meet in one join: their chunks are merged by time and handed to it whole, not run by run; knows no fetch and no join's rule.

import { InvariantError } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { PartMissing } from '../base/part.ts';
import { type Batch, IDENTITY, Op, positionOf } from '../data/batch.ts';
import type { Emit, LogicalTime, Moment, Operator, RunRows } from '../operators/operator.ts';
import type { InternalSourceStep, SourceStep, Step, StepId, Subtopology } from '../plan/step.ts';
import type { BuildContext } from './build.ts';
import { advance, type Chunk, type Input } from './inputs.ts';
import { merging } from './merged-inputs.ts';
import { type Joined, joinedWhole } from './together.ts';

/** Where what is computed ahead of its turn would tell something, or hang on when it is computed. */
function refuse(): never {
  throw new InvariantError('this waits for its turn');
}

const NO_TIME: LogicalTime = {
  get now(): number {
    return refuse();
  },
  get seed(): string {
    return refuse();
  },
};

/** Makes the pair of a task while its operators are built. */
export class Pairing {
  /** What operators are given in the place of the task's own. */
  readonly context: BuildContext;
  /** The steps to build, in the place of the plan's. */
  readonly part: Subtopology;
  readonly #given: BuildContext;
  readonly #built = new Map<StepId, Built>();
  #isAhead = false;

  constructor(part: Subtopology, context: BuildContext) {
    const { part: whole, context: given } = this.joined(part, context);
    this.part = whole;
    this.#given = given;
    this.context = {
      ...given,
      report: (problem) => (this.#isAhead ? refuse() : given.report(problem)),
      count: (name, by) => (this.#isAhead ? refuse() : context.count(name, by)),
      time: () => (this.#isAhead ? NO_TIME : context.time()),
    };
  }

  /** The steps as they are run, and what their operators are given. */
  joined(part: Subtopology, context: BuildContext): Joined {
    return joinedWhole(part, context);
  }

  built(step: StepId, inputs: readonly StepId[], operator: Operator, emit: Emit): void {
    this.#built.set(step, { id: step, inputs, operator, emit });
  }

  /** null: inputs do not meet in joins, with nothing but filters, projections and new keys before them. */
  pair(): Merging | null {
    const { steps, rowByRow } = this.part;
    if (rowByRow === true || steps.some(({ step }) => step === 'cache')) return null;
    const sources = steps.filter(isSource);
    const ways: Way[] = [];
    for (const source of sources) {
      // Topics are different ones: rows of one that two sources read go one by one.
      const way = this.#wayOf(source.id);
      if (way === null || (source.step === 'source' && source.materialized)) return null;
      ways.push(way);
    }
    const ahead: MakeAhead = (make) => this.#ahead(make);
    const pair = new Pair({ context: this.#given, ways, sources, ahead });
    // A join has two inputs, and one that is reached from one source alone goes row by row.
    if (ways.length === 2) return pair;
    return merging(pair, (join) => this.#wayOf(join));
  }

  /** From a step to the join that its rows go to; null: they go elsewhere, or there is something else on the way. */
  #wayOf(from: StepId): Way | null {
    const before: Operator[] = [];
    for (let id = from; ;) {
      const [next, more] = this.part.steps.filter((step) => this.#readsOf(step).includes(id));
      const built = more === undefined && next && this.#built.get(next.id);
      if (!built) return null;
      const { operator } = built;
      if (operator.processRows !== undefined)
        return { before, join: built, side: built.inputs.indexOf(id) };
      if (!PLAIN.has(operator.name)) return null;
      before.push(operator);
      ({ id } = built);
    }
  }

  #readsOf(step: Step): readonly StepId[] {
    return this.#built.get(step.id)?.inputs ?? ('input' in step ? [step.input] : []);
  }

  /** What is made ahead of its turn; undefined: it cannot be. What goes wrong does so again in its turn, where it is known whose fault it is. */
  #ahead(make: () => Batch | null): Batch | null | undefined {
    this.#isAhead = true;
    try {
      return make();
    } catch (thrown) {
      if (thrown instanceof PartMissing) throw thrown;
      return undefined;
    } finally {
      this.#isAhead = false;
    }
  }
}

function isSource(step: Step): step is SourceStep | InternalSourceStep {
  return step.step === 'source' || step.step === 'internalSource';
}

/** What makes of a batch another one over the same places, each row for itself. */
const PLAIN: ReadonlySet<string> = new Set(['filter', 'project', 'rekey']);

export interface Built {
  readonly id: StepId;
  readonly inputs: readonly StepId[];
  readonly operator: Operator;
  readonly emit: Emit;
}

/** One chunk, the other one, and the first again: then both have begun, and their moments stay. */
const TURNS_UNTIL_KNOWN = 3;

/** Behind which row of its chunk each run ends, of the two chunks that are merged at the moment; each has one row at least. */
const ENDS = new Uint32Array(2 * BATCH_ROWS_MAX);

/** From an input, or from a join, to a join. */
export interface Way {
  /** What rows pass before the join. */
  readonly before: readonly Operator[];
  readonly join: Built;
  /** Of the join. */
  readonly side: number;
}

/** null: no row has come through; undefined: it has to wait for its turn. */
type MakeAhead = (make: () => Batch | null) => Batch | null | undefined;

/** A chunk, and what has come of it before the join. */
export class Ahead {
  readonly way: Way;
  readonly chunk: Chunk;
  readonly raw: Batch;
  /** null: no row has come through. */
  readonly batch: Batch | null;
  /** How many of its rows were handed on. */
  row = 0;
  moment: Moment | null = null;

  constructor(way: Way, chunk: Chunk, raw: Batch, batch: Batch | null) {
    this.way = way;
    this.chunk = chunk;
    this.raw = raw;
    this.batch = batch;
  }

  /** How many rows of `batch` stand before row `end` of `raw`. */
  rowsBefore(end: number): number {
    const { raw, batch } = this;
    if (batch === null || batch.length === raw.length) return batch === null ? 0 : end;
    if (end === raw.length) return batch.length;
    const position = positionOf(raw, end);
    let row = this.row;
    while (row < batch.length && positionOf(batch, row) < position) row++;
    return row;
  }
}

export interface PairOptions {
  readonly context: BuildContext;
  /** By input. */
  readonly ways: readonly Way[];
  readonly sources: readonly Step[];
  readonly ahead: MakeAhead;
}

/** Takes chunks of several inputs at once. */
export interface Merging {
  /**
   * Takes the rows of the chunks that are at hand, until one of them is taken.
   * @param took is told how many records more are taken, before they are; when some are left then, how many, as less than 0
   * @returns false when they are to be taken run by run
   */
  take(
    inputs: readonly Input[],
    chunkOf: (input: Input) => Chunk | null,
    took: (records: number) => void,
  ): boolean;
}

/**
 * The rows of two inputs in the order of the runs rule (task/inputs.ts); of more, `take` is task/merged-inputs.ts's. What stands before the
 * join is computed of a whole chunk, unless it would tell a problem or a dropped row, or hangs on the time: then it waits for its run. So
 * nothing is told of rows that are not taken.
 * Cost: a comparison a row; a call a run, or one for all.
 */
export class Pair implements Merging {
  readonly given: PairOptions;
  /** By input; null: the chunk is taken run by run. */
  readonly #known: ({ readonly chunk: Chunk; readonly ahead: Ahead | null } | undefined)[] = [];

  constructor(given: PairOptions) {
    this.given = given;
  }

  /** What has come of an input's chunk; null: it is to be taken run by run. */
  ahead(input: number, chunk: Chunk | null): Ahead | null {
    if (chunk === null) return null;
    let known = this.#known[input];
    if (known?.chunk !== chunk) {
      known = { chunk, ahead: this.#compute(this.given.ways[input] as Way, chunk) };
      this.#known[input] = known;
    }
    const { ahead } = known;
    if (ahead !== null) ahead.row = ahead.rowsBefore(chunk.rows[0] as number);
    return ahead;
  }

  #compute(way: Way, chunk: Chunk): Ahead | null {
    const [raw = null] = chunk.batches;
    // Old rows and their new ones are taken together.
    if (raw === null || chunk.skipped.length > 0 || chunk.rows[0] !== 0) return null;
    if (raw.op?.includes(Op.UpdateBefore) === true) return null;
    const ahead = this.given.ahead(() => {
      let batch: Batch | null = raw;
      for (const operator of way.before) {
        const from: Batch | null = batch;
        batch = null;
        if (from !== null) operator.process(0, from, (passed) => (batch = passed));
      }
      return batch;
    });
    return ahead === undefined ? null : new Ahead(way, chunk, raw, ahead);
  }

  /**
   * Ends a chunk at the row that it stands at.
   * @returns the records that were taken
   */
  end(input: number, of: Input, { chunk, raw }: Ahead): number {
    const row = chunk.rows[0] as number;
    const position = row < raw.length ? positionOf(raw, row) : -1;
    const to = position < 0 ? chunk.to : (raw.origin?.[position] ?? position);
    const taken = to - chunk.at;
    advance(of, chunk, to, chunk.rows);
    const { sources, context } = this.given;
    if (sources[input]?.step === 'source') context.count('in', taken);
    return taken;
  }

  take(...[inputs, chunkOf, took]: Parameters<Merging['take']>): boolean {
    const [one, two] = inputs as readonly [Input, Input];
    const left = this.ahead(0, chunkOf(one));
    const right = left && this.ahead(1, chunkOf(two));
    if (left === null || right === null) return false;
    const records = left.chunk.to - left.chunk.at + right.chunk.to - right.chunk.at;
    took(records);
    this.#merge(left, right);
    took(this.end(0, one, left) + this.end(1, two, right) - records);
    left.way.join.operator.settle?.();
    return true;
  }

  /** Rows of the left one come first at equal times. */
  #merge(left: Ahead, right: Ahead): void {
    const { rowtime: leftTimes, selection: lefts, length: leftEnd } = left.raw;
    const { rowtime: rightTimes, selection: rights, length: rightEnd } = right.raw;
    const leftAt = lefts ?? IDENTITY;
    const rightAt = rights ?? IDENTITY;
    let i = left.chunk.rows[0] as number;
    let j = right.chunk.rows[0] as number;
    let leftMs = leftTimes[leftAt[i] as number] as number;
    let rightMs = rightTimes[rightAt[j] as number] as number;
    const first = leftMs <= rightMs ? 0 : 1;
    let runs = 0;
    while (i < leftEnd && j < rightEnd) {
      if (leftMs <= rightMs) {
        for (i++; i < leftEnd; i++) {
          leftMs = leftTimes[leftAt[i] as number] as number;
          if (leftMs > rightMs) break;
        }
        ENDS[runs++] = i;
      } else {
        for (j++; j < rightEnd; j++) {
          rightMs = rightTimes[rightAt[j] as number] as number;
          if (rightMs >= leftMs) break;
        }
        ENDS[runs++] = j;
      }
    }
    left.chunk.rows = [i];
    right.chunk.rows = [j];
    this.#hand([left, right], first, runs);
  }

  /** Hands the rows of runs on to the join: one by one until moments stay, then at once where it takes them so. */
  #hand(sides: readonly [Ahead, Ahead], first: number, last: number): void {
    const { current } = this.given.context;
    const turnTo = (to: RunRows): void => current.turn((to as Ahead).moment as Moment);
    for (let run = 0; run < last; run++) {
      const at = (first + run) & 1;
      const ahead = sides[at] as Ahead;
      const { side: input, join } = ahead.way;
      const { operator, emit } = join;
      if (run < TURNS_UNTIL_KNOWN) {
        // The moment of a chunk is another one once the other chunk has begun.
        const { records, place, from, to } = ahead.chunk;
        current.begin(records, place, from, to);
        ahead.moment = current.moment;
      } else turnTo(ahead);
      if (run === TURNS_UNTIL_KNOWN - 1) {
        const ends = ENDS.subarray(run, last);
        if (operator.processRuns?.({ sides, at, input, ends, turnTo }, emit) === true) return;
      }
      const from = ahead.row;
      const to = ahead.rowsBefore(ENDS[run] as number);
      ahead.row = to;
      if (to > from) operator.processRows?.(input, ahead.batch as Batch, from, to, emit);
    }
  }
}
