// The values of a chunk of JSON records, decoded in the kernel, and by the format's own decoder where the kernel declines; knows no log.

import { type ColumnBuilder, columnBuilder } from '../data/builder.ts';
import { bitAt, type Column, setBit } from '../data/column.ts';
import { Dictionary } from '../data/dictionary.ts';
import { gatherColumn } from '../data/gather.ts';
import { Interner } from '../data/interner.ts';
import { compactDictionary } from '../data/dense.ts';
import type { RecordBatch } from '../data/record.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Decoder } from '../formats/serde.ts';
import { JSON_NULL, JSON_OK } from '../kernel/json-abi.ts';
import { JsonKernel } from '../kernel/json-instance.ts';

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
    const patches = this.#builders.map((builder, index) =>
      patched.length === 0 ? null : new Patch(builder.finish(), patched, this.#kernel, index),
    );
    return this.#kernel.columns().map((whole, index) => {
      const column = patches[index]?.applied(whole) ?? whole;
      if (positions === null) return column;
      const kept = gatherColumn(column, positions);
      return kept.storage === 'dictionary' ? compactDictionary(kept) : kept;
    });
  }
}

/** Values of some rows of a column that were decoded elsewhere. */
class Patch {
  readonly #column: Column;
  readonly #rows: readonly number[];
  /** By code of the patch that of the chunk; from `2 ** 31` on a text that the kernel had no room for. */
  readonly #codes: Uint32Array;
  readonly #others = new Interner();

  constructor(column: Column, rows: readonly number[], kernel: JsonKernel, index: number) {
    this.#column = column;
    this.#rows = rows;
    const size = column.storage === 'dictionary' ? column.dictionary.size : 0;
    this.#codes = new Uint32Array(size);
    if (column.storage !== 'dictionary') return;
    const used = new Set(column.values.filter((_, row) => !isNullAt(column, row)));
    for (const code of used) {
      const utf8 = column.dictionary.utf8(code);
      const known = kernel.intern(index, utf8);
      this.#codes[code] = known >= 0 ? known : OTHER + this.#others.intern(utf8, 0, utf8.length);
    }
  }

  /** The whole column with the rows of the patch in it; `whole` is no longer of use. */
  applied(whole: Column): Column {
    const own = this.#column;
    const rows = this.#rows;
    const validity = this.#validity(whole);
    if (whole.storage === 'dictionary' && own.storage === 'dictionary') {
      const { dictionary, values } = whole;
      rows.forEach((row, i) => {
        const code = isNullAt(own, i) ? 0 : (this.#codes[own.values[i] as number] as number);
        values[row] = code < OTHER ? code : dictionary.size + (code - OTHER);
      });
      const others = this.#others.size;
      return {
        ...whole,
        validity,
        dictionary: others === 0 ? dictionary : joined(dictionary, this.#others.finish()),
      };
    }
    if (whole.storage === 'i64' && own.storage === 'i64')
      rows.forEach((row, i) => (whole.values[row] = own.values[i] as bigint));
    else if (whole.storage === 'f64' && own.storage === 'f64')
      rows.forEach((row, i) => (whole.values[row] = own.values[i] as number));
    else if (whole.storage === 'i32' && own.storage === 'i32')
      rows.forEach((row, i) => (whole.values[row] = own.values[i] as number));
    else if (whole.storage === 'u8' && own.storage === 'u8')
      rows.forEach((row, i) => (whole.values[row] = own.values[i] as number));
    return { ...whole, validity };
  }

  #validity(whole: Column): Uint8Array | null {
    if (whole.validity === null && this.#column.validity === null) return null;
    const { length } = whole.values;
    const bits = whole.validity ?? new Uint8Array((length + 7) >> 3);
    if (whole.validity === null) for (let row = 0; row < length; row++) setBit(bits, row);
    this.#rows.forEach((row, i) => {
      if (isNullAt(this.#column, i))
        bits[row >> 3] = (bits[row >> 3] as number) & ~(1 << (row & 7));
      else setBit(bits, row);
    });
    return bits;
  }
}

const OTHER = 2 ** 31;

function isNullAt({ validity }: Column, row: number): boolean {
  return validity !== null && !bitAt(validity, row);
}

function joined(first: Dictionary, second: Dictionary): Dictionary {
  const bytes = new Uint8Array(first.bytes.length + second.bytes.length);
  bytes.set(first.bytes);
  bytes.set(second.bytes, first.bytes.length);
  const offsets = new Uint32Array(first.size + second.size + 1);
  offsets.set(first.offsets);
  second.offsets.forEach((offset, code) => {
    offsets[first.size + code] = first.bytes.length + offset;
  });
  return new Dictionary(bytes, offsets);
}
