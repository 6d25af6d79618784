// The kernel's group ids of a batch's rows, from whole dictionaries and columns where it can; knows no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import { type Kernel, NULL_GROUP } from '../kernel/instance.ts';
import type { GroupNames } from '../state/group-names.ts';
import type { KernelKeys } from './kernel-keys.ts';
import { EntryIds, isWorthWhole, writePiece } from './kernel-pieces.ts';
import { KERNEL_KEYS } from './parts.ts';

/**
 * Ids by array position; a row without a key or a value has none. A key of one STRING column is called by its text in the
 * kernel, every other one as data/key-columns.ts says.
 */
export class KernelIds {
  readonly #names: GroupNames;
  readonly #kernel: Kernel;
  readonly #scratch = new ByteWriter(1024);
  readonly #entries: EntryIds;
  /** Null for keys of one STRING column. */
  readonly #keys: KernelKeys | null;
  /** Ids of the last batch. */
  current = new Uint32Array(0);
  /** True when rows of the last batch have no group. */
  hasNulls = false;

  constructor(names: GroupNames, kernel: Kernel) {
    this.#names = names;
    this.#kernel = kernel;
    this.#entries = new EntryIds(kernel);
    this.#keys = names.isText ? null : new KERNEL_KEYS.code.KernelKeys(names.types, kernel);
  }

  /** Good until the next call. @throws {LimitError} when the kernel has no room for a key */
  assign(batch: Batch): Uint32Array {
    const positions = batch.rowtime.length;
    if (this.current.length < positions) this.current = new Uint32Array(positions);
    this.hasNulls = false;
    const columns = this.#names.columns(batch);
    const [first] = columns;
    const isWhole =
      first?.storage === 'dictionary' &&
      batch.keyNull === null &&
      batch.valueNull === null &&
      isWorthWhole(first.dictionary, batch);
    if (this.#keys !== null) this.hasNulls = this.#keys.assign(batch, columns, this.current);
    else if (isWhole) this.#assignEntries(batch, first);
    else this.#assignRows(batch, columns);
    return this.current;
  }

  #assignEntries(batch: Batch, column: Column & { readonly storage: 'dictionary' }): void {
    const { validity, values: codes } = column;
    const entryIds = this.#entries.of(column.dictionary);
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

  /** Texts row by row. */
  #assignRows(batch: Batch, columns: readonly Column[]): void {
    const scratch = this.#scratch;
    const [column] = columns as readonly [Column];
    const offsets = new Uint32Array(batch.length + 1);
    scratch.truncate(0);
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      if (!this.#isMissing(batch, columns, position)) writePiece(scratch, column, position);
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
