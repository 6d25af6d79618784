// Whole dictionaries of texts in the kernel's dictionary; knows no group.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Dictionary } from '../data/dictionary.ts';
import type { Kernel } from '../kernel/instance.ts';
import { RARER_ROWS } from './parts.ts';
import type { FamilyIds } from './rarer-pieces.ts';

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
  /** Of the family of dictionaries that the last one of a family is of. */
  #family: FamilyIds | null = null;

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
    const { bytes, offsets, known } = dictionary;
    if (known === null) return this.#kernel.intern({ bytes, offsets }).slice();
    const { family, numbers } = known;
    if (family !== this.#family?.family)
      this.#family = new RARER_ROWS.code.FamilyIds(family, this.#kernel);
    return this.#family.of(dictionary, numbers);
  }
}
