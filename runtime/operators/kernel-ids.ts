// The kernel's group ids of a batch's rows, from whole dictionaries where it can; knows no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import type { KeyColumns } from '../data/key-columns.ts';
import { KEY_COLUMNS } from '../data/parts.ts';
import { type Kernel, NULL_GROUP } from '../kernel/instance.ts';
import type { GroupNames } from '../state/group-names.ts';

/** A dictionary is handed to the kernel as a whole while it has at most so many times the rows of the batch. */
const WHOLE_FACTOR = 2;

/** Ids by array position; a row without a key or a value has none. */
export class KernelIds {
  readonly #names: GroupNames;
  readonly #kernel: Kernel;
  readonly #scratch = new ByteWriter(1024);
  /** Null for the names of texts. */
  readonly #keys: KeyColumns | null;
  #dictionary: Dictionary | null = null;
  #entryIds = new Uint32Array(0);
  /** Ids of the last batch. */
  current = new Uint32Array(0);
  /** True when rows of the last batch have no group. */
  hasNulls = false;

  constructor(names: GroupNames, kernel: Kernel) {
    this.#names = names;
    this.#kernel = kernel;
    this.#keys = names.isText ? null : new KEY_COLUMNS.code.KeyColumns();
  }

  /** Good until the next call. @throws {LimitError} when the kernel has no room for a key */
  assign(batch: Batch): Uint32Array {
    const positions = batch.rowtime.length;
    if (this.current.length < positions) this.current = new Uint32Array(positions);
    this.hasNulls = false;
    const columns = this.#names.columns(batch);
    const [first] = columns;
    const isWhole =
      this.#names.isText &&
      first?.storage === 'dictionary' &&
      batch.keyNull === null &&
      batch.valueNull === null &&
      first.dictionary.size <= Math.min(batch.length * WHOLE_FACTOR, BATCH_ROWS_MAX);
    if (isWhole) this.#assignEntries(batch, first);
    else if (this.#keys?.write(batch, columns) === true) this.#assignKeys(batch, this.#keys);
    else this.#assignRows(batch, columns);
    return this.current;
  }

  #assignEntries(batch: Batch, column: Column & { readonly storage: 'dictionary' }): void {
    const { dictionary, validity, values: codes } = column;
    if (dictionary !== this.#dictionary) {
      const { bytes, offsets } = dictionary;
      this.#entryIds = this.#kernel.intern({ bytes, offsets }).slice();
      this.#dictionary = dictionary;
    }
    const entryIds = this.#entryIds;
    const ids = this.current;
    const { selection, length } = batch;
    if (selection === null && validity === null) {
      for (let i = 0; i < length; i++) ids[i] = entryIds[codes[i] as number] as number;
      return;
    }
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const isValid = validity === null || bitAt(validity, position);
      ids[position] = isValid ? (entryIds[codes[position] as number] as number) : NULL_GROUP;
      if (!isValid) this.hasNulls = true;
    }
  }

  /** Keys that are no single text stand in the kernel as their bytes. */
  #assignKeys(batch: Batch, keys: KeyColumns): void {
    const { selection, length } = batch;
    const offsets = keys.offsets.subarray(0, length + 1);
    const bytes = keys.bytes.subarray(0, offsets[length]);
    const known = this.#kernel.intern({ bytes, offsets });
    const ids = this.current;
    if (selection === null) ids.set(known);
    else for (let i = 0; i < length; i++) ids[selection[i] as number] = known[i] as number;
    this.hasNulls = keys.hasMissing;
    if (!keys.hasMissing) return;
    for (let i = 0; i < length; i++) {
      if (offsets[i] === offsets[i + 1]) ids[positionOf(batch, i)] = NULL_GROUP;
    }
  }

  #assignRows(batch: Batch, columns: readonly Column[]): void {
    const scratch = this.#scratch;
    const offsets = new Uint32Array(batch.length + 1);
    scratch.truncate(0);
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      if (!this.#isMissing(batch, columns, position)) this.#names.write(scratch, columns, position);
      offsets[i + 1] = scratch.position;
    }
    const known = this.#kernel.intern({ bytes: scratch.written(), offsets });
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      const isMissing = this.#isMissing(batch, columns, position);
      this.current[position] = isMissing ? NULL_GROUP : (known[i] as number);
      if (isMissing) this.hasNulls = true;
    }
  }

  #isMissing(batch: Batch, columns: readonly Column[], position: number): boolean {
    if (batch.valueNull !== null && bitAt(batch.valueNull, position)) return true;
    return this.#names.isMissing(batch, columns, position);
  }
}
