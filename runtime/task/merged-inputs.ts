// Several inputs that meet in joins of joins: their chunks are merged by time and go through one join after the other, not run by run; knows no fetch and no join's rule.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, IDENTITY, positionOf } from '../data/batch.ts';
import type { Emit, RunRows } from '../operators/operator.ts';
import type { StepId } from '../plan/step.ts';
import type { CurrentRows } from './build.ts';
import type { CurrentMoment } from './current.ts';
import type { Chunk, Input } from './inputs.ts';
import type { Ahead, Built, Merging, Pair, Way } from './pair.ts';
import { leavesOf } from './together.ts';

/**
 * A merge of the inputs; null: they do not all come to one join.
 * @param wayOf from a join to the next one
 */
export function merging(pair: Pair, wayOf: (join: StepId) => Way | null): Merging | null {
  /** In the order of the flow; where its rows go on to, null for the last one. */
  const joins = new Map<Built, Way | null>();
  const follow = ({ join }: Way): void => {
    const next = wayOf(join.id);
    // Behind those that came so far: who comes later to one moves it to the end.
    joins.delete(join);
    joins.set(join, next);
    if (next !== null) follow(next);
  };
  pair.given.ways.forEach(follow);
  const last = [...joins.values()].filter((next) => next === null);
  return last.length === 1 ? new Merge(pair, joins) : null;
}

/** Behind which row of its batch each run ends, of two batches. */
const ENDS = new Uint32Array(2 * BATCH_ROWS_MAX);

/** The rows of a batch that a join takes, with the run of each. */
class Piece implements RunRows {
  readonly batch: Batch;
  readonly moment: CurrentMoment;
  /** By row from the first one on: the run that it came in, or was made by. They do not go back. */
  readonly runs: Uint32Array;
  readonly to: number;
  row: number;

  constructor(batch: Batch, moment: CurrentMoment, runs: Uint32Array, from: number, to: number) {
    this.batch = batch;
    this.moment = moment;
    this.runs = runs;
    this.row = from;
    this.to = to;
  }

  rowsBefore(end: number): number {
    return end;
  }
}

/** Cost: a comparison a row and input, a number a row and join. */
class Merge implements Merging {
  readonly #pair: Pair;
  readonly #joins: ReadonlyMap<Built, Way | null>;
  /** By input and record of its chunk the run that it is in. */
  readonly #runOf: readonly Uint32Array[];

  constructor(pair: Pair, joins: ReadonlyMap<Built, Way | null>) {
    this.#pair = pair;
    this.#joins = joins;
    this.#runOf = pair.given.ways.map(() => new Uint32Array(BATCH_ROWS_MAX));
  }

  get #current(): CurrentRows {
    return this.#pair.given.context.current;
  }

  take(
    inputs: readonly Input[],
    chunkOf: (input: Input) => Chunk | null,
    took: (records: number) => void,
  ): boolean {
    // Of what asks for the time rows of each moment are computed apart.
    if (this.#current.together === undefined) return false;
    const aheads: (Ahead | null)[] = [];
    let records = 0;
    for (const [at, input] of inputs.entries()) {
      const chunk = chunkOf(input);
      // The next record of an input that has more may come before all others.
      if (chunk === null && input.fetched < input.highWatermark) return false;
      const ahead = this.#pair.ahead(at, chunk);
      if (chunk !== null && ahead === null) return false;
      if (chunk !== null) records += chunk.to - chunk.at;
      aheads.push(ahead);
    }
    if (aheads.filter((ahead) => ahead !== null).length < 2) return false;
    took(records);
    const taken = this.#merge(aheads);
    this.#hand(aheads, taken);
    for (const [at, ahead] of aheads.entries())
      if (ahead !== null) records -= this.#pair.end(at, inputs[at] as Input, ahead);
    took(-records);
    return true;
  }

  /**
   * Notes the run of each record that is taken; inputs before others come first at equal times.
   * @returns the inputs that rows are taken of, in the order of their first ones, and that of the last run
   */
  #merge(aheads: readonly (Ahead | null)[]): { readonly begun: number[]; readonly last: number } {
    const times = aheads.map((ahead) => (ahead === null ? Infinity : nextMs(ahead)));
    const begun: number[] = [];
    for (let run = 0; ; run++) {
      let chosen = 0;
      let bound = Infinity;
      for (let input = 1; input < times.length; input++) {
        const ms = times[input] as number;
        const least = times[chosen] as number;
        if (ms < least) chosen = input;
        bound = Math.min(bound, Math.max(ms, least));
      }
      const { raw, chunk } = aheads[chosen] as Ahead;
      const { rowtime, selection, origin, length } = raw;
      const at = selection ?? IDENTITY;
      const runOf = this.#runOf[chosen] as Uint32Array;
      const first = chunk.rows[0] as number;
      let ms: number;
      let row = first;
      do {
        const position = at[row] as number;
        runOf[(origin === null ? position : (origin[position] as number)) - chunk.from] = run;
        row++;
        ms = row < length ? (rowtime[at[row] as number] as number) : Infinity;
      } while (ms < bound);
      if (!begun.includes(chosen)) begun.push(chosen);
      chunk.rows = [row];
      times[chosen] = ms;
      if (row === length) return { begun, last: chosen };
    }
  }

  /** Hands the rows on from join to join. */
  #hand(
    aheads: readonly (Ahead | null)[],
    { begun, last }: { readonly begun: readonly number[]; readonly last: number },
  ): void {
    const current = this.#current;
    const begin = (input: number): CurrentMoment => {
      const { records, place, from, to } = (aheads[input] as Ahead).chunk;
      current.begin(records, place, from, to);
      return current.moment;
    };
    // Once all have begun their moments stay.
    begun.forEach(begin);
    const moments = begun.map(begin);
    const inputOf = new Map(begun.map((input, i) => [moments[i] as CurrentMoment, input]));
    const runsOf = (batch: Batch, moment: CurrentMoment, from: number, to: number): Uint32Array => {
      const leaves = leavesOf(moment).map((leaf) => {
        const input = inputOf.get(leaf.moment) as number;
        const { chunk } = aheads[input] as Ahead;
        return { from: leaf.from + chunk.from, least: leaf.from, runOf: this.#runOf[input] };
      });
      const { origin, selection } = batch;
      const runs = new Uint32Array(to);
      for (let row = from; row < to; row++) {
        const position = selection === null ? row : (selection[row] as number);
        const record = origin === null ? position : (origin[position] as number);
        let leaf = leaves.length - 1;
        while ((leaves[leaf] as Leaf).least > record) leaf--;
        const { from: first, runOf } = leaves[leaf] as Leaf;
        runs[row] = runOf[record - first] as number;
      }
      return runs;
    };
    const pieces = new Map<Built, [Piece[], Piece[]]>();
    for (const join of this.#joins.keys()) pieces.set(join, [[], []]);
    const add = (
      { join, side }: Way,
      batch: Batch,
      moment: CurrentMoment,
      from: number,
      to: number,
    ) =>
      pieces
        .get(join)
        ?.[side as 0 | 1].push(new Piece(batch, moment, runsOf(batch, moment, from, to), from, to));
    begun.forEach((input, i) => {
      const { way, batch, row, chunk } = aheads[input] as Ahead;
      const to = (aheads[input] as Ahead).rowsBefore(chunk.rows[0] as number);
      if (batch !== null && to > row) add(way, batch, moments[i] as CurrentMoment, row, to);
    });
    for (const [join, next] of this.#joins) {
      const out: Emit =
        next === null
          ? join.emit
          : passed(next, (batch) => add(next, batch, current.moment, 0, batch.length));
      this.#joinPieces(join, pieces.get(join) as [Piece[], Piece[]], out);
    }
    current.turn(moments[begun.indexOf(last)] as CurrentMoment);
  }

  /** Hands the rows of both sides to a join in the order of their runs. */
  #joinPieces({ operator }: Built, [lefts, rights]: readonly [Piece[], Piece[]], out: Emit): void {
    const current = this.#current;
    const turnTo = (side: RunRows): void => current.turn((side as Piece).moment);
    const takeRows = (side: number, piece: Piece, end: number): void => {
      turnTo(piece);
      const from = piece.row;
      piece.row = end;
      if (end > from) operator.processRows?.(side, piece.batch, from, end, out);
    };
    let l = 0;
    let r = 0;
    while (l < lefts.length && r < rights.length) {
      const left = lefts[l] as Piece;
      const right = rights[r] as Piece;
      const sides = [left, right] as const;
      const runs = endsOf(left, right);
      const given = { sides, ends: ENDS.subarray(0, runs), at: 0, input: 0, turnTo };
      if (operator.processRuns?.(given, out) !== true)
        for (let run = 0; run < runs; run++) {
          const side = (run & 1) as 0 | 1;
          takeRows(side, sides[side], ENDS[run] as number);
        }
      if (left.row === left.to) l++;
      if (right.row === right.to) r++;
    }
    for (; l < lefts.length; l++) takeRows(0, lefts[l] as Piece, (lefts[l] as Piece).to);
    for (; r < rights.length; r++) takeRows(1, rights[r] as Piece, (rights[r] as Piece).to);
    operator.settle?.();
  }
}

/** Rows of one input among those of a batch. */
interface Leaf {
  /** The origin of the first record of its chunk, and the least of its rows. */
  readonly from: number;
  readonly least: number;
  readonly runOf: Uint32Array;
}

function nextMs({ raw, chunk }: Ahead): number {
  return raw.rowtime[positionOf(raw, chunk.rows[0] as number)] as number;
}

/** Writes the ends of the runs of two pieces, by turns, until one of them is over; the first may have no row. @returns how many there are */
function endsOf(left: Piece, right: Piece): number {
  let own = left;
  let other = right;
  let i = own.row;
  let j = other.row;
  let count = 0;
  while (i < own.to && j < other.to) {
    const bound = other.runs[j] as number;
    while (i < own.to && (own.runs[i] as number) < bound) i++;
    ENDS[count++] = i;
    [own, other] = [other, own];
    [i, j] = [j, i];
  }
  return count;
}

/** What goes on to the next join, past what stands before it. */
function passed({ before }: Way, out: Emit): Emit {
  return before.reduceRight<Emit>(
    (next, operator) => (batch) => operator.process(0, batch, next),
    out,
  );
}
