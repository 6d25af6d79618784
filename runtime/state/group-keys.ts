// Finds the group id of each row of a batch from its key columns; knows no window and no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import { InvariantError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column, isNull } from '../data/column.ts';
import { Dictionary } from '../data/dictionary.ts';
import { writeKey } from '../data/key-writer.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import { STRING } from '../data/type.ts';

/** The id of a row whose key is null. */
export const NO_GROUP = -1;

/** Gives names of groups their ids; a KeyIndex, or the kernel's dictionary. */
export interface NameInterner {
  intern(bytes: Uint8Array, from: number, to: number): number;
}

const UNKNOWN = -2;
const FIRST_CODE = new Uint32Array(1);

/**
 * What a group is called in memory: the UTF-8 of its key where that is one STRING column, so that a dictionary's entries are
 * looked up as they stand; else its key bytes (data/key.ts).
 */
export class GroupNames {
  readonly positions: readonly number[];
  readonly isText: boolean;

  /** @param input whose key columns are the group's key */
  constructor(input: Schema) {
    this.positions = columnsWithRole(input, 'key');
    const [first] = this.positions;
    this.isText = this.positions.length === 1 && input.columns[first ?? -1]?.type.kind === 'STRING';
  }

  /** The key columns of a batch. */
  columns(batch: Batch): Column[] {
    return this.positions.map((position) => {
      const column = batch.columns[position];
      if (column === undefined) throw new InvariantError(`the batch has no column ${position}`);
      return column;
    });
  }

  /** Appends the name of the row at a position, whose key is not null. */
  write(to: ByteWriter, columns: readonly Column[], position: number): void {
    const [first] = columns;
    if (!this.isText || first === undefined) writeKey(to, columns, position);
    else if (first.storage === 'objects') to.utf8(first.values[position] as string);
    else if (first.storage === 'dictionary') {
      const { bytes, offsets } = first.dictionary;
      const code = first.values[position] as number;
      to.bytes(bytes, offsets[code], offsets[code + 1]);
    }
  }

  /** Appends the key bytes of a name. */
  writeKey(to: ByteWriter, name: Uint8Array): void {
    if (this.isText) writeKey(to, [textColumn(name)], 0);
    else to.bytes(name);
  }

  /** True when the row has no group: its record's key is null, or all its key columns are. */
  isMissing(batch: Batch, columns: readonly Column[], position: number): boolean {
    if (batch.keyNull !== null && bitAt(batch.keyNull, position)) return true;
    for (let i = 0; i < columns.length; i++) {
      if (!isNull(columns[i] as Column, position)) return false;
    }
    return true;
  }
}

/** A STRING column of one row. */
function textColumn(utf8: Uint8Array): Column {
  const dictionary = new Dictionary(utf8, Uint32Array.of(0, utf8.length));
  return { type: STRING, validity: null, storage: 'dictionary', values: FIRST_CODE, dictionary };
}

/** Looks groups up. Cost: one look-up a row, but for a dictionary of strings one an entry that occurs. */
export class GroupKeys {
  readonly #names: GroupNames;
  readonly #scratch = new ByteWriter(64);
  #index: NameInterner;
  #ids = new Int32Array(0);
  /** The ids of `#dictionary`'s entries, UNKNOWN before the first use. */
  #entryIds = new Int32Array(0);
  #dictionary: Dictionary | null = null;

  constructor(names: GroupNames, index: NameInterner) {
    this.#names = names;
    this.#index = index;
  }

  /** Uses another index from now on: all ids have changed. */
  reset(index: NameInterner): void {
    this.#index = index;
    this.#dictionary = null;
  }

  /** The group id of each row (not position), NO_GROUP where it has none. Good until the next call. */
  assign(batch: Batch): Int32Array {
    if (this.#ids.length < batch.length) this.#ids = new Int32Array(batch.length);
    const columns = this.#names.columns(batch);
    const [first] = columns;
    if (columns.length === 1 && first?.storage === 'dictionary' && batch.keyNull === null) {
      this.#assignEntries(batch, first);
    } else this.#assignRows(batch, columns);
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
