// Folds rows that all lie in one open window, for output by groups, in one loop for each kind of argument: nothing is asked for each row that is
// the same for all of them. Has no exports of the module: rows.ts calls it where it is compiled in.

import { RESULT_LATE, TYPE_F64, TYPE_I32 } from './abi';
import { setTouched, touched } from './accept';
import { NAN_BITS } from './aggregate';
import {
  argumentColumn,
  ids,
  outWindow,
  result,
  rowSlots,
  rowtimes,
  sources,
  touchedRows,
} from './buffers';
import { entryCount } from './dictionary';
import {
  addChange,
  addDirect,
  groupsOf,
  hasRoom,
  PANE_MASK,
  PANE_TABLE,
  SLOT_CHANGED,
  SLOT_TOUCHED,
} from './pane';
import {
  argumentCount,
  boundsOf,
  slotBytes,
  SLOT_FLAGS,
  sumsOf,
  tailOffset,
  typeOf,
} from './program';

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
// @ts-ignore: decorator
@global
function newSlot(pane: u32, id: u32): u32 {
  if (id >= entryCount() || !hasRoom(pane, id)) return 0;
  return addDirect(pane, id);
}

/**
 * Folds one argument of rows. With `accepts` it is the first one: slots are found, or made, and brought up to date but for the arguments, and
 * groups are listed; else the slots stand there from the first. All that is asked before the loop is known where this is compiled.
 * @returns where it stops, because a row has no slot
 */
// @ts-ignore: decorator
@inline
function fold<T extends number>(
  accepts: bool,
  hasSums: bool,
  hasBounds: bool,
  argument: u32,
  pane: u32,
  from: u32,
  to: u32,
): u32 {
  const sums = hasSums ? sumsOf(argument) : 0;
  const bounds = hasBounds ? boundsOf(argument) : 0;
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  const tail = tailOffset;
  const sourcesAt = sources;
  const touchedAt = touchedRows;
  const aside = f64x2.splat(NaN);
  const marked = i32x4(0, 0, 0, SLOT_TOUCHED);
  let value = hasSums || hasBounds ? argumentColumn(argument) + from * sizeof<T>() : 0;
  let time = rowtimes + (from << 3);
  let id = ids + (from << 2);
  let slots = rowSlots + (from << 2);
  let listed: u32 = touched << 2;
  let row = from;
  for (; row < to; row++) {
    let slot: u32;
    if (accepts) {
      const code = load<u32>(id);
      if (code > mask) break;
      slot = load<u32>(table + (code << 2));
      if (slot == 0) {
        slot = newSlot(pane, code);
        if (slot == 0) break;
      }
      store<u32>(slots, slot);
      const flags = load<u32>(slot, SLOT_FLAGS);
      if ((flags & SLOT_CHANGED) == 0) addChange(pane, slot);
      // The header in one go: a NaN beside the rowtime keeps the other half of it as it is.
      const header = f64x2.pmax(v128.load(slot), v128.load_lane<f64>(time, aside, 0));
      v128.store(slot, v128.or(header, marked));
      store<i64>(slot + tail, load<i64>(slot + tail) + 1);
      // Without a branch: whether a group was touched already is as good as random.
      store<u32>(sourcesAt + listed, slot);
      store<u32>(touchedAt + listed, row);
      listed += ~flags & SLOT_TOUCHED;
      id += 4;
      time += 8;
    } else slot = load<u32>(slots);
    slots += 4;
    if (hasSums) {
      let block = v128.load(slot + sums);
      if (isFloat<T>()) block = f64x2.add(block, v128.load_lane<f64>(value, f64x2(0, 1), 0));
      else if (sizeof<T>() == 8)
        block = i64x2.add(block, v128.load_lane<i64>(value, i64x2(0, 1), 0));
      else block = i64x2.add(block, i64x2.replace_lane(i64x2(0, 1), 0, <i64>load<i32>(value)));
      v128.store(slot + sums, block);
    }
    if (hasBounds) {
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
      const block = v128.load(slot + bounds);
      v128.store(slot + bounds, v128.bitselect(keys, block, v128.gt<i64>(block, keys)));
    }
    value += sizeof<T>();
  }
  if (accepts) setTouched(listed >> 2);
  return row;
}

function foldOf<T extends number>(
  accepts: bool,
  argument: u32,
  pane: u32,
  from: u32,
  to: u32,
): u32 {
  const hasSums = sumsOf(argument) != 0;
  const hasBounds = boundsOf(argument) != 0;
  if (accepts) {
    if (!hasBounds) return fold<T>(true, true, false, argument, pane, from, to);
    if (!hasSums) return fold<T>(true, false, true, argument, pane, from, to);
    return fold<T>(true, true, true, argument, pane, from, to);
  }
  if (!hasBounds) return fold<T>(false, true, false, argument, pane, from, to);
  if (!hasSums) return fold<T>(false, false, true, argument, pane, from, to);
  return fold<T>(false, true, true, argument, pane, from, to);
}

/**
 * Folds rows `from` to `to`, all of the window of a pane that has a place for each id and stays open throughout. No argument has nulls.
 * Stops before a row that it cannot take in, and returns where.
 */
// @ts-ignore: decorator
@global
function foldSpan(pane: u32, window: f64, from: u32, to: u32): u32 {
  const before = touched;
  let stop = to;
  let accepts = true;
  if (groupsOf(pane) * slotBytes > NEAR_BYTES) approach(pane, from, to);
  for (let a: u32 = 0; a < argumentCount; a++) {
    // No aggregate need have it.
    if ((sumsOf(a) | boundsOf(a)) == 0) continue;
    const type = typeOf(a);
    if (type == TYPE_F64) stop = foldOf<f64>(accepts, a, pane, from, stop);
    else if (type == TYPE_I32) stop = foldOf<i32>(accepts, a, pane, from, stop);
    else stop = foldOf<i64>(accepts, a, pane, from, stop);
    accepts = false;
  }
  if (accepts) stop = fold<f64>(true, false, false, 0, pane, from, stop);
  const end = outWindow + (touched << 3);
  for (let at = outWindow + (before << 3); at < end; at += 8) store<f64>(at, window);
  return stop;
}
