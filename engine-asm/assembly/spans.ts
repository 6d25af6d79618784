// Folds rows of one open window, or of several, in one loop for each kind of argument and output; for whole kernels.

import { OP_INSERT, OP_UPDATE_AFTER, RESULT_LATE, TYPE_F64 } from './abi';
import { noteSpan, touched } from './accept';
import { gatherOrigins } from './by-offset';
import {
  argumentColumn,
  ids,
  outCounts,
  outId,
  outOp,
  outRow,
  outRowtime,
  outWindow,
  result,
  rowSlots,
  rowtimes,
  selection,
  sources,
  touchedRows,
} from './buffers';
import { entryCount } from './dictionary';
import {
  addChange,
  addDirect,
  addMissing,
  findSlot,
  groupsOf,
  hasRoom,
  likelySlot,
  makeSlot,
  PANE_MASK,
  PANE_START,
  PANE_TABLE,
  SLOT_CHANGED,
  SLOT_FRESH,
  SLOT_TOUCHED,
} from './pane';
import {
  advanceMs,
  argumentCount,
  boundsOf,
  otherCount,
  rowOutput,
  slotBytes,
  SLOT_BLOCKS,
  SLOT_FLAGS,
  SLOT_ID,
  SLOT_ROWS,
  sumsOf,
  typeOf,
  widthOf,
} from './program';
import {
  columnOf,
  READER_AVG,
  READER_COUNT,
  READER_MAX,
  READER_MIN,
  READER_SUM,
  readerOf,
} from './results';
import { isClosed, paneMask, paneTable } from './window';

// What a loop does is said by types, so that nothing is asked for each row that is the same for all of them.
type Yes = i32;
type No = u32;
/** Yes, and each row may be of another window. */
type Mixed = i64;

/** So many new groups among PART_ROWS rows make it likely that the next ones bring many too. */
const MANY_NEW: u32 = 16;
/** The pane that a part was folded into last, and how many groups it had before. */
let lastPane: u32 = 0;
let lastGroups: u32 = 0;

/** Slots of more bytes do not stay near from one batch to the next. */
const NEAR_BYTES: u32 = 1 << 20;

/**
 * Brings the slots of rows near, side by side, and makes those that are missing. Nothing waits for one of them: what is far away and whether it is
 * there at all is not asked in one loop, because what has been guessed wrong is known only when it has come.
 */
function approach(pane: u32, from: u32, to: u32): void {
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  const last = slotBytes - 8;
  // What stands there by row is written later.
  const missing = rowSlots + (from << 2);
  let count: u32 = 0;
  let all: u32 = 0;
  const end = ids + (to << 2);
  for (let at = ids + (from << 2); at < end; at += 4)
    all |= load<u32>(table + ((load<u32>(at) & mask) << 2));
  for (let at = ids + (from << 2); at < end; at += 4) {
    const code = load<u32>(at);
    // Of a row without a slot it is address 0.
    const slot = load<u32>(table + ((code & mask) << 2));
    // A slot lies in one line of the cache or in two.
    all |= load<u32>(slot, SLOT_FLAGS) | load<u32>(slot + last);
    store<u32>(missing + count, code);
    count += (<u32>(slot == 0)) << 2;
  }
  // Loads that nothing uses might be dropped; RESULT_LATE is written at the end of the batch.
  store<u32>(result, all, RESULT_LATE);
  addMissing(pane, missing, missing + count);
}

/** Makes the slot of a row that has none; 0 where there is no room for it at hand, or the row has no group. */
export function newSlot(pane: u32, id: u32): u32 {
  if (id >= entryCount() || !hasRoom(pane, id)) return 0;
  return addDirect(pane, id);
}

/** The slot of a row's group, made where there is none; 0 as `newSlot`. */
function slotOf(pane: u32, id: u32): u32 {
  const slot = findSlot(pane, id);
  if (slot != 0 || id >= entryCount()) return slot;
  return makeSlot(pane, id);
}

/** Brings the arguments of the selected rows to the front: the selection ascends. */
export function gatherArguments(count: u32): void {
  const rows = selection;
  gatherOrigins(rows, count);
  for (let a: u32 = 0; a < argumentCount; a++) {
    const column = argumentColumn(a);
    if (widthOf(a) == 4) {
      for (let i: u32 = 0; i < count; i++)
        store<u32>(column + (i << 2), load<u32>(column + (load<u32>(rows + (i << 2)) << 2)));
    } else {
      for (let i: u32 = 0; i < count; i++)
        store<u64>(column + (i << 3), load<u64>(column + (load<u32>(rows + (i << 2)) << 3)));
    }
  }
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

/** Vectors that all rows are taken with. What the engine is not told it loads once and keeps; constants it makes anew for each row. */
const VECTOR_ONE_DOUBLE: u32 = 0;
const VECTOR_ONE: u32 = 16;
const VECTOR_NAN: u32 = 32;
const VECTOR_REST: u32 = 48;
const VECTOR_SECOND: u32 = 64;
const VECTOR_TOUCHED: u32 = 80;
const VECTOR_SEASONED: u32 = 96;
function vectors(): usize {
  return memory.data<i64>(
    [
      0, 0x3ff0000000000000, 0, 1, 0x7ff8000000000000, 0x7ff8000000000000, 0x7fffffffffffffff,
      0x7fffffffffffffff, 0, -1, 0, 0x400000000, -1, -0x100000001,
    ],
    16,
  );
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
  const one = v128.load(vectors(), isFloat<T>() ? VECTOR_ONE_DOUBLE : VECTOR_ONE);
  const nan = v128.load(vectors(), VECTOR_NAN);
  const rest = v128.load(vectors(), VECTOR_REST);
  const second = v128.load(vectors(), VECTOR_SECOND);
  const marked = v128.load(vectors(), VECTOR_TOUCHED);
  const kept = v128.load(vectors(), VECTOR_SEASONED);
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
function foldArguments(accepts: bool, pane: u32, from: u32, to: u32, out: u32): u32 {
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

/**
 * Folds rows `from` to `to`, all of the window of a pane that has a place for each id and stays open throughout. No argument has nulls. By rows the
 * first is put out at `out`. Stops before a row that it cannot take in, and returns where.
 */
export function foldSpan(pane: u32, window: f64, from: u32, to: u32, out: u32): u32 {
  let first = touched;
  const groups = groupsOf(pane);
  if (pane != lastPane || groups - lastGroups >= MANY_NEW || groups * slotBytes > NEAR_BYTES)
    approach(pane, from, to);
  const stop = foldArguments(true, pane, from, to, out);
  lastPane = pane;
  lastGroups = groups;
  let last = touched;
  if (rowOutput) {
    first = out;
    last = out + stop - from;
  }
  const end = outWindow + (last << 3);
  for (let at = outWindow + (first << 3); at < end; at += 8) store<f64>(at, window);
  return stop;
}

/**
 * Finds the windows of rows `from` to `to` (tumbling ones): their starts stand in `outWindow` and their numbers in `rowSlots` then, by row.
 * @returns stream time after them; NaN: a row might be late or have no window
 */
export function findWindows(from: u32, to: u32, now: f64): f64 {
  // Dividing takes long. A product may be the neighbour of the quotient, which the bounds tell.
  const advance = f64x2.splat(advanceMs);
  const perMs = f64x2.splat(1 / advanceMs);
  // Makes the low bits of a whole number up to 2^52 the low bits of a double.
  const lowBits = f64x2.splat(4503599627370496);
  let within = i64x2.splat(-1);
  let least = f64x2.splat(Infinity);
  let greatest = f64x2.splat(now);
  for (let row = from; row < to; row += 2) {
    // The last of an odd number of rows is looked at twice; what is written behind it has a place, and nobody reads it.
    const at = rowtimes + (row << 3);
    const times = row + 1 < to ? v128.load(at) : v128.load64_splat(at);
    const numbers = f64x2.floor(f64x2.mul(times, perMs));
    const starts = f64x2.mul(numbers, advance);
    const ends = f64x2.add(starts, advance);
    within = v128.and(within, v128.and(f64x2.le(starts, times), f64x2.lt(times, ends)));
    least = f64x2.pmin(least, starts);
    greatest = f64x2.pmax(greatest, times);
    v128.store(outWindow + (row << 3), starts);
    const bits = f64x2.add(numbers, lowBits);
    v128.store64_lane(rowSlots + (row << 2), v128.shuffle<u32>(bits, bits, 0, 2, 0, 2), 0);
  }
  const first = min(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
  const reached = max(f64x2.extract_lane(greatest, 0), f64x2.extract_lane(greatest, 1));
  return i64x2.all_true(within) && first >= 0 && !isClosed(first, reached) ? reached : NaN;
}

/**
 * Finds the slots of rows whose windows have been found, or makes them, and changes of them; `rowSlots` holds them then. Returns where it stops: before a row
 * without a slot, or whose window has no pane. Nothing here waits for a slot.
 */
function findSlots(from: u32, to: u32): u32 {
  const panesAt = paneTable;
  const panesMask = paneMask;
  const windowsAt = outWindow;
  const codes = ids;
  const slots = rowSlots;
  let row = from;
  while (row < to) {
    for (; row < to; row++) {
      const pane = load<u32>(panesAt + ((load<u32>(slots + (row << 2)) & panesMask) << 2));
      const code = load<u32>(codes + (row << 2));
      if (load<u64>(pane, PANE_START) != load<u64>(windowsAt + (row << 3))) break;
      // Of no pane, and of one without the slot, it is address 0, where no flag is.
      const slot = likelySlot(pane, code);
      // Both halves at once: the id, and that it is a change.
      if (load<u64>(slot, SLOT_ID) << 30 != ((<u64>code) << 30) + ((<u64>1) << 63)) break;
      store<u32>(slots + (row << 2), slot);
    }
    if (row == to) break;
    const pane = load<u32>(panesAt + ((load<u32>(slots + (row << 2)) & panesMask) << 2));
    if (pane == 0 || load<u64>(pane, PANE_START) != load<u64>(windowsAt + (row << 3))) break;
    const slot = slotOf(pane, load<u32>(codes + (row << 2)));
    if (slot == 0) break;
    if ((load<u32>(slot, SLOT_FLAGS) & SLOT_CHANGED) == 0) addChange(pane, slot);
    store<u32>(slots + (row << 2), slot);
    row += 1;
  }
  return row;
}

/** As `foldSpan`, of rows whose windows have been found. Stops before a row whose window has no pane, too. */
export function foldMixed(from: u32, to: u32, out: u32): u32 {
  return foldArguments(true, 0, from, findSlots(from, to), out);
}
