// The values of a chunk of JSON records, decoded in the kernel, and by the format's own decoder where the kernel declines; knows no log.

import { type ColumnBuilder, columnBuilder } from '../data/builder.ts';
import type { Column } from '../data/column.ts';
import type { RecordBatch } from '../data/record.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Decoder } from '../formats/serde.ts';
import { JSON_NULL, JSON_OK } from '../kernel/json-abi.ts';
import { JsonKernel } from '../kernel/json-instance.ts';
import { JSON_PATCHES } from './parts.ts';

/** Of a chunk: `begin`, then `take` for each record that has a usable key, then `finish`. */
export class JsonValues {
  readonly #kernel: JsonKernel;
  readonly #decoder: Decoder;
  /** What the decoder made of the records that the kernel declined. */
  readonly #builders: readonly ColumnBuilder[];
  #records: RecordBatch | null = null;
  #from = 0;
  #statuses: Uint8Array = new Uint8Array(0);
  /** Rows of the chunk whose values are in the builders. */
  #patched: number[] = [];

  /** @param decoder decodes the same columns, in the same order */
  constructor(module: WebAssembly.Module, columns: readonly SchemaColumn[], decoder: Decoder) {
    this.#kernel = new JsonKernel(module, columns);
    this.#decoder = decoder;
    this.#builders = columns.map(({ type }) => columnBuilder(type));
  }

  /** @returns true when every record is decided and has a value: none need be taken */
  begin(records: RecordBatch, from: number, to: number): boolean {
    this.#records = records;
    this.#from = from;
    this.#patched = [];
    // A chunk that was given up has left its rows behind.
    for (const builder of this.#builders) builder.truncate(0);
    let first = from;
    while (first < to && records.valueFrom(first) < 0) first++;
    const at = first < to ? records.valueFrom(first) : 0;
    this.#statuses = this.#kernel.decode(
      records.bytes,
      at,
      records.valueLengths.subarray(from, to),
    );
    return this.#kernel.counts()[JSON_OK] === to - from;
  }

  /**
   * @param row its record's place in the chunk
   * @returns false when the value is null as a whole
   * @throws {RecordError} DESERIALIZATION
   */
  take(row: number): boolean {
    const status = this.#statuses[row];
    if (status === JSON_OK) return true;
    if (status === JSON_NULL) return false;
    const records = this.#records as RecordBatch;
    const index = this.#from + row;
    const count = this.#patched.length;
    try {
      const hasValue = this.#decoder.decode(
        records.bytes,
        records.valueFrom(index),
        records.valueTo(index),
        this.#builders,
      );
      this.#patched.push(row);
      return hasValue;
    } catch (thrown) {
      for (const builder of this.#builders) builder.truncate(count);
      throw thrown;
    }
  }

  /** The columns of the rows at these positions of the chunk, ascending; null: of all. */
  finish(positions: Uint32Array | null): Column[] {
    const patched = this.#patched;
    this.#records = null;
    if (patched.length === 0 && positions === null) return this.#kernel.columns();
    const patches = { columns: this.#builders.map((builder) => builder.finish()), rows: patched };
    return JSON_PATCHES.code.patched(this.#kernel, patches, positions);
  }
}
