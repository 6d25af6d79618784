// Writes the keys of rows as bytes (PROTOCOL.md section 4): text and numbers here, other types in key.ts. Knows no store.

import type { ByteWriter } from '../base/bytes.ts';
import { type Column, isNull, valueAt } from './column.ts';
import { KEY } from './parts.ts';

/** What a key column begins with. */
export const NULL = 0x00;
export const PRESENT = 0x01;

/** Appends the key bytes of the row at an array position; `columns` are the key columns. Strings are not made into text. */
export function writeKey(to: ByteWriter, columns: readonly Column[], position: number): void {
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column;
    if (isNull(column, position)) {
      to.u8(NULL);
      continue;
    }
    switch (column.storage) {
      case 'dictionary': {
        const { bytes, offsets } = column.dictionary;
        const code = column.values[position] as number;
        to.u8(PRESENT);
        writeEscaped(to, bytes, offsets[code] as number, offsets[code + 1] as number);
        break;
      }
      case 'i32':
        to.u8(PRESENT);
        to.u32BE((column.values[position] as number) ^ -0x8000_0000);
        break;
      default:
        KEY.code.writeKeyValue(to, column.type, valueAt(column, position));
    }
  }
}

/** Appends a STRING key column that is not null, of its UTF-8. */
export function writeTextKey(to: ByteWriter, utf8: Uint8Array): void {
  to.u8(PRESENT);
  writeEscaped(to, utf8, 0, utf8.length);
}

/** Appends a BIGINT key column that is not null, as its two words. */
export function writeLong(to: ByteWriter, low: number, high: number): void {
  to.u8(PRESENT);
  to.u32BE(high ^ -0x8000_0000);
  to.u32BE(low);
}

/** Appends the bounds of the key's window, without a null byte; a session's end stands first, so that the latest sessions are last. */
export function writeWindow(
  to: ByteWriter,
  windowStartMs: number,
  sessionEndMs: number | null,
): void {
  if (sessionEndMs !== null) writeMs(to, sessionEndMs);
  writeMs(to, windowStartMs);
}

/** Appends a time of whole ms so that its bytes compare as it does. */
export function writeMs(to: ByteWriter, ms: number): void {
  to.u32BE(Math.floor(ms / 0x1_0000_0000) ^ -0x8000_0000);
  to.u32BE(ms | 0);
}

/** What `writeMs` has written there. */
export function readMs(from: DataView, at = 0): number {
  return (from.getUint32(at) ^ -0x8000_0000) * 0x1_0000_0000 + from.getUint32(at + 4);
}

/** `00` becomes `00 FF`; `00 00` ends. A shorter text so sorts before any that it begins. */
export function writeEscaped(to: ByteWriter, bytes: Uint8Array, from: number, end: number): void {
  let start = from;
  for (let i = from; i < end; i++) {
    if (bytes[i] !== 0) continue;
    to.bytes(bytes, start, i + 1);
    to.u8(0xff);
    start = i + 1;
  }
  to.bytes(bytes, start, end);
  to.u8(0);
  to.u8(0);
}
