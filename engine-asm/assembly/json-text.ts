// What stands in JSON text beside numbers: white space, strings, words and whole values to step over; knows no column.

import { JSON_NESTING_MAX } from './json-abi';
import { MINUS, skipNumber } from './json-number';

export const QUOTE: u32 = 0x22;
export const COMMA: u32 = 0x2c;
export const COLON: u32 = 0x3a;
export const OPEN_BRACE: u32 = 0x7b;
export const CLOSE_BRACE: u32 = 0x7d;
export const NULL_WORD: u32 = 0x6c6c756e;
const BACKSLASH: u32 = 0x5c;
export const OPEN_BRACKET: u32 = 0x5b;
const CLOSE_BRACKET: u32 = 0x5d;
const LETTER_U: u32 = 0x75;

// Text is never checked against its end: behind the region stand zeros, which are nothing in JSON, so that every walk stops
// there; and a record is only taken when its walk has ended exactly where it ends.

/** The string last stepped over by `stringEnd` has escapes. */
export let escaped: bool = false;

/** Steps over white space. */
export function space(from: usize): usize {
  let at = from;
  while (true) {
    const byte = <u32>load<u8>(at);
    if (byte > 0x20) return at;
    if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return at;
    at++;
  }
}

/** Sixteen quotes, backslashes and spaces: to load them costs less than to make them. */
export const BOUNDS: usize = memory.data<u64>(
  [
    0x2222222222222222, 0x2222222222222222, 0x5c5c5c5c5c5c5c5c, 0x5c5c5c5c5c5c5c5c,
    0x2020202020202020, 0x2020202020202020,
  ],
  16,
);

/** Bit i: byte i ends a run of plain characters: a quote, a backslash, a control character, or no ASCII. */
export function specials(at: usize): u32 {
  const bytes = v128.load(at);
  return i8x16.bitmask(
    v128.or(
      v128.or(v128.eq<u8>(bytes, v128.load(BOUNDS)), v128.eq<u8>(bytes, v128.load(BOUNDS, 16))),
      // As signed numbers, bytes beyond ASCII are less than a space too.
      v128.lt<i8>(bytes, v128.load(BOUNDS, 32)),
    ),
  );
}

/** Where the closing quote of a string stands of which everything before `from` has been seen; 0 when it is no string. */
export function stringEnd(from: usize): usize {
  let at = from;
  escaped = false;
  while (true) {
    const found = specials(at);
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    const byte = <u32>load<u8>(at);
    if (byte == QUOTE) return at;
    if (byte == BACKSLASH) {
      escaped = true;
      at = escapeEnd(at);
    } else if (byte >= 0x80) at = sequenceEnd(at);
    else return 0;
    if (at == 0) return 0;
  }
}

/** The value of a hexadecimal digit, above 15 when it is none. */
function hexDigit(byte: u32): u32 {
  if (byte - 0x30 <= 9) return byte - 0x30;
  const letter = (byte | 0x20) - 0x61;
  return letter <= 5 ? letter + 10 : 16;
}

/** The value of four hexadecimal digits, or 65,536 when they are not. */
function hex(at: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const digit = hexDigit(load<u8>(at + i));
    if (digit > 15) return 0x10000;
    value = (value << 4) | digit;
  }
  return value;
}

/** What a backslash and this letter stand for; 0: no escape. */
function escapeOf(letter: u32): u32 {
  if (letter == QUOTE || letter == BACKSLASH || letter == 0x2f) return letter;
  if (letter == 0x6e) return 0x0a;
  if (letter == 0x74) return 0x09;
  if (letter == 0x72) return 0x0d;
  if (letter == 0x62) return 0x08;
  return letter == 0x66 ? 0x0c : 0;
}

function escapeEnd(at: usize): usize {
  const letter = <u32>load<u8>(at + 1);
  if (letter != LETTER_U) return escapeOf(letter) == 0 ? 0 : at + 2;
  return hex(at + 2) > 0xffff ? 0 : at + 6;
}

function isTail(byte: u32): bool {
  return (byte & 0xc0) == 0x80;
}

/** Steps over UTF-8 of two to four bytes; 0 when it is none: overlong, a surrogate, beyond U+10FFFF, cut off. */
export function sequenceEnd(at: usize): usize {
  const lead = <u32>load<u8>(at);
  const next = <u32>load<u8>(at + 1);
  if (lead < 0xc2 || lead > 0xf4 || !isTail(next)) return 0;
  if (lead <= 0xdf) return at + 2;
  if (!isTail(load<u8>(at + 2))) return 0;
  if (lead <= 0xef) {
    if ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next >= 0xa0)) return 0;
    return at + 3;
  }
  if (!isTail(load<u8>(at + 3))) return 0;
  if ((lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next >= 0x90)) return 0;
  return at + 4;
}

/**
 * Writes the contents of a checked string without its escapes to `to` and gives how many bytes they are, never more than
 * they were. A lone surrogate becomes U+FFFD.
 */
export function unescape(from: usize, length: u32, to: usize): u32 {
  const end = from + length;
  let at = from;
  let out = to;
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte != BACKSLASH) {
      store<u8>(out, byte);
      out++;
      at++;
      continue;
    }
    const letter = <u32>load<u8>(at + 1);
    if (letter != LETTER_U) {
      store<u8>(out, escapeOf(letter));
      out++;
      at += 2;
      continue;
    }
    let point = hex(at + 2);
    at += 6;
    if (point >> 10 == 0x36 && at < end && load<u16>(at) == 0x755c) {
      const low = hex(at + 2);
      if (low >> 10 == 0x37) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    out = writePoint(out, point >> 11 == 0x1b ? 0xfffd : point);
  }
  return <u32>(out - to);
}

function writePoint(to: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(to, point);
    return to + 1;
  }
  if (point < 0x800) {
    store<u8>(to, 0xc0 | (point >> 6));
    store<u8>(to, 0x80 | (point & 63), 1);
    return to + 2;
  }
  let at = to;
  if (point < 0x10000) {
    store<u8>(at, 0xe0 | (point >> 12));
  } else {
    store<u8>(at, 0xf0 | (point >> 18));
    at++;
    store<u8>(at, 0x80 | ((point >> 12) & 63));
  }
  store<u8>(at, 0x80 | ((point >> 6) & 63), 1);
  store<u8>(at, 0x80 | (point & 63), 2);
  return at + 3;
}

/** Steps over `true`, `false` or `null`; 0 when none of them stands there. */
function wordEnd(at: usize): usize {
  const word = load<u32>(at);
  if (word == 0x65757274 || word == NULL_WORD) return at + 4;
  return word == 0x736c6166 && load<u8>(at + 4) == 0x65 ? at + 5 : 0;
}

function scalarEnd(at: usize, byte: u32): usize {
  if (byte == QUOTE) {
    const last = stringEnd(at + 1);
    return last == 0 ? 0 : last + 1;
  }
  return byte - 0x30 <= 9 || byte == MINUS ? skipNumber(at) : wordEnd(at);
}

/** Steps over a member's name, its colon and the white space around them. */
function nameEnd(from: usize): usize {
  if (load<u8>(from) != QUOTE) return 0;
  const last = stringEnd(from + 1);
  if (last == 0) return 0;
  const at = space(last + 1);
  return load<u8>(at) == COLON ? space(at + 1) : 0;
}

/** Checks the value at `from`, which stands within so many objects, and steps over it; 0 when it is none or too deep. */
export function valueEnd(from: usize, within: u32): usize {
  let at = from;
  let depth = within;
  // Bit d: what is open at depth d is an object.
  let objects: u64 = 0;
  while (true) {
    const byte = <u32>load<u8>(at);
    const isObject = byte == OPEN_BRACE;
    if (isObject || byte == OPEN_BRACKET) {
      if (++depth > <u32>JSON_NESTING_MAX) return 0;
      at = space(at + 1);
      if (<u32>load<u8>(at) != (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        const bit = (<u64>1) << (depth - 1);
        if (isObject) {
          objects |= bit;
          at = nameEnd(at);
          if (at == 0) return 0;
        } else objects &= ~bit;
        continue;
      }
      at++;
      depth--;
    } else {
      at = scalarEnd(at, byte);
      if (at == 0) return 0;
    }
    // Behind a value: close what it ends, or go on behind a comma.
    while (true) {
      if (depth == within) return at;
      at = space(at);
      const isIn = (objects & ((<u64>1) << (depth - 1))) != 0;
      const next = <u32>load<u8>(at);
      at++;
      if (next == COMMA) {
        at = space(at);
        if (isIn) {
          at = nameEnd(at);
          if (at == 0) return 0;
        }
        break;
      }
      if (next != (isIn ? CLOSE_BRACE : CLOSE_BRACKET)) return 0;
      depth--;
    }
  }
}
