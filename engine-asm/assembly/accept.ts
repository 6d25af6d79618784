// Brings rowtime and COUNT(*) of the slots that rows have come to up to date, and lists what is put out; knows neither ids nor lateness.

import { OP_INSERT, OP_UPDATE_AFTER } from './abi';
import {
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
import { SLOT_CHANGED, SLOT_FRESH, SLOT_TOUCHED } from './pane-layout';
import { rowOutput, SLOT_ID, SLOT_FLAGS, SLOT_ROWS } from './program';
import { IS_WHOLE } from './whole';
import { findPane } from './window';

/** Groups that the batch has touched; 0 for output per row. */
export let touched: u32 = 0;

/** Rows have been accepted elsewhere: so many groups have been listed in all, and a row that was put out has the rowtime of one before it. */
export function noteSpan(groups: u32, hasRisen: bool): void {
  touched = groups;
  risen |= <u32>hasRisen;
}

/** Not 0: a row put out since `forgetTouched` has the rowtime of one before it. */
export let risen: u32 = 0;

/**
 * Brings the slots that have been found for output rows `from` to `to` up to date in order, but for the arguments, and lists what is put out.
 * @returns stream time after them, `now` being that before
 */
export function acceptRows(from: u32, to: u32, now: f64): f64 {
  const rowtimesAt = rowtimes;
  const sourcesAt = sources;
  const touchedAt = touchedRows;
  const windowsAt = outWindow;
  const positionsAt = outRow;
  const slotsAt = rowSlots;
  const perRow = rowOutput;
  const countsAt = outCounts;
  let touchedNow = touched;
  // Where spans are folded groups are fresh until the batch ends, and put out then.
  const atOnce = perRow || !IS_WHOLE;
  const kept = i32x4.replace_lane(i32x4.splat(-1), 3, atOnce ? ~SLOT_FRESH : -1);
  const marked = i32x4.replace_lane(i32x4.splat(0), 3, perRow ? 0 : SLOT_TOUCHED);
  let reached = f64x2.splat(now);
  let differs = i64x2.splat(0);
  for (let next = from; next < to; next++) {
    const row = load<u32>(positionsAt + (next << 2));
    const slot = load<u32>(slotsAt + (next << 2));
    const flags = load<u32>(slot, SLOT_FLAGS);
    if ((flags & SLOT_CHANGED) == 0) addChange(findPane(load<f64>(windowsAt + (next << 3))), slot);
    // The header in one go: beside the rowtime stands 0, which is not above the other half of it.
    const time = v128.load64_zero(rowtimesAt + (row << 3));
    reached = f64x2.pmax(reached, time);
    const header = f64x2.pmax(v128.load(slot), time);
    v128.store(slot, v128.or(v128.and(header, kept), marked));
    differs = v128.or(differs, v128.xor(header, time));
    const rows = load<i64>(slot, SLOT_ROWS) + 1;
    store<i64>(slot, rows, SLOT_ROWS);
    if (atOnce) list(perRow ? next : touchedNow, slot, flags);
    if (perRow) {
      store<f64>(outRowtime + (next << 3), f64x2.extract_lane(header, 0));
      if (countsAt) store<i64>(countsAt + (next << 3), rows);
    } else {
      // Without a branch: whether a group was touched already is as good as random.
      store<u32>(sourcesAt + (touchedNow << 2), slot);
      store<u32>(touchedAt + (touchedNow << 2), row);
      // Groups are not more than rows: no window is overwritten that has not been read.
      store<f64>(windowsAt + (touchedNow << 3), load<f64>(windowsAt + (next << 3)));
      touchedNow += <u32>((flags & SLOT_TOUCHED) == 0);
    }
  }
  touched = touchedNow;
  risen |= <u32>(i64x2.extract_lane(differs, 0) != 0);
  return f64x2.extract_lane(reached, 0);
}

/** Writes what is put out of a slot but its results. */
function list(at: u32, slot: usize, flags: u32): void {
  store<u8>(outOp + at, flags & SLOT_FRESH ? OP_INSERT : OP_UPDATE_AFTER);
  store<u32>(outId + (at << 2), load<u32>(slot, SLOT_ID));
}

/** The batch has ended: its groups are put out, and the next one lists them anew. */
export function forgetTouched(): void {
  for (let j: u32 = 0; j < touched; j++) {
    const slot = load<u32>(sources + (j << 2));
    const flags = load<u32>(slot, SLOT_FLAGS);
    if (IS_WHOLE) list(j, slot, flags);
    store<u32>(slot, flags & ~(SLOT_TOUCHED | SLOT_FRESH), SLOT_FLAGS);
  }
  touched = 0;
  risen = 0;
}
