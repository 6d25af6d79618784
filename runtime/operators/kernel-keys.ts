// The kernel's group ids for keys that are no single text, column by column; knows no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { bitmap, type Column, isNull, setBit } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import { type FixedColumn, isFixed, KeyColumns } from '../data/key-columns.ts';
import { INTEGER, type Type } from '../data/type.ts';
import { type Kernel, NULL_GROUP } from '../kernel/instance.ts';
import { EntryIds, isWorthWhole } from './kernel-pieces.ts';
import { writePiece } from './rarer-rows.ts';

export { writeNamedKey } from '../data/key-columns.ts';

/** Groups are called in the kernel as data/key-columns.ts says. */
export class KernelKeys {
  readonly #kernel: Kernel;
  readonly #keys = new KeyColumns();
  /** By key column; null for those of a fixed width. */
  readonly #pieces: readonly (KernelPieces | null)[];

  /** @param types of the key columns */
  constructor(types: readonly Type[], kernel: Kernel) {
    const scratch = new ByteWriter(1024);
    this.#kernel = kernel;
    this.#pieces = types.map((type) => (isFixed(type) ? null : new KernelPieces(kernel, scratch)));
  }

  /**
   * Writes the ids of the batch's rows by array position.
   * @returns true when rows have none
   * @throws {LimitError} when the kernel has no room for a key
   */
  assign(batch: Batch, columns: readonly Column[], ids: Uint32Array): boolean {
    const { selection, length } = batch;
    const keys = this.#keys;
    const fixed = columns.map(
      (column, i) => this.#pieces[i]?.column(batch, column) ?? (column as FixedColumn),
    );
    keys.write(batch, fixed);
    const offsets = keys.offsets.subarray(0, length + 1);
    const bytes = keys.bytes.subarray(0, offsets[length]);
    const known = this.#kernel.intern({ bytes, offsets });
    if (selection === null) ids.set(known);
    else for (let i = 0; i < length; i++) ids[selection[i] as number] = known[i] as number;
    if (!keys.hasMissing) return false;
    for (let i = 0; i < length; i++) {
      if (offsets[i] === offsets[i + 1]) ids[positionOf(batch, i)] = NULL_GROUP;
    }
    return true;
  }
}

/** The values of one key column as a column of their ids. */
class KernelPieces {
  readonly #kernel: Kernel;
  readonly #scratch: ByteWriter;
  readonly #entries: EntryIds;
  /** The ids of the entries of the last dictionary that was looked up as a whole. */
  #dictionary: Dictionary | null = null;
  #ids: Uint32Array = new Uint32Array(0);
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
      const entryIds = this.#idsOf(column.dictionary);
      const codes = column.values;
      // The codes of null rows, and of rows not selected, are unspecified: beyond the entries they are 0.
      for (let i = 0; i < values.length; i++) values[i] = entryIds[codes[i] as number] ?? 0;
    } else this.#assignRows(batch, column, values);
    return { type: INTEGER, validity, storage: 'i32', values };
  }

  #idsOf(dictionary: Dictionary): Uint32Array {
    if (dictionary !== this.#dictionary) {
      this.#entries.bring(dictionary);
      this.#ids = this.#kernel.entryIds.slice();
      this.#dictionary = dictionary;
    }
    return this.#ids;
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
