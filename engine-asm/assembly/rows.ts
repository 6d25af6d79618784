// Finds each row's slot: null keys, stream time, lateness, window, group; knows no aggregate.

import {
  ID_NULL,
  RESULT_CONSUMED,
  RESULT_EMITTED,
  RESULT_INVALID,
  RESULT_LATE,
  RESULT_RISEN,
  ROWTIME_MAX,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import { acceptRows, forgetTouched, risen, touched } from './accept';
import { foldRows } from './aggregate';
import {
  ids,
  outLate,
  outLateWindows,
  outRow,
  outWindow,
  PART_ROWS,
  result,
  rowSlots,
  rowtimes,
  selection,
  touchedRows,
} from './buffers';
import { entryCount } from './dictionary';
import { newSlot } from './fold';
import { closed, findHopSlots, forgetHops, startOfHop, turnToHops, windows } from './hops';
import { foldOthers } from './others';
import { findSlot, isDirect, makeSlot } from './pane';
import { PANE_MASK, PANE_START, PANE_TABLE } from './pane-layout';
import {
  foldPartials,
  invalidCount,
  lateCount,
  reached as sharedReach,
  sharesPanes,
} from './partials';
import {
  advanceMs,
  graceMs,
  overTable,
  rowOutput,
  rowsMax,
  sizeMs,
  slotBytes,
  SLOT_FLAGS,
  windowed,
  windowsMax,
} from './program';
import { IS_WHOLE } from './whole';
import { acceptChanges, foldChanges } from './tables';
import { findWindows, foldMixed, foldSpan, gatherArguments } from './spans';
import {
  demandPane,
  findPane,
  isClosed,
  likelyPane,
  setStreamTime,
  streamTime,
  windowStartOf,
} from './window';

// Where the current batch stands; the loops keep them in locals and write them back.
let now: f64 = -Infinity;
let out: u32 = 0;
let late: u32 = 0;
let invalid: u32 = 0;
/** The pane of the last accepted row, 0 at the start of a batch, and its bounds. */
let pane: u32 = 0;
let start: f64 = 0;
let end: f64 = 0;

function startOfPane(): f64 {
  return windowed ? start : 0;
}

/** Makes the window of a rowtime the current one; false when memory does not suffice. */
function turnTo(window: f64): bool {
  const next = demandPane(window);
  if (next == 0) return false;
  pane = next;
  start = window;
  end = windowed ? window + sizeMs : <f64>ROWTIME_MAX + 1;
  return true;
}

/** Makes the pane of the row the current one if there is one; false where the span must go row by row. */
function enter(row: u32): bool {
  const time = load<f64>(rowtimes + (row << 3));
  if (!(time >= 0 && time <= <f64>ROWTIME_MAX)) return false;
  if (pane != 0 && time >= start && time < end) return true;
  const window = windowStartOf(time);
  return findPane(window) != 0 && turnTo(window);
}

/** The greatest rowtime of rows `from` to `to` when all of them lie in the current window; else NaN. */
function reachWithin(from: u32, to: u32): f64 {
  const starts = f64x2.splat(start);
  const ends = f64x2.splat(end);
  let within = i64x2.splat(-1);
  let greatest = f64x2.splat(-Infinity);
  let row = from;
  for (; row + 2 <= to; row += 2) {
    const times = v128.load(rowtimes + (row << 3));
    within = v128.and(within, v128.and(f64x2.ge(times, starts), f64x2.lt(times, ends)));
    greatest = f64x2.pmax(greatest, times);
  }
  if (row < to) {
    const times = v128.load64_splat(rowtimes + (row << 3));
    within = v128.and(within, v128.and(f64x2.ge(times, starts), f64x2.lt(times, ends)));
    greatest = f64x2.pmax(greatest, times);
  }
  if (!i64x2.all_true(within)) return NaN;
  return Math.max(f64x2.extract_lane(greatest, 0), f64x2.extract_lane(greatest, 1));
}

/** Makes stream time at least the rowtimes of rows `from` to `to`. */
function advanceTo(from: u32, to: u32): void {
  for (let row = from; row < to; row++) {
    const time = load<f64>(rowtimes + (row << 3));
    now = time > now ? time : now;
  }
}

/** Notes that a row comes to a slot of the window that begins there. */
function found(row: u32, slot: u32, at: f64): void {
  store<u32>(outRow + (out << 2), row);
  store<u32>(rowSlots + (out << 2), slot);
  store<f64>(outWindow + (out << 3), at);
  out += 1;
}

/**
 * As `findRow` of rows `from` to `to`, all of the current window, which stays open throughout; its pane has a place for each id. Stops
 * before a row without a slot, and returns where. A loop of its own, and with nothing that waits for a slot: so slots that are far away
 * come near side by side.
 */
function findSpan(from: u32, to: u32): u32 {
  const idsAt = ids;
  const positionsAt = outRow;
  const slotsAt = rowSlots;
  const windowsAt = outWindow;
  const table = load<u32>(pane, PANE_TABLE);
  const places = load<u32>(pane, PANE_MASK) + 1;
  const window = startOfPane();
  const last = slotBytes - 8;
  let all: u32 = 0;
  let next: u32 = out;
  let row = from;
  for (; row < to; row++) {
    const id = load<u32>(idsAt + (row << 2));
    if (id >= places) break;
    let slot = load<u32>(table + (id << 2));
    if (IS_WHOLE) {
      if (slot == 0) slot = newSlot(pane, id);
    }
    if (slot == 0) break;
    // A slot lies in one line of the cache or in two.
    all |= load<u32>(slot, SLOT_FLAGS) | load<u32>(slot + last);
    store<u32>(positionsAt + (next << 2), row);
    store<u32>(slotsAt + (next << 2), slot);
    store<f64>(windowsAt + (next << 3), window);
    next += 1;
  }
  // Loads that nothing uses might be dropped; RESULT_LATE is written at the end of the batch.
  store<u32>(result, all, RESULT_LATE);
  out = next;
  return row;
}

/**
 * As `findSpan`, of rows of any windows (tumbling ones). Stops before a row whose window is closed, or has no slot for it, or that this
 * loop cannot tell.
 */
function findMixed(from: u32, to: u32): u32 {
  const idsAt = ids;
  const rowtimesAt = rowtimes;
  const positionsAt = outRow;
  const slotsAt = rowSlots;
  const windowsAt = outWindow;
  const advance = advanceMs;
  // Dividing takes long. A product may be the neighbour of the quotient, which the bounds tell.
  const perMs = 1 / advance;
  const closedAfter = advance + graceMs;
  let reached = now;
  let next: u32 = out;
  let row = from;
  for (; row < to; row++) {
    const time = load<f64>(rowtimesAt + (row << 3));
    const id = load<u32>(idsAt + (row << 2));
    const number = Math.floor(time * perMs);
    const window = number * advance;
    const latest = time > reached ? time : reached;
    if (!(window <= time && time < window + advance && window > latest - closedAfter)) break;
    const at = likelyPane(number);
    if (load<f64>(at, PANE_START) != window) break;
    const slot = findSlot(at, id);
    if (slot == 0) break;
    reached = latest;
    store<u32>(positionsAt + (next << 2), row);
    store<u32>(slotsAt + (next << 2), slot);
    store<f64>(windowsAt + (next << 3), window);
    next += 1;
  }
  now = reached;
  out = next;
  return row;
}

/** True when a row has a group and a rowtime; one whose group is none for a reason is counted. */
function isKnown(id: u32, time: f64): bool {
  if (id < entryCount() && time >= 0 && time <= <f64>ROWTIME_MAX) return true;
  if (id != <u32>ID_NULL) invalid += 1;
  return false;
}

/** Finds the slot of a row, whatever it is; STATUS_OUT_OF_MEMORY: nothing of it is kept. */
function findRow(row: u32): i32 {
  const id = load<u32>(ids + (row << 2));
  const time = load<f64>(rowtimes + (row << 3));
  if (!isKnown(id, time)) return STATUS_OK;
  const reached = time > now ? time : now;
  const isInside = pane != 0 && time >= start && time < end;
  const window = isInside ? start : windowStartOf(time);
  if (isClosed(window, reached)) {
    store<u32>(outLate + (late << 2), row);
    late += 1;
    now = reached;
    return STATUS_OK;
  }
  if (!isInside && !turnTo(window)) return STATUS_OUT_OF_MEMORY;
  let slot = findSlot(pane, id);
  if (slot == 0) slot = makeSlot(pane, id);
  if (slot == 0) return STATUS_OUT_OF_MEMORY;
  now = reached;
  found(row, slot, startOfPane());
  return STATUS_OK;
}

/** As `findRow`, in all hopping windows that hold the row. */
function findHops(row: u32): i32 {
  const id = load<u32>(ids + (row << 2));
  const time = load<f64>(rowtimes + (row << 3));
  if (!isKnown(id, time)) return STATUS_OK;
  const reached = time > now ? time : now;
  turnToHops(time, reached);
  // All slots first: a row that finds no memory must not have come to any of them.
  if (!findHopSlots(id, rowSlots + (out << 2))) return STATUS_OUT_OF_MEMORY;
  now = reached;
  if (closed > 0) {
    store<u32>(outLate + (late << 2), row);
    store<u32>(outLateWindows + (late << 2), closed);
    late += 1;
  }
  let at = startOfHop(closed);
  for (const stop = out + windows - closed; out < stop; at += advanceMs)
    found(row, load<u32>(rowSlots + (out << 2)), at);
  return STATUS_OK;
}

/** Brings ids and rowtimes of the selected rows to the front, so that spans serve: the selection ascends. */
function compact(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(selection + (i << 2));
    store<u32>(ids + (i << 2), load<u32>(ids + (row << 2)));
    store<f64>(rowtimes + (i << 3), load<f64>(rowtimes + (row << 3)));
  }
}

/** Makes numbers of selected rows their positions again. */
function expand(rows: usize, from: u32, to: u32): void {
  for (let j = from; j < to; j++) {
    const row = load<u32>(rows + (j << 2));
    store<u32>(rows + (j << 2), load<u32>(selection + (row << 2)));
  }
}

/**
 * Goes over the rows from number `from` to `count` (`selected`: their positions stand in the selection; ids and rowtimes are overwritten
 * then) in order. Of each accepted row and window the position goes to `outRow` and the slot to `rowSlots`; rowtime and COUNT(*) are brought
 * up to date; for output per row the columns that depend on no argument are written, else the touched groups are listed in `sources`,
 * and the first row of each in `touchedRows`.
 * A row that finds no memory, or whose windows might not find room in the output, ends the batch before it: RESULT_CONSUMED
 * tells where to go on, nothing of it is kept.
 */
export function resolveRows(from: u32, count: u32, selected: bool, withNulls: u32): i32 {
  now = streamTime;
  out = 0;
  late = 0;
  invalid = 0;
  pane = 0;
  start = Infinity;
  forgetHops();
  const hopping = windowsMax > 1;
  const compacted = selected && !hopping;
  if (compacted) compact(count);
  // True when arguments stand where ids do, so that positions are numbers until the end of a part.
  let gathered = false;
  if (IS_WHOLE) {
    gathered = compacted && withNulls == 0 && !overTable;
    if (gathered) gatherArguments(count);
  }
  const spanRows = max<u32>(PART_ROWS / windowsMax, 1);
  const roomFor = rowsMax - windowsMax;
  let status = STATUS_OK;
  let i = from;
  while (i < count && status == STATUS_OK && out <= roomFor) {
    const to = min(i + spanRows, count);
    if (IS_WHOLE) {
      if (hopping && sharesPanes(to - i)) {
        const stop = foldPartials(i, count, selected, withNulls, now, late);
        now = sharedReach;
        late = lateCount;
        invalid += invalidCount;
        out = touched;
        if (stop > i) {
          i = stop;
          continue;
        }
      }
    }
    const isSpan = !hopping && enter(i) && isDirect(pane);
    const reach = isSpan ? reachWithin(i, to) : NaN;
    const isOpen = reach == reach && !isClosed(start, Math.max(now, reach));
    if (IS_WHOLE) {
      // Those loops take nothing back.
      if (isOpen && withNulls == 0 && !overTable) {
        const stop = foldSpan(pane, startOfPane(), i, to, out);
        if (stop > i) now = Math.max(now, stop == to ? reach : reachWithin(i, stop));
        foldOthers(rowSlots + (i << 2), stop - i, 0, i, out, 0);
        if (gathered && rowOutput) expand(outRow, out, out + stop - i);
        out += stop - i;
        i = stop;
        if (i == to) continue;
      } else if (windowed && !hopping && withNulls == 0) {
        const open = findWindows(i, to, now);
        const stop = open == open ? foldMixed(i, to, out) : i;
        if (stop == to) now = open;
        else advanceTo(i, stop);
        foldOthers(rowSlots + (i << 2), stop - i, 0, i, out, 0);
        if (gathered && rowOutput) expand(outRow, out, out + stop - i);
        out += stop - i;
        i = stop;
        if (i == to) continue;
      }
    }
    const before = out;
    while (i < to && out <= roomFor) {
      if (isOpen && isDirect(pane)) i = findSpan(i, to);
      else if (windowed && !hopping) i = findMixed(i, to);
      if (i == to) break;
      if (!hopping) status = findRow(i);
      else status = findHops(selected ? load<u32>(selection + (i << 2)) : i);
      if (status != STATUS_OK) break;
      i += 1;
    }
    if (IS_WHOLE && overTable) now = acceptChanges(before, out, now, compacted);
    else now = acceptRows(before, out, now);
    if (compacted && !gathered) expand(outRow, before, out);
    if (IS_WHOLE && overTable) foldChanges(before, out, withNulls);
    else foldRows(before, out, withNulls);
    if (gathered) expand(outRow, before, out);
    // What rows were in is not asked again; of hopping windows so many would soon fill the room.
    if (hopping && !rowOutput) out = touched;
  }
  if (compacted) expand(outLate, 0, late);
  if (compacted && !rowOutput) expand(touchedRows, 0, touched);
  setStreamTime(now);
  store<u32>(result, i, RESULT_CONSUMED);
  store<u32>(result, rowOutput ? out : touched, RESULT_EMITTED);
  store<u32>(result, late, RESULT_LATE);
  store<u32>(result, invalid, RESULT_INVALID);
  store<u32>(result, risen, RESULT_RISEN);
  forgetTouched();
  return status;
}
