// The strings of a column: known from one chunk of records to the next, and numbered anew in each; knows no JSON but escapes.

import {
  JSON_DECLINED_FULL,
  JSON_ENTRIES_MAX,
  JSON_OK,
  JSON_ROWS_MAX,
  JSON_STRINGS_BYTES_MAX,
} from './json-abi';
import { allocate, release } from './arena';
import { sameBytes } from './hashes';
import {
  COLUMN_ENTRY_ENDS,
  COLUMN_BYTES_AT,
  COLUMN_BYTES_COUNT,
  COLUMN_BYTES_ROOM,
  COLUMN_ENTRY_COUNT,
  COLUMN_GENERATION,
  COLUMN_LENGTHS,
  COLUMN_TABLE,
  COLUMN_TABLE_PLACES,
  COLUMN_TEXT_COUNT,
  COLUMN_USED,
  COLUMN_VALUES,
  scratch,
  setStatus,
  statuses,
} from './json-buffers';
import { unescape } from './json-text';
import { IS_WHOLE } from './whole';

// Places and entries are one block, which doubles as a whole:
//
//   places   [u16 number + 1][u16 of the hash]...   4 bytes each, 0: free; linear probing, at most half full, from the first of four places on,
//                                                   which are looked at together: few strings stand elsewhere
//   entries  [first 16 bytes of the string, zeros behind them][u32 length][u32 chunk << 12 | code]...   by number, half as many as places
//
// All strings stand in the column's bytes too, in the order of their numbers, where the array of their ends says: the host takes those that it
// does not have yet. Numbers stay until the entries are forgotten: that begins a generation.
const NUMBER_MASK: u32 = 0xffff;
const ENTRY_BYTES: u32 = 24;
const ENTRY_LENGTH: usize = 16;
const ENTRY_CODE: usize = 20;
/** Of places and entries, by place. */
const BLOCK_SHIFT: u32 = 4;
const CODE_SHIFT: u32 = 12;
const CODE_MASK: u32 = (1 << CODE_SHIFT) - 1;
const CHUNKS_MAX: u32 = 1 << (32 - CODE_SHIFT);
const PLACES_FIRST: u32 = 2048;
const BYTES_FIRST: u32 = 4096;
/** Bytes behind a string that a write of sixteen may touch. */
const SLACK_BYTES: u32 = 16;
/** Set in a length: the string has escapes. */
export const ESCAPED: u32 = 0x80000000;
/** Entries a row of a chunk, at most, that are brought near before it. */
const NEAR_ENTRIES_MAX: u32 = 4;
/** Of caches. */
const LINE_BYTES: usize = 64;
/** Which bits of a hash say where probing begins. */
const HOME_MASK: u32 = ~3;

const MIX: u64 = 0x9e3779b97f4a7c15;

/** Sixteen bytes of ones, then sixteen of zeros. */
const masks: usize = memory.data<u64>([~0, ~0, 0, 0], 16);

/** Chunks begun so far; an entry whose chunk is another has no code yet. */
let chunk: u32 = 0;
/** Rows that the chunk will have. */
let expected: u32 = 0;

/** @returns true when the numbers of chunks begin anew, so that all strings must be forgotten */
export function beginChunk(rows: u32): bool {
  expected = rows;
  chunk++;
  if (chunk < CHUNKS_MAX) return false;
  chunk = 1;
  return true;
}

/** Makes the column's strings ready for a chunk, forgetting them where they might not suffice; false without memory. */
export function openStrings(column: usize, anew: bool): bool {
  store<u32>(column, 0, COLUMN_TEXT_COUNT);
  if (load<u32>(column, COLUMN_TABLE) == 0) {
    const table = openTable(PLACES_FIRST);
    const ends = allocate(JSON_ENTRIES_MAX << 2);
    const bytes = allocate(BYTES_FIRST);
    if (table == 0 || ends == 0 || bytes == 0) return false;
    store<u32>(column, table, COLUMN_TABLE);
    store<u32>(column, PLACES_FIRST, COLUMN_TABLE_PLACES);
    store<u32>(column, ends, COLUMN_ENTRY_ENDS);
    store<u32>(column, bytes, COLUMN_BYTES_AT);
    store<u32>(column, BYTES_FIRST, COLUMN_BYTES_ROOM);
  }
  // A chunk brings at most so many entries; its bytes are bounded by those of record batches.
  const isFull =
    load<u32>(column, COLUMN_ENTRY_COUNT) > <u32>JSON_ENTRIES_MAX - JSON_ROWS_MAX ||
    load<u32>(column, COLUMN_BYTES_COUNT) > <u32>JSON_STRINGS_BYTES_MAX >> 1;
  if (isFull || anew) forget(column);
  return true;
}

/**
 * Reads all places and entries, one after the other, which costs less than to wait for each that a row asks for: what has been done since the last
 * chunk has taken their places in the nearer caches. Not where few of them are asked for.
 */
function bringNear(column: usize): void {
  const count = load<u32>(column, COLUMN_ENTRY_COUNT);
  if (count > expected * NEAR_ENTRIES_MAX) return;
  const end = entryOf(column, count + 1);
  let all: u32 = 0;
  for (let at: usize = load<u32>(column, COLUMN_TABLE); at < end; at += LINE_BYTES)
    all |= load<u32>(at);
  // Said to somebody, or nothing would be read.
  store<u32>(scratch, all);
}

/** The block of so many places, without entries; 0 without memory. */
function openTable(places: u32): u32 {
  const table = allocate(places << BLOCK_SHIFT);
  if (table != 0) memory.fill(table, 0, places << 2);
  return table;
}

function forget(column: usize): void {
  memory.fill(load<u32>(column, COLUMN_TABLE), 0, load<u32>(column, COLUMN_TABLE_PLACES) << 2);
  store<u32>(column, 0, COLUMN_ENTRY_COUNT);
  store<u32>(column, 0, COLUMN_BYTES_COUNT);
  store<u32>(column, load<u32>(column, COLUMN_GENERATION) + 1, COLUMN_GENERATION);
}

/** The best bits, the last ones of the product, come first: they say where probing begins. */
function mixed(hash: u64): u32 {
  return rotl<u32>(<u32>(((hash ^ (hash >> 29)) * MIX) >> 32), 16);
}

/** The first 16 bytes of a string, zeros behind it. */
function beginning(at: usize, length: u32): v128 {
  return v128.and(v128.load(at), v128.load(masks + 16 - min<u32>(length, 16)));
}

function hashOf(at: usize, length: u32): u32 {
  return length > 16 ? hashOfLong(at, length) : hashOfWords(beginning(at, length));
}

/** Of a string of at most 16 bytes, with zeros behind it. */
function hashOfWords(words: v128): u32 {
  return mixed((v128.extract_lane<u64>(words, 0) * MIX) ^ v128.extract_lane<u64>(words, 1));
}

function hashOfLong(at: usize, length: u32): u32 {
  let hash = <u64>length;
  let from = at;
  for (let left = length; left > 8; left -= 8) {
    hash = (hash ^ load<u64>(from)) * MIX;
    hash ^= hash >> 29;
    from += 8;
  }
  return mixed(hash ^ load<u64>(at + length - 8));
}

/** The entry of a number plus one. */
function entryOf(column: usize, number: u32): usize {
  const entries = load<u32>(column, COLUMN_TABLE) + (load<u32>(column, COLUMN_TABLE_PLACES) << 2);
  return entries + (number - 1) * ENTRY_BYTES;
}

/** The code of a string in this chunk, or -1 when there is no room for it. Sixteen bytes from `at` on may be read. */
function codeOf(column: usize, at: usize, length: u32, hash: u32): i32 {
  const first = beginning(at, length);
  const table = load<u32>(column, COLUMN_TABLE);
  const mask = load<u32>(column, COLUMN_TABLE_PLACES) - 1;
  let place = hash & mask & HOME_MASK;
  while (true) {
    const found = load<u32>(table + (place << 2));
    if (found == 0) return added(column, at, length, hash);
    if ((found ^ hash) <= NUMBER_MASK) {
      const number = found & NUMBER_MASK;
      const entry = entryOf(column, number);
      if (
        load<u32>(entry, ENTRY_LENGTH) == length &&
        !v128.any_true(v128.xor(v128.load(entry), first)) &&
        (length <= 16 || sameBytes(bytesOf(column, number, length), at, length))
      )
        return codeIn(column, entry, number);
    }
    place = (place + 1) & mask;
  }
}

/** Where a string of so many bytes stands, which is the `count`th entry. */
function bytesOf(column: usize, count: u32, length: u32): usize {
  const end = load<u32>(load<u32>(column, COLUMN_ENTRY_ENDS) + ((count - 1) << 2));
  return load<u32>(column, COLUMN_BYTES_AT) + end - length;
}

/** The code of an entry in this chunk, which may be its first one there. */
function codeIn(column: usize, entry: usize, number: u32): i32 {
  const known = load<u32>(entry, ENTRY_CODE);
  if (known >> CODE_SHIFT == chunk) return <i32>(known & CODE_MASK);
  const code = load<u32>(column, COLUMN_TEXT_COUNT);
  if (code >= <u32>JSON_ROWS_MAX) return -1;
  store<u32>(load<u32>(column, COLUMN_USED) + (code << 2), number - 1);
  store<u32>(column, code + 1, COLUMN_TEXT_COUNT);
  store<u32>(entry, (chunk << CODE_SHIFT) | code, ENTRY_CODE);
  return code;
}

/** Adds a string that is known to be new; all or nothing. */
function added(column: usize, at: usize, length: u32, hash: u32): i32 {
  const count = load<u32>(column, COLUMN_ENTRY_COUNT);
  if (count >= <u32>JSON_ENTRIES_MAX) return -1;
  if ((count + 1) << 1 > load<u32>(column, COLUMN_TABLE_PLACES) && !grow(column)) return -1;
  const begin = load<u32>(column, COLUMN_BYTES_COUNT);
  const end = begin + length;
  if (end > <u32>JSON_STRINGS_BYTES_MAX || !reserveBytes(column, begin, end + SLACK_BYTES))
    return -1;
  const first = beginning(at, length);
  const to: usize = load<u32>(column, COLUMN_BYTES_AT) + begin;
  if (length <= 16) v128.store(to, first);
  else memory.copy(to, at, length);
  store<u32>(load<u32>(column, COLUMN_ENTRY_ENDS) + (count << 2), end);
  store<u32>(column, end, COLUMN_BYTES_COUNT);
  const entry = entryOf(column, count + 1);
  v128.store(entry, first);
  store<u32>(entry, length, ENTRY_LENGTH);
  store<u32>(entry, 0, ENTRY_CODE);
  store<u32>(column, count + 1, COLUMN_ENTRY_COUNT);
  put(load<u32>(column, COLUMN_TABLE), load<u32>(column, COLUMN_TABLE_PLACES), hash, count + 1);
  return codeIn(column, entry, count + 1);
}

/** Puts a number into the first free place of a hash. */
function put(table: usize, places: u32, hash: u32, number: u32): void {
  const mask = places - 1;
  let place = hash & mask & HOME_MASK;
  while (load<u32>(table + (place << 2)) != 0) place = (place + 1) & mask;
  store<u32>(table + (place << 2), (hash & ~NUMBER_MASK) | number);
}

/** Doubles the table; hashes are made again from the strings. On refusal it stays as it was. */
function grow(column: usize): bool {
  const old = load<u32>(column, COLUMN_TABLE);
  const places = load<u32>(column, COLUMN_TABLE_PLACES);
  const count = load<u32>(column, COLUMN_ENTRY_COUNT);
  const table = openTable(places << 1);
  if (table == 0) return false;
  memory.copy(table + (places << 3), old + (places << 2), count * ENTRY_BYTES);
  for (let number: u32 = 1; number <= count; number++) {
    const length = load<u32>(table + (places << 3) + (number - 1) * ENTRY_BYTES, ENTRY_LENGTH);
    put(table, places << 1, hashOf(bytesOf(column, number, length), length), number);
  }
  release(old, places << BLOCK_SHIFT);
  store<u32>(column, table, COLUMN_TABLE);
  store<u32>(column, places << 1, COLUMN_TABLE_PLACES);
  return true;
}

/** Makes room for so many bytes of strings, keeping the first `kept`. */
function reserveBytes(column: usize, kept: u32, bytes: u32): bool {
  const room = load<u32>(column, COLUMN_BYTES_ROOM);
  if (bytes <= room) return true;
  let wanted = room;
  while (wanted < bytes) wanted <<= 1;
  const next = allocate(wanted);
  if (next == 0) return false;
  const old = load<u32>(column, COLUMN_BYTES_AT);
  memory.copy(next, old, kept);
  release(old, room);
  store<u32>(column, next, COLUMN_BYTES_AT);
  store<u32>(column, wanted, COLUMN_BYTES_ROOM);
  return true;
}

/** The code of one string; -1 when there is no room for it. */
export function internString(column: usize, at: usize, length: u32): i32 {
  return codeOf(column, at, length, hashOf(at, length));
}

/** Replaces the places of the strings of the rows `from` to `to` by their codes. A row whose string finds no room is declined. */
export function internRows(column: usize, from: u32, to: u32): void {
  const values: usize = load<u32>(column, COLUMN_VALUES);
  const lengths: usize = load<u32>(column, COLUMN_LENGTHS);
  if (IS_WHOLE && from == 0) bringNear(column);
  for (let row = from; row < to; row++) {
    if (IS_WHOLE) {
      row = internKnown(column, row, to);
      if (row == to) break;
    }
    const at: usize = load<u32>(values + (row << 2));
    if (load<u8>(statuses + row) != JSON_OK || at == 0) continue;
    const length = load<u32>(lengths + (row << 2));
    const code =
      (length & ESCAPED) == 0
        ? internString(column, at, length)
        : internString(column, scratch, unescape(at, length & ~ESCAPED, scratch));
    if (code < 0) setStatus(row, JSON_DECLINED_FULL);
    store<u32>(values + (row << 2), max(code, 0));
  }
}

/**
 * As `internRows`, as long as strings are short, known, and stand where they are looked for first; no call is made here, so that everything stays in
 * registers, and many places and entries are on their way at once.
 * @returns the row before which it stops
 */
function internKnown(column: usize, from: u32, to: u32): u32 {
  const values: usize = load<u32>(column, COLUMN_VALUES);
  const lengths: usize = load<u32>(column, COLUMN_LENGTHS);
  const table: usize = load<u32>(column, COLUMN_TABLE);
  const places = load<u32>(column, COLUMN_TABLE_PLACES);
  const mask = (places - 1) & HOME_MASK;
  const entries = table + (places << 2) - ENTRY_BYTES;
  const used: usize = load<u32>(column, COLUMN_USED);
  const now = chunk << CODE_SHIFT;
  let texts = load<u32>(column, COLUMN_TEXT_COUNT);
  const statusesAt = statuses;
  let row = from;
  for (; row < to; row++) {
    const at: usize = load<u32>(values + (row << 2));
    if (load<u8>(statusesAt + row) != JSON_OK || at == 0) continue;
    const length = load<u32>(lengths + (row << 2));
    // Neither empty, nor long, nor with escapes.
    if (length - 1 >= 16) break;
    const words = v128.and(v128.load(at), v128.load(masks + 16 - length));
    const hash = hashOfWords(words);
    const home = table + ((hash & mask) << 2);
    const differ = v128.shr<u32>(v128.xor(v128.load(home), i32x4.splat(hash)), 16);
    const alike: u32 = i32x4.bitmask(i32x4.eq(differ, i32x4.splat(0)));
    if (alike == 0) break;
    const number: u32 = load<u16>(home + (ctz(alike) << 2));
    // A free place, which looks as if it had bits of a hash that are 0.
    if (number == 0) break;
    const entry = entries + number * ENTRY_BYTES;
    if (load<u32>(entry, ENTRY_LENGTH) != length) break;
    if (v128.any_true(v128.xor(v128.load(entry), words))) break;
    const known = load<u32>(entry, ENTRY_CODE);
    let code = known & CODE_MASK;
    if (known - code != now) {
      if (texts >= <u32>JSON_ROWS_MAX) break;
      code = texts++;
      store<u32>(used + (code << 2), number - 1);
      store<u32>(entry, now | code, ENTRY_CODE);
    }
    store<u32>(values + (row << 2), code);
  }
  store<u32>(column, texts, COLUMN_TEXT_COUNT);
  return row;
}
