// Numbers of at most fifteen characters without an exponent, all their digits at once; any other number is told, not read.

import { allocate } from './arena';
import {
  JSON_TYPE_BIGINT,
  JSON_TYPE_DOUBLE,
  JSON_TYPE_INTEGER,
  JSON_TYPE_TIMESTAMP,
} from './json-abi';
import { COLUMN_VALUES } from './json-buffers';
import { MINUS, TENS } from './json-number';

const POINT: u32 = 0x2e;
const ZERO: u32 = 0x30;
const INTEGER_MAX: u64 = 2147483647;

/** Sixteen zeros as characters, nines; then of each two bytes ten, the lower; and what pairs and fours of digits are multiplied by. */
const FACTORS: usize = memory.data<u64>(
  [
    0x3030303030303030, 0x3030303030303030, 0x0909090909090909, 0x0909090909090909,
    0x000a000a000a000a, 0x000a000a000a000a, 0x00ff00ff00ff00ff, 0x00ff00ff00ff00ff,
    0x0001006400010064, 0x0001006400010064, 0x0001271000012710, 0x0001271000012710,
  ],
  16,
);
/** Which of the characters go where, by how many there are and how many of them stand behind a point. */
let moves: usize = 0;

/** Makes what the decoding needs; false when memory does not suffice. */
export function openDigits(): bool {
  moves = allocate(1 << 12);
  if (moves == 0) return false;
  for (let last: u32 = 0; last < 16; last++) {
    for (let places: u32 = 0; places < 16; places++) {
      // To the end of the sixteen, those before the point by one more, zeros before them.
      const before: u32 = places == 0 ? 0 : 16 - places;
      for (let i: u32 = 0; i < 16; i++)
        store<u8>(moves + (((last << 4) | places) << 4) + i, i + last - 16 - <u32>(i < before));
    }
  }
  return true;
}

/** Steps over a number; 0: it is left to `skipNumber`. Finds its end as `decodeDigits` does: one function for both made records 4 % slower. */
export function skipDigits(from: usize): usize {
  const negative = <u32>(load<u8>(from) == MINUS);
  const others = othersThan(areDigits(digitsAt(from)), negative);
  const first: u32 = ctz(others);
  let last = first;
  if (<u32>load<u8>(from + first) == POINT) {
    last = ctz(others & (others - 1));
    if (last == first + 1) return 0;
  }
  return isOther(from, first, last, negative) ? 0 : from + last;
}

/** The values of the next sixteen characters where they are digits, more than nine where they are none. */
function digitsAt(from: usize): v128 {
  return v128.sub<u8>(v128.load(from), v128.load(FACTORS));
}

/** Ones where there is a digit. */
function areDigits(digits: v128): v128 {
  return v128.eq<u8>(v128.min<u8>(digits, v128.load(FACTORS, 16)), digits);
}

/** Bit i: character i is no digit. Bit 16 is set; bit 0 is not where there is a minus. */
function othersThan(areDigits: v128, negative: u32): u32 {
  return (i8x16.bitmask(areDigits) ^ 0x1ffff) & ~negative;
}

/** It has no digits, too many, a zero before others, or an exponent. */
function isOther(from: usize, first: u32, last: u32, negative: u32): bool {
  return (
    first == negative ||
    last > 15 ||
    (first > negative + 1 && <u32>load<u8>(from + negative) == ZERO) ||
    (load<u8>(from + last) | 0x20) == 0x65
  );
}

/**
 * Writes the number at `from` into a column of DOUBLE, BIGINT, TIMESTAMP or INTEGER.
 * @returns where it ends; 0: it is left to `decodeValue`
 */
export function decodeDigits(column: usize, from: usize, row: u32): usize {
  const all = digitsAt(from);
  const digits = areDigits(all);
  const negative = <u32>(load<u8>(from) == MINUS);
  const others = othersThan(digits, negative);
  const first: u32 = ctz(others);
  let last = first;
  let places: u32 = 0;
  if (<u32>load<u8>(from + first) == POINT) {
    last = ctz(others & (others - 1));
    places = last - first - 1;
    if (places == 0) return 0;
  }
  if (isOther(from, first, last, negative)) return 0;
  const value = valueOf(v128.and(all, digits), (last << 4) | places);
  return stored(column, row, value, places, negative) ? from + last : 0;
}

/**
 * As `decodeDigits`, of `length` digits (at most fifteen, no zero before others) that are known to be nothing else.
 * @returns false: it is left to `decodeValue`
 */
export function decodeWhole(column: usize, from: usize, length: u32, row: u32): bool {
  return stored(column, row, valueOf(digitsAt(from), length << 4), 0, 0);
}

/** The number of sixteen digits of which `move` says which go where. */
function valueOf(all: v128, move: u32): u64 {
  const digits = v128.swizzle(all, v128.load(moves + (move << 4)));
  // Pairs of digits, then four, then eight: ten, a hundred, ten thousand times the one, and the other.
  const pairs = v128.and(
    v128.add<u16>(i16x8.mul(digits, v128.load(FACTORS, 32)), i16x8.shr_u(digits, 8)),
    v128.load(FACTORS, 48),
  );
  const fours = i32x4.dot_i16x8_s(pairs, v128.load(FACTORS, 64));
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), v128.load(FACTORS, 80));
  const both = v128.extract_lane<u64>(eights, 0);
  return (both & 0xffffffff) * 100000000 + (both >> 32);
}

/** Writes a number into its column; false when it is none of the column's. */
function stored(column: usize, row: u32, value: u64, places: u32, negative: u32): bool {
  const type = load<u32>(column);
  const values: usize = load<u32>(column, COLUMN_VALUES);
  if (type == JSON_TYPE_DOUBLE) {
    // Both are exact, so that one division rounds once.
    const double = <f64>(<i64>value) / load<f64>(TENS + (places << 3));
    store<u64>(values + (row << 3), reinterpret<u64>(double) | ((<u64>negative) << 63));
    return true;
  }
  if (places != 0) return false;
  const signed = negative != 0 ? 0 - <i64>value : <i64>value;
  if (type == JSON_TYPE_BIGINT) store<i64>(values + (row << 3), signed);
  else if (type == JSON_TYPE_TIMESTAMP) {
    // Minus zero is a double of its own.
    if (value == 0 && negative != 0) return false;
    store<f64>(values + (row << 3), <f64>signed);
  } else {
    if (type != JSON_TYPE_INTEGER || value > INTEGER_MAX + <u64>negative) return false;
    store<i32>(values + (row << 2), <i32>signed);
  }
  return true;
}
