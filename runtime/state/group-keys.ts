// Finds the group id of each row of a batch from its key columns; knows no window and no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column, isNull } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import { writeKey } from '../data/key.ts';

/** The id of a row whose key is null. */
export const NO_GROUP = -1;

/** Gives key bytes their id; a KeyIndex, or the kernel's dictionary. */
export interface KeyInterner {
  intern(bytes: Uint8Array, from: number, to: number): number;
}

const UNKNOWN = -2;

/**
 * Looks groups up by key bytes (data/key.ts). A row has no group when its record's key is null, or all its key columns
 * are. Cost: one look-up a row, but for a dictionary of strings one an entry that occurs.
 */
export class GroupKeys {
  readonly #positions: readonly number[];
  readonly #scratch = new ByteWriter(64);
  #index: KeyInterner;
  #ids = new Int32Array(0);
  /** The ids of `#dictionary`'s entries, UNKNOWN before the first use. */
  #entryIds = new Int32Array(0);
  #dictionary: Dictionary | null = null;

  /** @param positions of the key columns in the batches */
  constructor(positions: readonly number[], index: KeyInterner) {
    this.#positions = positions;
    this.#index = index;
  }

  /** Uses another index from now on: all ids have changed. */
  reset(index: KeyInterner): void {
    this.#index = index;
    this.#dictionary = null;
  }

  /** The group id of each row (not position), NO_GROUP where it has none. Good until the next call. */
  assign(batch: Batch): Int32Array {
    if (this.#ids.length < batch.length) this.#ids = new Int32Array(batch.length);
    const columns = this.#positions.map((position) => batch.columns[position] as Column);
    const [first] = columns;
    if (columns.length === 1 && first?.storage === 'dictionary' && batch.keyNull === null) {
      this.#assignEntries(batch, first);
    } else this.#assignRows(batch, columns);
    return this.#ids;
  }

  #assignEntries(batch: Batch, column: Column & { readonly storage: 'dictionary' }): void {
    const { selection, length } = batch;
    const { dictionary, validity, values: codes } = column;
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      if (this.#entryIds.length < dictionary.size) this.#entryIds = new Int32Array(dictionary.size);
      this.#entryIds.fill(UNKNOWN, 0, dictionary.size);
    }
    const entryIds = this.#entryIds;
    const ids = this.#ids;
    const columns = [column];
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      if (validity !== null && !bitAt(validity, position)) {
        ids[i] = NO_GROUP;
        continue;
      }
      const code = codes[position] as number;
      let id = entryIds[code] as number;
      if (id === UNKNOWN) {
        id = this.#intern(columns, position);
        entryIds[code] = id;
      }
      ids[i] = id;
    }
  }

  #assignRows(batch: Batch, columns: readonly Column[]): void {
    const { selection, length, keyNull } = batch;
    const ids = this.#ids;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      if ((keyNull !== null && bitAt(keyNull, position)) || areNull(columns, position)) {
        ids[i] = NO_GROUP;
      } else ids[i] = this.#intern(columns, position);
    }
  }

  #intern(columns: readonly Column[], position: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeKey(scratch, columns, position);
    return this.#index.intern(scratch.buffer, 0, scratch.position);
  }
}

function areNull(columns: readonly Column[], position: number): boolean {
  for (let i = 0; i < columns.length; i++) {
    if (!isNull(columns[i] as Column, position)) return false;
  }
  return true;
}
