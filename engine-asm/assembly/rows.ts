// Finds each row's slot: null keys, stream time, lateness, window, group; knows no aggregate but COUNT(*).

import {
  ID_NULL,
  OP_INSERT,
  OP_UPDATE_AFTER,
  RESULT_CONSUMED,
  RESULT_EMITTED,
  RESULT_INVALID,
  RESULT_LATE,
  ROWTIME_MAX,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import { foldArguments } from './aggregate';
import {
  ids,
  outCounts,
  outId,
  outLate,
  outLateWindows,
  outOp,
  outRow,
  outRowtime,
  outWindow,
  panes,
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
  findSlot,
  isDirect,
  makeSlot,
  PANE_MASK,
  PANE_TABLE,
  SLOT_CHANGED,
  SLOT_FRESH,
  SLOT_TOUCHED,
} from './pane';
import {
  advanceMs,
  rowOutput,
  rowsMax,
  tailOffset,
  sizeMs,
  SLOT_LINK,
  SLOT_ROWTIME,
  windowed,
  windowsMax,
} from './program';
import {
  demandPane,
  findPane,
  firstStartOf,
  isClosed,
  setStreamTime,
  streamTime,
  windowStartOf,
} from './window';

/** Groups that the batch has touched; 0 for output per row. */
let touched: u32 = 0;

/** Rows that are looked at together: all in one open window, or each for itself. */
const SPAN_ROWS: u32 = 1024;

// Where the current batch stands; the loops keep them in locals and write them back.
let now: f64 = -Infinity;
let out: u32 = 0;
let late: u32 = 0;
let invalid: u32 = 0;
/** The pane of the last accepted row, 0 at the start of a batch, and its bounds. */
let pane: u32 = 0;
let start: f64 = 0;
let end: f64 = 0;
/** Hopping windows: the first that holds the rowtimes from `start` to `end`, how many do, and how many of them are closed. */
let first: f64 = 0;
let windows: u32 = 0;
let closed: u32 = 0;

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

/** From so many places on, a pane does not fit the second-level cache and its slots are brought near before use. */
const NEAR_PLACES_MIN: u32 = 8192;
/** Loads the slots of rows `from` to `to` one after the other without waiting: a stand-in for prefetching. */
function bringNear(from: u32, to: u32): void {
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  const tail = tailOffset;
  let all: u32 = 0;
  for (let row = from; row < to; row++) {
    const id = load<u32>(ids + (row << 2));
    const slot = load<u32>(table + ((id & mask) << 2));
    // An empty place reads address 0, which is there. A slot lies in one line of the cache or in two.
    all |= load<u32>(slot, SLOT_LINK) | load<u32>(slot + tail);
  }
  // Loads that nothing uses might be dropped; RESULT_LATE is written at the end of the batch.
  store<u32>(result, all, RESULT_LATE);
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

/**
 * Rows `from` to `to`, all of the current window, which stays open throughout; its pane has a place for each id. Stops
 * before a row that needs what this loop does not do, and returns where.
 */
function resolveSpan(from: u32, to: u32): u32 {
  const idsAt = ids;
  const rowtimesAt = rowtimes;
  const sourcesAt = sources;
  const touchedAt = touchedRows;
  const positionsAt = outRow;
  const slotsAt = rowSlots;
  const tailAt = tailOffset;
  const perRow = rowOutput;
  const countsAt = outCounts;
  const table = load<u32>(pane, PANE_TABLE);
  const places = load<u32>(pane, PANE_MASK) + 1;
  const window = startOfPane();
  const touchedBefore = touched;
  let touchedNow = touched;
  let next: u32 = out;
  const aside = f64x2.splat(NaN);
  const kept = i32x4(-1, -1, -1, ~SLOT_FRESH);
  const marked = i32x4.replace_lane(i32x4.splat(0), 3, perRow ? 0 : SLOT_TOUCHED);
  let reached = f64x2.splat(now);
  let row = from;
  for (; row < to; row++) {
    const id = load<u32>(idsAt + (row << 2));
    if (id >= places) break;
    const slot = load<u32>(table + (id << 2));
    if (slot == 0) break;
    let link = load<u32>(slot, SLOT_LINK);
    if ((link & SLOT_CHANGED) == 0) {
      addChange(pane, slot);
      link = load<u32>(slot, SLOT_LINK);
    }
    // The header in one go: a NaN beside the rowtime keeps the other half of it as it is.
    const time = v128.load_lane<f64>(rowtimesAt + (row << 3), aside, 0);
    reached = f64x2.pmax(reached, time);
    const header = f64x2.pmax(v128.load(slot), time);
    v128.store(slot, v128.or(v128.and(header, kept), marked));
    const rows = load<i64>(slot + tailAt) + 1;
    store<i64>(slot + tailAt, rows);
    if (perRow) {
      store<u8>(outOp + next, link & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
      store<u32>(outId + (next << 2), id);
      store<f64>(outRowtime + (next << 3), f64x2.extract_lane(header, 0));
      store<f64>(outWindow + (next << 3), window);
      if (countsAt) store<i64>(countsAt + (next << 3), rows);
    } else {
      // Without a branch: whether a group was touched already is as good as random.
      store<u32>(sourcesAt + (touchedNow << 2), slot);
      store<u32>(touchedAt + (touchedNow << 2), row);
      store<u32>(outId + (touchedNow << 2), id);
      store<u8>(outOp + touchedNow, link & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
      touchedNow += <u32>((link & SLOT_TOUCHED) == 0);
    }
    store<u32>(positionsAt + (next << 2), row);
    store<u32>(slotsAt + (next << 2), slot);
    next += 1;
  }
  for (let j = touchedBefore; j < touchedNow; j++) store<f64>(outWindow + (j << 3), window);
  out = next;
  touched = touchedNow;
  now = f64x2.extract_lane(reached, 0);
  return row;
}

/** True when a row has a group and a rowtime; one whose group is none for a reason is counted. */
function isKnown(id: u32, time: f64): bool {
  if (id < entryCount() && time >= 0 && time <= <f64>ROWTIME_MAX) return true;
  if (id != <u32>ID_NULL) invalid += 1;
  return false;
}

/** Brings a slot's rowtime and COUNT(*) up to date with a row, and lists what is put out of it. */
function accept(row: u32, id: u32, time: f64, at: f64, to: u32, slot: u32): void {
  if ((load<u32>(slot, SLOT_LINK) & SLOT_CHANGED) == 0) addChange(to, slot);
  const link = load<u32>(slot, SLOT_LINK);
  const rowtime = max(load<f64>(slot, SLOT_ROWTIME), time);
  store<f64>(slot, rowtime, SLOT_ROWTIME);
  store<u32>(slot, (link & ~SLOT_FRESH) | (rowOutput ? 0 : SLOT_TOUCHED), SLOT_LINK);
  const tail = slot + tailOffset;
  const rows = load<i64>(tail) + 1;
  store<i64>(tail, rows);
  if ((link & SLOT_TOUCHED) == 0) {
    const next = rowOutput ? out : touched;
    store<u8>(outOp + next, link & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
    store<u32>(outId + (next << 2), id);
    store<f64>(outWindow + (next << 3), at);
    if (rowOutput) {
      store<f64>(outRowtime + (next << 3), rowtime);
      if (outCounts) store<i64>(outCounts + (next << 3), rows);
    } else {
      store<u32>(sources + (next << 2), slot);
      store<u32>(touchedRows + (next << 2), row);
      touched += 1;
    }
  }
  store<u32>(outRow + (out << 2), row);
  store<u32>(rowSlots + (out << 2), slot);
  out += 1;
}

/** One row, whatever it is; STATUS_OUT_OF_MEMORY: nothing of it is kept. */
function resolveRow(row: u32): i32 {
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
  accept(row, id, time, startOfPane(), pane, slot);
  return STATUS_OK;
}

/** Panes begin anew for the windows that hold a rowtime; the closed ones among them come first. */
function turnToAll(time: f64): void {
  first = firstStartOf(time);
  const last = windowStartOf(time);
  windows = <u32>((last - first) / advanceMs) + 1;
  // The same windows hold all times until one more begins or the first one ends, and since the like happened.
  start = first == 0 ? last : max(last, first - advanceMs + sizeMs);
  end = min(last + advanceMs, first + sizeMs);
  closed = 0;
  memory.fill(panes, 0, windows << 2);
}

/** The pane of the current windows' number `index`; 0 when memory does not suffice. */
function paneOf(index: u32): u32 {
  let found = load<u32>(panes + (index << 2));
  if (found == 0) {
    found = demandPane(first + <f64>index * advanceMs);
    store<u32>(panes + (index << 2), found);
  }
  return found;
}

/** As `resolveRow`, in all hopping windows that hold the row. */
function resolveHops(row: u32): i32 {
  const id = load<u32>(ids + (row << 2));
  const time = load<f64>(rowtimes + (row << 3));
  if (!isKnown(id, time)) return STATUS_OK;
  const reached = time > now ? time : now;
  if (!(time >= start && time < end)) turnToAll(time);
  while (closed < windows && isClosed(first + <f64>closed * advanceMs, reached)) closed += 1;
  const slots = rowSlots + (out << 2) - (closed << 2);
  // All slots first: a row that finds no memory must not have come to any of them.
  for (let w = closed; w < windows; w++) {
    const at = paneOf(w);
    let slot: u32 = at == 0 ? 0 : findSlot(at, id);
    if (slot == 0 && at != 0) slot = makeSlot(at, id);
    if (slot == 0) return STATUS_OUT_OF_MEMORY;
    store<u32>(slots + (w << 2), slot);
  }
  now = reached;
  if (closed > 0) {
    store<u32>(outLate + (late << 2), row);
    store<u32>(outLateWindows + (late << 2), closed);
    late += 1;
  }
  let at = first + <f64>closed * advanceMs;
  for (let w = closed; w < windows; w++) {
    accept(row, id, time, at, load<u32>(panes + (w << 2)), load<u32>(slots + (w << 2)));
    at += advanceMs;
  }
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
  touched = 0;
  start = Infinity;
  const hopping = windowsMax > 1;
  const compacted = selected && !hopping;
  if (compacted) compact(count);
  const spanRows = max<u32>(SPAN_ROWS / windowsMax, 1);
  const roomFor = rowsMax - windowsMax;
  let status = STATUS_OK;
  let i = from;
  while (i < count && status == STATUS_OK && out <= roomFor) {
    const to = min(i + spanRows, count);
    const before = out;
    const isSpan = !hopping && enter(i) && isDirect(pane);
    const reach = isSpan ? reachWithin(i, to) : NaN;
    const isOpen = reach == reach && !isClosed(start, Math.max(now, reach));
    if (isOpen && load<u32>(pane, PANE_MASK) >= NEAR_PLACES_MIN) bringNear(i, to);
    while (i < to && out <= roomFor) {
      if (isOpen && isDirect(pane)) i = resolveSpan(i, to);
      if (i == to) break;
      if (!hopping) status = resolveRow(i);
      else status = resolveHops(selected ? load<u32>(selection + (i << 2)) : i);
      if (status != STATUS_OK) break;
      i += 1;
    }
    if (compacted) expand(outRow, before, out);
    foldArguments(before, out, withNulls);
  }
  if (compacted) expand(outLate, 0, late);
  if (compacted && !rowOutput) expand(touchedRows, 0, touched);
  for (let j: u32 = 0; j < touched; j++) {
    const slot = load<u32>(sources + (j << 2));
    store<u32>(slot, load<u32>(slot, SLOT_LINK) & ~SLOT_TOUCHED, SLOT_LINK);
  }
  setStreamTime(now);
  store<u32>(result, i, RESULT_CONSUMED);
  store<u32>(result, rowOutput ? out : touched, RESULT_EMITTED);
  store<u32>(result, late, RESULT_LATE);
  store<u32>(result, invalid, RESULT_INVALID);
  return status;
}
