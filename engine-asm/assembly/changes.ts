// Which slots of which panes have changed since they were last collected; knows neither ids nor what a slot holds.

import {
  CHUNK_FOOTER_BYTES,
  PANE_CHANGED,
  PANE_CHANGED_NEXT,
  PANE_CHUNK,
  PANE_CHUNK_BYTES,
  PANE_FREE,
  PANE_LIST,
  PANE_MASK,
  PANE_SEARCH,
  PANE_SEARCH_BYTES,
  PANE_SEARCH_CHUNK,
  PANE_TABLE,
  PLACES_MIN,
  SLOT_CHANGED,
  SLOT_FRESH,
} from './pane-layout';
import { SLOT_FLAGS, slotBytes } from './program';
import { IS_WHOLE } from './whole';

/** First pane with changes, and the last. */
let changedFirst: u32 = 0;
let changedLast: u32 = 0;

/** Bytes of the list of a pane with so many places. */
export function listBytes(places: u32): u32 {
  return IS_WHOLE ? max(places, PLACES_MIN << 2) : places << 2;
}

/** Puts a slot that is in no list of changes into its pane's. Needs no memory. */
export function addChange(pane: u32, slot: u32): void {
  const changed = load<u32>(pane, PANE_CHANGED);
  if (changed == 0) {
    if (changedLast != 0) store<u32>(changedLast, pane, PANE_CHANGED_NEXT);
    else changedFirst = pane;
    changedLast = pane;
  }
  store<u32>(pane, changed + 1, PANE_CHANGED);
  if (IS_WHOLE) {
    const room = listBytes(load<u32>(pane, PANE_MASK) + 1) >> 2;
    if (changed == room) beginSearch(pane);
    if (changed < room) store<u32>(load<u32>(pane, PANE_LIST) + (changed << 2), slot);
  } else store<u32>(load<u32>(pane, PANE_LIST) + (changed << 2), slot);
  store<u32>(slot, load<u32>(slot, SLOT_FLAGS) | SLOT_CHANGED, SLOT_FLAGS);
}

/** The pane of the next changes, 0 when there is none. */
export function changedPane(): u32 {
  return changedFirst;
}

/** How many changes the last `takeChanges` took. */
export let taken: u32 = 0;

/**
 * Takes changes of `changedPane()`, at most so many, and at most 64; their slots stand there until the next change, and are to lose SLOT_CHANGED
 * before the next call.
 */
export function takeChanges(most: u32): u32 {
  const pane = changedFirst;
  const changed = load<u32>(pane, PANE_CHANGED);
  taken = min(changed, most);
  let slots = load<u32>(pane, PANE_LIST) + ((changed - taken) << 2);
  if (IS_WHOLE) {
    if (load<u32>(pane, PANE_SEARCH) != 0) slots = searchChanges(pane, taken);
    if (changed == taken) store<u32>(pane, 0, PANE_SEARCH);
  }
  store<u32>(pane, changed - taken, PANE_CHANGED);
  if (changed == taken) {
    changedFirst = load<u32>(pane, PANE_CHANGED_NEXT);
    if (changedFirst == 0) changedLast = 0;
    store<u32>(pane, 0, PANE_CHANGED_NEXT);
  }
  return slots;
}

/**
 * Writes the addresses of the next `count` slots that have changed, at most 64; there are as many. For whole kernels. It goes through the chunks from the
 * newest to the oldest, and round, because more may change behind it. The slots are to lose SLOT_CHANGED before it is called again.
 */
function searchChanges(pane: usize, count: u32): u32 {
  // A function's static, so that pages' halves have none of it.
  const found: usize = memory.data(256, 16);
  const bytes = slotBytes;
  let chunk = load<u32>(pane, PANE_SEARCH_CHUNK);
  let chunkBytes = load<u32>(pane, PANE_SEARCH_BYTES);
  let slot = load<u32>(pane, PANE_SEARCH);
  for (let n: u32 = 0; n < count;) {
    const footer = chunk + chunkBytes - CHUNK_FOOTER_BYTES;
    // The newest chunk is not full.
    const end = chunk == load<u32>(pane, PANE_CHUNK) ? load<u32>(pane, PANE_FREE) : footer;
    for (; slot + bytes <= end && n < count; slot += bytes) {
      store<u32>(found + (n << 2), slot);
      n += (load<u32>(slot, SLOT_FLAGS) / SLOT_CHANGED) & 1;
    }
    if (n == count) break;
    chunkBytes = load<u32>(footer, 4);
    chunk = load<u32>(footer);
    if (chunk == 0) {
      chunk = load<u32>(pane, PANE_CHUNK);
      chunkBytes = load<u32>(pane, PANE_CHUNK_BYTES);
    }
    slot = chunk;
  }
  store<u32>(pane, chunk, PANE_SEARCH_CHUNK);
  store<u32>(pane, chunkBytes, PANE_SEARCH_BYTES);
  store<u32>(pane, slot, PANE_SEARCH);
  return <u32>found;
}

/** Makes the next search begin at the newest chunk. */
export function beginSearch(pane: usize): void {
  const chunk = load<u32>(pane, PANE_CHUNK);
  store<u32>(pane, chunk, PANE_SEARCH_CHUNK);
  store<u32>(pane, load<u32>(pane, PANE_CHUNK_BYTES), PANE_SEARCH_BYTES);
  store<u32>(pane, chunk, PANE_SEARCH);
}

/** True while a change of the pane has not been collected. */
export function hasChanges(pane: usize): bool {
  return load<u32>(pane, PANE_CHANGED) != 0;
}

/** Makes every group of the pane that has had a row a change. */
export function changeAll(pane: u32): void {
  const table = load<u32>(pane, PANE_TABLE);
  const bytes = (load<u32>(pane, PANE_MASK) + 1) << 2;
  for (let at: u32 = 0; at < bytes; at += 4) {
    const slot = load<u32>(table + at);
    if (slot != 0 && (load<u32>(slot, SLOT_FLAGS) & (SLOT_FRESH | SLOT_CHANGED)) == 0)
      addChange(pane, slot);
  }
}
