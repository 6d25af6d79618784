// Finds the changes of a pane among all its slots, where they are more than its list holds, which is a quarter as long then as it would have to be.
// Has no exports of the module: pane.ts calls it where it is compiled in.

import {
  CHUNK_FOOTER_BYTES,
  PANE_CHUNK,
  PANE_CHUNK_BYTES,
  PANE_FREE,
  PANE_SEARCH,
  PANE_SEARCH_BYTES,
  PANE_SEARCH_CHUNK,
  SLOT_CHANGED,
} from './pane';
import { SLOT_FLAGS, slotBytes } from './program';

/** Slots that have been found together, at most 64. */
const found: usize = memory.data(256, 16);

/**
 * Writes the addresses of the next `count` slots that have changed, at most 64; there are as many. It goes through the chunks from the
 * newest to the oldest, and round, because more may change behind it. The slots are to lose SLOT_CHANGED before it is called again.
 */
// @ts-ignore: decorator
@global
function searchChanges(pane: usize, count: u32): u32 {
  const bytes = slotBytes;
  let chunk = load<u32>(pane, PANE_SEARCH_CHUNK);
  let chunkBytes = load<u32>(pane, PANE_SEARCH_BYTES);
  let slot = load<u32>(pane, PANE_SEARCH);
  for (let n: u32 = 0; n < count; ) {
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
// @ts-ignore: decorator
@global
function beginSearch(pane: usize): void {
  const chunk = load<u32>(pane, PANE_CHUNK);
  store<u32>(pane, chunk, PANE_SEARCH_CHUNK);
  store<u32>(pane, load<u32>(pane, PANE_CHUNK_BYTES), PANE_SEARCH_BYTES);
  store<u32>(pane, chunk, PANE_SEARCH);
}
