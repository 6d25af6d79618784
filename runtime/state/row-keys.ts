// Gives the rows of a batch the numbers of their keys, window included; knows no value and no store.

import { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column, isNull, valueAt } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import { Interner } from '../data/interner.ts';
import { PRESENT, writeEscaped, writeWindow, writeKey } from '../data/key-writer.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import { numberEntries } from './entry-keys.ts';
import { LongIds, NO_ID } from './long-ids.ts';
import { type NumberIndex, numberIndex, numberRows, numbersOfSome } from './number-index.ts';

/** The number of a row whose key is null, as a whole or in one of its columns. */
export const NO_KEY = NO_ID;

const UNKNOWN = -2;

/** What has the numbers of keys by their bytes. */
export type KeyIndex = Interner | NumberIndex;

/** An empty index for the keys that all of those inputs have. */
export function indexOf(...inputs: readonly Schema[]): KeyIndex {
  return numberIndex(inputs) ?? new Interner();
}

/** As an index is, with those keys alone, each of them given once: they have new numbers, by their places. */
export function indexOfSome(before: KeyIndex, ids: readonly number[]): KeyIndex {
  const numbers = numbersOfSome(before, ids);
  if (numbers) return numbers;
  const index = new Interner();
  for (const id of ids) index.intern(before.key(id), 0, before.lengthOf(id));
  return index;
}

/** Numbers keys; a RowTable, say. */
export interface KeyNumbers {
  locate(bytes: Uint8Array, from: number, to: number): number;
  /** Where `locate` does nothing but look there. */
  readonly index?: KeyIndex;
}

export interface RowKeysOptions {
  /** True: the end of the window is a part of the key, as with sessions; else only its start is, as in Kafka. */
  readonly session: boolean;
}

/** Cost: one look-up a row, but for a dictionary of strings one an entry that occurs. */
export class RowKeys {
  readonly #numbers: KeyNumbers;
  readonly #keys: readonly number[];
  readonly #windows: readonly number[];
  readonly #scratch = new ByteWriter(64);
  #ids = new Int32Array(0);
  /** Numbers of `#dictionary`'s entries, UNKNOWN before the first use. */
  #entryIds = new Int32Array(0);
  #dictionary: Dictionary | null = null;
  readonly #longs = new LongIds();
  /** What `#ids` are of, as long as no number has changed. */
  #batch: Batch | null = null;

  /** @param input the schema of the batches, whose key columns are the key */
  constructor(input: Schema, numbers: KeyNumbers, { session }: RowKeysOptions) {
    this.#numbers = numbers;
    this.#keys = columnsWithRole(input, 'key');
    const windows = columnsWithRole(input, 'window');
    this.#windows = session ? windows : windows.slice(0, 1);
  }

  /** All numbers have changed. */
  reset(): void {
    this.#batch = null;
    this.#dictionary = null;
    this.#longs.reset();
  }

  /** The number of each row's (not position's) key, or NO_KEY. Good until the next call. */
  assign(batch: Batch): Int32Array {
    if (batch === this.#batch) return this.#ids;
    this.#batch = batch;
    if (this.#ids.length < batch.length) this.#ids = new Int32Array(batch.length);
    const columns = this.#keys.map((position) => batch.columns[position] as Column);
    const [first] = columns;
    const { index } = this.#numbers;
    const isAlone = columns.length === 1 && this.#windows.length === 0 && batch.keyNull === null;
    if (isAlone && first?.storage === 'dictionary') this.#assignEntries(batch, first);
    else if (isAlone && index && numberRows(index, batch, first, this.#ids)) return this.#ids;
    else if (isAlone && first?.storage === 'i64')
      this.#longs.assign(batch, first, this.#ids, (bytes, from, to) =>
        this.#numbers.locate(bytes, from, to),
      );
    else this.#assignRows(batch, columns);
    return this.#ids;
  }

  #assignEntries(batch: Batch, column: Column & { readonly storage: 'dictionary' }): void {
    const { selection, length } = batch;
    const { dictionary, validity, values: codes } = column;
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      const { length: room } = this.#entryIds;
      if (room < dictionary.size)
        this.#entryIds = new Int32Array(Math.max(dictionary.size, room * 2));
      this.#entryIds.fill(UNKNOWN, 0, dictionary.size);
    }
    const ids = this.#ids;
    const entryIds = this.#entryIds;
    const { index } = this.#numbers;
    if (index && numberEntries(index, batch, column, entryIds, ids)) return;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      if (validity !== null && !bitAt(validity, position)) {
        ids[i] = NO_KEY;
        continue;
      }
      const code = codes[position] as number;
      let id = entryIds[code] as number;
      if (id === UNKNOWN) {
        id = this.#locateEntry(dictionary, code);
        entryIds[code] = id;
      }
      ids[i] = id;
    }
  }

  #locateEntry({ bytes, offsets }: Dictionary, code: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    scratch.u8(PRESENT);
    writeEscaped(scratch, bytes, offsets[code] as number, offsets[code + 1] as number);
    return this.#numbers.locate(scratch.buffer, 0, scratch.position);
  }

  #assignRows(batch: Batch, columns: readonly Column[]): void {
    const { selection, length } = batch;
    const ids = this.#ids;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      ids[i] = isMissing(batch, columns, position)
        ? NO_KEY
        : this.#locate(columns, batch, position);
    }
  }

  #locate(columns: readonly Column[], batch: Batch, position: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeKey(scratch, columns, position);
    for (const window of this.#windows) {
      const bound = valueAt(batch.columns[window] as Column, position);
      writeWindow(scratch, Number(bound), null);
    }
    return this.#numbers.locate(scratch.buffer, 0, scratch.position);
  }
}

function isMissing(batch: Batch, columns: readonly Column[], position: number): boolean {
  if (batch.keyNull !== null && bitAt(batch.keyNull, position)) return true;
  return columns.some((column) => isNull(column, position));
}
