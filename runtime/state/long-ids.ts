// The ids of a BIGINT key alone in its row: those of numbers that came lately beside the index that knows all keys, since mostly they come again.

import { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import { wordsOf } from '../data/dense.ts';
import { writeLong } from '../data/key-writer.ts';

/** A power of two. */
const PLACES = 32768;
/** Of a row whose key is null. */
export const NO_ID = -1;

/** The id of a key by its bytes, which the index makes or finds. */
type Locate = (bytes: Uint8Array, from: number, to: number) => number;

/** A place a number, taken by whichever came last: three words a place. Cost: one comparison, 384 KiB once the first number is noted, of which those are touched that numbers fall on. */
export class LongIds {
  readonly #scratch = new ByteWriter(16);
  #places = new Int32Array(0);

  /** Writes the id of each row (not position) into `ids`; -1 where the key is null. Words, not bigints, are read. */
  assign(
    { selection, length }: Batch,
    { validity, values }: Column & { readonly storage: 'i64' },
    ids: Int32Array,
    locate: Locate,
  ): void {
    const words = wordsOf(values);
    const scratch = this.#scratch;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      if (validity !== null && !bitAt(validity, position)) {
        ids[i] = NO_ID;
        continue;
      }
      const low = words[position * 2] as number;
      const high = words[position * 2 + 1] as number;
      let id = this.#find(low, high);
      if (id < 0) {
        scratch.truncate(0);
        writeLong(scratch, low, high);
        id = locate(scratch.buffer, 0, scratch.position);
        this.#note(low, high, id);
      }
      ids[i] = id;
    }
  }

  /** The id of the number of two words, or -1. */
  #find(low: number, high: number): number {
    const places = this.#places;
    const at = placeOf(low, high);
    // Beyond the array there is undefined, which no word equals.
    return places[at] === low && places[at + 1] === high ? (places[at + 2] as number) - 1 : -1;
  }

  #note(low: number, high: number, id: number): void {
    if (this.#places.length === 0) this.#places = new Int32Array(PLACES * 3);
    const places = this.#places;
    const at = placeOf(low, high);
    places[at] = low;
    places[at + 1] = high;
    places[at + 2] = id + 1;
  }

  /** All ids have changed. */
  reset(): void {
    this.#places.fill(0);
  }
}

function placeOf(low: number, high: number): number {
  return ((low ^ Math.imul(high, 0x9e3779b1)) & (PLACES - 1)) * 3;
}
