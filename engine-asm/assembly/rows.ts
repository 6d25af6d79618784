// Finds each row's slot: null keys, stream time, lateness, window, group; knows no aggregate but COUNT(*).

import {
  ID_NULL,
  OP_INSERT,
  OP_UPDATE_AFTER,
  RESULT_CONSUMED,
  RESULT_INVALID,
  RESULT_LATE,
  ROWTIME_MAX,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import {
  copies,
  ids,
  outId,
  outLate,
  outOp,
  outRow,
  outRowtime,
  outWindow,
  result,
  rowSlots,
  rowtimes,
  selection,
  sources,
} from './buffers';
import { entryCount } from './dictionary';
import {
  addChange,
  findSlot,
  makeSlot,
  PANE_MASK,
  PANE_MULTIPLIER,
  PANE_SHIFT,

  PANE_TABLE,
  SLOT_CHANGED,
  SLOT_FRESH,
  SLOT_TOUCHED,
} from './pane';
import { graceMs, rowOutput, rowsOffset, sizeMs, SLOT_ID, SLOT_LINK, SLOT_ROWTIME, slotBytes, windowed } from './program';
import { demandPane, isClosed, setStreamTime, streamTime, windowStartOf } from './window';

/** Rows that the last `resolveRows` accepted. */
export let accepted: u32 = 0;
/** Groups that it touched; 0 for output per row. */
export let touched: u32 = 0;

/**
 * Goes over `count` rows (`selected`: their positions stand in the selection) in order. Of each accepted row the position goes to
 * `outRow` and the slot to `rowSlots`; rowtime and COUNT(*) are brought up to date; for output per row the columns that
 * depend on no argument are written, else the touched groups are listed in `sources`.
 *
 * A row that finds no memory ends the batch before it: RESULT_CONSUMED tells where to go on, nothing of it is kept.
 */
export function resolveRows(count: u32, selected: bool): i32 {
  const known = entryCount();
  const countAt = rowsOffset;
  const grace = graceMs;
  const perRow = rowOutput;
  const idsAt = ids;
  const rowtimesAt = rowtimes;
  const sourcesAt = sources;
  const windowsAt = outWindow;
  const positionsAt = outRow;
  const slotsAt = rowSlots;
  let now = streamTime;
  let pane: u32 = 0;
  let window: f64 = 0;
  let start: f64 = Infinity;
  let end: f64 = -Infinity;
  let table: u32 = 0;
  let mask: u32 = 0;
  let multiplier: u32 = 0;
  let shift: u32 = 0;
  let late: u32 = 0;
  let invalid: u32 = 0;
  let out: u32 = 0;
  let status = STATUS_OK;
  let i: u32 = 0;
  let touchedNow: u32 = 0;
  for (; i < count; i++) {
    const row = selected ? load<u32>(selection + (i << 2)) : i;
    const id = load<u32>(idsAt + (row << 2));
    if (id >= known) {
      if (id != <u32>ID_NULL) invalid += 1;
      continue;
    }
    const time = load<f64>(rowtimesAt + (row << 3));
    const reached = time > now ? time : now;
    if (!(time >= start && time < end)) {
      if (!(time >= 0 && time <= <f64>ROWTIME_MAX)) {
        invalid += 1;
        continue;
      }
      const at = windowStartOf(time);
      if (isClosed(at, reached)) {
        store<u32>(outLate + (late << 2), row);
        late += 1;
        now = reached;
        continue;
      }
      const next = demandPane(at);
      if (next == 0) {
        status = STATUS_OUT_OF_MEMORY;
        break;
      }
      pane = next;
      window = at;
      start = windowed ? at : 0;
      end = windowed ? at + sizeMs : <f64>ROWTIME_MAX + 1;
      table = load<u32>(pane, PANE_TABLE);
      mask = load<u32>(pane, PANE_MASK);
      multiplier = load<u32>(pane, PANE_MULTIPLIER);
      shift = load<u32>(pane, PANE_SHIFT);
    } else if (end <= reached - grace) {
      store<u32>(outLate + (late << 2), row);
      late += 1;
      now = reached;
      continue;
    }
    let place = ((id * multiplier) >>> shift) & mask;
    let slot = load<u32>(table + (place << 2));
    while (slot != 0 && load<u32>(slot, SLOT_ID) != id) {
      place = (place + 1) & mask;
      slot = load<u32>(table + (place << 2));
    }
    if (slot == 0) {
      slot = makeSlot(pane, id);
      if (slot == 0) {
        status = STATUS_OUT_OF_MEMORY;
        break;
      }
      table = load<u32>(pane, PANE_TABLE);
      mask = load<u32>(pane, PANE_MASK);
      multiplier = load<u32>(pane, PANE_MULTIPLIER);
      shift = load<u32>(pane, PANE_SHIFT);
    }
    now = reached;
    let link = load<u32>(slot, SLOT_LINK);
    if ((link & SLOT_CHANGED) == 0) {
      addChange(pane, slot);
      link = load<u32>(slot, SLOT_LINK);
    }
    const rowtime = max(load<f64>(slot, SLOT_ROWTIME), time);
    store<f64>(slot, rowtime, SLOT_ROWTIME);
    if (countAt) store<i64>(slot + countAt, load<i64>(slot + countAt) + 1);
    if (perRow) {
      store<u8>(outOp + out, link & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
      store<u32>(slot, link & ~SLOT_FRESH, SLOT_LINK);
      store<u32>(outId + (out << 2), id);
      store<f64>(outRowtime + (out << 3), rowtime);
      store<f64>(windowsAt + (out << 3), window);
      if (countAt) store<i64>(copies + out * slotBytes + countAt, load<i64>(slot + countAt));
    } else {
      // Without a branch: whether a group was touched already is as good as random.
      store<u32>(sourcesAt + (touchedNow << 2), slot);
      store<f64>(windowsAt + (touchedNow << 3), window);
      touchedNow += <u32>((link & SLOT_TOUCHED) == 0);
      store<u32>(slot, link | SLOT_TOUCHED, SLOT_LINK);
    }
    store<u32>(positionsAt + (out << 2), row);
    store<u32>(slotsAt + (out << 2), slot);
    out += 1;
  }
  accepted = out;
  touched = touchedNow;
  setStreamTime(now);
  store<u32>(result, i, RESULT_CONSUMED);
  store<u32>(result, late, RESULT_LATE);
  store<u32>(result, invalid, RESULT_INVALID);
  return status;
}

/**
 * Makes the slots that the same `resolveRows` will need, without a row, and lists each once (id and window), so that the
 * host can restore those that it has in its store. Stream time and groups with rows stay as they are.
 */
export function probeRows(count: u32, selected: bool): i32 {
  const known = entryCount();
  let now = streamTime;
  let out: u32 = 0;
  let status = STATUS_OK;
  let i: u32 = 0;
  for (; i < count; i++) {
    const row = selected ? load<u32>(selection + (i << 2)) : i;
    const id = load<u32>(ids + (row << 2));
    const time = load<f64>(rowtimes + (row << 3));
    if (id >= known || !(time >= 0 && time <= <f64>ROWTIME_MAX)) continue;
    now = max(now, time);
    const at = windowStartOf(time);
    if (isClosed(at, now)) continue;
    const pane = demandPane(at);
    if (pane == 0) {
      status = STATUS_OUT_OF_MEMORY;
      break;
    }
    if (findSlot(pane, id) != 0) continue;
    if (makeSlot(pane, id) == 0) {
      status = STATUS_OUT_OF_MEMORY;
      break;
    }
    store<u32>(outId + (out << 2), id);
    store<f64>(outWindow + (out << 3), at);
    out += 1;
  }
  touched = out;
  store<u32>(result, i, RESULT_CONSUMED);
  return status;
}

/** Writes id and rowtime of the touched groups, and takes them off the list. */
export function settleTouched(from: u32, to: u32): void {
  for (let j = from; j < to; j++) {
    const slot = load<u32>(sources + (j << 2));
    store<u32>(outId + (j << 2), load<u32>(slot, SLOT_ID));
    store<f64>(outRowtime + (j << 3), load<f64>(slot, SLOT_ROWTIME));
    const link = load<u32>(slot, SLOT_LINK);
    store<u8>(outOp + j, link & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
    store<u32>(slot, link & ~(SLOT_TOUCHED | SLOT_FRESH), SLOT_LINK);
  }
}
