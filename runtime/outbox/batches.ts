// Makes record batches of what an outbox keeps: of each partition that nothing is on its way to the oldest records, as many as go at once; sends and notes nothing.

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

/** What batches are made for. */
export interface BatchesOptions {
  /** The partition, modulo how many there are, of records without a key. */
  readonly spare: number;
  /** By place: how many records a batch may hold, where that is not as many as there are. */
  readonly recordsMax: ReadonlyMap<string, number>;
  /** By place: the batches on their way. */
  readonly underWay: ReadonlyMap<string, KeptBatch>;
  /** How many more may be made. */
  readonly most: number;
}

const BATCH_BYTES = 262_144;

/** One batch a partition. */
export class OutboxBatches {
  readonly #options: BatchesOptions;
  readonly #open = new Map<string, OpenBatch>();
  /** By place: the first record that was left out, and has its turn once the batch on its way there has come to its end. */
  readonly left = new Map<string, number>();
  /** What the records count that go. */
  weight = 0;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** No other batch may be begun. */
  get isFull(): boolean {
    return this.#open.size >= this.#options.most;
  }

  /**
   * Adds a record to the batch of its partition, unless that is full, or one is on its way there: then its turn comes later, behind those before it.
   * @returns why it cannot go anywhere; null: all is well
   */
  add(
    number: number,
    record: KeptRecord,
    { partitions, incarnation }: KnownTopic,
  ): PortError | null {
    const { topic, key, value, timestamp, headers } = record;
    const { spare, recordsMax } = this.#options;
    const partition =
      record.partition ?? (key === null ? spare % partitions : partitionOf(key, partitions));
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
      const message = `topic '${topic}' has no partition ${partition}`;
      return new PortError('UNKNOWN_PARTITION', message);
    }
    const place = placeOf({ topic, partition });
    const before = this.#before(topic, partitions, place);
    if (before !== null) {
      this.#leave(before, number);
      return null;
    }
    const batch = this.#batch(place, { topic, partition, partitions, incarnation });
    if (batch.isFull || !batch.builder.append(key, value, timestamp, headers)) {
      batch.isFull = true;
      this.#leave(place, number);
      return null;
    }
    batch.records.push(number);
    const weight = bytesOf(record);
    batch.weight += weight;
    this.weight += weight;
    const most = recordsMax.get(place) ?? Infinity;
    batch.isFull = batch.records.length >= most || batch.builder.lengthBytes >= BATCH_BYTES;
    return null;
  }

  /** Where a batch is on its way that a record of that place must not overtake; null: nowhere. */
  #before(topic: string, partitions: number, place: string): string | null {
    const { underWay } = this.#options;
    if (underWay.has(place)) return place;
    // Made when the topic had other partitions: it may hold older records of the same key.
    for (const [other, batch] of underWay)
      if (batch.topic === topic && batch.partitions !== partitions) return other;
    return null;
  }

  #leave(place: string, number: number): void {
    if (!this.left.has(place)) this.left.set(place, number);
  }

  #batch(place: string, of: Omit<MadeBatch, 'records' | 'weight' | 'bytes'>): OpenBatch {
    let batch = this.#open.get(place);
    if (batch === undefined) {
      const builder = new RecordBatchBuilder();
      batch = { ...of, records: [], weight: 0, builder, isFull: false };
      this.#open.set(place, batch);
    }
    return batch;
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
