// Folds rows of one open window, or of several, in one loop for each kind of argument and output; for whole kernels.

import { OP_INSERT, OP_UPDATE_AFTER, RESULT_LATE, TYPE_F64, TYPE_I32 } from './abi';
import { noteSpan, touched } from './accept';
import { NAN_BITS } from './aggregate';
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
  SLOT_FLAGS,
  SLOT_ID,
  sumsOf,
  tailOffset,
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

/** Slots of more bytes do not stay near from one batch to the next. */
const NEAR_BYTES: u32 = 1 << 20;

/** Brings the slots of rows near, side by side: nothing here waits for one of them. */
function approach(pane: u32, from: u32, to: u32): void {
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  const tail = tailOffset;
  let all: u32 = 0;
  const end = ids + (to << 2);
  for (let at = ids + (from << 2); at < end; at += 4) {
    // Of a row without a slot it is address 0.
    const slot = load<u32>(table + ((load<u32>(at) & mask) << 2));
    // A slot lies in one line of the cache or in two.
    all |= load<u32>(slot, SLOT_FLAGS) | load<u32>(slot + tail);
  }
  // Loads that nothing uses might be dropped; RESULT_LATE is written at the end of the batch.
  store<u32>(result, all, RESULT_LATE);
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

/**
 * Folds one argument of rows. Where it `Accepts` it is the first one: slots are found, or made, and brought up to date but for the arguments, and
 * groups are listed; else the slots stand there from the first. Where it accepts `Mixed` rows none is late, and windows are listed too. Where it `Puts`
 * every row is put out, the first at `out`.
 * @returns where it stops, because a row has no slot
 */
function fold<T extends number, Accepts, Puts, Sums, Bounds>(
  argument: u32,
  pane: u32,
  from: u32,
  to: u32,
  out: u32,
): u32 {
  const sums = isSigned<Sums>() ? sumsOf(argument) : 0;
  const bounds = isSigned<Bounds>() ? boundsOf(argument) : 0;
  if (isSigned<Puts>() && (isSigned<Sums>() || isSigned<Bounds>())) findColumns(argument);
  const counts = isSigned<Puts>() && isSigned<Sums>() ? countsAt : 0;
  const totals = isSigned<Puts>() && isSigned<Sums>() ? sumsAt : 0;
  const averages = isSigned<Puts>() && isSigned<Sums>() ? averagesAt : 0;
  const leasts = isSigned<Puts>() && isSigned<Bounds>() ? leastsAt : 0;
  const greatests = isSigned<Puts>() && isSigned<Bounds>() ? greatestsAt : 0;
  const windowsAt = outWindow;
  const panesAt = paneTable;
  const panesMask = paneMask;
  const rowCounts = isSigned<Puts>() && isSigned<Accepts>() ? outCounts : 0;
  // Integers of 32 bits are the low halves of theirs, as in aggregate.ts.
  const width: u32 = sizeof<T>() == 4 ? 2 : 3;
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  const tail = tailOffset;
  const sourcesAt = sources;
  const touchedAt = touchedRows;
  const idsAt = outId;
  const opsAt = outOp;
  const rowsAt = outRow;
  const rowtimesAt = outRowtime;
  const aside = f64x2.splat(NaN);
  const marked = i32x4(0, 0, 0, SLOT_TOUCHED);
  const kept = i32x4(-1, -1, -1, ~SLOT_FRESH);
  let value =
    isSigned<Sums>() || isSigned<Bounds>() ? argumentColumn(argument) + from * sizeof<T>() : 0;
  let time = rowtimes + (from << 3);
  let id = ids + (from << 2);
  let slots = rowSlots + (from << 2);
  const others = argumentCount > 1 || otherCount > 0;
  let listed: u32 = touched << 2;
  let differs = i64x2.splat(0);
  let next = out;
  let row = from;
  for (; row < to; row++) {
    let slot: u32;
    if (isSigned<Accepts>()) {
      const code = load<u32>(id);
      if (sizeof<Accepts>() == 8) {
        pane = load<u32>(panesAt + ((load<u32>(slots) & panesMask) << 2));
        const start = load<u64>(windowsAt + (row << 3));
        if (pane == 0 || load<u64>(pane, PANE_START) != start) break;
        slot = likelySlot(pane, code);
        if (slot == 0 || load<u32>(slot, SLOT_ID) != code) {
          slot = slotOf(pane, code);
          if (slot == 0) break;
        }
        store<u32>(slots, slot);
        store<u64>(windowsAt + (isSigned<Puts>() ? next << 3 : listed << 1), start);
      } else {
        if (code > mask) break;
        slot = load<u32>(table + (code << 2));
        if (slot == 0) {
          slot = newSlot(pane, code);
          if (slot == 0) break;
        }
        if (others) store<u32>(slots, slot);
      }
      const flags = load<u32>(slot, SLOT_FLAGS);
      if ((flags & SLOT_CHANGED) == 0) addChange(pane, slot);
      // The header in one go: a NaN beside the rowtime keeps the other half of it as it is.
      const came = v128.load_lane<f64>(time, aside, 0);
      const header = f64x2.pmax(v128.load(slot), came);
      const rows = load<i64>(slot + tail) + 1;
      store<i64>(slot + tail, rows);
      if (isSigned<Puts>()) {
        v128.store(slot, v128.and(header, kept));
        differs = v128.or(differs, v128.xor(header, came));
        store<u32>(rowsAt + (next << 2), row);
        store<u32>(idsAt + (next << 2), code);
        store<u8>(opsAt + next, flags & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
        v128.store_lane<f64>(rowtimesAt + (next << 3), header, 0);
        if (rowCounts) store<i64>(rowCounts + (next << 3), rows);
      } else {
        v128.store(slot, v128.or(header, marked));
        // Without a branch: whether a group was touched already is as good as random.
        store<u32>(sourcesAt + listed, slot);
        store<u32>(touchedAt + listed, row);
        listed += ~flags & SLOT_TOUCHED;
      }
      id += 4;
      time += 8;
    } else slot = load<u32>(slots);
    slots += 4;
    if (isSigned<Sums>()) {
      let block = v128.load(slot + sums);
      if (isFloat<T>()) block = f64x2.add(block, v128.load_lane<f64>(value, f64x2(0, 1), 0));
      else if (sizeof<T>() == 8)
        block = i64x2.add(block, v128.load_lane<i64>(value, i64x2(0, 1), 0));
      else block = i64x2.add(block, i64x2.replace_lane(i64x2(0, 1), 0, <i64>load<i32>(value)));
      v128.store(slot + sums, block);
      if (totals) v128.store_lane<i64>(totals + (next << width), block, 0);
      if (isFloat<T>()) {
        if (counts) store<i64>(counts + (next << 3), <i64>f64x2.extract_lane(block, 1));
        if (averages)
          store<f64>(
            averages + (next << 3),
            f64x2.extract_lane(block, 0) / f64x2.extract_lane(block, 1),
          );
      } else {
        if (counts) v128.store_lane<i64>(counts + (next << 3), block, 1);
        if (averages)
          store<f64>(
            averages + (next << 3),
            <f64>i64x2.extract_lane(block, 0) / <f64>i64x2.extract_lane(block, 1),
          );
      }
    }
    if (isSigned<Bounds>()) {
      let keys: v128;
      if (isFloat<T>()) {
        // As `orderKey`, in both halves.
        const loaded = v128.load64_splat(value);
        const bits = v128.bitselect(loaded, i64x2.splat(NAN_BITS), f64x2.eq(loaded, loaded));
        const below = v128.gt<i64>(i64x2.splat(0), bits);
        keys = v128.xor(bits, v128.and(below, i64x2.splat(i64.MAX_VALUE)));
      } else if (sizeof<T>() == 8) keys = v128.load64_splat(value);
      else keys = i64x2.splat(<i64>load<i32>(value));
      keys = v128.xor(keys, i64x2(0, -1));
      let block = v128.load(slot + bounds);
      block = v128.bitselect(keys, block, v128.gt<i64>(block, keys));
      v128.store(slot + bounds, block);
      if (isSigned<Puts>()) {
        block = v128.xor(block, i64x2(0, -1));
        if (isFloat<T>()) {
          const below = v128.gt<i64>(i64x2.splat(0), block);
          block = v128.xor(block, v128.and(below, i64x2.splat(i64.MAX_VALUE)));
        }
        if (leasts) v128.store_lane<i64>(leasts + (next << width), block, 0);
        if (greatests) v128.store_lane<i64>(greatests + (next << width), block, 1);
      }
    }
    next += 1;
    value += sizeof<T>();
  }
  if (isSigned<Accepts>()) noteSpan(listed >> 2, i64x2.extract_lane(differs, 0) != 0);
  return row;
}

function foldBlocks<T extends number, Accepts, Puts>(
  argument: u32,
  pane: u32,
  from: u32,
  to: u32,
  out: u32,
): u32 {
  if (boundsOf(argument) == 0)
    return fold<T, Accepts, Puts, Yes, No>(argument, pane, from, to, out);
  if (sumsOf(argument) == 0) return fold<T, Accepts, Puts, No, Yes>(argument, pane, from, to, out);
  return fold<T, Accepts, Puts, Yes, Yes>(argument, pane, from, to, out);
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
    if (accepts) return foldBlocks<T, Yes, Yes>(argument, pane, from, to, out);
    return foldBlocks<T, No, Yes>(argument, pane, from, to, out);
  }
  if (accepts) return foldBlocks<T, Yes, No>(argument, pane, from, to, out);
  return foldBlocks<T, No, No>(argument, pane, from, to, out);
}

/** Folds all arguments; where it `accepts`, rows are accepted with the first one, or without any. @returns where it stops */
function foldArguments(accepts: bool, pane: u32, from: u32, to: u32, out: u32): u32 {
  let stop = to;
  for (let a: u32 = 0; a < argumentCount; a++) {
    // No aggregate need have it.
    if ((sumsOf(a) | boundsOf(a)) == 0) continue;
    const type = typeOf(a);
    if (type == TYPE_F64) stop = foldOf<f64>(accepts, a, pane, from, stop, out);
    else if (type == TYPE_I32) stop = foldOf<i32>(accepts, a, pane, from, stop, out);
    else stop = foldOf<i64>(accepts, a, pane, from, stop, out);
    accepts = false;
  }
  if (accepts && rowOutput) stop = fold<f64, Yes, Yes, No, No>(0, pane, from, stop, out);
  else if (accepts) stop = fold<f64, Yes, No, No, No>(0, pane, from, stop, out);
  return stop;
}

/**
 * Folds rows `from` to `to`, all of the window of a pane that has a place for each id and stays open throughout. No argument has nulls. By rows the
 * first is put out at `out`. Stops before a row that it cannot take in, and returns where.
 */
export function foldSpan(pane: u32, window: f64, from: u32, to: u32, out: u32): u32 {
  let first = touched;
  if (groupsOf(pane) * slotBytes > NEAR_BYTES) approach(pane, from, to);
  const stop = foldArguments(true, pane, from, to, out);
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
 * As `foldSpan`, of rows whose windows have been found. Stops before a row whose window has no pane, too.
 */
export function foldMixed(from: u32, to: u32, out: u32): u32 {
  const stop = rowOutput
    ? fold<f64, Mixed, Yes, No, No>(0, 0, from, to, out)
    : fold<f64, Mixed, No, No, No>(0, 0, from, to, out);
  foldArguments(false, 0, from, stop, out);
  return stop;
}
