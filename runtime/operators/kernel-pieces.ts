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

/** Gives the kernel the entries of dictionaries of texts; it keeps the ids of the last one. */
export class EntryIds {
  readonly #kernel: Kernel;
  /** Of the family of dictionaries that the last one of a family is of. */
  #family: FamilyIds | null = null;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /**
   * From now on `Kernel.entryIds` are those of all entries. Those that came in other dictionaries are known by their numbers.
   * @throws {LimitError} when the kernel has no room for an entry
   */
  bring(dictionary: Dictionary): void {
    const kernel = this.#kernel;
    if (kernel.entriesOf === dictionary) return;
    const { known } = dictionary;
    if (known === undefined) kernel.intern(dictionary);
    else {
      const { family, numbers } = known;
      if (family !== this.#family?.family)
        this.#family = new RARER_ROWS.code.FamilyIds(family, kernel);
      kernel.entryIds = this.#family.of(numbers);
    }
    kernel.entriesOf = dictionary;
  }
}
