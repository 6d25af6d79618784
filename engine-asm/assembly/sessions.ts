// Sessions of groups, which grow and merge: makes them, finds a group's, and lets them go; for whole kernels. Knows neither rows nor state bytes.

import { allocate, release } from './arena';
import { entryCount } from './dictionary';
import { emptyBlocks, SLOT_FLAGS, SLOT_ID, SLOT_ROWTIME, slotBytes } from './program';

// A session is a slot with what it is besides in front of it. Its end is the slot's rowtime, and both bounds are rowtimes of rows. Those of a group are
// linked from the latest to the earliest, and have no moment in common.
//
//   session  [f64 start][f64 stored start][f64 stored end][u32 earlier][u32 next][u32 taken by][u32 free] slot
//   group    [u32 latest session][u32 free][f64 known from]      by id
export const SESSION_START: u32 = 0;
/** What the host's store has of it, under these bounds; the end is -1 where it has nothing. */
export const SESSION_STORED_START: u32 = 8;
export const SESSION_STORED_END: u32 = 16;
export const SESSION_EARLIER: u32 = 24;
/** Of the changes, or of those that are free. */
const SESSION_NEXT: u32 = 28;
/** The number of the collection that took it last. */
export const SESSION_TAKEN: u32 = 32;
export const SESSION_FRONT_BYTES: u32 = 40;
export const SESSION_END: u32 = SESSION_FRONT_BYTES + SLOT_ROWTIME;
export const SESSION_ID: u32 = SESSION_FRONT_BYTES + SLOT_ID;
export const SESSION_FLAGS: u32 = SESSION_FRONT_BYTES + SLOT_FLAGS;
const GROUP_BYTES_SHIFT: u32 = 4;
const GROUP_KNOWN: u32 = 8;

/** In the list of changes. */
export const SESSION_CHANGED: u32 = 1;
/** Another one has it in itself: only the store still has to be told. */
export const SESSION_GONE: u32 = 2;

/** A slot takes far less. */
const CHUNK_BYTES: u32 = 65536;
const GROUPS_FIRST: u32 = 64;

/** The gap in ms; -1: the program has no sessions. */
export let gapMs: f64 = -1;
export let sessionGraceMs: f64 = 0;
export let retentionMs: f64 = 0;
/** Nobody but the rows asks for sessions: those that no row can come to are not collected. */
export let isPrivate: bool = false;
/** No session that ends later is in the host's store and not here. */
export let storedMs: f64 = -Infinity;

let groups: u32 = 0;
let groupsRoom: u32 = 0;
let free: u32 = 0;
let chunk: u32 = 0;
let chunkEnd: u32 = 0;
/** Where values of rows go that count nothing: a slot. */
export let idleSlot: u32 = 0;
/** Groups that have a session. */
export let groupCount: u32 = 0;
let changes: u32 = 0;
/** No session ends before; and none of those that came, or were looked at, since `turnLeast`. */
export let leastEnd: f64 = Infinity;
let leastSince: f64 = Infinity;

/** Once, behind `init`; false when memory does not suffice. */
export function beginSessions(
  gap: f64,
  grace: f64,
  retention: f64,
  stored: f64,
  forRows: bool,
): bool {
  idleSlot = allocate(slotBytes);
  if (idleSlot == 0) return false;
  emptyBlocks(idleSlot);
  gapMs = gap;
  sessionGraceMs = grace;
  retentionMs = retention;
  storedMs = stored;
  isPrivate = forRows;
  return true;
}

/** Makes room for all ids that were given; false when memory does not suffice. */
export function coverGroups(): bool {
  const needed = entryCount();
  if (needed <= groupsRoom) return true;
  let room = max(GROUPS_FIRST, groupsRoom);
  while (room < needed) room <<= 1;
  const next = allocate(room << GROUP_BYTES_SHIFT);
  if (next == 0) return false;
  memory.copy(next, groups, groupsRoom << GROUP_BYTES_SHIFT);
  for (let id = groupsRoom; id < room; id++) {
    const group: usize = next + (id << GROUP_BYTES_SHIFT);
    store<u64>(group, 0);
    store<f64>(group, Infinity, GROUP_KNOWN);
  }
  if (groups != 0) release(groups, groupsRoom << GROUP_BYTES_SHIFT);
  groups = next;
  groupsRoom = room;
  return true;
}

/** Ids from 0 on that have a place. */
export function groupPlaces(): u32 {
  return min(groupsRoom, entryCount());
}

export function latestOf(id: u32): u32 {
  return load<u32>(groups + (id << GROUP_BYTES_SHIFT));
}

/** From when on all sessions of a group that rows can still come to are here; nobody looks for what is before `from`. */
export function knownFrom(id: u32, from: f64): f64 {
  const group: usize = groups + (id << GROUP_BYTES_SHIFT);
  let known = load<f64>(group, GROUP_KNOWN);
  let session = load<u32>(group);
  while (session != 0 && known > from) {
    known = min(known, load<f64>(session, SESSION_START));
    session = load<u32>(session, SESSION_EARLIER);
  }
  return known;
}

export function setKnown(id: u32, from: f64): void {
  store<f64>(groups + (id << GROUP_BYTES_SHIFT), from, GROUP_KNOWN);
}

/** A session of one moment, of no rows and in no list; 0 when memory does not suffice. */
export function makeSession(id: u32, ms: f64): u32 {
  let session = free;
  if (session != 0) free = load<u32>(session, SESSION_NEXT);
  else {
    const bytes = (SESSION_FRONT_BYTES + slotBytes + 7) & ~7;
    if (chunk + bytes > chunkEnd) {
      const next = allocate(CHUNK_BYTES);
      if (next == 0) return 0;
      chunk = next;
      chunkEnd = next + CHUNK_BYTES;
    }
    session = chunk;
    chunk += bytes;
  }
  store<f64>(session, ms, SESSION_START);
  store<f64>(session, -1, SESSION_STORED_END);
  store<u64>(session, 0, SESSION_EARLIER);
  store<u32>(session, 0, SESSION_TAKEN);
  store<f64>(session, ms, SESSION_END);
  store<u32>(session, id, SESSION_ID);
  store<u32>(session, 0, SESSION_FLAGS);
  emptyBlocks(session + SESSION_FRONT_BYTES);
  leastEnd = min(leastEnd, ms);
  noteEnd(ms);
  return session;
}

export function freeSession(session: u32): void {
  store<u32>(session, free, SESSION_NEXT);
  free = session;
}

/** Puts a session in front of a later one of its group; 0: it is the latest. */
export function link(session: u32, later: u32): void {
  const place = placeBefore(session, later);
  const earlier = load<u32>(place);
  if (later == 0 && earlier == 0) groupCount += 1;
  store<u32>(session, earlier, SESSION_EARLIER);
  store<u32>(place, session);
}

/** Makes a session the one that stands in front of a later one, instead of those between; 0 for `session`: none does. */
export function cut(id: u32, session: u32, later: u32): void {
  if (later != 0) store<u32>(later, session, SESSION_EARLIER);
  else {
    if (session == 0) groupCount -= 1;
    store<u32>(groups + (id << GROUP_BYTES_SHIFT), session);
  }
}

function placeBefore(session: u32, later: u32): usize {
  return later != 0
    ? later + SESSION_EARLIER
    : groups + (load<u32>(session, SESSION_ID) << GROUP_BYTES_SHIFT);
}

/** Puts a session into the list of changes, unless it is there. */
export function noteChange(session: u32): void {
  const flags = load<u32>(session, SESSION_FLAGS);
  if ((flags & SESSION_CHANGED) != 0) return;
  store<u32>(session, flags | SESSION_CHANGED, SESSION_FLAGS);
  store<u32>(session, changes, SESSION_NEXT);
  changes = session;
}

export function areChanges(): bool {
  return changes != 0;
}

/** Takes a session off the list of changes, the last one that came; 0: there is none. */
export function takeChange(): u32 {
  const session = changes;
  if (session != 0) {
    changes = load<u32>(session, SESSION_NEXT);
    store<u32>(session, load<u32>(session, SESSION_FLAGS) & ~SESSION_CHANGED, SESSION_FLAGS);
  }
  return session;
}

/** Sessions that end then are in the store and not here any more. */
export function noteStored(ms: f64): void {
  storedMs = max(storedMs, ms);
}

/** A session was looked at that ends then. */
export function noteEnd(ms: f64): void {
  leastSince = min(leastSince, ms);
}

/** All sessions have been looked at. */
export function turnLeast(): void {
  leastEnd = leastSince;
  leastSince = Infinity;
}
