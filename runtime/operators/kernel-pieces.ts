// What values without a fixed width are called in the kernel's dictionary, and whole dictionaries of texts there; knows no group.

import type { ByteWriter } from '../base/bytes.ts';
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
  #ids = new Uint32Array(0);

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** @throws {LimitError} when the kernel has no room for an entry */
  of(dictionary: Dictionary): Uint32Array {
    if (dictionary !== this.#dictionary) {
      const { bytes, offsets } = dictionary;
      this.#ids = this.#kernel.intern({ bytes, offsets }).slice();
      this.#dictionary = dictionary;
    }
    return this.#ids;
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
