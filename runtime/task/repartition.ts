// Splits rows by the hash of their key and encodes them for an internal topic; knows no log.

import { existing } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import { madeTooMuch, PortError } from '../base/errors.ts';
import { partitionOf } from '../base/hash.ts';
import { BATCH_ROWS_MAX, MADE_BYTES_MAX } from '../base/limits.ts';
import { type Batch, positionOf, select, slice } from '../data/batch.ts';
import { concat } from '../data/batches.ts';
import { bitAt, type Column, isNull } from '../data/column.ts';
import { columnarRecordBatch } from '../data/columnar-records.ts';
import type { KnownTimes } from '../data/handed-batch.ts';
import { columnsWithRole } from '../data/schema.ts';
import type { Encoder, Formats } from '../formats/serde.ts';
import type { RepartitionStep } from '../plan/step.ts';
import type { Current } from './current.ts';
import { KERNEL_DECODERS } from './parts.ts';
import type { Outgoing, Output } from './sink.ts';

export { Trimming } from './trimming.ts';

/** Batches of at most so many rows wait for others of their partition. */
const SMALL_ROWS_MAX = 512;
/** What a waiting row is taken to weigh; a guess, for a bound that is not sharp. */
const ROW_BYTES = 64;

export interface RepartitionOptions {
  /** Partition of rows without a key. */
  readonly fallbackPartition: number;
  /** false: the batches never leave this process and go without one. */
  readonly checksum: boolean;
  /** What the rows are made of; absent: of nothing that is known. */
  readonly current?: Pick<Current, 'moment'>;
}

/** Writes the rows of a repartition step as encoded batches. */
export class RepartitionWriter implements Output {
  readonly #step: RepartitionStep;
  readonly #keyAt: readonly number[];
  readonly #encoder: Encoder;
  readonly #fallbackPartition: number;
  readonly #checksum: boolean;
  readonly #current: Pick<Current, 'moment'> | null;
  readonly #key = new ByteWriter();
  #outgoing: Outgoing[] = [];
  #outgoingBytes = 0;
  /** Small batches by partition, to be joined. */
  readonly #small: readonly { batches: Batch[]; rows: number }[];

  constructor(step: RepartitionStep, formats: Formats, options: RepartitionOptions) {
    this.#step = step;
    this.#fallbackPartition = options.fallbackPartition;
    this.#checksum = options.checksum;
    this.#current = options.current ?? null;
    this.#small = Array.from({ length: step.partitions }, () => ({ batches: [], rows: 0 }));
    this.#keyAt = columnsWithRole(step.schema, 'key');
    const format = existing(formats.get(step.keyFormat.format), 'format');
    const keys = step.schema.columns.filter((column) => column.role === 'key');
    this.#encoder = format.encoder(keys, step.keyFormat);
  }

  readonly write = (batch: Batch): void => {
    if (this.#step.partitions === 1) {
      this.#add(0, batch);
      return;
    }
    const chosen = this.#partitions(batch);
    const rows: number[][] = Array.from({ length: this.#step.partitions }, () => []);
    for (let i = 0; i < batch.length; i++) rows[chosen[i] ?? 0]?.push(positionOf(batch, i));
    rows.forEach((positions, partition) => {
      const part = positions.length === 0 ? null : select(batch, Uint32Array.from(positions));
      if (part !== null) this.#add(partition, part);
    });
  };

  /** The partition of each row. A single string key is hashed once for each string of the dictionary. */
  #partitions(batch: Batch): Uint32Array {
    const keys = this.#keyAt
      .map((at) => batch.columns[at])
      .filter((column) => column !== undefined);
    const [only] = keys;
    const chosen = new Uint32Array(batch.length);
    const known =
      keys.length === 1 && only?.storage === 'dictionary'
        ? {
            codes: only.values,
            column: only,
            partitions: new Int32Array(only.dictionary.size).fill(-1),
          }
        : null;
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      if (batch.keyNull !== null && bitAt(batch.keyNull, position)) {
        chosen[i] = this.#fallbackPartition;
      } else if (known === null || isNull(known.column, position)) {
        chosen[i] = this.#partition(keys, position);
      } else {
        const code = known.codes[position] ?? 0;
        let partition = known.partitions[code] ?? -1;
        if (partition < 0) known.partitions[code] = partition = this.#partition(keys, position);
        chosen[i] = partition;
      }
    }
    return chosen;
  }

  #partition(keys: readonly Column[], position: number): number {
    this.#key.truncate(0);
    if (!this.#encoder.encode(keys, position, this.#key)) return this.#fallbackPartition;
    return partitionOf(this.#key.buffer, this.#step.partitions, 0, this.#key.position);
  }

  /** Large batches are encoded as they are; joining small ones costs less than an append for each. */
  #add(partition: number, batch: Batch): void {
    const small = existing(this.#small[partition], 'partition');
    const isSmall = batch.length <= SMALL_ROWS_MAX;
    if (!isSmall || small.rows + batch.length > BATCH_ROWS_MAX) this.#join(partition);
    if (!isSmall) {
      this.#encode(partition, batch);
      return;
    }
    small.batches.push(batch);
    small.rows += batch.length;
  }

  #join(partition: number): void {
    const small = existing(this.#small[partition], 'partition');
    if (small.rows === 0) return;
    const { batches } = small;
    small.batches = [];
    small.rows = 0;
    const [only, more] = batches;
    const joined = only !== undefined && more === undefined ? [only] : concat(batches);
    for (const batch of joined) this.#encode(partition, batch);
  }

  /** One record batch, or several where the rows are too large for one. */
  #encode(partition: number, batch: Batch): void {
    if (this.#outgoingBytes > MADE_BYTES_MAX) madeTooMuch();
    const to = { topic: this.#step.topic, partition };
    const handed = this.#checksum
      ? null
      : (KERNEL_DECODERS.fetched?.handed(batch, this.#step.schema, this.#times()) ?? null);
    if (handed !== null) {
      this.#outgoingBytes += handed.lengthBytes;
      this.#outgoing.push(handed.within({ to, count: batch.length }));
      return;
    }
    try {
      const bytes = columnarRecordBatch(batch, { checksum: this.#checksum });
      this.#outgoingBytes += bytes.length;
      this.#outgoing.push({ to, count: batch.length, bytes });
    } catch (thrown) {
      if (
        !(thrown instanceof PortError) ||
        thrown.code !== 'RECORD_TOO_LARGE' ||
        batch.length === 1
      )
        throw thrown;
      const half = batch.length >> 1;
      for (const part of [slice(batch, 0, half), slice(batch, half, batch.length)]) {
        if (part !== null) this.#encode(partition, part);
      }
    }
  }

  /** Those of the records that are taken in. */
  #times(): KnownTimes | null {
    const { records = null, place } = this.#current?.moment ?? {};
    return records && { timestamps: records.timestamps, latestMs: place?.latestMs };
  }

  get waitingBytes(): number {
    const rows = this.#small.reduce((sum, { rows }) => sum + rows, 0);
    return this.#outgoingBytes + rows * ROW_BYTES;
  }

  drain(into: (outgoing: Outgoing) => void): void {
    for (let partition = 0; partition < this.#step.partitions; partition++) this.#join(partition);
    this.#outgoingBytes = 0;
    for (const outgoing of this.#outgoing) into(outgoing);
    this.#outgoing = [];
  }
}
