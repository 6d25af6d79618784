// Numbers of at most sixteen characters without an exponent, all their digits at once; what is longer or no such number is told, not read.

import { JSON_TYPE_BIGINT, JSON_TYPE_DOUBLE, JSON_TYPE_INTEGER } from './json-abi';
import { COLUMN_VALUES } from './json-buffers';
import { TENS } from './json-number';

const MINUS: u32 = 0x2d;
const POINT: u32 = 0x2e;
const INTEGER_MAX: u64 = 2147483647;

/**
 * Writes the number at `from` into a column of DOUBLE, BIGINT or INTEGER.
 * @returns where it ends; 0: it is left to `decodeValue`
 */
export function decodeDigits(column: usize, from: usize, row: u32): usize {
  const negative = <u32>(load<u8>(from) == MINUS);
  const at = from + negative;
  const digits = v128.sub<u8>(v128.load(at), i8x16.splat(0x30));
  const others: u32 = i8x16.bitmask(v128.gt<u8>(digits, i8x16.splat(9))) | 0x10000;
  const first: u32 = ctz(others);
  const hasPoint = <u32>(load<u8>(at + first) == POINT);
  const last: u32 = hasPoint != 0 ? ctz((others & (others - 1)) | 0x10000) : first;
  const places: u32 = hasPoint != 0 ? last - first - 1 : 0;
  // No digits, or too many; a zero before others; a point without places; an exponent.
  if (
    first - 1 >= 15 ||
    last > 15 ||
    (first > 1 && load<u8>(at) == 0x30) ||
    places < hasPoint ||
    (load<u8>(at + last) | 0x20) == 0x65
  )
    return 0;
  // The digits move to the end of the sixteen, those before the point by one more, and zeros before them.
  const places16 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const beforePoint = v128.lt<u8>(places16, i8x16.splat(<i8>(hasPoint * (16 - places))));
  const aligned = v128.swizzle(
    digits,
    v128.add<u8>(v128.add<u8>(places16, i8x16.splat(<i8>(last - 16))), beforePoint),
  );
  // Pairs of digits, then four, then eight: each lane ten, a hundred, ten thousand times the one and the other added.
  const pairs = v128.and(
    v128.add<u16>(i16x8.mul(aligned, i16x8.splat(10)), i16x8.shr_u(aligned, 8)),
    i16x8.splat(0xff),
  );
  const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const eights = i32x4.dot_i16x8_s(
    i16x8.narrow_i32x4_u(fours, fours),
    i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1),
  );
  const both = v128.extract_lane<u64>(eights, 0);
  const value = (both & 0xffffffff) * 100000000 + (both >> 32);
  const type = load<u32>(column);
  const values: usize = load<u32>(column, COLUMN_VALUES);
  if (type == JSON_TYPE_DOUBLE) {
    // With a point there are at most fifteen digits: both are exact and the division rounds; else the whole number does.
    const double = <f64>value / load<f64>(TENS + (places << 3));
    store<u64>(values + (row << 3), reinterpret<u64>(double) | ((<u64>negative) << 63));
  } else if (hasPoint != 0) return 0;
  else if (type == JSON_TYPE_BIGINT) {
    store<i64>(values + (row << 3), negative != 0 ? 0 - <i64>value : <i64>value);
  } else {
    if (type != JSON_TYPE_INTEGER || value > INTEGER_MAX + <u64>negative) return 0;
    store<i32>(values + (row << 2), <i32>(negative != 0 ? 0 - <i64>value : <i64>value));
  }
  return at + last;
}
