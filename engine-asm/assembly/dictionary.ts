// Group key bytes to dense ids, exact for keys of any length; knows nothing of what is aggregated under an id.

import {
  STATUS_BAD_ARGUMENT,
  STATUS_DICTIONARY_FULL,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
  TYPE_F64,
  TYPE_I32,
} from './abi';
import { allocate, allocateCleared, release } from './arena';
import { keysBytes } from './buffers';
import {
  hashOf,
  hashOfShort,
  hashOfWords,
  headOf,
  openHashes,
  sameBytes,
  SHORT_BYTES,
  tailOf,
  wordsOf,
} from './hashes';
import { IS_WHOLE } from './whole';

// Entries stand in pages, so that growing copies nothing:
//
//   directory  [u32 page]...                       a page per 4,096 ids
//   page       [u32 key][u32 length][24 bytes]     32 bytes an id: a key of at most 24 bytes stands in its entry, with zeros behind it
//   table      [7 bits of the hash | 25 of id + 1] 4 bytes a place, linear probing, at most half full; in whole kernels from the first of
//                                                  four places on, which are looked at together: few keys stand elsewhere
//   key bytes  longer ones in blocks of 64 KiB; one of more than a quarter has a block of its own
const PAGE_SHIFT: u32 = 12;
const PAGE_MASK: u32 = (1 << PAGE_SHIFT) - 1;
const ENTRY_SHIFT: u32 = 5;
const ENTRY_KEY: u32 = 8;
const ENTRY_KEY_BYTES: u32 = 24;
const TABLE_PLACES_FIRST: u32 = 1024;
const NUMBER_MASK: u32 = (1 << 25) - 1;
const KEY_BLOCK_BYTES: u32 = 65536;
/** Which bits of a hash say where probing begins. */
const HOME_MASK: u32 = IS_WHOLE ? ~3 : ~0;

let directory: u32 = 0;
let table: u32 = 0;
let tableMask: u32 = 0;
let entries: u32 = 0;
let entriesMax: u32 = 0;
let keyTop: u32 = 0;
let keyEnd: u32 = 0;

/** Makes the empty dictionary; false when memory does not suffice. */
export function openDictionary(limit: u32, hashSeed: u32): bool {
  entriesMax = limit;
  openHashes(hashSeed);
  directory = allocateCleared(((limit >> PAGE_SHIFT) + 1) << 2);
  table = allocateCleared(TABLE_PLACES_FIRST << 2);
  tableMask = TABLE_PLACES_FIRST - 1;
  return directory != 0 && table != 0;
}

export function isDictionaryOpen(): bool {
  return directory != 0 && table != 0;
}

export function entryCount(): u32 {
  return entries;
}

function entryOf(id: u32): usize {
  const page = load<u32>(directory + ((id >> PAGE_SHIFT) << 2));
  return page + ((id & PAGE_MASK) << ENTRY_SHIFT);
}

/** Address of the key of an id, 0 when there is no such id. */
export function keyAddress(id: u32): u32 {
  return id < entries ? load<u32>(entryOf(id)) : 0;
}

/** Bytes of the key of an id, 0 when there is no such id. */
export function keyLength(id: u32): u32 {
  return id < entries ? load<u32>(entryOf(id), 4) : 0;
}

/** Puts a number into the first free place of a hash. */
function put(hash: u32, number: u32): void {
  let place = hash & tableMask & HOME_MASK;
  while (load<u32>(table + (place << 2)) != 0) place = (place + 1) & tableMask;
  store<u32>(table + (place << 2), (hash & ~NUMBER_MASK) | number);
}

/** Doubles the table; its hashes are made again from the keys. On refusal the old one stays as it was. */
function growTable(): bool {
  const oldBytes = (tableMask + 1) << 2;
  if (oldBytes >= 1 << 29) return false;
  const next = allocateCleared(oldBytes << 1);
  if (next == 0) return false;
  release(table, oldBytes);
  table = next;
  tableMask = (tableMask << 1) | 1;
  for (let id: u32 = 0; id < entries; id++) {
    const entry = entryOf(id);
    put(hashOf(load<u32>(entry), load<u32>(entry, 4)), id + 1);
  }
  return true;
}

/** Copies key bytes to where they stay; 0 when memory does not suffice. */
function keep(at: usize, length: u32): u32 {
  if (keyTop == 0 || keyEnd - keyTop < length) {
    if (length > KEY_BLOCK_BYTES >> 2) {
      const own = allocate(length);
      if (own != 0) memory.copy(own, at, length);
      return own;
    }
    const block = allocate(KEY_BLOCK_BYTES);
    if (block == 0) return 0;
    keyTop = block;
    keyEnd = block + KEY_BLOCK_BYTES;
  }
  const kept = keyTop;
  memory.copy(kept, at, length);
  keyTop += length;
  return kept;
}

/** Adds a key that is known to be new; all or nothing. */
function add(at: usize, length: u32, hash: u32): i32 {
  if (entries >= entriesMax) return STATUS_DICTIONARY_FULL;
  if ((entries + 1) << 1 > tableMask + 1 && !growTable()) return STATUS_OUT_OF_MEMORY;
  const slot = directory + ((entries >> PAGE_SHIFT) << 2);
  if (load<u32>(slot) == 0) {
    const page = allocateCleared(1 << (PAGE_SHIFT + ENTRY_SHIFT));
    if (page == 0) return STATUS_OUT_OF_MEMORY;
    store<u32>(slot, page);
  }
  const entry = <u32>entryOf(entries);
  let kept = entry + ENTRY_KEY;
  if (length <= ENTRY_KEY_BYTES) memory.copy(kept, at, length);
  else kept = keep(at, length);
  if (kept == 0) return STATUS_OUT_OF_MEMORY;
  store<u32>(entry, kept);
  store<u32>(entry, length, 4);
  entries += 1;
  put(hash, entries);
  return STATUS_OK;
}

/** What stands in a key before a value that is not null; runtime/data/key-writer.ts. */
const PRESENT: u64 = 1;

/** Bytes of the key of a number. */
function numberLength(type: u32): u32 {
  return type == TYPE_I32 ? 5 : 9;
}

/** The bytes of a number's key, and zeros: big endian behind the first one, so that they are ordered as the numbers are. */
function numberKey(type: u32, numbers: usize, row: u32): v128 {
  if (type == TYPE_I32) {
    const tail = bswap<u32>(load<u32>(numbers + (row << 2)) ^ 0x80000000);
    return i64x2.replace_lane(i64x2.splat(0), 0, PRESENT | ((<u64>tail) << 8));
  }
  let bits = load<u64>(numbers + (row << 3));
  if (type == TYPE_F64) {
    // Every NaN is one key.
    if ((bits & <u64>i64.MAX_VALUE) > 0x7ff0000000000000) bits = 0x7ff8000000000000;
    bits ^= <u64>(<i64>bits >> 63) & <u64>i64.MAX_VALUE;
  }
  const tail = bswap<u64>(bits ^ 0x8000000000000000);
  return i64x2.replace_lane(i64x2.splat(PRESENT | (tail << 8)), 1, tail >> 56);
}

// Which keys a loop is for is said by a type, as in fold.ts.
type Texts = u8;
type Numbers = f64;

/**
 * Gives keys `from` to `count` their ids as long as they are short, known, and stand where they are looked for first; no call is made here, so that
 * everything stays in registers.
 * @param where offsets of texts; of numbers, which are less than `last`, their rows, or 0: they are these rows
 * @param last bytes of texts, or rows
 * @param type of numbers
 * @returns where it stops
 */
function internKnown<Keys extends number>(
  keys: usize,
  where: usize,
  ids: usize,
  from: u32,
  count: u32,
  last: u32,
  type: u32,
): u32 {
  const pages = directory;
  const places = table;
  const mask = tableMask & HOME_MASK;
  let length = numberLength(type);
  let begin: u32 = isInteger<Keys>() ? load<u32>(where + (from << 2)) : 0;
  let i = from;
  for (; i < count; i++) {
    let end: u32 = 0;
    let row = i;
    let words: v128;
    if (isInteger<Keys>()) {
      end = load<u32>(where + (i << 2), 4);
      length = end - begin;
      if (end > last || length > SHORT_BYTES) break;
      words = wordsOf(keys + begin, length);
    } else {
      if (where != 0) row = load<u32>(where + (i << 2));
      if (row >= last) break;
      words = numberKey(type, keys, row);
    }
    const hash = hashOfShort(words);
    const home = places + ((hash & mask) << 2);
    const differ = v128.shr<u32>(v128.xor(v128.load(home), i32x4.splat(hash)), 25);
    const alike: u32 = i32x4.bitmask(i32x4.eq(differ, i32x4.splat(0)));
    if (alike == 0) break;
    const number = load<u32>(home + (ctz(alike) << 2)) & NUMBER_MASK;
    // A free place, which looks as if it had bits of a hash that are 0.
    if (number == 0) break;
    const id = number - 1;
    const entry = load<u32>(pages + ((id >> PAGE_SHIFT) << 2)) + ((id & PAGE_MASK) << ENTRY_SHIFT);
    if (load<u32>(entry, 4) != length) break;
    if (v128.any_true(v128.xor(words, v128.load(entry, ENTRY_KEY)))) break;
    store<u32>(ids + (row << 2), id);
    begin = end;
  }
  return i;
}

/** One plus the id of a key, 0 when there is none; in whole kernels. */
function findByFours(at: usize, length: u32, hash: u32): u32 {
  const wanted = i32x4.splat(hash);
  let place = hash & tableMask & HOME_MASK;
  let isFull = true;
  while (isFull) {
    const four = v128.load(table + (place << 2));
    const differ = v128.shr<u32>(v128.xor(four, wanted), 25);
    let alike: u32 = i32x4.bitmask(i32x4.eq(differ, i32x4.splat(0)));
    for (; alike != 0; alike &= alike - 1) {
      const number = load<u32>(table + ((place + ctz(alike)) << 2)) & NUMBER_MASK;
      // A free place, which looks as if it had bits of a hash that are 0; all behind it are free.
      if (number == 0) break;
      const entry = entryOf(number - 1);
      if (load<u32>(entry, 4) != length) continue;
      if (length > SHORT_BYTES) {
        if (sameBytes(load<u32>(entry), at, length)) return number;
      } else if (!v128.any_true(v128.xor(wordsOf(at, length), v128.load(entry, ENTRY_KEY))))
        return number;
    }
    isFull = i32x4.extract_lane(four, 3) != 0;
    place = (place + 4) & tableMask;
  }
  return 0;
}

/** As `internOneByOne`, in whole kernels. */
function internByFours(keys: usize, offsets: usize, ids: usize, count: u32): i32 {
  const last = keysBytes;
  for (let i: u32 = 0; i < count; i++) {
    let from = load<u32>(offsets + (i << 2));
    if (load<u32>(offsets + (i << 2), 4) - from <= SHORT_BYTES) {
      i = internKnown<Texts>(keys, offsets, ids, i, count, last, 0);
      if (i == count) break;
      from = load<u32>(offsets + (i << 2));
    }
    const to = load<u32>(offsets + (i << 2), 4);
    if (to < from || to > last) return STATUS_BAD_ARGUMENT;
    const hash = hashOf(keys + from, to - from);
    let number = findByFours(keys + from, to - from, hash);
    if (number == 0) {
      const status = add(keys + from, to - from, hash);
      if (status != STATUS_OK) return status;
      number = entries;
    }
    store<u32>(ids + (i << 2), number - 1);
  }
  return STATUS_OK;
}

/** As `internKeys`, a place after the other. */
function internOneByOne(keys: usize, offsets: usize, ids: usize, count: u32): i32 {
  let places = table;
  let mask = tableMask;
  const last = keysBytes;
  let from = load<u32>(offsets);
  for (let i: u32 = 0; i < count; i++) {
    const to = load<u32>(offsets + (i << 2), 4);
    if (to < from || to > last) return STATUS_BAD_ARGUMENT;
    const at = keys + from;
    const length = to - from;
    from = to;
    const isShort = length <= SHORT_BYTES;
    let head: u64 = 0;
    let tail: u64 = 0;
    let hash: u32;
    if (isShort) {
      head = headOf(at, length);
      tail = tailOf(at, length);
      hash = hashOfWords(length, head, tail);
    } else hash = hashOf(at, length);
    let place = hash & mask;
    let found = load<u32>(places + (place << 2));
    while (found != 0) {
      if ((found ^ hash) <= NUMBER_MASK) {
        const entry = entryOf((found & NUMBER_MASK) - 1);
        if (load<u32>(entry, 4) == length) {
          // Where a short key stands is not read: the entry has been waited for, and that would be once more.
          if (!isShort) {
            if (sameBytes(load<u32>(entry), at, length)) break;
          } else if (
            ((head ^ load<u64>(entry, ENTRY_KEY)) | (tail ^ tailOf(entry + ENTRY_KEY, length))) ==
            0
          )
            break;
        }
      }
      place = (place + 1) & mask;
      found = load<u32>(places + (place << 2));
    }
    if (found == 0) {
      const status = add(at, length, hash);
      if (status != STATUS_OK) return status;
      found = entries;
      places = table;
      mask = tableMask;
    }
    store<u32>(ids + (i << 2), (found & NUMBER_MASK) - 1);
  }
  return STATUS_OK;
}

/**
 * Gives each of `count` keys its id, a new one where it was not known. Key `i` is `offsets[i] .. offsets[i + 1]` of
 * `keys`, behind which KEY_PADDING_BYTES more can be read. On refusal what got an id keeps it.
 */
export function internKeys(keys: usize, offsets: usize, ids: usize, count: u32): i32 {
  if (IS_WHOLE) return internByFours(keys, offsets, ids, count);
  return internOneByOne(keys, offsets, ids, count);
}

/**
 * As `internKeys`, of keys that are numbers: those of the rows in `rowsAt`, or (0) of rows 0 .. count - 1, which are less than `rows`. Their bytes are made in
 * registers, as they are hashed and compared; only those of a key that is not found at once are written.
 */
export function internNumbers(
  type: u32,
  numbers: usize,
  ids: usize,
  rowsAt: usize,
  count: u32,
  rows: u32,
): i32 {
  const key: usize = memory.data(16, 16);
  const length = numberLength(type);
  for (let i: u32 = 0; i < count; i++) {
    i = internKnown<Numbers>(numbers, rowsAt, ids, i, count, rows, type);
    if (i == count) break;
    const row = rowsAt == 0 ? i : load<u32>(rowsAt + (i << 2));
    if (row >= rows) return STATUS_BAD_ARGUMENT;
    const words = numberKey(type, numbers, row);
    const hash = hashOfShort(words);
    v128.store(key, words);
    let number = findByFours(key, length, hash);
    if (number == 0) {
      const status = add(key, length, hash);
      if (status != STATUS_OK) return status;
      number = entries;
    }
    store<u32>(ids + (row << 2), number - 1);
  }
  return STATUS_OK;
}
