// What few JSON texts need of the scanner: escapes, and words for what is wrong; knows no cursor.

import { type ByteWriter, decodeUtf8 } from '../base/bytes.ts';

/** What is wrong about a byte, undefined at the end of the text, that may not stand where it does. */
export function unexpected(byte: number | undefined): string {
  if (byte === undefined) return 'the JSON text ends too early';
  const shown =
    byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `0x${byte.toString(16)}`;
  return `${shown} is unexpected in JSON`;
}

/** The position of the last byte of the escape that begins at `at`, or what is wrong with it. */
export function escapeEnd(bytes: Uint8Array, at: number, end: number): number | string {
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

/** Appends the UTF-8 of a checked string's contents, quotes around them. A lone surrogate becomes U+FFFD. */
export function unescape(bytes: Uint8Array, start: number, stop: number, to: ByteWriter): void {
  to.utf8(JSON.parse(decodeUtf8(bytes.subarray(start - 1, stop + 1))) as string);
}
