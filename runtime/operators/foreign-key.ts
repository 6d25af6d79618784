// The messages between the two tables of a foreign-key join (PROTOCOL.md section 4): what to do, and for which version of a row; knows no operator.

import { TaskCorrupted } from '../base/errors.ts';
import { crc32c } from '../base/crc32c.ts';
import { murmur2 } from '../base/hash.ts';

/** What a row of the left table asks of the right table's task. */
export const Ask = {
  /** Ends its subscription to this key. */
  end: 0,
  /** Ends it, and wants to hear so: nothing is joined any more. */
  endAndAnswer: 1,
  /** Subscribes, and wants an answer if the right table has a row. */
  subscribe: 2,
  /** Subscribes, and wants an answer in any case, because the last one may have been another. */
  subscribeAndAnswer: 3,
} as const;
export type Ask = (typeof Ask)[keyof typeof Ask];

/** What an answer brings. */
export const Answer = { withoutRow: 0, withRow: 1 } as const;
export type Answer = (typeof Answer)[keyof typeof Answer];

export const VERSION_BYTES = 8;
/** The rowtime, which is no part of what a row says. */
const ROWTIME_BYTES = 8;

/** A message: one byte of what, then the version. */
export function message(what: Ask | Answer, version: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + version.length);
  bytes[0] = what;
  bytes.set(version, 1);
  return bytes;
}

/** @throws {TaskCorrupted} when the bytes are no message */
export function readMessage(bytes: Uint8Array): { what: number; version: Uint8Array } {
  const [what] = bytes;
  const { length } = bytes;
  if (what === undefined || what > 3 || (length !== 1 && length !== 1 + VERSION_BYTES))
    throw new TaskCorrupted(`${length} bytes are no message between the tables of a join`);
  return { what, version: bytes.subarray(1) };
}

/** The version of a left row that is gone. */
export const NO_ROW = new Uint8Array(0);

/**
 * Tells versions of a row apart by what they say: a row written again as it was has the same version, as in Kafka Streams.
 * @param row as encoded for the state; from `start` on
 */
export function versionOf(row: Uint8Array, start = 0): Uint8Array<ArrayBuffer> {
  const version = new Uint8Array(VERSION_BYTES);
  const view = new DataView(version.buffer);
  view.setInt32(0, murmur2(row, start + ROWTIME_BYTES), true);
  view.setUint32(4, crc32c(row, start + ROWTIME_BYTES), true);
  return version;
}
