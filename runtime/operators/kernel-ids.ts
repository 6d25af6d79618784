// The kernel's group ids of a batch's rows, from whole dictionaries and columns where it can; knows no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { Kernel } from '../kernel/instance.ts';
import type { GroupNames } from '../state/group-names.ts';
import type { KernelKeys } from './kernel-keys.ts';
import { EntryIds, isWorthWhole } from './kernel-pieces.ts';
import { KERNEL_KEYS, RARER_ROWS } from './parts.ts';

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
    else {
      const names = this.#names;
      const rows = { batch, columns, names, kernel: this.#kernel, scratch: this.#scratch };
      this.hasNulls = RARER_ROWS.code.assignRows(rows, this.current);
    }
    return this.current;
  }

  #assignEntries(batch: Batch, column: Column & { readonly storage: 'dictionary' }): void {
    const { validity, values: codes } = column;
    const entryIds = this.#entries.of(column.dictionary);
    const ids = this.current;
    if (batch.selection === null && validity === null) {
      for (let i = 0; i < batch.length; i++) ids[i] = entryIds[codes[i] as number] as number;
    } else this.hasNulls = RARER_ROWS.code.assignChosen(batch, column, entryIds, ids);
  }
}
