// Gives the rows of a batch the numbers of their keys, window included; knows no value and no store.

import { existing } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column, isNull, valueAt } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import type { Interner } from '../data/interner.ts';
import { PRESENT, writeEscaped, writeWindow, writeKey } from '../data/key-writer.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import { LongIds, NO_ID } from './long-ids.ts';
import { KEPT_COLUMNS } from './parts.ts';

/** The number of a row whose key is null, as a whole or in one of its columns. */
export const NO_KEY = NO_ID;

const UNKNOWN = -2;

/** Numbers keys; a RowTable, say. */
export interface KeyNumbers {
  locate(bytes: Uint8Array, from: number, to: number): number;
  /** Where `locate` does nothing but look there. */
  readonly index?: Interner;
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
  #entry = new Uint8Array(64);
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
    const columns = this.#keys.map((position) => columnAt(batch, position));
    const [first] = columns;
    const isAlone = columns.length === 1 && this.#windows.length === 0 && batch.keyNull === null;
    if (isAlone && first?.storage === 'dictionary') this.#assignEntries(batch, first);
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
    if (index && KEPT_COLUMNS.fetched?.numberEntries(index, batch, column, entryIds, ids)) return;
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

  /** As `writeKey` writes it, in one loop. */
  #locateEntry({ bytes, offsets }: Dictionary, code: number): number {
    const from = offsets[code] as number;
    const to = offsets[code + 1] as number;
    const most = to - from + 3;
    if (most > this.#entry.length) this.#entry = new Uint8Array(most * 2);
    const entry = this.#entry;
    entry[0] = PRESENT;
    let at = 1;
    for (let i = from; i < to; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) return this.#locateEscaped(bytes, from, to);
      entry[at++] = byte;
    }
    entry[at] = 0;
    entry[at + 1] = 0;
    return this.#numbers.locate(entry, 0, at + 2);
  }

  #locateEscaped(bytes: Uint8Array, from: number, to: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    scratch.u8(PRESENT);
    writeEscaped(scratch, bytes, from, to);
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
      const bound = valueAt(columnAt(batch, window), position);
      writeWindow(scratch, Number(bound), null);
    }
    return this.#numbers.locate(scratch.buffer, 0, scratch.position);
  }
}

function isMissing(batch: Batch, columns: readonly Column[], position: number): boolean {
  if (batch.keyNull !== null && bitAt(batch.keyNull, position)) return true;
  return columns.some((column) => isNull(column, position));
}

function columnAt(batch: Batch, position: number): Column {
  return existing(batch.columns[position], 'column');
}
