// What values without a fixed width are called in the kernel's dictionary, and whole dictionaries of texts there; knows no group.

import { ByteWriter } from '../base/bytes.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import { writeKey } from '../data/key-writer.ts';
import type { Kernel } from '../kernel/instance.ts';

/** A dictionary is handed to the kernel as a whole while it has at most so many times the rows of the batch. */
const WHOLE_FACTOR = 2;

/** True when looking up all entries of a dictionary is not worse than looking up each row. */
export function isWorthWhole(dictionary: Dictionary, batch: Batch): boolean {
  return dictionary.size <= Math.min(batch.length * WHOLE_FACTOR, BATCH_ROWS_MAX);
}

/** The ids of all entries of a dictionary of texts; those of the last one are kept. */
export class EntryIds {
  readonly #kernel: Kernel;
  #dictionary: Dictionary | null = null;
  #ids: Uint32Array = new Uint32Array(0);
  /** Of the family of dictionaries that the last one is of: ids plus one, by the numbers of entries. */
  #family: object | null = null;
  #idsByNumber = new Uint32Array(0);

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** @throws {LimitError} when the kernel has no room for an entry */
  of(dictionary: Dictionary): Uint32Array {
    if (dictionary !== this.#dictionary) {
      this.#ids = this.#idsOf(dictionary);
      this.#dictionary = dictionary;
    }
    return this.#ids;
  }

  /** The ids of all entries. Those that came in other dictionaries are known by their numbers. */
  #idsOf(dictionary: Dictionary): Uint32Array {
    const { bytes, offsets, known, size } = dictionary;
    if (known === null) return this.#kernel.intern({ bytes, offsets }).slice();
    const { family, numbers } = known;
    if (family !== this.#family) {
      this.#family = family;
      this.#idsByNumber = new Uint32Array(0);
    }
    const ids = new Uint32Array(size);
    const fresh: number[] = [];
    const byNumber = this.#idsByNumber;
    for (let code = 0; code < size; code++) {
      // Beyond the array there is nothing known; ids are kept one too great, so that 0 says the same.
      const id = byNumber[numbers[code] as number] ?? 0;
      if (id === 0) fresh.push(code);
      ids[code] = id - 1;
    }
    if (fresh.length > 0) this.#learn(dictionary, numbers, fresh, ids);
    return ids;
  }

  #learn(
    dictionary: Dictionary,
    numbers: Uint32Array,
    fresh: readonly number[],
    ids: Uint32Array,
  ): void {
    const texts = new ByteWriter(1024);
    const offsets = new Uint32Array(fresh.length + 1);
    let last = 0;
    fresh.forEach((code, i) => {
      texts.bytes(dictionary.utf8(code));
      offsets[i + 1] = texts.position;
      last = Math.max(last, numbers[code] as number);
    });
    const given = this.#kernel.intern({ bytes: texts.written(), offsets });
    if (last >= this.#idsByNumber.length) {
      const grown = new Uint32Array(Math.max(last + 1, this.#idsByNumber.length * 2));
      grown.set(this.#idsByNumber);
      this.#idsByNumber = grown;
    }
    fresh.forEach((code, i) => {
      const id = given[i] as number;
      ids[code] = id;
      this.#idsByNumber[numbers[code] as number] = id + 1;
    });
  }
}

/** Appends what a value is called in the kernel's dictionary: a text its UTF-8, else the value's key bytes. */
export function writePiece(to: ByteWriter, column: Column, position: number): void {
  if (column.type.kind !== 'STRING') writeKey(to, [column], position);
  else if (column.storage === 'objects') to.utf8(column.values[position] as string);
  else if (column.storage === 'dictionary') {
    const { bytes, offsets } = column.dictionary;
    const code = column.values[position] as number;
    to.bytes(bytes, offsets[code], offsets[code + 1]);
  }
}
