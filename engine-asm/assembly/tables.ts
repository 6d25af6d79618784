// Folds rows of tables, some of which take others back, and puts each out; for whole kernels. Loops of their own: in those of streams what is asked here takes a twentieth. Knows no window.

import { OP_INSERT, OP_UPDATE_AFTER, OP_UPDATE_BEFORE, TYPE_F64, TYPE_I32 } from './abi';
import { noteSpan } from './accept';
import {
  argumentColumn,
  argumentValidity,
  isSet,
  operations,
  outCounts,
  outId,
  outOp,
  outRow,
  outRowtime,
  rowSlots,
  rowtimes,
  selection,
} from './buffers';
import { addChange } from './changes';
import { SLOT_CHANGED, SLOT_FRESH } from './pane-layout';
import {
  argumentCount,
  SLOT_FLAGS,
  SLOT_ID,
  SLOT_ROWS,
  SLOT_ROWTIME,
  sumsOf,
  typeOf,
} from './program';
import { columnOf, READER_AVG, READER_COUNT, READER_SUM, readerOf } from './results';
import { findPane } from './window';

/** True for OP_UPDATE_BEFORE and OP_DELETE. */
function takesBack(operation: u32): bool {
  return (operation & 1) != 0;
}

/**
 * As `acceptRows`. Rows of OP_UPDATE_BEFORE are put out as such.
 * @param selected rows stand for places in the selection
 */
export function acceptChanges(from: u32, to: u32, now: f64, selected: bool): f64 {
  let reached = now;
  noteSpan(0, true);
  for (let next = from; next < to; next++) {
    const row = load<u32>(outRow + (next << 2));
    const slot: usize = load<u32>(rowSlots + (next << 2));
    const position = selected ? load<u32>(selection + (row << 2)) : row;
    const operation: u32 = load<u8>(operations + position);
    const flags = load<u32>(slot, SLOT_FLAGS);
    if ((flags & SLOT_CHANGED) == 0) addChange(findPane(0), <u32>slot);
    store<u32>(slot, load<u32>(slot, SLOT_FLAGS) & ~SLOT_FRESH, SLOT_FLAGS);
    const time = load<f64>(rowtimes + (row << 3));
    const latest = max(load<f64>(slot, SLOT_ROWTIME), time);
    store<f64>(slot, latest, SLOT_ROWTIME);
    store<f64>(outRowtime + (next << 3), latest);
    reached = max(reached, time);
    const rows = load<i64>(slot, SLOT_ROWS) + (takesBack(operation) ? -1 : 1);
    store<i64>(slot, rows, SLOT_ROWS);
    if (outCounts) store<i64>(outCounts + (next << 3), rows);
    store<u32>(outId + (next << 2), load<u32>(slot, SLOT_ID));
    const shown: u32 = flags & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER;
    store<u8>(outOp + next, <u8>(operation == OP_UPDATE_BEFORE ? operation : shown));
  }
  return reached;
}

/** As `foldRows`: of sums and counts, which are all that is taken back. */
export function foldChanges(from: u32, to: u32, withNulls: u32): void {
  for (let a: u32 = 0; a < argumentCount; a++) {
    const sums = sumsOf(a);
    if (sums == 0) continue;
    const column = argumentColumn(a);
    const validity = (withNulls & ((<u32>1) << a)) != 0 ? argumentValidity(a) : 0;
    const isDouble = typeOf(a) == TYPE_F64;
    // Integers of 32 bits are the low halves of theirs, as in aggregate.ts.
    const narrow = typeOf(a) == TYPE_I32;
    const shift: u32 = narrow ? 2 : 3;
    const one = isDouble ? f64x2(0, 1) : i64x2(0, 1);
    const reader = readerOf(a);
    const countsAt = columnOf(load<u32>(reader, READER_COUNT));
    const sumsAt = columnOf(load<u32>(reader, READER_SUM));
    const averagesAt = columnOf(load<u32>(reader, READER_AVG));
    for (let j = from; j < to; j++) {
      const slot = <usize>load<u32>(rowSlots + (j << 2)) + sums;
      const row: usize = load<u32>(outRow + (j << 2));
      let block = v128.load(slot);
      if (validity == 0 || isSet(validity, row)) {
        const at = column + (row << shift);
        const by = i64x2.replace_lane(one, 0, narrow ? <i64>load<i32>(at) : load<i64>(at));
        if (takesBack(load<u8>(operations + row)))
          block = isDouble ? f64x2.sub(block, by) : i64x2.sub(block, by);
        else block = isDouble ? f64x2.add(block, by) : i64x2.add(block, by);
        v128.store(slot, block);
      }
      if (sumsAt) v128.store_lane<i64>(sumsAt + (j << shift), block, 0);
      const whole = i64x2.extract_lane(block, 1);
      const count = isDouble ? f64x2.extract_lane(block, 1) : <f64>whole;
      if (countsAt) store<i64>(countsAt + (j << 3), isDouble ? <i64>count : whole);
      const sum = isDouble ? f64x2.extract_lane(block, 0) : <f64>i64x2.extract_lane(block, 0);
      // Of no value any more something may be left: 0.1 + 0.2 - 0.1 - 0.2.
      if (averagesAt) store<f64>(averagesAt + (j << 3), count == 0 ? 0 : sum / count);
    }
  }
}
