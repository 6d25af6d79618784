// Makes record batches of what an outbox keeps: of each partition the oldest records, as many as go at once; sends and notes nothing.

import { PortError } from '../base/errors.ts';
import { partitionOf } from '../base/hash.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import type { TopicDescription } from '../ports/log.ts';
import { bytesOf, type KeptBatch, type KeptRecord, placeOf } from './kept.ts';

/** A topic as it is now. */
export type KnownTopic = Pick<TopicDescription, 'partitions' | 'incarnation'>;

/** A batch that no producer has been given yet. */
export type MadeBatch = Omit<KeptBatch, 'producer' | 'sequence'>;

interface OpenBatch extends Omit<MadeBatch, 'bytes'> {
  readonly records: number[];
  weight: number;
  readonly builder: RecordBatchBuilder;
  isFull: boolean;
}

const BATCH_BYTES = 262_144;

/** One batch a partition. */
export class OutboxBatches {
  /** The partition, modulo how many there are, of records without a key. */
  readonly #spare: number;
  /** By place: how many records a batch may hold, where that is not as many as there are. */
  readonly #recordsMax: ReadonlyMap<string, number>;
  readonly #open = new Map<string, OpenBatch>();

  constructor(spare: number, recordsMax: ReadonlyMap<string, number>) {
    this.#spare = spare;
    this.#recordsMax = recordsMax;
  }

  /**
   * Adds a record to the batch of its partition, unless that is full: then its turn comes later, behind those before it.
   * @returns why it cannot go anywhere; null: all is well
   */
  add(
    number: number,
    record: KeptRecord,
    { partitions, incarnation }: KnownTopic,
  ): PortError | null {
    const { topic, key, value, timestamp, headers } = record;
    const partition =
      record.partition ?? (key === null ? this.#spare % partitions : partitionOf(key, partitions));
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
      const message = `topic '${topic}' has no partition ${partition}`;
      return new PortError('UNKNOWN_PARTITION', message);
    }
    const place = placeOf({ topic, partition });
    let batch = this.#open.get(place);
    if (batch === undefined) {
      const builder = new RecordBatchBuilder();
      const of = { topic, partition, partitions, incarnation };
      batch = { ...of, records: [], weight: 0, builder, isFull: false };
      this.#open.set(place, batch);
    }
    if (batch.isFull) return null;
    if (!batch.builder.append(key, value, timestamp, headers)) {
      batch.isFull = true;
      return null;
    }
    batch.records.push(number);
    batch.weight += bytesOf(record);
    const most = this.#recordsMax.get(place) ?? Infinity;
    batch.isFull = batch.records.length >= most || batch.builder.lengthBytes >= BATCH_BYTES;
    return null;
  }

  finish(): MadeBatch[] {
    return [...this.#open.values()].flatMap((batch) => {
      const { topic, partition, partitions, incarnation, records, weight, builder } = batch;
      const bytes = builder.finish();
      const of = { topic, partition, partitions, incarnation };
      return bytes === null ? [] : [{ ...of, records, weight, bytes }];
    });
  }
}
