// The kernel's group ids of a batch's rows, from whole dictionaries and columns where it can; knows no aggregate.

import type { Batch } from '../data/batch.ts';
import type { Kernel } from '../kernel/instance.ts';
import type { GroupNames } from '../state/group-names.ts';
import type { KernelKeys } from './kernel-keys.ts';
import { EntryIds, isWorthWhole } from './kernel-pieces.ts';
import { KERNEL_KEYS, RARER_ROWS } from './parts.ts';

/**
 * Ids by array position, or where they are found; a row without a key or a value has none. A key of one STRING column is called by its
 * text in the kernel, every other one as data/key-columns.ts says.
 */
export class KernelIds {
  readonly #names: GroupNames;
  readonly #kernel: Kernel;
  readonly #entries: EntryIds;
  /** Null for keys of one STRING column. */
  readonly #keys: KernelKeys | null;
  #own = new Uint32Array(0);
  /** Of the last batch the ids, or the codes by which they are found: KernelBatch. */
  current: Uint32Array = this.#own;
  /** True when rows of the last batch have no group. */
  hasNulls = false;

  constructor(names: GroupNames, kernel: Kernel) {
    this.#names = names;
    this.#kernel = kernel;
    this.#entries = new EntryIds(kernel);
    this.#keys = names.isText ? null : new KERNEL_KEYS.code.KernelKeys(names.types, kernel);
  }

  /** Sets `current`, good until the next call. @returns true when they are codes. @throws {LimitError} when the kernel has no room for a key */
  assign(batch: Batch): boolean {
    const columns = this.#names.columns(batch);
    const [first] = columns;
    const isWhole =
      first?.storage === 'dictionary' &&
      batch.keyNull === null &&
      batch.valueNull === null &&
      isWorthWhole(first.dictionary, batch);
    this.hasNulls = false;
    if (isWhole && this.#keys === null && first.validity === null) {
      this.#entries.bring(first.dictionary);
      this.current = first.values;
      return true;
    }
    const positions = batch.rowtime.length;
    if (this.#own.length < positions) this.#own = new Uint32Array(positions);
    const ids = (this.current = this.#own);
    if (this.#keys !== null) this.hasNulls = this.#keys.assign(batch, columns, ids);
    else {
      const entries = isWhole ? this.#entries : null;
      const rows = { batch, columns, entries, names: this.#names };
      this.hasNulls = RARER_ROWS.code.assignRows(rows, this.#kernel, ids);
    }
    return false;
  }
}
