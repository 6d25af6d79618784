// JSON numbers: their grammar, their digits as 64-bit integers, and the double that is nearest; knows no column.

export const MINUS: u32 = 0x2d;
/** Most digits of a number whose value is looked at; as many as 64 bits hold whatever they are. */
const DIGITS_MAX: u32 = 19;
/** Places behind the point that `nearest` divides by: five to that power is less than 2^63. */
const PLACES_MAX: i32 = 27;
/** Powers of ten that a double holds exactly. */
const EXACT_TENS: i32 = 22;
const EXACT_INTEGER: u64 = 1 << 53;
/** Beyond it an exponent says no more than that the number is not ours. */
const EXPONENT_MAX: i32 = 100000;

export const TENS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);
const WHOLE_TENS: usize = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
  100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
]);

/** The number last scanned: its digits as an integer, and the power of ten that they are times. */
export let digits: u64 = 0;
let power: i32 = 0;
export let negative: bool = false;
/** It has neither fraction nor exponent. */
export let whole: bool = false;
/** It has more digits than `digits` holds. */
export let beyond: bool = false;

/** The value of up to eight digits. */
function eight(at: usize, count: u32): u64 {
  if (count == 0) return 0;
  let word = (load<u64>(at) ^ 0x3030303030303030) << ((8 - count) << 3);
  word = word * 10 + (word >> 8);
  return (
    ((word & 0x000000ff000000ff) * 0x000f424000000064 +
      ((word >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
    32
  );
}

/** The value of up to sixteen digits. */
function sixteen(at: usize, count: u32): u64 {
  if (count <= 8) return eight(at, count);
  return eight(at, count - 8) * 100000000 + eight(at + (count - 8), 8);
}

/** Bit i: byte i is no digit. */
function noDigits(at: usize): u32 {
  const places = v128.sub<u8>(v128.load(at), i8x16.splat(0x30));
  return i8x16.bitmask(v128.gt<u8>(places, i8x16.splat(9))) | 0x10000;
}

/** Steps over the number that begins at `at`; 0 when it is none. Its value is not looked at. */
export function skipNumber(from: usize): usize {
  const at = from + <usize>(load<u8>(from) == MINUS);
  const others = noDigits(at);
  const first = ctz(others);
  if (first - 1 >= 15 || (first > 1 && load<u8>(at) == 0x30)) return scanLong(from);
  let last = first;
  if (load<u8>(at + first) == 0x2e) {
    last = ctz(others & (others - 1));
    if (last == 16 || last == first + 1) return scanLong(from);
  }
  return (load<u8>(at + last) | 0x20) == 0x65 ? scanLong(from) : at + last;
}

/** As `skipNumber`; what it found stands in `digits` and the variables beside it. */
export function scanNumber(from: usize): usize {
  negative = load<u8>(from) == MINUS;
  const at = from + <usize>negative;
  const others = noDigits(at);
  const first = ctz(others);
  if (first - 1 >= 15 || (first > 1 && load<u8>(at) == 0x30)) return scanLong(from);
  let value = sixteen(at, first);
  let last = first;
  let places: u32 = 0;
  if (load<u8>(at + first) == 0x2e) {
    last = ctz(others & (others - 1));
    if (last == 16 || last == first + 1) return scanLong(from);
    places = last - first - 1;
    value = value * load<u64>(WHOLE_TENS + (places << 3)) + sixteen(at + first + 1, places);
  }
  if ((load<u8>(at + last) | 0x20) == 0x65) return scanLong(from);
  digits = value;
  power = -(<i32>places);
  whole = places == 0;
  beyond = false;
  return at + last;
}

function isDigit(byte: u32): bool {
  return byte - 0x30 <= 9;
}

/** As `scanNumber`, a digit at a time: for exponents, many digits, and what is no number. */
function scanLong(from: usize): usize {
  negative = load<u8>(from) == MINUS;
  let at = from + <usize>negative;
  const begin = at;
  digits = 0;
  significant = 0;
  at = scanDigits(at);
  if (at == begin || (at - begin > 1 && load<u8>(begin) == 0x30)) return 0;
  let scale: i32 = 0;
  whole = true;
  if (load<u8>(at) == 0x2e) {
    whole = false;
    const point = ++at;
    at = scanDigits(at);
    if (at == point) return 0;
    scale = <i32>min<usize>(at - point, EXPONENT_MAX);
  }
  let exponent: i32 = 0;
  if ((load<u8>(at) | 0x20) == 0x65) {
    whole = false;
    at++;
    const sign: u32 = load<u8>(at);
    if (sign == MINUS || sign == 0x2b) at++;
    const first = at;
    for (; isDigit(load<u8>(at)); at++) {
      if (exponent < EXPONENT_MAX) exponent = exponent * 10 + (load<u8>(at) - 0x30);
    }
    if (at == first) return 0;
    if (sign == MINUS) exponent = -exponent;
  }
  power = exponent - scale;
  beyond = significant > DIGITS_MAX;
  return at;
}

/** Digits of `digits` from the first that is not 0. */
let significant: u32 = 0;

/** Adds the digits that follow to `digits`, as many as it holds, and steps over all. */
function scanDigits(from: usize): usize {
  let at = from;
  for (; isDigit(load<u8>(at)); at++) {
    const digit = <u64>load<u8>(at) - 0x30;
    if (digits == 0 && digit == 0) continue;
    if (significant < DIGITS_MAX) digits = digits * 10 + digit;
    significant++;
  }
  return at;
}

/** The double nearest to the number last scanned, ties to even, is in `double`; false when it is not ours to say. */
export let double: f64 = 0;

export function nearest(): bool {
  if (beyond) return false;
  let value: f64 = 0;
  if (digits <= EXACT_INTEGER && power <= 0 && power >= -EXACT_TENS) {
    // Both are exact, so that one division rounds once.
    value = <f64>digits / load<f64>(TENS + (-power << 3));
  } else if (digits == 0) {
    value = 0;
  } else if (power == 0) {
    value = <f64>digits;
  } else if (power < 0 && power >= -PLACES_MAX) {
    value = divided(digits, <u32>-power);
  } else if (digits <= EXACT_INTEGER && power > 0 && power <= EXACT_TENS) {
    value = <f64>digits * load<f64>(TENS + (power << 3));
  } else return false;
  double = negative ? -value : value;
  return true;
}

/**
 * `value / 10^places` rounded once, for a value above 0 and 1 to 27 places: a quotient of 63 or 64 bits by 5^places and whether
 * anything is left decide the last bit. Long division by digits of 32 bits (Knuth, volume 2, algorithm D).
 */
function divided(value: u64, places: u32): f64 {
  let five: u64 = 1;
  for (let i: u32 = 0; i < places; i++) five *= 5;
  const byShift = clz(five);
  const by = five << byShift;
  const shift = clz(value);
  const high = (value << shift) >> 1;
  const low = (value << shift) << 63;
  const byHigh = by >> 32;
  const byLow = by & 0xffffffff;

  let upper = high / byHigh;
  let rest = high - upper * byHigh;
  while (upper >> 32 != 0 || upper * byLow > ((rest << 32) | (low >> 32))) {
    upper--;
    rest += byHigh;
    if (rest >> 32 != 0) break;
  }
  const middle = ((high << 32) | (low >> 32)) - upper * by;
  let lower = middle / byHigh;
  rest = middle - lower * byHigh;
  while (lower >> 32 != 0 || lower * byLow > ((rest << 32) | (low & 0xffffffff))) {
    lower--;
    rest += byHigh;
    if (rest >> 32 != 0) break;
  }
  const left = ((middle << 32) | (low & 0xffffffff)) - lower * by;
  let quotient = (upper << 32) + lower;

  const spare = clz(quotient);
  quotient <<= spare;
  // value / 10^places = quotient * 2^exponent, and a little more where something is left.
  let exponent = <i64>byShift - <i64>shift - <i64>places - 63 - <i64>spare;
  let bits = quotient >> 11;
  const isHalf = (quotient & 0x400) != 0;
  const isMore = (quotient & 0x3ff) != 0 || left != 0;
  if (isHalf && (isMore || (bits & 1) != 0)) bits++;
  if (bits >> 53 != 0) {
    bits >>= 1;
    exponent++;
  }
  return reinterpret<f64>(((exponent + 11 + 52 + 1023) << 52) | (bits & 0x000fffffffffffff));
}
