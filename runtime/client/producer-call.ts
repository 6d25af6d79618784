// How a producer's record batch goes to its partition, and the names of producers; sends nothing.

import { PortError } from '../base/errors.ts';
import { type Call, partitionPath } from './connection.ts';

/** A record batch on its way to one partition. */
export interface StampedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: string;
  /** Id of the producer, and the sequence of the batch's first record. */
  readonly producer: string;
  readonly sequence: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The request that appends it. */
export function appendCall(batch: StampedBatch): Call {
  return {
    method: 'POST',
    path: `${partitionPath(batch.topic, batch.partition)}/batch`,
    headers: {
      'Content-Type': 'application/vnd.millrace.batch',
      'Producer-Id': batch.producer,
      'Producer-Epoch': '0',
      'Producer-Seq': String(batch.sequence),
      'Topic-Incarnation': batch.incarnation,
    },
    body: batch.bytes,
  };
}

/** A producer id tells when it was made, so that one that is forgotten is never taken for a new one. */
export function freshId(createdMs: number): string {
  // Not `randomUUID`, which pages that are no secure context lack: those of a machine nearby, in development.
  const parts = crypto.getRandomValues(new Uint32Array(4));
  return `${createdMs}.${[...parts].map((part) => part.toString(36)).join('')}`;
}

/** A creation time that the edge takes for a new one, as it says with UNKNOWN_PRODUCER. */
export function createdMsOf(error: Error): number {
  const { nowMs, forgottenMs } = error instanceof PortError ? error.detail : {};
  if (typeof nowMs === 'number') return nowMs;
  return Math.max(Date.now(), typeof forgottenMs === 'number' ? forgottenMs + 1 : 0);
}
