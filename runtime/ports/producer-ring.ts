// The batches that a partition remembers of one producer, as one blob; knows no storage.

import { PortError } from '../base/errors.ts';
import type { RememberedBatch } from './producers.ts';

/** Numbers of one batch: sequence, count, crc, base, epoch. */
const RING_NUMBERS = 5;

/**
 * Oldest first, each five doubles in the machine's order, which is little endian wherever millrace runs:
 * ```
 *  0  8  sequence
 *  8  8  count
 * 16  8  crc
 * 24  8  base
 * 32  8  epoch
 * ```
 */
export function encodeRing(batches: readonly RememberedBatch[]): Uint8Array<ArrayBuffer> {
  const ring = new Float64Array(batches.length * RING_NUMBERS);
  batches.forEach(({ sequence, count, crc, base, epoch }, i) => {
    ring.set([sequence, count, crc, base, epoch], i * RING_NUMBERS);
  });
  return new Uint8Array(ring.buffer);
}

/**
 * @param id the producer's, for the message
 * @throws {PortError} CORRUPT
 */
export function decodeRing(id: string, bytes: Uint8Array): RememberedBatch[] {
  if (bytes.length % (RING_NUMBERS * 8) !== 0) {
    throw new PortError('CORRUPT', `the batches of producer '${id}' are damaged`);
  }
  const ring = new Float64Array(bytes.slice().buffer);
  const batches: RememberedBatch[] = [];
  for (let i = 0; i < ring.length; i += RING_NUMBERS) {
    const [sequence = 0, count = 0, crc = 0, base = 0, epoch = 0] = ring.subarray(i, i + 5);
    batches.push({ sequence, count, crc, base, epoch });
  }
  return batches;
}
