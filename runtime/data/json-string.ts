// Text as JSON strings, from text and from UTF-8; knows no other value.

import type { ByteWriter } from '../base/bytes.ts';
import { BACKSLASH, QUOTE } from './json-scanner.ts';
import { RARER_VALUES } from './parts.ts';

/** Appends a JSON string; control characters, quote and backslash are escaped, nothing else. */
export function writeJsonString(to: ByteWriter, text: string): void {
  to.u8(QUOTE);
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit !== QUOTE && unit !== BACKSLASH) continue;
    if (i > start) to.utf8(text.slice(start, i));
    to.utf8(RARER_VALUES.code.escapeOf(unit));
    start = i + 1;
  }
  to.utf8(start === 0 ? text : text.slice(start));
  to.u8(QUOTE);
}

/** As `writeJsonString`, from UTF-8: a string of a dictionary is never made into text. */
export function writeJsonUtf8(to: ByteWriter, bytes: Uint8Array, from: number, end: number): void {
  to.u8(QUOTE);
  let start = from;
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue;
    to.bytes(bytes, start, i);
    to.utf8(RARER_VALUES.code.escapeOf(byte));
    start = i + 1;
  }
  to.bytes(bytes, start, end);
  to.u8(QUOTE);
}
