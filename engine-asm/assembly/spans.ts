// Rows of one open window, or of several, on their way to be folded together; for whole kernels.

import { RESULT_LATE } from './abi';
import { touched } from './accept';
import { argumentColumn, ids, outWindow, result, rowSlots, rowtimes, selection } from './buffers';
import { gatherOrigins } from './by-offset';
import { addChange } from './changes';
import { entryCount } from './dictionary';
import { foldArguments } from './fold';
import { addMissing, findSlot, groupsOf, likelySlot, makeSlot } from './pane';
import { PANE_MASK, PANE_START, PANE_TABLE, SLOT_CHANGED } from './pane-layout';
import {
  SLOT_FLAGS,
  SLOT_ID,
  advanceMs,
  argumentCount,
  rowOutput,
  slotBytes,
  widthOf,
} from './program';
import { isClosed, paneMask, paneTable } from './window';

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
  let codes: u32 = 0;
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
    codes |= code;
    store<u32>(missing + count, code);
    count += (<u32>(slot == 0)) << 2;
  }
  // Loads that nothing uses might be dropped; RESULT_LATE is written at the end of the batch.
  store<u32>(result, all, RESULT_LATE);
  // Where a row might need a larger table it may be the last one that the batch takes in, and no group of a row behind it may be there.
  if (codes <= mask) addMissing(pane, missing, missing + count);
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
      // Both halves at once: the id, and SLOT_CHANGED, which is the lowest bit of the flags.
      if (load<u64>(slot, SLOT_ID) << 31 != ((<u64>code) << 31) + ((<u64>1) << 63)) break;
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
