// Goes over rows that come to sessions: lateness, which session, what is put out; for whole kernels. Knows no aggregate.

import {
  ID_NULL,
  OP_DELETE,
  OP_INSERT,
  OP_UPDATE_AFTER,
  RESULT_CONSUMED,
  RESULT_EMITTED,
  RESULT_GONE,
  RESULT_INVALID,
  RESULT_LATE,
  ROWTIME_MAX,
  STATUS_BAD_STATE,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import { foldRows } from './aggregate';
import {
  ids,
  outBounds,
  outCounts,
  outId,
  outLate,
  outOp,
  outRow,
  outRowtime,
  outWindow,
  PART_ROWS,
  result,
  rowSlots,
  rowtimes,
  selection,
} from './buffers';
import { entryCount } from './dictionary';
import { emptyBlocks, rowsMax, SLOT_ROWS } from './program';
import { mergeSlot } from './session-merge';
import {
  coverGroups,
  cut,
  gapMs,
  idleSlot,
  knownFrom,
  latestOf,
  link,
  makeSession,
  noteChange,
  retentionMs,
  SESSION_EARLIER,
  SESSION_END,
  SESSION_FLAGS,
  SESSION_FRONT_BYTES,
  SESSION_GONE,
  SESSION_START,
  sessionGraceMs,
  setKnown,
  storedMs,
} from './sessions';
import { setStreamTime, streamTime } from './window';

/** Rows looked at since `takeSeen`. */
let seen: u32 = 0;

export function takeSeen(): u32 {
  const count = seen;
  seen = 0;
  return count;
}

/** Lists a row that is put out: a session as it is, or as it was. */
function list(at: u32, row: u32, slot: usize, start: f64, end: f64, op: u32): void {
  store<u32>(outRow + (at << 2), row);
  store<u32>(rowSlots + (at << 2), <u32>slot);
  store<i64>(outBounds + (at << 3), <i64>start);
  store<i64>(outBounds + (rowsMax << 3) + (at << 3), <i64>end);
  store<f64>(outRowtime + (at << 3), end);
  store<u8>(outOp + at, op);
}

/**
 * Goes over the rows from number `from` to `count` (`selected`: their positions stand in the selection) in order. A row puts out the sessions that it makes
 * one of, as tombstones whose results mean nothing, and then that one; only where the one keeps its bounds and those are the row's own, that one alone.
 * A row that finds no memory, or whose output might not find room, ends the batch before it.
 */
export function resolveSessions(from: u32, count: u32, selected: bool, withNulls: u32): i32 {
  const gap = gapMs;
  const known = entryCount();
  const roomy = rowsMax - 2;
  // What tombstones show is null: so nothing follows from earlier batches.
  emptyBlocks(idleSlot);
  let status = coverGroups() ? STATUS_OK : STATUS_OUT_OF_MEMORY;
  let now = streamTime;
  let out: u32 = 0;
  let folded: u32 = 0;
  let gone: u32 = 0;
  let late: u32 = 0;
  let invalid: u32 = 0;
  let i = from;
  for (; i < count && status == STATUS_OK && out < roomy; i++) {
    const row = selected ? load<u32>(selection + (i << 2)) : i;
    const id = load<u32>(ids + (row << 2));
    const time = load<f64>(rowtimes + (row << 3));
    if (!(id < known && time >= 0 && time <= <f64>ROWTIME_MAX)) {
      invalid += <u32>(id != <u32>ID_NULL);
      continue;
    }
    const reached = time > now ? time : now;
    // A session whose retention is over is gone, whether or not the store still has it.
    const least = max(max(reached - retentionMs, time - gap), 0);
    let latest = latestOf(id);
    let later: u32 = 0;
    let first: u32 = 0;
    let near: u32 = 0;
    let start = time;
    let end = time;
    // Mostly the row comes behind the latest one, and those before end more than a gap before that begins.
    if (latest != 0 && time < load<f64>(latest, SESSION_END)) {
      while (latest != 0 && load<f64>(latest, SESSION_START) > time + gap) {
        later = latest;
        latest = load<u32>(latest, SESSION_EARLIER);
      }
      let at = latest;
      while (at != 0 && load<f64>(at, SESSION_END) >= least) {
        first = at;
        start = min(start, load<f64>(at, SESSION_START));
        end = max(end, load<f64>(at, SESSION_END));
        near += 1;
        at = load<u32>(at, SESSION_EARLIER);
      }
    } else if (latest != 0 && load<f64>(latest, SESSION_END) >= least) {
      first = latest;
      start = load<f64>(latest, SESSION_START);
      near = 1;
    }
    if (end < reached - sessionGraceMs - gap) {
      store<u32>(outLate + (late << 2), row);
      late += 1;
      now = reached;
      continue;
    }
    if (near > 2) {
      // They are more than a gap apart, or it is no state of these sessions.
      status = STATUS_BAD_STATE;
      break;
    }
    let op = OP_INSERT;
    if (near == 0) {
      first = makeSession(id, time);
      if (first == 0) {
        status = STATUS_OUT_OF_MEMORY;
        break;
      }
      link(first, later);
    } else if (start == time && end == time) op = OP_UPDATE_AFTER;
    else {
      gone += near;
      for (let at = first; ; at = latest) {
        const was = load<f64>(at, SESSION_START);
        list(out, row, idleSlot, was, load<f64>(at, SESSION_END), OP_DELETE);
        out += 1;
        if (at == latest) break;
      }
      if (near == 2) {
        // Rows before it first: each is put out as it left its session.
        foldRows(folded, out, withNulls);
        folded = out;
        mergeSlot(first + SESSION_FRONT_BYTES, latest + SESSION_FRONT_BYTES);
        cut(id, first, later);
        noteChange(latest);
        store<u32>(latest, load<u32>(latest, SESSION_FLAGS) | SESSION_GONE, SESSION_FLAGS);
      }
      store<f64>(first, start, SESSION_START);
      store<f64>(first, end, SESSION_END);
    }
    now = reached;
    noteChange(first);
    const slot: usize = first + SESSION_FRONT_BYTES;
    const rows = load<i64>(slot, SLOT_ROWS) + 1;
    store<i64>(slot, rows, SLOT_ROWS);
    if (outCounts) store<i64>(outCounts + (out << 3), rows);
    list(out, row, slot, start, end, op);
    out += 1;
    if (out - folded >= PART_ROWS) {
      foldRows(folded, out, withNulls);
      folded = out;
    }
  }
  foldRows(folded, out, withNulls);
  seen += i - from;
  setStreamTime(now);
  store<u32>(result, i, RESULT_CONSUMED);
  store<u32>(result, out, RESULT_EMITTED);
  store<u32>(result, late, RESULT_LATE);
  store<u32>(result, invalid, RESULT_INVALID);
  store<u32>(result, gone, RESULT_GONE);
  return status;
}

/**
 * Lists the groups some of whose sessions the rows may need that are not here: id, from when on (BUFFER_OUT_WINDOW) and before when (where results' starts go) they end.
 * They count as known from then on: the host is to restore what its store has.
 */
export function probeSessions(from: u32, count: u32, selected: bool): i32 {
  if (!coverGroups()) return STATUS_OUT_OF_MEMORY;
  const known = entryCount();
  let now = streamTime;
  let out: u32 = 0;
  // A new query has nothing in its store.
  const end = storedMs < 0 ? from : count;
  for (let i = from; i < end; i++) {
    const row = selected ? load<u32>(selection + (i << 2)) : i;
    const id = load<u32>(ids + (row << 2));
    const time = load<f64>(rowtimes + (row << 3));
    if (!(id < known && time >= 0 && time <= <f64>ROWTIME_MAX)) continue;
    now = max(now, time);
    const least = max(max(now - retentionMs, time - gapMs), 0);
    if (least > storedMs) continue;
    const before = knownFrom(id, least);
    setKnown(id, min(least, before));
    if (least >= before) continue;
    store<u32>(outId + (out << 2), id);
    store<f64>(outWindow + (out << 3), least);
    store<f64>(outBounds + (out << 3), before);
    out += 1;
  }
  store<u32>(result, count, RESULT_CONSUMED);
  store<u32>(result, out, RESULT_EMITTED);
  return STATUS_OK;
}
