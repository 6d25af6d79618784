// Folds rows whose windows are known in one loop for each kind of argument and output; for whole kernels.

import { OP_INSERT, OP_UPDATE_AFTER, TYPE_F64 } from './abi';
import { noteSpan, touched } from './accept';
import { NAN_BITS } from './aggregate';
import {
  argumentColumn,
  ids,
  outCounts,
  outId,
  outOp,
  outRow,
  outRowtime,
  outWindow,
  rowSlots,
  rowtimes,
  sources,
  touchedRows,
} from './buffers';
import { addChange } from './changes';
import { entryCount } from './dictionary';
import { addDirect, hasRoom } from './pane';
import { PANE_MASK, PANE_TABLE, SLOT_CHANGED, SLOT_FRESH, SLOT_TOUCHED } from './pane-layout';
import {
  SLOT_BLOCKS,
  SLOT_FLAGS,
  SLOT_ROWS,
  argumentCount,
  boundsOf,
  otherCount,
  rowOutput,
  sumsOf,
  typeOf,
  widthOf,
} from './program';
import {
  READER_AVG,
  READER_COUNT,
  READER_MAX,
  READER_MIN,
  READER_SUM,
  columnOf,
  readerOf,
} from './results';

// What a loop does is said by types, so that nothing is asked for each row that is the same for all of them.
type Yes = i32;
type No = u32;
/** Yes, and each row may be of another window. */
type Mixed = i64;

/** Makes the slot of a row that has none; 0 where there is no room for it at hand, or the row has no group. */
export function newSlot(pane: u32, id: u32): u32 {
  if (id >= entryCount() || !hasRoom(pane, id)) return 0;
  return addDirect(pane, id);
}

/** Where the next row of output goes: at `out` of columns of the aggregates of an argument, 0 for none. */
let countsAt: usize = 0;
let sumsAt: usize = 0;
let averagesAt: usize = 0;
let leastsAt: usize = 0;
let greatestsAt: usize = 0;

/** Finds the columns that an argument's aggregates are put out in. */
function findColumns(argument: u32): void {
  const reader = readerOf(argument);
  countsAt = columnOf(load<u32>(reader, READER_COUNT));
  sumsAt = columnOf(load<u32>(reader, READER_SUM));
  averagesAt = columnOf(load<u32>(reader, READER_AVG));
  leastsAt = columnOf(load<u32>(reader, READER_MIN));
  greatestsAt = columnOf(load<u32>(reader, READER_MAX));
}

// Halves of vectors that all rows are taken with, in memory: what is loaded from there stays in a register, where a constant is made anew for each row.
//
//   [i64 0][i64 1] [f64 0][f64 1] [i64 0][i64 -1] [header that SLOT_TOUCHED is set in] [all of a header but SLOT_FRESH] [NAN_BITS] [all but the sign]
const ONE: u32 = 0;
const ONE_DOUBLE: u32 = 16;
const SECOND: u32 = 32;
const TOUCHED: u32 = 48;
const SEASONED: u32 = 64;
const NAN: u32 = 80;
const UNSIGNED: u32 = 88;
function vectors(): usize {
  // prettier-ignore
  return memory.data<i64>([
    0, 1, 0, 0x3ff0000000000000, 0, -1, 0, (<i64>SLOT_TOUCHED) << 32, -1, ~((<i64>SLOT_FRESH) << 32), NAN_BITS, i64.MAX_VALUE,
  ], 16);
}

/**
 * Makes a row's slot where there is none, and a change of it; false where the row has no group, or there is no room at hand.
 * Once a group between two commits: so that the loop calls nothing.
 */
function makeReady(pane: u32, code: u32): bool {
  if (code > load<u32>(pane, PANE_MASK)) return false;
  const slot = load<u32>(load<u32>(pane, PANE_TABLE) + (code << 2));
  if (slot == 0) return newSlot(pane, code) != 0;
  addChange(pane, slot);
  return true;
}

/**
 * Folds one argument of rows. Where it `Accepts` it is the first one: slots are found, or made, and brought up to date but for the arguments, and
 * groups are listed; else the slots stand there from the first. Where it accepts `Mixed` rows none is late, and windows are listed too. Where it `Puts`
 * every row is put out, the first at `out`.
 * @returns where it stops, because a row has no slot
 */
function fold<T extends number, Accepts, Puts>(
  argument: u32,
  pane: u32,
  from: u32,
  to: u32,
  out: u32,
): u32 {
  const sums = sumsOf(argument);
  const bounds = boundsOf(argument);
  if (isSigned<Puts>()) findColumns(argument);
  // Integers of 32 bits are the low halves of theirs, as in aggregate.ts.
  const width: u32 = !isFloat<T>() && widthOf(argument) == 4 ? 2 : 3;
  const step: u32 = (<u32>1) << width;
  const values = argumentColumn(argument);
  // Columns of what is put out: as if the first row had number 0, and those that are as wide as the argument's from there.
  const shift = out - from;
  const aside: usize = (shift << width) - values;
  const counts = isSigned<Puts>() && countsAt ? countsAt + (shift << 3) : 0;
  const totals = isSigned<Puts>() && sumsAt ? sumsAt + aside : 0;
  const averages = isSigned<Puts>() && averagesAt ? averagesAt + (shift << 3) : 0;
  const leasts = isSigned<Puts>() && leastsAt ? leastsAt + aside : 0;
  const greatests = isSigned<Puts>() && greatestsAt ? greatestsAt + aside : 0;
  const rowCounts =
    isSigned<Puts>() && isSigned<Accepts>() && outCounts ? outCounts + (shift << 3) : 0;
  const windowsAt = outWindow;
  const windowsTo = outWindow + (shift << 3);
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  const sourcesAt = sources;
  const touchedAt = touchedRows;
  const idsAt = outId + (shift << 2);
  const opsAt = outOp + shift;
  const rowsAt = outRow + (shift << 2);
  const rowtimesAt = outRowtime + (shift << 3);
  const constants = vectors();
  const one = v128.load(constants, isFloat<T>() ? ONE_DOUBLE : ONE);
  const second = v128.load(constants, SECOND);
  const marked = v128.load(constants, TOUCHED);
  const kept = v128.load(constants, SEASONED);
  const nan = v128.load64_splat(constants, NAN);
  const rest = v128.load64_splat(constants, UNSIGNED);
  const times = rowtimes;
  const codes = ids;
  const slots = rowSlots;
  const others = argumentCount > 1 || otherCount > 0;
  let listed: u32 = touched << 2;
  let differs = i64x2.splat(0);
  let row = from;
  let value: usize = values + (from << width);
  let goesOn = true;
  while (goesOn) {
    for (; row < to; row++) {
      let slot: u32;
      if (isSigned<Accepts>()) {
        const code = load<u32>(codes + (row << 2));
        if (sizeof<Accepts>() == 8) {
          slot = load<u32>(slots + (row << 2));
          const start = load<u64>(windowsAt + (row << 3));
          store<u64>(isSigned<Puts>() ? windowsTo + (row << 3) : windowsAt + (listed << 1), start);
        } else {
          if (code > mask) break;
          slot = load<u32>(table + (code << 2));
        }
        const flags = load<u32>(slot, SLOT_FLAGS);
        if (sizeof<Accepts>() == 4) {
          // Of a row without a slot it is address 0, where no flag is.
          if ((flags & SLOT_CHANGED) == 0) break;
          if (others) store<u32>(slots + (row << 2), slot);
        }
        // The header in one go: beside the rowtime stands 0, which is not above the other half of it.
        const came = v128.load64_zero(times + (row << 3));
        const header = f64x2.pmax(v128.load(slot), came);
        const rows = load<i64>(slot, SLOT_ROWS) + 1;
        store<i64>(slot, rows, SLOT_ROWS);
        if (isSigned<Puts>()) {
          v128.store(slot, v128.and(header, kept));
          differs = v128.or(differs, v128.xor(header, came));
          store<u32>(rowsAt + (row << 2), row);
          store<u32>(idsAt + (row << 2), code);
          store<u8>(opsAt + row, flags & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
          v128.store_lane<f64>(rowtimesAt + (row << 3), header, 0);
          if (rowCounts) store<i64>(rowCounts + (row << 3), rows);
        } else {
          v128.store(slot, v128.or(header, marked));
          // Without a branch: whether a group was touched already is as good as random.
          store<u32>(sourcesAt + listed, slot);
          store<u32>(touchedAt + listed, row);
          listed += ~flags & SLOT_TOUCHED;
        }
      } else slot = load<u32>(slots + (row << 2));
      if (isFloat<T>()) value = values + (row << 3);
      let number: i64 = 0;
      if (!isFloat<T>()) number = width == 2 ? <i64>load<i32>(value) : load<i64>(value);
      if (sums != 0) {
        // The block of the first one stands where it always does.
        const at = isSigned<Accepts>() ? slot : slot + sums;
        let block = v128.load(at, isSigned<Accepts>() ? SLOT_BLOCKS : 0);
        if (isFloat<T>()) block = f64x2.add(block, v128.load_lane<f64>(value, one, 0));
        else block = i64x2.add(block, i64x2.replace_lane(one, 0, number));
        v128.store(at, block, isSigned<Accepts>() ? SLOT_BLOCKS : 0);
        if (totals) v128.store_lane<i64>(totals + value, block, 0);
        if (isFloat<T>()) {
          if (counts) store<i64>(counts + (row << 3), <i64>f64x2.extract_lane(block, 1));
          if (averages)
            store<f64>(
              averages + (row << 3),
              f64x2.extract_lane(block, 0) / f64x2.extract_lane(block, 1),
            );
        } else {
          if (counts) v128.store_lane<i64>(counts + (row << 3), block, 1);
          if (averages)
            store<f64>(
              averages + (row << 3),
              <f64>i64x2.extract_lane(block, 0) / <f64>i64x2.extract_lane(block, 1),
            );
        }
      }
      if (bounds != 0) {
        let keys: v128;
        if (isFloat<T>()) {
          // As `orderKey`, in both halves.
          const loaded = v128.load64_splat(value);
          const bits = v128.bitselect(loaded, nan, f64x2.eq(loaded, loaded));
          const below = v128.gt<i64>(i64x2.splat(0), bits);
          keys = v128.xor(bits, v128.and(below, rest));
        } else keys = i64x2.splat(number);
        keys = v128.xor(keys, second);
        const at = slot + bounds;
        let block = v128.load(at);
        block = v128.bitselect(keys, block, v128.gt<i64>(block, keys));
        v128.store(at, block);
        if (isSigned<Puts>()) {
          block = v128.xor(block, second);
          if (isFloat<T>()) {
            const below = v128.gt<i64>(i64x2.splat(0), block);
            block = v128.xor(block, v128.and(below, rest));
          }
          if (leasts) v128.store_lane<i64>(leasts + value, block, 0);
          if (greatests) v128.store_lane<i64>(greatests + value, block, 1);
        }
      }
      if (!isFloat<T>()) value += step;
    }
    if (isSigned<Accepts>() && sizeof<Accepts>() == 4)
      goesOn = row < to && makeReady(pane, load<u32>(codes + (row << 2)));
    else goesOn = false;
  }
  if (isSigned<Accepts>()) noteSpan(listed >> 2, i64x2.extract_lane(differs, 0) != 0);
  return row;
}

function foldOf<T extends number>(
  accepts: bool,
  argument: u32,
  pane: u32,
  from: u32,
  to: u32,
  out: u32,
): u32 {
  if (rowOutput) {
    if (accepts)
      return pane == 0
        ? fold<T, Mixed, Yes>(argument, 0, from, to, out)
        : fold<T, Yes, Yes>(argument, pane, from, to, out);
    return fold<T, No, Yes>(argument, pane, from, to, out);
  }
  if (accepts)
    return pane == 0
      ? fold<T, Mixed, No>(argument, 0, from, to, out)
      : fold<T, Yes, No>(argument, pane, from, to, out);
  return fold<T, No, No>(argument, pane, from, to, out);
}

/** Folds all arguments; where it `accepts`, rows are accepted with the first one, or without any. @returns where it stops */
export function foldArguments(accepts: bool, pane: u32, from: u32, to: u32, out: u32): u32 {
  let stop = to;
  for (let a: u32 = 0; a < argumentCount; a++) {
    // No aggregate need have it.
    if ((sumsOf(a) | boundsOf(a)) == 0) continue;
    if (typeOf(a) == TYPE_F64) stop = foldOf<f64>(accepts, a, pane, from, stop, out);
    else stop = foldOf<i64>(accepts, a, pane, from, stop, out);
    accepts = false;
  }
  // Without any argument it is as one that no aggregate has.
  return accepts ? foldOf<f64>(true, 0, pane, from, stop, out) : stop;
}
