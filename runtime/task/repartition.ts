// Splits rows by the hash of their key and encodes them for an internal topic; knows no log.

import { ByteWriter } from '../base/bytes.ts';
import { InvariantError, PortError } from '../base/errors.ts';
import { partitionOf } from '../base/hash.ts';
import { type Batch, positionOf, select, slice } from '../data/batch.ts';
import { bitAt, type Column, isNull } from '../data/column.ts';
import { columnarRecordBatch } from '../data/record-builder.ts';
import { columnsWithRole } from '../data/schema.ts';
import type { Encoder, Formats } from '../formats/serde.ts';
import type { RepartitionStep } from '../plan/step.ts';
import type { Outgoing, Output } from './sink.ts';

/** Writes the rows of a repartition step as encoded batches. */
export class RepartitionWriter implements Output {
  readonly #step: RepartitionStep;
  readonly #keyAt: readonly number[];
  readonly #encoder: Encoder;
  readonly #fallbackPartition: number;
  readonly #key = new ByteWriter();
  #outgoing: Outgoing[] = [];

  /** @param fallbackPartition of rows without a key */
  constructor(step: RepartitionStep, formats: Formats, fallbackPartition: number) {
    this.#step = step;
    this.#fallbackPartition = fallbackPartition;
    this.#keyAt = columnsWithRole(step.schema, 'key');
    const format = formats.get(step.keyFormat.format);
    if (format === undefined)
      throw new InvariantError(`there is no format ${step.keyFormat.format}`);
    const keys = step.schema.columns.filter((column) => column.role === 'key');
    this.#encoder = format.encoder(keys, step.keyFormat);
  }

  readonly write = (batch: Batch): void => {
    if (this.#step.partitions === 1) {
      this.#encode(0, batch);
      return;
    }
    const chosen = this.#partitions(batch);
    const rows: number[][] = Array.from({ length: this.#step.partitions }, () => []);
    for (let i = 0; i < batch.length; i++) rows[chosen[i] ?? 0]?.push(positionOf(batch, i));
    rows.forEach((positions, partition) => {
      const part = positions.length === 0 ? null : select(batch, Uint32Array.from(positions));
      if (part !== null) this.#encode(partition, part);
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

  /** One record batch, or several where the rows are too large for one. */
  #encode(partition: number, batch: Batch): void {
    try {
      const bytes = columnarRecordBatch(batch);
      this.#outgoing.push({
        to: { topic: this.#step.topic, partition },
        count: batch.length,
        bytes,
      });
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

  drain(into: (outgoing: Outgoing) => void): void {
    for (const outgoing of this.#outgoing) into(outgoing);
    this.#outgoing = [];
  }
}
