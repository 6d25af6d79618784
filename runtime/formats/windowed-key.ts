// The window behind the key bytes of a windowed source: big endian, as Kafka Streams writes it; knows no format of the key.

import type { ByteWriter } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';

/** What is behind the key: the start alone of a tumbling, hopping or sliding window, end and start of a session. */
export type WindowKind = 'time' | 'session';

/** A window's bounds in ms. The end of a session is inclusive: the rowtime of its last row. */
export interface KeyWindowBounds {
  readonly startMs: bigint;
  readonly endMs: bigint;
}

/** Bytes behind the key. */
export function windowBytes(kind: WindowKind): number {
  return kind === 'time' ? 8 : 16;
}

/** Appends a time window (key bytes, then the 8-byte start). */
export function writeTimeWindow(to: ByteWriter, startMs: bigint): void {
  to.i64BE(startMs);
}

/** Appends a session (key bytes, then the 8-byte end and the 8-byte start). */
export function writeSession(to: ByteWriter, { startMs, endMs }: KeyWindowBounds): void {
  to.i64BE(endMs);
  to.i64BE(startMs);
}

/**
 * Reads the window at the end of `from .. to`; the key's own bytes are those before it.
 * @param sizeMs the size of a time window: its end is not in the bytes
 * @throws {RecordError} DESERIALIZATION when there are too few bytes
 */
export function readWindow(
  bytes: Uint8Array,
  range: { readonly from: number; readonly to: number },
  kind: WindowKind,
  sizeMs: number,
): KeyWindowBounds & { readonly keyTo: number } {
  const keyTo = range.to - windowBytes(kind);
  if (keyTo < range.from) {
    throw new RecordError(
      'DESERIALIZATION',
      `a key of ${range.to - range.from} bytes has no window`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + keyTo, range.to - keyTo);
  const first = view.getBigInt64(0);
  return kind === 'time'
    ? { keyTo, startMs: first, endMs: first + BigInt(sizeMs) }
    : { keyTo, startMs: view.getBigInt64(8), endMs: first };
}
