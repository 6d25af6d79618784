// What an outbox keeps: records, batches under way, refusals, and what each counts; knows no object store.

import type { RecordHeader } from '../data/record.ts';

/** A record that the edge is to have. */
export interface KeptRecord {
  readonly topic: string;
  /** null: murmur2 of the key says. */
  readonly partition: number | null;
  readonly key: Uint8Array<ArrayBuffer> | null;
  readonly value: Uint8Array<ArrayBuffer> | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** Records that go to one partition as these bytes, until it is known that they are there or are not. */
export interface KeptBatch {
  readonly topic: string;
  readonly partition: number;
  /** How many the topic had when the batch was made, which is what keys were placed by. */
  readonly partitions: number;
  readonly incarnation: string;
  readonly producer: string;
  readonly sequence: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Numbers of its records, and what they count. */
  readonly records: readonly number[];
  readonly weight: number;
}

/** A record that the edge refuses as it is; it is kept until the application says what becomes of it. */
export interface RefusedRecord extends KeptRecord {
  /** For `retry` and `discard`. */
  readonly id: number;
  /** As the errors of `producer.send` have it. */
  readonly code: string;
  readonly message: string;
  /** true: it was sent so long ago that the edge no longer knows whether it came. */
  readonly mayBeThere: boolean;
}

/** What is kept. */
export interface OutboxTotals {
  /** Records that the edge has not acknowledged. */
  readonly pending: number;
  /** Records that it has refused. */
  readonly refused: number;
  /** Bytes of both. */
  readonly bytes: number;
}

/** What a record counts beside its bytes. */
const RECORD_BYTES = 128;

/** The key of a batch and a producer. */
export function placeOf({ topic, partition }: Pick<KeptBatch, 'topic' | 'partition'>): string {
  return `${partition}/${topic}`;
}

/** What a record counts. */
export function bytesOf({ key, value, headers }: KeptRecord): number {
  let bytes = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const { name, value: of } of headers) bytes += name.length + (of?.length ?? 0);
  return bytes;
}
