// What a pane and its slots' flags are made of; knows no code.

import { IS_WHOLE } from './whole';

// A pane finds the slot of an id in a table of slot addresses with linear probing. The first place tried is
// `(id ^ (id >>> shift) * SPREAD) & mask`. While a good part of all ids is in the window the table has a place for each
// id and the shift leaves nothing, so that the id itself is the place and nothing collides; else it is a small hash table, and the shift is by
// the bits of its places, so that ids that follow one another do not collide either.
//
//   pane   [f64 window start][u32 table][u32 mask][u32 shift][u32 groups][u32 chunk]
//          [u32 next free slot][u32 chunk end][u32 chunk bytes][u32 changed][u32 next changed pane][u32 list]
//          [u32 slot to search from][u32 its chunk][u32 bytes]
//   table  [u32 slot]...                     a place each
//   list   [u32 slot]...                     the slots that have changed; in whole kernels at most a quarter of the places
//   chunk  [slot]...[u32 older chunk][u32 bytes]   slots never move, so that addresses stay good
export const PANE_START: u32 = 0;
export const PANE_TABLE: u32 = 8;
export const PANE_MASK: u32 = 12;
export const PANE_SHIFT: u32 = 16;
export const PANE_GROUPS: u32 = 20;
export const PANE_CHUNK: u32 = 24;
export const PANE_FREE: u32 = 28;
export const PANE_CHUNK_END: u32 = 32;
export const PANE_CHUNK_BYTES: u32 = 36;
export const PANE_CHANGED: u32 = 40;
export const PANE_CHANGED_NEXT: u32 = 44;
export const PANE_LIST: u32 = 48;
/** Not 0: more have changed than the list holds. */
export const PANE_SEARCH: u32 = 52;
export const PANE_SEARCH_CHUNK: u32 = 56;
export const PANE_SEARCH_BYTES: u32 = 60;
export const PANE_BYTES: u32 = IS_WHOLE ? 64 : 52;

/** Places of the smallest table. */
export const PLACES_MIN: u32 = 16;
export const CHUNK_FOOTER_BYTES: u32 = 8;

/** Flags of a slot. */
export const SLOT_CHANGED: u32 = 1; // is in its pane's list of changes since the last collection
export const SLOT_FRESH: u32 = 2; // no row has come to it
export const SLOT_TOUCHED: u32 = 4; // for output by groups: the current batch has listed it
