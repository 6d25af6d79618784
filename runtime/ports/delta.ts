// Deltas: the state changes of a commit as checksummed blobs of bounded size, for stores that keep them so; knows no storage.

import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PortError } from '../base/errors.ts';
import type { StateBytes } from './store.ts';

/** A delta ends after the change that brings it here, so only a single large value makes a larger one. */
const DELTA_BYTES_MAX = 65_536;

/**
 * The changes as blobs, in order:
 * ```
 *  0  4  crc     CRC-32C of what follows
 *  4     changes each: u32 table length, table; u32 key length, key; i32 value length (-1: removed), value
 * ```
 */
export function encodeDeltas(changes: readonly StateBytes[]): Uint8Array<ArrayBuffer>[] {
  const deltas: Uint8Array<ArrayBuffer>[] = [];
  const to = new ByteWriter(4096);
  const end = (): void => {
    to.patchU32(0, crc32c(to.buffer, 4, to.position));
    deltas.push(to.finish());
    to.truncate(0);
  };
  for (const { table, key, value } of changes) {
    const grown = 12 + table.length * 3 + key.length + (value?.length ?? 0);
    if (to.position > 4 && to.position + grown > DELTA_BYTES_MAX) end();
    if (to.position === 0) to.u32(0);
    const lengthAt = to.position;
    to.u32(0);
    to.utf8(table);
    to.patchU32(lengthAt, to.position - lengthAt - 4);
    to.u32(key.length);
    to.bytes(key);
    to.i32(value?.length ?? -1);
    if (value !== null) to.bytes(value);
  }
  if (to.position > 0) end();
  return deltas;
}

/** @throws {PortError} CORRUPT */
export function decodeDelta(bytes: Uint8Array): StateBytes[] {
  const from = new ByteReader(bytes);
  if (from.u32() !== crc32c(bytes, 4)) {
    throw new PortError('CORRUPT', 'the checksum of a delta does not agree');
  }
  const changes: StateBytes[] = [];
  while (from.remaining > 0) {
    const table = from.utf8(from.u32());
    const key = from.view(from.u32());
    const length = from.i32();
    changes.push({ table, key, value: length < 0 ? null : from.view(length) });
  }
  return changes;
}
