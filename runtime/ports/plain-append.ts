// What a partition decides of nearly every append, as small as it can be; what it leaves open is decided by admission.ts and producers.ts.

import { PRODUCER_BATCHES_MAX } from '../base/limits.ts';
import { verify } from '../data/record.ts';
import type { Admitted } from './admission.ts';
import type { Arrival, KnownProducer, Verdict } from './producers.ts';
import type { TopicPolicy } from './topic-policy.ts';

/** The checksum that a record batch carries, behind the magic bytes (PROTOCOL.md section 2). */
export function sumOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
}

/**
 * As `admit`, of a topic that asks for nothing more than a good batch; null: `admit` is to be asked.
 * @throws {PortError} as `verify`
 */
export function plainlyAdmitted(
  bytes: Uint8Array,
  { compacted, timestampType, timestampAfterMaxMs }: TopicPolicy,
): Admitted | null {
  return compacted || timestampType === 'LogAppendTime' || timestampAfterMaxMs !== null
    ? null
    : { bytes, ...verify(bytes), crc: sumOf(bytes) };
}

/** As `judge`, of what comes next from a producer that is known, or is the first one; null: `judge` is to be asked. */
export function plainVerdict(known: KnownProducer | null, arrival: Arrival): Verdict | null {
  const { stamp, count, forgottenMs } = arrival;
  const { epoch, sequence, id } = stamp;
  // Whose id says when it was made, and nobody has been forgotten who might be this one.
  const isNew = known === null && forgottenMs === -Infinity && /^\d{1,15}\../.test(id);
  const before = isNew ? newProducer(arrival) : known;
  return before?.epoch === epoch &&
    before.next === sequence &&
    epoch >= 0 &&
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(sequence + count)
    ? accepted(before, arrival)
    : null;
}

/** The id of a producer made at `createdMs`. */
export function producerId(createdMs: number, name: string): string {
  return `${Math.max(0, Math.floor(createdMs))}.${name}`;
}

/** A producer of which nothing is known. */
export function newProducer({ stamp: { epoch }, nowMs: lastMs }: Arrival): KnownProducer {
  return { epoch, next: 0, lastMs, batches: [] };
}

/** The verdict that appends the batch at the high watermark. */
export function accepted(known: KnownProducer, arrival: Arrival): Verdict {
  const { stamp, count, crc, highWatermark: base, nowMs: lastMs } = arrival;
  const { epoch, sequence } = stamp;
  const batch = { sequence, count, crc, base, epoch };
  // A spread would leave room for half as many more.
  const batches = known.batches
    .slice(1 - PRODUCER_BATCHES_MAX)
    .toSpliced(PRODUCER_BATCHES_MAX, 0, batch);
  return { kind: 'append', producer: { epoch, next: sequence + count, lastMs, batches } };
}
