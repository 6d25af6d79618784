// Joins over all runs of two batches in one loop each; knows no store.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';
import { NO_ROW, ROW_MASK } from '../state/kept-rows.ts';
import type { KeptTable } from '../state/kept-table.ts';
import { NO_KEY } from '../state/row-keys.ts';
import { BEFORE_WORD, KEY_WORD, NUMBER_WORD, WORDS } from '../state/row-links.ts';
import type { WaitingRows } from '../state/waiting-rows.ts';
import type { WindowRows } from '../state/window-rows.ts';
import { type Side, UNKNOWN } from '../state/window-side.ts';
import { isGone } from './gone.ts';
import type { JoinOutput } from './join-output.ts';
import type { Emit, OperatorContext, RunRows, Runs } from './operator.ts';
import type { SideTimes } from './stream-stream-join.ts';

/** What a loop needs of a join. */
interface Join {
  readonly context: OperatorContext;
  readonly output: JoinOutput;
  /** Turns to a batch of an input, of which rows from `from` on are taken. @returns the numbers of its rows' keys */
  readonly begin: (side: 0 | 1, batch: Batch, from: number) => Int32Array;
}

/** Of a StreamStreamJoin. */
export interface WindowJoin extends Join {
  readonly rows: WindowRows;
  readonly times: readonly [SideTimes, SideTimes];
  /** Rows that wait for the end of their windows; null: none does. */
  readonly waiting: WaitingRows | null;
  /** Emits those whose windows have closed at that time; they count as made by the row at the position. */
  readonly due: (waiting: WaitingRows, nowMs: number, position: number) => void;
  /** Tells of a row that is not kept. */
  readonly late: (batch: Batch, position: number) => void;
  /** Looks for the partners of a row, which is kept by now or, as NO_ROW, late. */
  readonly join: (side: number, id: number, position: number, ms: number, row: number) => void;
}

/** Of a StreamTableJoin. */
export interface LookupJoin extends Join {
  readonly table: KeptTable;
  readonly isInner: boolean;
}

/** The rows of one batch, and what is known of their side. */
interface WindowRun extends SideTimes, Pick<Batch, 'selection' | 'rowtime' | 'valueNull'> {
  readonly batch: Batch;
  readonly ids: Int32Array;
  readonly side: Side;
  /** The number of the batch's row 0 among the kept ones. */
  readonly base: number;
  /** As RowLinks has them for the batch's rows; their times are there, as the batch has them. */
  readonly words: Int32Array;
}

/** Rows that are all taken in one call, by input of the join. */
interface Taken {
  readonly batches: readonly [Batch, Batch];
  /** The first row of each. */
  readonly from: readonly [number, number];
  /** Behind which row of its batch each run ends. */
  readonly ends: Uint32Array;
  /** The input of the first run; then inputs take turns. */
  readonly input: number;
  /** As in Runs. */
  readonly turnTo: (input: number) => void;
}

/** What is to be taken; null: of one side there is nothing. */
function takenOf({ sides, ends, at, input, turnTo }: Runs): Taken | null {
  const own = sides[at] as RunRows;
  const other = sides[1 - at] as RunRows;
  const [left, right] = input === 0 ? [own, other] : [other, own];
  if (left.batch === null || right.batch === null) return null;
  return {
    batches: [left.batch, right.batch],
    from: [left.row, right.row],
    ends,
    input,
    turnTo: (to) => turnTo(to === 0 ? left : right),
  };
}

/** Moves both sides on; ends of runs are rows of their batches then. */
function moveOn({ sides, ends, at }: Runs): void {
  for (const first of [0, 1]) {
    const side = sides[(at + first) & 1] as RunRows;
    const last = ends.length - 1 - ((ends.length - 1 - first) & 1);
    if (last < first) continue;
    const end = side.rowsBefore(ends[last] as number);
    // Where none of the rows is missing, ends are right already.
    for (let run = first; run <= last && end !== ends[last]; run += 2)
      side.row = ends[run] = side.rowsBefore(ends[run] as number);
    side.row = end;
  }
}

/** Turns to the batches of both inputs, each in its moment. */
function begin(output: JoinOutput, { batches, turnTo }: Taken, out: Emit): void {
  for (const [input, batch] of batches.entries()) {
    turnTo(input);
    output.begin(batch, input, out);
  }
}

/** Emits the rows or holds them back, and counts those that were dropped; goes on in the moment of the last run. */
function end({ output, context }: Join, { input, ends, turnTo }: Taken, dropped: number): void {
  turnTo((input + ends.length - 1) & 1);
  output.end();
  if (dropped > 0) context.count('dropped', dropped);
}

/**
 * What StreamStreamJoin does of row after row. A row that comes behind those of its key, and has one
 * partner at most, costs no call.
 */
export function windowRuns(join: WindowJoin): (runs: Runs, out: Emit) => boolean {
  return (runs, out) => {
    const taken = takenOf(runs);
    if (taken === null) return false;
    const left = windowRun(join, taken, 0);
    const right = windowRun(join, taken, 1);
    if (left === null || right === null) return false;
    moveOn(runs);
    begin(join.output, taken, out);
    end(join, taken, joinWindows(join, [left, right], taken));
    return true;
  };
}

/** null: the rows are kept as bytes, and taken one by one. */
function windowRun(join: WindowJoin, { batches, from }: Taken, side: 0 | 1): WindowRun | null {
  const batch = batches[side];
  const row = from[side];
  const ids = join.begin(side, batch, row);
  const of = join.rows.sides[side];
  const { base } = of.kept;
  if (base === null) return null;
  const words = of.links.room(base + row);
  const { selection, rowtime, valueNull } = batch;
  return {
    batch,
    selection,
    rowtime,
    valueNull,
    ids,
    side: of,
    base,
    words,
    ...join.times[side],
  };
}

/** @returns how many rows were dropped */
function joinWindows(
  join: WindowJoin,
  sides: readonly [WindowRun, WindowRun],
  { from, ends, input: firstInput, turnTo }: Taken,
): number {
  const { rows, output, waiting } = join;
  const { retentionMs } = rows;
  const { streamTime } = join.context;
  const { storeHolds } = rows;
  let nowMs = streamTime.ms;
  const greatest = Math.max(...sides.map(({ ids, batch }) => most(ids, batch.length)));
  // Makes room, so that `lasts` stays where it is.
  if (greatest !== NO_KEY)
    for (const { side } of sides) side.setLast(greatest, side.last(greatest));
  let dropped = 0;
  let input = firstInput;
  let own = sides[input] as WindowRun;
  let other = sides[1 - input] as WindowRun;
  let i = from[input] as number;
  let nextOther = from[1 - input] as number;
  for (let run = 0; run < ends.length; run++) {
    const { ids, side, base, words, selection, rowtime, valueNull } = own;
    const { lasts, links } = side;
    const { side: otherSide } = other;
    const { lasts: otherLasts, links: otherLinks } = otherSide;
    const firstMs = otherSide.timeMs - retentionMs;
    const end = ends[run] as number;
    let { timeMs } = side;
    for (; i < end; i++) {
      const id = ids[i] as number;
      const position = selection === null ? i : (selection[i] as number);
      if (id === NO_KEY || (valueNull !== null && bitAt(valueNull, position))) {
        dropped++;
        continue;
      }
      const ms = rowtime[position] as number;
      if (ms > nowMs) {
        nowMs = ms;
        if (waiting !== null) {
          streamTime.ms = ms;
          output.turnTo(input);
          join.due(waiting, ms, position);
        }
      }
      // The row is kept: as WindowRows.put has it, but for rows that come between others of their key.
      let row = base + i;
      if (ms > timeMs) timeMs = ms;
      if (ms < timeMs - retentionMs) {
        row = NO_ROW;
        turnTo(input);
        join.late(own.batch, position);
      } else {
        let before = (lasts[id] as number) + UNKNOWN;
        if (before === UNKNOWN) before = storeHolds ? rows.last(input, id) : NO_ROW;
        const beforeAt = before < 0 ? -Infinity : links.ms(before);
        if (beforeAt > ms) rows.put(input, id, ms, i, position);
        else {
          const at = (row & ROW_MASK) * WORDS;
          words[at + KEY_WORD] = id;
          words[at + BEFORE_WORD] = before;
          words[at + NUMBER_WORD] = beforeAt === ms ? links.number(before) + 1 : 0;
          lasts[id] = row - UNKNOWN;
          side.note(row);
        }
      }
      // Its partners: as StreamStreamJoin.join has them, but for several.
      let found = (otherLasts[id] as number) + UNKNOWN;
      if (found === UNKNOWN && storeHolds) found = rows.last(1 - input, id);
      if (found >= 0) {
        const fromMs = Math.max(ms - own.beforeMs, firstMs);
        const foundMs = otherLinks.ms(found);
        if (foundMs >= fromMs) {
          const next = otherLinks.before(found);
          output.turnTo(input);
          if (foundMs > ms + own.afterMs || (next >= 0 && otherLinks.ms(next) >= fromMs))
            join.join(input, id, position, ms, row);
          else {
            waiting?.joined(1 - input, id, found);
            output.add(position, found, Math.max(ms, foundMs), null);
          }
          continue;
        }
      }
      if (!own.isPadded) continue;
      if (waiting !== null && row !== NO_ROW && ms + own.afterMs >= nowMs) waiting.add(input, row);
      else {
        output.turnTo(input);
        output.add(position, NO_ROW, ms, null);
      }
    }
    side.timeMs = timeMs;
    const was = own;
    own = other;
    other = was;
    i = nextOther;
    nextOther = end;
    input = 1 - input;
  }
  streamTime.ms = nowMs;
  return dropped;
}

/** The greatest number of a key. */
function most(ids: Int32Array, length: number): number {
  let greatest = NO_KEY;
  for (let i = 0; i < length; i++) if ((ids[i] as number) > greatest) greatest = ids[i] as number;
  return greatest;
}

/** For joins of a stream, input 0, with a table: what StreamTableJoin does of run after run. */
export function lookupRuns(join: LookupJoin): (runs: Runs, out: Emit) => boolean {
  return (runs, out) => {
    const taken = takenOf(runs);
    if (taken === null) return false;
    const [stream, changes] = taken.batches;
    const { from } = taken;
    const ids = [join.begin(0, stream, from[0]), join.begin(1, changes, from[1])] as const;
    const { base } = join.table.side(0).rows;
    if (base === null) return false;
    moveOn(runs);
    begin(join.output, taken, out);
    end(join, taken, lookUp(join, ids, base, taken));
    return true;
  };
}

/**
 * @param base the number of row 0 of the changes among the kept rows
 * @returns how many rows were dropped
 */
function lookUp(
  { table, output, isInner }: LookupJoin,
  [streamIds, tableIds]: readonly [Int32Array, Int32Array],
  base: number,
  { batches, from, ends, input: firstInput }: Taken,
): number {
  const [stream, changes] = batches;
  const { selection, rowtime, valueNull } = stream;
  const { selection: changed, op } = changes;
  const hasGone = op !== null || changes.valueNull !== null;
  const side = table.side(0);
  const greatest = Math.max(most(streamIds, stream.length), most(tableIds, changes.length));
  // Makes room, so that `rowOf` stays where it is.
  if (greatest !== NO_KEY) side.put(greatest, side.row(greatest));
  const { rowOf } = side;
  output.turnTo(0);
  // Behind the first one rows are written here, as `add` does: that it is told of each costs as much as to look it up.
  const { positions, others, rowtime: times } = output;
  let row = 0;
  let isPlain = true;
  let end = 0;
  let dropped = 0;
  let input = firstInput;
  let [i, j] = from;
  for (let run = 0; run < ends.length; run++, input = 1 - input) {
    const last = ends[run] as number;
    if (input === 0) {
      for (; i < last; i++) {
        const id = streamIds[i] as number;
        const position = selection === null ? i : (selection[i] as number);
        if (id === NO_KEY || (valueNull !== null && bitAt(valueNull, position))) {
          dropped++;
          continue;
        }
        let found = (rowOf[id] as number) + UNKNOWN;
        if (found === UNKNOWN) found = table.get(id, 0);
        if (found === NO_ROW && isInner) continue;
        if (row === end) {
          if (end > 0) note(output, row, isPlain);
          output.add(position, found, rowtime[position] as number, null);
          row = output.count;
          isPlain = true;
          end = BATCH_ROWS_MAX;
          continue;
        }
        if (position !== row) isPlain = false;
        positions[row] = position;
        others[row] = found;
        times[row++] = rowtime[position] as number;
      }
      continue;
    }
    for (; j < last; j++) {
      const id = tableIds[j] as number;
      if (id === NO_KEY) continue;
      if (hasGone) {
        const position = changed === null ? j : (changed[j] as number);
        if (op !== null && op[position] === Op.UpdateBefore) continue;
        if (isGone(changes, position)) {
          if (table.get(id, 0) !== NO_ROW) table.remove(id, 0);
          continue;
        }
      }
      side.set(id, base + j);
    }
  }
  if (end > 0) note(output, row, isPlain);
  return dropped;
}

/** Tells an output of rows that were written to it. */
function note(output: JoinOutput, count: number, isPlain: boolean): void {
  output.count = count;
  if (!isPlain) output.isPlain = false;
}
