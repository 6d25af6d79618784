// Text as JSON strings, from text and from UTF-8; knows no other value.

import type { ByteWriter } from '../base/bytes.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = '0123456789ABCDEF';

/** Appends a JSON string; control characters, quote and backslash are escaped, nothing else. */
export function writeJsonString(to: ByteWriter, text: string): void {
  to.u8(QUOTE);
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit !== QUOTE && unit !== BACKSLASH) continue;
    if (i > start) to.utf8(text.slice(start, i));
    to.utf8(escapeOf(unit));
    start = i + 1;
  }
  to.utf8(start === 0 ? text : text.slice(start));
  to.u8(QUOTE);
}

function escapeOf(unit: number): string {
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

/** As `writeJsonString`, from UTF-8: a string of a dictionary is never made into text. */
export function writeJsonUtf8(to: ByteWriter, bytes: Uint8Array, from: number, end: number): void {
  to.u8(QUOTE);
  let start = from;
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue;
    to.bytes(bytes, start, i);
    to.utf8(escapeOf(byte));
    start = i + 1;
  }
  to.bytes(bytes, start, end);
  to.u8(QUOTE);
}
