// Finds the group id of each row of a batch from its key columns; knows no window and no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import type { GroupNames } from './group-names.ts';
import { LongIds, NO_ID } from './long-ids.ts';

/** The id of a row whose key is null. */
export const NO_GROUP = NO_ID;

/** Gives names of groups their ids; a Interner. */
export interface NameInterner {
  intern(bytes: Uint8Array, from: number, to: number): number;
}

const UNKNOWN = -2;

/** Looks groups up. Cost: one look-up a row, but for a dictionary of strings one an entry that occurs. */
export class GroupKeys {
  readonly #names: GroupNames;
  readonly #scratch = new ByteWriter(64);
  #index: NameInterner;
  #ids = new Int32Array(0);
  /** The ids of `#dictionary`'s entries, UNKNOWN before the first use. */
  #entryIds = new Int32Array(0);
  #dictionary: Dictionary | null = null;
  readonly #longs = new LongIds();

  constructor(names: GroupNames, index: NameInterner) {
    this.#names = names;
    this.#index = index;
  }

  /** Uses another index from now on: all ids have changed. */
  reset(index: NameInterner): void {
    this.#index = index;
    this.#dictionary = null;
    this.#longs.reset();
  }

  /** The group id of each row (not position), NO_GROUP where it has none. Good until the next call. */
  assign(batch: Batch): Int32Array {
    if (this.#ids.length < batch.length) this.#ids = new Int32Array(batch.length);
    const columns = this.#names.columns(batch);
    const [first] = columns;
    const isAlone = columns.length === 1 && batch.keyNull === null;
    if (isAlone && first?.storage === 'dictionary') this.#assignEntries(batch, first);
    else if (isAlone && first?.storage === 'i64')
      this.#longs.assign(batch, first, this.#ids, (bytes, from, to) =>
        this.#index.intern(bytes, from, to),
      );
    else this.#assignRows(batch, columns);
    return this.#ids;
  }

  #assignEntries(batch: Batch, column: Column & { readonly storage: 'dictionary' }): void {
    const { selection, length } = batch;
    const { dictionary, validity, values: codes } = column;
    const { bytes, offsets } = dictionary;
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      if (this.#entryIds.length < dictionary.size) this.#entryIds = new Int32Array(dictionary.size);
      this.#entryIds.fill(UNKNOWN, 0, dictionary.size);
    }
    const entryIds = this.#entryIds;
    const ids = this.#ids;
    const index = this.#index;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      if (validity !== null && !bitAt(validity, position)) {
        ids[i] = NO_GROUP;
        continue;
      }
      const code = codes[position] as number;
      let id = entryIds[code] as number;
      if (id === UNKNOWN) {
        id = index.intern(bytes, offsets[code] as number, offsets[code + 1] as number);
        entryIds[code] = id;
      }
      ids[i] = id;
    }
  }

  #assignRows(batch: Batch, columns: readonly Column[]): void {
    const { selection, length } = batch;
    const ids = this.#ids;
    const scratch = this.#scratch;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      if (this.#names.isMissing(batch, columns, position)) {
        ids[i] = NO_GROUP;
        continue;
      }
      scratch.truncate(0);
      this.#names.write(scratch, columns, position);
      ids[i] = this.#index.intern(scratch.buffer, 0, scratch.position);
    }
  }
}
