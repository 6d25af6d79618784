// One pane: the groups of one window, found by dictionary id; knows neither time nor aggregates.

import { allocate, allocateCleared, release } from './arena';
import { addChange, beginSearch, hasChanges, listBytes } from './changes';
import { entryCount } from './dictionary';
import {
  CHUNK_FOOTER_BYTES,
  PANE_BYTES,
  PANE_CHANGED,
  PANE_CHUNK,
  PANE_CHUNK_BYTES,
  PANE_CHUNK_END,
  PANE_FREE,
  PANE_GROUPS,
  PANE_LIST,
  PANE_MASK,
  PANE_SHIFT,
  PANE_START,
  PANE_TABLE,
  PLACES_MIN,
  SLOT_CHANGED,
  SLOT_FRESH,
} from './pane-layout';
import {
  BLOCK_BYTES,
  SLOT_BLOCKS,
  SLOT_FLAGS,
  SLOT_ID,
  SLOT_ROWS,
  emptyBlocks,
  emptyFrom,
  emptySlot,
  slotBytes,
} from './program';
import { IS_WHOLE } from './whole';

const CHUNK_BYTES_MAX: u32 = 65536;
/** Odd, so that blocks of ids that follow one another differ in their low bits; 2^16 over the golden ratio. */
const SPREAD: u32 = 0x9e37;
/** Nothing of an id is left by it. */
const SHIFT_DIRECT: u32 = 31;
/** A place for each id is worth it from one id in so many on. */
const DENSE_FACTOR: u32 = 8;

/** Groups in all panes. */
export let groupTotal: u32 = 0;
/** An empty pane with a table for as many groups as are expected, or 0 when memory does not suffice. */
export function makePane(start: f64, groups: u32): u32 {
  const pane = allocateCleared(PANE_BYTES);
  if (pane == 0) return 0;
  if (!giveTable(pane, groups)) {
    release(pane, PANE_BYTES);
    return 0;
  }
  store<f64>(pane, start, PANE_START);
  return pane;
}

/** True when so many groups are enough of all ids for a place each. */
function isDenseFor(groups: u32): bool {
  return placesFor(entryCount()) <= placesFor(groups) * DENSE_FACTOR;
}

export function groupsOf(pane: usize): u32 {
  return load<u32>(pane, PANE_GROUPS);
}

/** An empty table for so many groups; false when memory does not suffice, and the pane stays as it was. */
function giveTable(pane: usize, groups: u32): bool {
  const dense = isDenseFor(groups);
  const places = placesFor(dense ? entryCount() : groups << 1);
  const list = allocate(listBytes(places));
  if (list == 0) return false;
  const table = allocateCleared(places << 2);
  if (table == 0) {
    release(list, listBytes(places));
    return false;
  }
  store<u32>(pane, list, PANE_LIST);
  store<u32>(pane, table, PANE_TABLE);
  store<u32>(pane, places - 1, PANE_MASK);
  store<u32>(pane, dense ? SHIFT_DIRECT : 31 - clz<u32>(places), PANE_SHIFT);
  return true;
}

/** Gives a table and its list back. */
function releaseTable(table: u32, list: u32, places: u32): void {
  release(table, places << 2);
  release(list, listBytes(places));
}

/** Gives all memory of a pane without changes back. */
export function releasePane(pane: u32): void {
  releaseTable(
    load<u32>(pane, PANE_TABLE),
    load<u32>(pane, PANE_LIST),
    load<u32>(pane, PANE_MASK) + 1,
  );
  let chunk = load<u32>(pane, PANE_CHUNK);
  let bytes = load<u32>(pane, PANE_CHUNK_BYTES);
  while (chunk != 0) {
    const footer = chunk + bytes - CHUNK_FOOTER_BYTES;
    const older = load<u32>(footer);
    const olderBytes = load<u32>(footer, 4);
    release(chunk, bytes);
    chunk = older;
    bytes = olderBytes;
  }
  groupTotal -= load<u32>(pane, PANE_GROUPS);
  release(pane, PANE_BYTES);
}

/** True when the table has a place for each id: the slot of an id below the number of places stands at just that. */
export function isDirect(pane: usize): bool {
  return load<u32>(pane, PANE_SHIFT) == SHIFT_DIRECT;
}

/** The place that is tried first for an id. */
function placeOf(pane: usize, id: u32): u32 {
  return (id ^ ((id >>> load<u32>(pane, PANE_SHIFT)) * SPREAD)) & load<u32>(pane, PANE_MASK);
}

/** What stands in the first place that is tried for an id: its slot, or that of another one, or 0. */
export function likelySlot(pane: usize, id: u32): u32 {
  return load<u32>(load<u32>(pane, PANE_TABLE) + (placeOf(pane, id) << 2));
}

/** The slot of an id, 0 when the pane has none. */
export function findSlot(pane: usize, id: u32): u32 {
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  let place = placeOf(pane, id);
  let slot = load<u32>(table + (place << 2));
  while (slot != 0 && load<u32>(slot, SLOT_ID) != id) {
    place = (place + 1) & mask;
    slot = load<u32>(table + (place << 2));
  }
  return slot;
}

function placeSlot(pane: usize, slot: u32): void {
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  let place = placeOf(pane, load<u32>(slot, SLOT_ID));
  while (load<u32>(table + (place << 2)) != 0) place = (place + 1) & mask;
  store<u32>(table + (place << 2), slot);
}

/** The smallest power of two above `count`. */
function placesFor(count: u32): u32 {
  return max(PLACES_MIN, (<u32>1) << (32 - clz<u32>(count)));
}

/** Makes room in the table for `id`; on refusal the pane stays as it was. */
function reserve(pane: usize, id: u32): bool {
  const groups = load<u32>(pane, PANE_GROUPS) + 1;
  const places = load<u32>(pane, PANE_MASK) + 1;
  if (isDirect(pane) ? hasRoom(pane, id) : groups << 2 <= places * 3) return true;
  const old = load<u32>(pane, PANE_TABLE);
  const list = load<u32>(pane, PANE_LIST);
  if (!giveTable(pane, groups)) return false;
  for (let at: u32 = 0; at < places << 2; at += 4) {
    const slot = load<u32>(old + at);
    if (slot != 0) placeSlot(pane, slot);
  }
  let listed = load<u32>(pane, PANE_CHANGED) << 2;
  if (IS_WHOLE) {
    // A table may have got smaller: a hash table instead of a place for each id.
    const room = listBytes(load<u32>(pane, PANE_MASK) + 1);
    if (listed > room) beginSearch(pane);
    listed = min(listed, min(room, listBytes(places)));
  }
  memory.copy(load<u32>(pane, PANE_LIST), list, listed);
  releaseTable(old, list, places);
  return true;
}

/** True when there is a place for one more id in a table that has one for each. */
export function hasRoom(pane: usize, id: u32): bool {
  const mask = load<u32>(pane, PANE_MASK);
  return id <= mask && load<u32>(pane, PANE_GROUPS) < mask;
}

/** Makes the slot of an id that the pane does not have, fresh; 0 when memory does not suffice. */
export function makeSlot(pane: usize, id: u32): u32 {
  return reserve(pane, id) ? addSlot(pane, id) : 0;
}

/** As `makeSlot`, where the table has room. */
function addSlot(pane: usize, id: u32): u32 {
  const slot = takeSlot(pane);
  if (slot == 0) return 0;
  emptyFrom(0, slot);
  store<u32>(slot, id, SLOT_ID);
  store<u32>(slot, SLOT_FRESH, SLOT_FLAGS);
  placeSlot(pane, slot);
  return slot;
}

/** Where the next slots of a pane go when its chunk is full; 0 when memory does not suffice. */
function takeChunk(pane: usize): u32 {
  // Chunks double from four slots on, so that a window of one group costs little and a full one few calls.
  const older = load<u32>(pane, PANE_CHUNK);
  const olderBytes = load<u32>(pane, PANE_CHUNK_BYTES);
  const least = placesFor(slotBytes * 4 + CHUNK_FOOTER_BYTES - 1);
  const bytes = max(least, min(olderBytes << 1, CHUNK_BYTES_MAX));
  const chunk = allocate(bytes);
  if (chunk == 0) return 0;
  const footer = chunk + bytes - CHUNK_FOOTER_BYTES;
  store<u32>(footer, older);
  store<u32>(footer, olderBytes, 4);
  store<u32>(pane, chunk, PANE_CHUNK);
  store<u32>(pane, bytes, PANE_CHUNK_BYTES);
  store<u32>(pane, footer, PANE_CHUNK_END);
  return chunk;
}

/** Room for one more slot of a pane; 0 when memory does not suffice. */
function takeSlot(pane: usize): u32 {
  // Without a chunk both are 0.
  let slot = load<u32>(pane, PANE_FREE);
  if (slot + slotBytes > load<u32>(pane, PANE_CHUNK_END)) {
    slot = takeChunk(pane);
    if (slot == 0) return 0;
  }
  store<u32>(pane, slot + slotBytes, PANE_FREE);
  store<u32>(pane, load<u32>(pane, PANE_GROUPS) + 1, PANE_GROUPS);
  groupTotal += 1;
  return slot;
}

/**
 * As `makeSlot`, in a table that has a place for each id and `hasRoom`; it is a change. Written as it will be read, sixteen bytes at a time: what
 * has just been written is read sooner so.
 */
export function addDirect(pane: usize, id: u32): u32 {
  const slot = takeSlot(pane);
  if (slot == 0) return 0;
  const header = i32x4.replace_lane(i32x4.splat(0), 2, id);
  v128.store(slot, i32x4.replace_lane(header, 3, SLOT_FRESH));
  emptyBlocks(slot);
  store<u32>(load<u32>(pane, PANE_TABLE) + (id << 2), slot);
  addChange(<u32>pane, slot);
  return slot;
}

/**
 * As `addDirect`, of all ids from address `at` on that have no slot, until one is none or finds no room at hand. For whole kernels; what a pane counts
 * is kept in locals.
 */
export function addMissing(pane: usize, at: usize, end: usize): void {
  // The first change does more than the others.
  if (at < end && !hasChanges(pane) && load<u32>(at) < entryCount() && hasRoom(pane, load<u32>(at)))
    addDirect(pane, load<u32>(at));
  let changed = load<u32>(pane, PANE_CHANGED);
  if (changed == 0) return;
  const table = load<u32>(pane, PANE_TABLE);
  const mask = load<u32>(pane, PANE_MASK);
  const list = load<u32>(pane, PANE_LIST);
  const room = listBytes(mask + 1) >> 2;
  const idsEnd = min(entryCount(), mask + 1);
  const before = load<u32>(pane, PANE_GROUPS);
  const last = changed + mask - before;
  const bytes = slotBytes;
  let slot = load<u32>(pane, PANE_FREE);
  let slotsEnd = load<u32>(pane, PANE_CHUNK_END);
  const first = changed;
  const empty = emptySlot;
  const one = v128.load(empty, SLOT_BLOCKS);
  const two = v128.load(empty, SLOT_BLOCKS + BLOCK_BYTES);
  for (; at < end; at += 4) {
    const id = load<u32>(at);
    if (id >= idsEnd || changed >= last) break;
    if (load<u32>(table + (id << 2)) != 0) continue;
    if (slot + bytes > slotsEnd) {
      const chunk = takeChunk(pane);
      if (chunk == 0) break;
      slot = chunk;
      slotsEnd = load<u32>(pane, PANE_CHUNK_END);
    }
    v128.store(slot, i32x4.replace_lane(i32x4(0, 0, 0, SLOT_FRESH | SLOT_CHANGED), 2, id));
    store<i64>(slot, 0, SLOT_ROWS);
    let block = SLOT_BLOCKS;
    if (bytes >= SLOT_BLOCKS + 2 * BLOCK_BYTES) {
      v128.store(slot, one, SLOT_BLOCKS);
      v128.store(slot, two, SLOT_BLOCKS + BLOCK_BYTES);
      block += 2 * BLOCK_BYTES;
    }
    for (; block < bytes; block += BLOCK_BYTES) v128.store(slot + block, v128.load(empty + block));
    store<u32>(table + (id << 2), slot);
    if (changed == room) beginSearch(pane);
    if (changed < room) store<u32>(list + (changed << 2), slot);
    changed += 1;
    slot += bytes;
  }
  store<u32>(pane, slot, PANE_FREE);
  store<u32>(pane, changed, PANE_CHANGED);
  store<u32>(pane, before + changed - first, PANE_GROUPS);
  groupTotal += changed - first;
}
