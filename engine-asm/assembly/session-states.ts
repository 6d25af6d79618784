// Sessions as state bytes, out and in, and which of them stay; for whole kernels. Knows no rows.

import {
  RESULT_CONSUMED,
  RESULT_EMITTED,
  RESULT_GONE,
  ROWTIME_MAX,
  STATE_ROWS_MAX,
  STATE_ROWTIME,
  STATUS_BAD_ARGUMENT,
  STATUS_BAD_STATE,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import { ids, outBounds, outId, outLate, outWindow, result, rowtimes, states } from './buffers';
import { entryCount } from './dictionary';
import { rowsMax, stateBytes } from './program';
import { takeSeen } from './session-rows';
import {
  areChanges,
  coverGroups,
  cut,
  freeSession,
  groupPlaces,
  isPrivate,
  latestOf,
  leastEnd,
  link,
  makeSession,
  noteChange,
  noteEnd,
  noteStored,
  retentionMs,
  SESSION_CHANGED,
  SESSION_EARLIER,
  SESSION_END,
  SESSION_FLAGS,
  SESSION_FRONT_BYTES,
  SESSION_GONE,
  SESSION_ID,
  SESSION_START,
  SESSION_STORED_END,
  SESSION_STORED_START,
  SESSION_TAKEN,
  setKnown,
  takeChange,
  turnLeast,
} from './sessions';
import { isState, readState, writeStates } from './snapshot';
import { streamTime } from './window';

/** Sessions of a group before those that a collection takes: when there are more, these stay here. */
const IDLE_SESSIONS: u32 = 2;
/** Slots whose states are written together. */
const PART_SLOTS: u32 = 64;

/** The number of the collection that is on. */
let collection: u32 = 1;

/**
 * Takes changes off the list: sessions as id, start and state bytes, whose rowtime is the end; and what the store is to remove, RESULT_GONE of them, as id (where late
 * rows are listed), start and end (where bounds are put out, as f64).
 */
export function collectSessions(): i32 {
  // A function's static, so that pages' halves have none of it.
  const slots: usize = memory.data(256, 16);
  const most = min<u32>(STATE_ROWS_MAX, rowsMax);
  const over = isPrivate ? streamTime - retentionMs : -Infinity;
  let out: u32 = 0;
  let gone: u32 = 0;
  while (out < most && gone < most && areChanges()) {
    let part: u32 = 0;
    const room = min(PART_SLOTS, most - out);
    while (part < room && gone < most && areChanges()) {
      const session = takeChange();
      const storedEnd = load<f64>(session, SESSION_STORED_END);
      const start = load<f64>(session, SESSION_START);
      const end = load<f64>(session, SESSION_END);
      let isGone = (load<u32>(session, SESSION_FLAGS) & SESSION_GONE) != 0;
      if (end < over && !isGone) {
        dropOver(session, over);
        isGone = true;
      }
      const storedStart = load<f64>(session, SESSION_STORED_START);
      if (storedEnd >= 0 && (isGone || storedEnd != end || storedStart != start)) {
        store<u32>(outLate + (gone << 2), load<u32>(session, SESSION_ID));
        store<f64>(outBounds + (gone << 3), storedStart);
        store<f64>(outBounds + (rowsMax << 3) + (gone << 3), storedEnd);
        gone += 1;
      }
      if (isGone) {
        freeSession(session);
        continue;
      }
      store<u32>(outId + ((out + part) << 2), load<u32>(session, SESSION_ID));
      store<f64>(outWindow + ((out + part) << 3), start);
      store<f64>(session, start, SESSION_STORED_START);
      store<f64>(session, end, SESSION_STORED_END);
      store<u32>(session, collection, SESSION_TAKEN);
      store<u32>(slots + (part << 2), session + SESSION_FRONT_BYTES);
      part += 1;
      // Once a group: of many that were made each would go through all.
      if (storedEnd < 0 && latestOf(load<u32>(session, SESSION_ID)) == session) trim(session);
    }
    writeStates(slots, part, states + out * stateBytes);
    out += part;
  }
  if (out == 0 && gone == 0) collection += 1;
  store<u32>(result, out, RESULT_EMITTED);
  store<u32>(result, gone, RESULT_GONE);
  return STATUS_OK;
}

/** Takes a session that is no change and is over out of its group, and all others of it that are; it is to be freed, and those that are changes once they are taken. */
function dropOver(session: u32, over: f64): void {
  const id = load<u32>(session, SESSION_ID);
  let later: u32 = 0;
  let at = latestOf(id);
  while (load<f64>(at, SESSION_END) >= over) {
    later = at;
    at = load<u32>(at, SESSION_EARLIER);
  }
  cut(id, 0, later);
  while (at != 0) {
    const earlier = load<u32>(at, SESSION_EARLIER);
    const flags = load<u32>(at, SESSION_FLAGS);
    if ((flags & SESSION_CHANGED) != 0) store<u32>(at, flags | SESSION_GONE, SESSION_FLAGS);
    else if (at != session) freeSession(at);
    at = earlier;
  }
}

/** True for a session that is in the store as it is here: no change, and not taken by the collection that is on. */
function isSettled(session: u32): bool {
  return (
    (load<u32>(session, SESSION_FLAGS) & SESSION_CHANGED) == 0 &&
    load<u32>(session, SESSION_TAKEN) != collection
  );
}

/** Lets the earlier sessions of a group go that are too many beside the latest, which was made, and are settled. */
function trim(made: u32): void {
  let last = made;
  let at = made;
  for (let count: u32 = 0; at != 0; count++) {
    if (count <= IDLE_SESSIONS || !isSettled(at)) last = at;
    at = load<u32>(at, SESSION_EARLIER);
  }
  const rest = load<u32>(last, SESSION_EARLIER);
  if (rest == 0) return;
  noteStored(load<f64>(rest, SESSION_END));
  // What is known begins with the earliest that stays.
  setKnown(load<u32>(made, SESSION_ID), Infinity);
  freeFrom(rest);
  store<u32>(last, 0, SESSION_EARLIER);
}

/** Frees a session and all earlier ones of its group; how many. */
function freeFrom(session: u32): u32 {
  let count: u32 = 0;
  while (session != 0) {
    const earlier = load<u32>(session, SESSION_EARLIER);
    freeSession(session);
    session = earlier;
    count += 1;
  }
  return count;
}

/** Makes every session a change. */
export function changeSessions(): void {
  for (let id: u32 = 0, end = groupPlaces(); id < end; id++) {
    let session = latestOf(id);
    for (; session != 0; session = load<u32>(session, SESSION_EARLIER)) noteChange(session);
  }
}

/** Sets `count` sessions from ids, starts (in the rowtime column) and state bytes, whose rowtimes are their ends; the store has them so. */
export function restoreSessions(count: u32): i32 {
  let status = coverGroups() ? STATUS_OK : STATUS_OUT_OF_MEMORY;
  let i: u32 = 0;
  for (; i < count && status == STATUS_OK; i++) {
    const id = load<u32>(ids + (i << 2));
    const start = load<f64>(rowtimes + (i << 3));
    const state = states + i * stateBytes;
    const end = load<f64>(state, STATE_ROWTIME);
    if (id >= entryCount() || !(start >= 0 && start <= <f64>ROWTIME_MAX))
      status = STATUS_BAD_ARGUMENT;
    else if (!(start <= end) || !isState(state)) status = STATUS_BAD_STATE;
    else status = restoreSession(id, start, end, state);
    if (status != STATUS_OK) break;
  }
  store<u32>(result, i, RESULT_CONSUMED);
  return status;
}

function restoreSession(id: u32, start: f64, end: f64, state: usize): i32 {
  let later: u32 = 0;
  let at = latestOf(id);
  while (at != 0 && load<f64>(at, SESSION_END) > end) {
    later = at;
    at = load<u32>(at, SESSION_EARLIER);
  }
  const isApart =
    (at == 0 || load<f64>(at, SESSION_END) < start) &&
    (later == 0 || load<f64>(later, SESSION_START) > end);
  if (!isApart) return STATUS_BAD_STATE;
  const session = makeSession(id, end);
  if (session == 0) return STATUS_OUT_OF_MEMORY;
  link(session, later);
  readState(state, session + SESSION_FRONT_BYTES);
  store<f64>(session, start, SESSION_START);
  store<f64>(session, start, SESSION_STORED_START);
  store<f64>(session, end, SESSION_STORED_END);
  return STATUS_OK;
}

/** The next id to be looked at, and how many there were. */
let next: u32 = 0;
let before: u32 = 0;

/**
 * Lets sessions go that no row can come to any more, once all changes have been collected: looks at the groups in turn, so many at a call as rows have come, and twice as many as new ids; how
 * many went.
 */
export function expireSessions(): i32 {
  const over = streamTime - retentionMs;
  const places = groupPlaces();
  // More than come, so that they go as fast.
  let left = min(takeSeen() + ((places - before) << 1), places);
  before = places;
  if (areChanges() || !(leastEnd < over)) return 0;
  let count: u32 = 0;
  for (; left > 0; left--) {
    if (next >= places) {
      turnLeast();
      next = 0;
    }
    count += expireGroup(next, over);
    next += 1;
  }
  return count;
}

function expireGroup(id: u32, over: f64): u32 {
  let later: u32 = 0;
  let session = latestOf(id);
  while (session != 0 && load<f64>(session, SESSION_END) >= over) {
    noteEnd(load<f64>(session, SESSION_END));
    later = session;
    session = load<u32>(session, SESSION_EARLIER);
  }
  if (session == 0) return 0;
  cut(id, 0, later);
  return freeFrom(session);
}
