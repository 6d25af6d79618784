// Gives distinct byte strings dense codes in the order they are first seen; knows no column.

import { Dictionary } from './dictionary.ts';
import { KeyIndex } from './key-index.ts';

/** Codes of texts that become a dictionary. Cost: as `KeyIndex`; no text is made. */
export class Interner extends KeyIndex {
  /** The entries as a dictionary; the interner is empty afterwards, its table kept for the next batch. */
  finish(): Dictionary {
    const { bytes, offsets } = this.taken();
    return new Dictionary(bytes, offsets);
  }
}
