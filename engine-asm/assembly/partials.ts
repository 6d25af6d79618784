// Folds rows of hopping windows that have a group and all windows in common into one partial, and that into the windows; for whole kernels.

import { FUNCTION_AVG, FUNCTION_SUM, ID_NULL, ROWTIME_MAX, TYPE_F64 } from './abi';
import { noteSpan, touched } from './accept';
import { foldRows } from './aggregate';
import { allocate } from './arena';
import {
  ids,
  outLate,
  outLateWindows,
  outRow,
  outWindow,
  panes,
  rowSlots,
  rowtimes,
  selection,
  sources,
  touchedRows,
} from './buffers';
import { addChange } from './changes';
import { entryCount } from './dictionary';
import { closed, findHopSlots, sliceStart, startOfHop, turnToHops, windows } from './hops';
import { SLOT_CHANGED, SLOT_TOUCHED } from './pane-layout';
import {
  aggregateCount,
  argumentOf,
  emptyBlocks,
  functionOf,
  otherCount,
  rowOutput,
  rowsMax,
  SLOT_FLAGS,
  SLOT_ID,
  SLOT_ROWS,
  slotBytes,
  SLOT_ROWTIME,
  typeOf,
  windowsMax,
} from './program';
import { mergeSlot } from './session-merge';

// Rows of one group between the same window boundaries come to the same windows. So they are folded once, into a slot of no window, and that one into
// each of their windows: what they cost does not grow with the windows. For what is the same however it is put together: no sums of DOUBLE, nothing by offset.
//
//   partial  [f64 start of the slice][u32 closed windows][u32 its windows' slots] slot     the slot's rowtime and COUNT(*) are those of its rows
//   place    [u32 partial]                                                                  by hash of slice and id, at most half of them taken
//   slots    [u32 slot]...                                                                  of all partials, one after the other
const PARTIAL_CLOSED: u32 = 8;
const PARTIAL_SLOTS: u32 = 12;
const PARTIAL_FRONT_BYTES: u32 = 16;
const PARTIALS_MAX: u32 = 1024;
const PLACES: u32 = PARTIALS_MAX << 1;
const HASH_SHIFT: u32 = 53;
const MIX: u64 = 0x9e3779b97f4a7c15;
/** Slots of windows that all partials together have at most, unless one row has more. */
const SLOTS_MAX: u32 = 16384;
/** Where too few rows had a partial in common, so many times as many rows go by before it is tried again. */
const REST_FACTOR: u32 = 16;

let partials: u32 = 0;
let places: usize = 0;
let slots: u32 = 0;
let slotsMax: u32 = 0;
let resting: u32 = 0;

/** What the last `foldPartials` made of the state of the batch: stream time, rows listed as late, and rows that have no group or rowtime. */
export let reached: f64 = 0;
export let lateCount: u32 = 0;
export let invalidCount: u32 = 0;

/** Once, at init; false when memory does not suffice. */
export function openPartials(): bool {
  if (windowsMax == 1 || rowOutput || otherCount != 0) return true;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const called = functionOf(g);
    if ((called == FUNCTION_SUM || called == FUNCTION_AVG) && typeOf(argumentOf(g)) == TYPE_F64)
      return true;
  }
  slotsMax = max(SLOTS_MAX, windowsMax);
  slots = allocate(slotsMax << 2);
  places = allocate(PLACES << 2);
  partials = allocate(PARTIALS_MAX * partialBytes());
  return slots != 0 && places != 0 && partials != 0;
}

function partialBytes(): u32 {
  return (PARTIAL_FRONT_BYTES + slotBytes + 15) & ~15;
}

/** True where rows are to go to `foldPartials`. `rows`: so many rows may go another way otherwise. */
export function sharesPanes(rows: u32): bool {
  if (partials == 0) return false;
  if (resting == 0) return true;
  resting -= min(resting, rows);
  return false;
}

/** Lists the slots of a new partial as touched by a row. */
function listSlots(from: u32, row: u32): void {
  let next = touched;
  for (let w = closed, at = from; w < windows; w++, at += 4) {
    const slot = load<u32>(at);
    if ((load<u32>(slot, SLOT_FLAGS) & SLOT_CHANGED) == 0)
      addChange(load<u32>(panes + (w << 2)), slot);
    const flags = load<u32>(slot, SLOT_FLAGS);
    if ((flags & SLOT_TOUCHED) != 0) continue;
    store<u32>(slot, flags | SLOT_TOUCHED, SLOT_FLAGS);
    store<u32>(sources + (next << 2), slot);
    store<u32>(touchedRows + (next << 2), row);
    store<f64>(outWindow + (next << 3), startOfHop(w));
    next += 1;
  }
  noteSpan(next, true);
}

/**
 * Takes in rows from number `from` on (`selected`: their positions stand in the selection), in order, as one after the other in all hopping windows that hold
 * each: touched groups are listed in the order in which rows come to them. `now` is stream time before, `late` how many rows have been listed as late.
 * @returns where it stops: before a row that finds no memory, or whose windows might not find room in the output, or for which there is no room here
 */
export function foldPartials(
  from: u32,
  count: u32,
  selected: bool,
  withNulls: u32,
  now: f64,
  late: u32,
): u32 {
  const known = entryCount();
  const bytes = partialBytes();
  const last = partials + (PARTIALS_MAX - 1) * bytes;
  const slotsEnd = slots + (slotsMax << 2);
  memory.fill(places, 0, PLACES << 2);
  let next = partials;
  let nextSlots = slots;
  let rows: u32 = 0;
  let invalid: u32 = 0;
  let i = from;
  for (; i < count; i++) {
    const row = selected ? load<u32>(selection + (i << 2)) : i;
    const id = load<u32>(ids + (row << 2));
    const time = load<f64>(rowtimes + (row << 3));
    if (!(id < known && time >= 0 && time <= <f64>ROWTIME_MAX)) {
      invalid += <u32>(id != <u32>ID_NULL);
      continue;
    }
    const latest = time > now ? time : now;
    turnToHops(time, latest);
    if (closed < windows) {
      let place = <u32>(((reinterpret<u64>(sliceStart) ^ <u64>id) * MIX) >> HASH_SHIFT);
      let partial = load<u32>(places + (place << 2));
      while (
        partial != 0 &&
        !(
          load<u32>(partial, PARTIAL_FRONT_BYTES + SLOT_ID) == id &&
          load<f64>(partial) == sliceStart &&
          load<u32>(partial, PARTIAL_CLOSED) == closed
        )
      ) {
        place = (place + 1) & (PLACES - 1);
        partial = load<u32>(places + (place << 2));
      }
      if (partial == 0) {
        const bytesOfSlots = (windows - closed) << 2;
        if (next > last || nextSlots + bytesOfSlots > slotsEnd || touched > rowsMax - windowsMax)
          break;
        if (!findHopSlots(id, nextSlots)) break;
        listSlots(nextSlots, row);
        partial = next;
        next += bytes;
        store<f64>(partial, sliceStart);
        store<u32>(partial, closed, PARTIAL_CLOSED);
        nextSlots += bytesOfSlots;
        store<u32>(partial, nextSlots, PARTIAL_SLOTS);
        store<f64>(partial, 0, PARTIAL_FRONT_BYTES + SLOT_ROWTIME);
        store<u32>(partial, id, PARTIAL_FRONT_BYTES + SLOT_ID);
        emptyBlocks(partial + PARTIAL_FRONT_BYTES);
        store<u32>(places + (place << 2), partial);
      }
      const slot = partial + PARTIAL_FRONT_BYTES;
      store<f64>(slot, max(load<f64>(slot, SLOT_ROWTIME), time), SLOT_ROWTIME);
      store<i64>(slot, load<i64>(slot, SLOT_ROWS) + 1, SLOT_ROWS);
      store<u32>(rowSlots + (rows << 2), slot);
      store<u32>(outRow + (rows << 2), row);
      rows += 1;
    }
    now = latest;
    if (closed > 0) {
      store<u32>(outLate + (late << 2), row);
      store<u32>(outLateWindows + (late << 2), closed);
      late += 1;
    }
  }
  foldRows(0, rows, withNulls);
  let at: usize = slots;
  for (let partial = partials; partial < next; partial += bytes) {
    const slot = partial + PARTIAL_FRONT_BYTES;
    const rowtime = load<f64>(slot, SLOT_ROWTIME);
    for (const end: usize = load<u32>(partial, PARTIAL_SLOTS); at < end; at += 4) {
      const into: usize = load<u32>(at);
      store<f64>(into, max(load<f64>(into, SLOT_ROWTIME), rowtime), SLOT_ROWTIME);
      mergeSlot(into, slot);
    }
  }
  // A row takes about as long here as in one window.
  const made = (next - partials) / bytes;
  if ((rows - made) * windowsMax < rows) resting = (i - from) * REST_FACTOR;
  reached = now;
  lateCount = late;
  invalidCount = invalid;
  return i;
}
