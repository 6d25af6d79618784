// What few JSON texts need, read or written: escapes, letters beyond ASCII, words, exponents, nested values, faults; knows no column.

import { type ByteWriter, decodeUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  type JsonScanner,
  NINE,
  OPEN_BRACE,
  QUOTE,
  ZERO,
} from './json-scanner.ts';

/** What was wrong, and where in the text. */
export function jsonFault({ first }: JsonScanner, message: string, at: number): RecordError {
  return new RecordError('DESERIALIZATION', `${message} at byte ${at - first}`);
}

/** The byte at the cursor may not stand there. */
export function unexpected(scanner: JsonScanner): RecordError {
  const { bytes, position, end } = scanner;
  const byte = position < end ? bytes[position] : undefined;
  if (byte === undefined) return jsonFault(scanner, 'the JSON text ends too early', position);
  const shown =
    byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `0x${byte.toString(16)}`;
  return jsonFault(scanner, `${shown} is unexpected in JSON`, position);
}

/** Checks what begins within a string with a byte that does not stand for itself; gives the position behind it. */
export function behindByte(scanner: JsonScanner, at: number): number {
  const byte = scanner.bytes[at] as number;
  if (byte === BACKSLASH) {
    scanner.escaped = true;
    const last = escapeEnd(scanner.bytes, at, scanner.end);
    return (typeof last === 'number' ? last : scanner.fail(last, at)) + 1;
  }
  if (byte < 0x80) scanner.fail('a control character in a JSON string', at);
  return sequenceEnd(scanner, at) + 1;
}

/** The position of the last byte of the escape that begins at `at`, or what is wrong with it. */
function escapeEnd(bytes: Uint8Array, at: number, end: number): number | string {
  const letter = at + 1 < end ? String.fromCharCode(bytes[at + 1] as number) : '';
  if (letter !== 'u')
    return letter !== '' && '"\\/bfnrt'.includes(letter)
      ? at + 1
      : 'an unknown escape in a JSON string';
  let last = at + 1;
  while (last < at + 5 && last + 1 < end && isHexDigit(bytes[last + 1] as number)) last++;
  return last === at + 5 ? last : '\\u needs four hexadecimal digits';
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** Checks a UTF-8 sequence of two to four bytes and gives the position of its last byte. */
function sequenceEnd(scanner: JsonScanner, at: number): number {
  const { bytes, end } = scanner;
  const lead = bytes[at] as number;
  const next = at + 1 < end ? (bytes[at + 1] as number) : 0;
  if (lead >= 0xc2 && lead <= 0xdf && isTail(next)) return at + 1;
  const third = at + 2 < end ? (bytes[at + 2] as number) : 0;
  if (lead >= 0xe0 && lead <= 0xef && isTail(next) && isTail(third)) {
    // E0 must not be overlong, ED must not be a surrogate.
    if ((lead !== 0xe0 || next >= 0xa0) && (lead !== 0xed || next < 0xa0)) return at + 2;
  }
  const fourth = at + 3 < end ? (bytes[at + 3] as number) : 0;
  if (lead >= 0xf0 && lead <= 0xf4 && isTail(next) && isTail(third) && isTail(fourth)) {
    if ((lead !== 0xf0 || next >= 0x90) && (lead !== 0xf4 || next < 0x90)) return at + 3;
  }
  return scanner.fail('JSON that is not UTF-8', at);
}

function isTail(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Appends the UTF-8 of the string last scanned, which has been checked. A lone surrogate becomes U+FFFD. */
export function unescape({ bytes, start, stop }: JsonScanner, to: ByteWriter): void {
  to.utf8(JSON.parse(decodeUtf8(bytes.subarray(start - 1, stop + 1))) as string);
}

/** The position behind the digits that begin there; there is at least one. */
export function behindDigits(scanner: JsonScanner, from: number): number {
  const { bytes, end } = scanner;
  let at = from;
  while (at < end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  if (at === from) {
    scanner.position = at;
    scanner.unexpected();
  }
  return at;
}

/** As `JsonScanner.word`. */
export function word(scanner: JsonScanner): boolean | null {
  const first = scanner.bytes[scanner.position];
  if (first === 0x74 && spells(scanner, 'true')) return true;
  if (first === 0x66 && spells(scanner, 'false')) return false;
  if (first === 0x6e && spells(scanner, 'null')) return null;
  return scanner.unexpected();
}

function spells(scanner: JsonScanner, expected: string): boolean {
  const { bytes, position, end } = scanner;
  if (position + expected.length > end) return false;
  for (let i = 1; i < expected.length; i++)
    if (bytes[position + i] !== expected.charCodeAt(i)) return false;
  scanner.position = position + expected.length;
  return true;
}

/** Checks an object or array, told by its first byte, and steps over it. */
export function skipItems(scanner: JsonScanner, first: number): void {
  const close = first === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
  scanner.enter();
  if (scanner.peek() === close) return scanner.leave();
  do {
    if (first === OPEN_BRACE) {
      scanner.peek();
      scanner.string();
      scanner.expect(COLON);
    }
    scanner.skip();
  } while (!scanner.ended(close));
}

const HEX = '0123456789ABCDEF';

/** A character that does not stand for itself in a JSON string, as it is written there. */
export function escapeOf(unit: number): string {
  switch (unit) {
    case QUOTE:
      return '\\"';
    case BACKSLASH:
      return '\\\\';
    case 0x08:
      return '\\b';
    case 0x09:
      return '\\t';
    case 0x0a:
      return '\\n';
    case 0x0c:
      return '\\f';
    case 0x0d:
      return '\\r';
    default:
      return `\\u00${HEX.charAt(unit >> 4)}${HEX.charAt(unit & 15)}`;
  }
}
