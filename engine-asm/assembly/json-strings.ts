// The strings of a column: known from one chunk of records to the next, and numbered anew in each; knows no JSON.

import { JSON_ENTRIES_MAX, JSON_ROWS_MAX, JSON_STRINGS_BYTES_MAX } from './json-abi';
import { allocate, allocateCleared, release } from './arena';
import {
  COLUMN_BYTES_AT,
  COLUMN_BYTES_COUNT,
  COLUMN_BYTES_ROOM,
  COLUMN_ENTRIES,
  COLUMN_ENTRIES_ROOM,
  COLUMN_ENTRY_COUNT,
  COLUMN_GENERATION,
  COLUMN_MASK,
  COLUMN_OFFSETS,
  COLUMN_TABLE,
  COLUMN_TEXT_BYTES,
  COLUMN_TEXT_COUNT,
  COLUMN_USED,
} from './json-buffers';

// table    [u32 hash][u32 entry + 1]                                        linear probing, at most half full
// entry    [first 16 bytes, zeros behind them]                              48 bytes
//          [u32 length][u32 hash][u32 bytes][u32 chunk]                     bytes: where it stands, from 17 bytes on
//          [u32 code][-][-][-]                                              its code in that chunk
// A text of a column is named by its entry from chunk to chunk, until the entries are forgotten: that begins a generation.
const ENTRY_SHIFT: u32 = 6;
const ENTRY_LENGTH: usize = 16;
const ENTRY_HASH: usize = 20;
const ENTRY_BYTES: usize = 24;
const ENTRY_CHUNK: usize = 28;
const ENTRY_CODE: usize = 32;
const ENTRIES_FIRST: u32 = 512;
const BYTES_FIRST: u32 = 4096;

const MIX_A: u64 = 0x9e3779b97f4a7c15;
const MIX_B: u64 = 0xd6e8feb86659fd93;

/** Sixteen bytes of ones, then sixteen of zeros. */
const masks: usize = memory.data<u64>([~0, ~0, 0, 0], 16);

/** Chunks begun so far; an entry whose chunk is another has no code yet. */
let chunk: u32 = 0;

export function beginChunk(): void {
  chunk++;
}

/** Makes the column's strings ready for a chunk, forgetting them where they might not suffice; false without memory. */
export function openStrings(column: usize): bool {
  store<u32>(column, 0, COLUMN_TEXT_COUNT);
  store<u32>(column, 0, COLUMN_TEXT_BYTES);
  if (load<u32>(column, COLUMN_TABLE) == 0) {
    const table = allocateCleared(ENTRIES_FIRST << 4);
    const entries = allocate(ENTRIES_FIRST << ENTRY_SHIFT);
    const bytes = allocate(BYTES_FIRST);
    if (table == 0 || entries == 0 || bytes == 0) return false;
    store<u32>(column, table, COLUMN_TABLE);
    store<u32>(column, (ENTRIES_FIRST << 1) - 1, COLUMN_MASK);
    store<u32>(column, entries, COLUMN_ENTRIES);
    store<u32>(column, ENTRIES_FIRST, COLUMN_ENTRIES_ROOM);
    store<u32>(column, bytes, COLUMN_BYTES_AT);
    store<u32>(column, BYTES_FIRST, COLUMN_BYTES_ROOM);
  }
  // A chunk brings at most so many entries; its bytes are bounded by those of record batches.
  const isFull =
    load<u32>(column, COLUMN_ENTRY_COUNT) > <u32>JSON_ENTRIES_MAX - JSON_ROWS_MAX ||
    load<u32>(column, COLUMN_BYTES_COUNT) > <u32>JSON_STRINGS_BYTES_MAX >> 1;
  if (isFull) forget(column);
  return true;
}

function forget(column: usize): void {
  memory.fill(load<u32>(column, COLUMN_TABLE), 0, (load<u32>(column, COLUMN_MASK) + 1) << 3);
  store<u32>(column, 0, COLUMN_ENTRY_COUNT);
  store<u32>(column, 0, COLUMN_BYTES_COUNT);
  store<u32>(column, load<u32>(column, COLUMN_GENERATION) + 1, COLUMN_GENERATION);
}

/** The last 8 of at least 8 bytes. */
function tailOf(at: usize, length: u32): u64 {
  return load<u64>(at + length - 8);
}

function mixed(hash: u64): u32 {
  const once = (hash ^ (hash >> 32)) * MIX_B;
  return <u32>(once >> 32);
}

function hashOf(at: usize, length: u32): u32 {
  let hash = <u64>length * MIX_B;
  let from = at;
  for (let left = length; left > 8; left -= 8) {
    hash = (hash ^ load<u64>(from)) * MIX_A;
    hash ^= hash >> 29;
    from += 8;
  }
  return mixed((hash ^ tailOf(at, length)) * MIX_A);
}

function sameBytes(a: usize, b: usize, length: u32): bool {
  let done: u32 = 0;
  for (; length - done > 8; done += 8) {
    if (load<u64>(a + done) != load<u64>(b + done)) return false;
  }
  return tailOf(a, length) == tailOf(b, length);
}

/** The code of a string in this chunk, or -1 when there is no room for it. Sixteen bytes from `at` on may be read. */
export function codeOf(column: usize, at: usize, length: u32): i32 {
  let first = v128.load(at);
  let hash: u32;
  if (length <= 16) {
    first = v128.and(first, v128.load(masks + 16 - length));
    const low = (v128.extract_lane<u64>(first, 0) ^ (<u64>length * MIX_B)) * MIX_A;
    hash = mixed((low ^ (low >> 29) ^ v128.extract_lane<u64>(first, 1)) * MIX_A);
  } else hash = hashOf(at, length);
  const table = load<u32>(column, COLUMN_TABLE);
  const mask = load<u32>(column, COLUMN_MASK);
  const entries = load<u32>(column, COLUMN_ENTRIES);
  let place = hash & mask;
  while (true) {
    const found = load<u64>(table + (place << 3));
    if (found == 0) return added(column, at, length, hash, first);
    if (<u32>found == hash) {
      const entry: usize = entries + ((<u32>(found >> 32) - 1) << ENTRY_SHIFT);
      const isSame =
        load<u32>(entry, ENTRY_LENGTH) == length &&
        !v128.any_true(v128.xor(v128.load(entry), first)) &&
        (length <= 16 ||
          sameBytes(
            load<u32>(column, COLUMN_BYTES_AT) + load<u32>(entry, ENTRY_BYTES),
            at,
            length,
          ));
      if (isSame) {
        if (load<u32>(entry, ENTRY_CHUNK) == chunk) return load<u32>(entry, ENTRY_CODE);
        return numbered(column, entry, <u32>(found >> 32) - 1);
      }
    }
    place = (place + 1) & mask;
  }
}

/** Gives an entry its code in this chunk. */
function numbered(column: usize, entry: usize, index: u32): i32 {
  const code = load<u32>(column, COLUMN_TEXT_COUNT);
  if (code >= <u32>JSON_ROWS_MAX) return -1;
  store<u32>(entry, chunk, ENTRY_CHUNK);
  store<u32>(entry, code, ENTRY_CODE);
  store<u32>(load<u32>(column, COLUMN_USED) + (code << 2), index);
  store<u32>(column, code + 1, COLUMN_TEXT_COUNT);
  const bytes = load<u32>(column, COLUMN_TEXT_BYTES) + load<u32>(entry, ENTRY_LENGTH);
  store<u32>(column, bytes, COLUMN_TEXT_BYTES);
  return code;
}

/** Adds a string that is known to be new; all or nothing. */
function added(column: usize, at: usize, length: u32, hash: u32, first: v128): i32 {
  const count = load<u32>(column, COLUMN_ENTRY_COUNT);
  if (count >= <u32>JSON_ENTRIES_MAX || load<u32>(column, COLUMN_TEXT_COUNT) >= <u32>JSON_ROWS_MAX)
    return -1;
  if (count == load<u32>(column, COLUMN_ENTRIES_ROOM) && !grow(column)) return -1;
  const entry: usize = load<u32>(column, COLUMN_ENTRIES) + (count << ENTRY_SHIFT);
  if (length > 16) {
    const begin = load<u32>(column, COLUMN_BYTES_COUNT);
    if (!reserveBytes(column, begin + length)) return -1;
    memory.copy(load<u32>(column, COLUMN_BYTES_AT) + begin, at, length);
    store<u32>(entry, begin, ENTRY_BYTES);
    store<u32>(column, begin + length, COLUMN_BYTES_COUNT);
  }
  v128.store(entry, first);
  store<u32>(entry, length, ENTRY_LENGTH);
  store<u32>(entry, hash, ENTRY_HASH);
  store<u32>(column, count + 1, COLUMN_ENTRY_COUNT);
  place(load<u32>(column, COLUMN_TABLE), load<u32>(column, COLUMN_MASK), hash, count);
  return numbered(column, entry, count);
}

function place(table: usize, mask: u32, hash: u32, index: u32): void {
  let at = hash & mask;
  while (load<u64>(table + (at << 3)) != 0) at = (at + 1) & mask;
  store<u64>(table + (at << 3), <u64>hash | ((<u64>index + 1) << 32));
}

/** Doubles the room for entries, and the table. On refusal everything stays as it was. */
function grow(column: usize): bool {
  const room = load<u32>(column, COLUMN_ENTRIES_ROOM);
  const table = allocateCleared(room << 5);
  const entries = allocate(room << (ENTRY_SHIFT + 1));
  if (table == 0 || entries == 0) {
    if (table != 0) release(table, room << 5);
    return false;
  }
  const old = load<u32>(column, COLUMN_ENTRIES);
  memory.copy(entries, old, room << ENTRY_SHIFT);
  const mask = (room << 2) - 1;
  for (let i: u32 = 0; i < room; i++)
    place(table, mask, load<u32>(entries + (i << ENTRY_SHIFT), ENTRY_HASH), i);
  release(old, room << ENTRY_SHIFT);
  release(load<u32>(column, COLUMN_TABLE), room << 4);
  store<u32>(column, table, COLUMN_TABLE);
  store<u32>(column, mask, COLUMN_MASK);
  store<u32>(column, entries, COLUMN_ENTRIES);
  store<u32>(column, room << 1, COLUMN_ENTRIES_ROOM);
  return true;
}

function reserveBytes(column: usize, bytes: u32): bool {
  const room = load<u32>(column, COLUMN_BYTES_ROOM);
  if (bytes <= room) return true;
  if (bytes > <u32>JSON_STRINGS_BYTES_MAX) return false;
  let wanted = room;
  while (wanted < bytes) wanted <<= 1;
  const block = allocate(wanted);
  if (block == 0) return false;
  const old = load<u32>(column, COLUMN_BYTES_AT);
  memory.copy(block, old, load<u32>(column, COLUMN_BYTES_COUNT));
  release(old, room);
  store<u32>(column, block, COLUMN_BYTES_AT);
  store<u32>(column, wanted, COLUMN_BYTES_ROOM);
  return true;
}

/** Writes the texts of this chunk to `to`, where sixteen bytes more than they are may be written, and where each begins. */
export function writeTexts(column: usize, to: usize): void {
  const count = load<u32>(column, COLUMN_TEXT_COUNT);
  const offsets = load<u32>(column, COLUMN_OFFSETS);
  const used = load<u32>(column, COLUMN_USED);
  const entries = load<u32>(column, COLUMN_ENTRIES);
  const bytes = load<u32>(column, COLUMN_BYTES_AT);
  let at: u32 = 0;
  for (let code: u32 = 0; code < count; code++) {
    store<u32>(offsets + (code << 2), at);
    const entry: usize = entries + (load<u32>(used + (code << 2)) << ENTRY_SHIFT);
    const length = load<u32>(entry, ENTRY_LENGTH);
    if (length <= 16) v128.store(to + at, v128.load(entry));
    else memory.copy(to + at, bytes + load<u32>(entry, ENTRY_BYTES), length);
    at += length;
  }
  store<u32>(offsets + (count << 2), at);
}
