// What few JSON texts need of the scanner: escapes, and words for what is wrong; knows no cursor.

import type { ByteWriter } from '../base/bytes.ts';

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** What a backslash and this byte stand for; 0: no escape. */
const ESCAPES = new Uint8Array(128);
for (const [letter, byte] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  ESCAPES[(letter ?? '').charCodeAt(0)] = (byte ?? '').charCodeAt(0);
}

/** What is wrong about a byte, undefined at the end of the text, that may not stand where it does. */
export function unexpected(byte: number | undefined): string {
  if (byte === undefined) return 'the JSON text ends too early';
  const shown =
    byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `0x${byte.toString(16)}`;
  return `${shown} is unexpected in JSON`;
}

/** The position of the last byte of the escape that begins at `at`, or what is wrong with it. */
export function escapeEnd(bytes: Uint8Array, at: number, end: number): number | string {
  const letter = at + 1 < end ? (bytes[at + 1] as number) : 0;
  if (letter === LETTER_U) {
    return hex(bytes, at + 2, end) < 0 ? '\\u needs four hexadecimal digits' : at + 5;
  }
  return letter >= 128 || ESCAPES[letter] === 0 ? 'an unknown escape in a JSON string' : at + 1;
}

/** The value of four hexadecimal digits; -1 when they are not. */
function hex(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i] as number;
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66
          ? (byte | 0x20) - 0x57
          : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Appends the UTF-8 of a checked string's contents. A lone surrogate becomes U+FFFD. */
export function unescape(bytes: Uint8Array, start: number, stop: number, to: ByteWriter): void {
  for (let at = start; at < stop; at++) {
    const byte = bytes[at] as number;
    if (byte !== BACKSLASH) {
      to.u8(byte);
      continue;
    }
    const letter = bytes[++at] as number;
    if (letter !== LETTER_U) {
      to.u8(ESCAPES[letter] as number);
      continue;
    }
    let unit = hex(bytes, at + 1, stop);
    at += 4;
    const isHigh = unit >= 0xd800 && unit < 0xdc00;
    if (isHigh && bytes[at + 1] === BACKSLASH && bytes[at + 2] === LETTER_U && at + 6 < stop) {
      const low = hex(bytes, at + 3, stop);
      if (low >= 0xdc00 && low < 0xe000) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    writeCodePoint(to, unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit);
  }
}

function writeCodePoint(to: ByteWriter, point: number): void {
  if (point < 0x80) {
    to.u8(point);
  } else if (point < 0x800) {
    to.u8(0xc0 | (point >> 6));
    to.u8(0x80 | (point & 63));
  } else {
    if (point < 0x10000) {
      to.u8(0xe0 | (point >> 12));
    } else {
      to.u8(0xf0 | (point >> 18));
      to.u8(0x80 | ((point >> 12) & 63));
    }
    to.u8(0x80 | ((point >> 6) & 63));
    to.u8(0x80 | (point & 63));
  }
}
