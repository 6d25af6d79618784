// Ids in the kernel's dictionary for the values of one key column whose values have no fixed width; knows no group.

import type { ByteWriter } from '../base/bytes.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { bitmap, type Column, isNull, setBit } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import type { FixedColumn } from '../data/key-columns.ts';
import { writeKey } from '../data/key-writer.ts';
import { INTEGER } from '../data/type.ts';
import type { Kernel } from '../kernel/instance.ts';

/** A dictionary is handed to the kernel as a whole while it has at most so many times the rows of the batch. */
const WHOLE_FACTOR = 2;

/** True when looking up all entries of a dictionary is not worse than looking up each row. */
export function isWorthWhole(dictionary: Dictionary, batch: Batch): boolean {
  return dictionary.size <= Math.min(batch.length * WHOLE_FACTOR, BATCH_ROWS_MAX);
}

/** The ids of all entries of a dictionary of texts; those of the last one are kept. */
export class EntryIds {
  readonly #kernel: Kernel;
  #dictionary: Dictionary | null = null;
  #ids = new Uint32Array(0);

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** @throws {LimitError} when the kernel has no room for an entry */
  of(dictionary: Dictionary): Uint32Array {
    if (dictionary !== this.#dictionary) {
      const { bytes, offsets } = dictionary;
      this.#ids = this.#kernel.intern({ bytes, offsets }).slice();
      this.#dictionary = dictionary;
    }
    return this.#ids;
  }
}

/** Appends what a value is called in the kernel's dictionary: a text its UTF-8, else the value's key bytes. */
export function writePiece(to: ByteWriter, column: Column, position: number): void {
  if (column.type.kind !== 'STRING') writeKey(to, [column], position);
  else if (column.storage === 'objects') to.utf8(column.values[position] as string);
  else if (column.storage === 'dictionary') {
    const { bytes, offsets } = column.dictionary;
    const code = column.values[position] as number;
    to.bytes(bytes, offsets[code], offsets[code + 1]);
  }
}

/** The values of one key column as a column of their ids. */
export class KernelPieces {
  readonly #kernel: Kernel;
  readonly #scratch: ByteWriter;
  readonly #entries: EntryIds;
  #offsets = new Uint32Array(0);

  /** @param scratch is written to */
  constructor(kernel: Kernel, scratch: ByteWriter) {
    this.#kernel = kernel;
    this.#scratch = scratch;
    this.#entries = new EntryIds(kernel);
  }

  /** @throws {LimitError} when the kernel has no room for a value */
  column(batch: Batch, column: Column): FixedColumn {
    const values = new Int32Array(batch.rowtime.length);
    const validity = column.storage === 'objects' ? validityOf(column) : column.validity;
    if (column.storage === 'dictionary' && isWorthWhole(column.dictionary, batch)) {
      const entryIds = this.#entries.of(column.dictionary);
      const codes = column.values;
      // The codes of null rows, and of rows not selected, are unspecified: beyond the entries they are 0.
      for (let i = 0; i < values.length; i++) values[i] = entryIds[codes[i] as number] ?? 0;
    } else this.#assignRows(batch, column, values);
    return { type: INTEGER, validity, storage: 'i32', values };
  }

  #assignRows(batch: Batch, column: Column, into: Int32Array): void {
    const scratch = this.#scratch;
    const { length } = batch;
    if (this.#offsets.length <= length) this.#offsets = new Uint32Array(length + 1);
    const offsets = this.#offsets.subarray(0, length + 1);
    scratch.truncate(0);
    for (let i = 0; i < length; i++) {
      const position = positionOf(batch, i);
      if (!isNull(column, position)) writePiece(scratch, column, position);
      offsets[i + 1] = scratch.position;
    }
    const known = this.#kernel.intern({ bytes: scratch.written(), offsets });
    for (let i = 0; i < length; i++) into[positionOf(batch, i)] = known[i] as number;
  }
}

/** The validity of values that are objects, which say themselves that they are null. */
function validityOf(column: Column): Uint8Array | null {
  if (column.validity !== null) return column.validity;
  const { length } = column.values;
  const bits = bitmap(length);
  for (let i = 0; i < length; i++) if (!isNull(column, i)) setBit(bits, i);
  return bits;
}
