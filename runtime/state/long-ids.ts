// The ids of whole numbers that came lately, beside the index that knows all keys: mostly they come again; knows no key bytes.

/** A power of two. */
const PLACES = 8192;

/** A place a number, taken by whichever came last: three words a place. Cost: one comparison, 96 KiB once the first number is noted. */
export class LongIds {
  #places = new Int32Array(0);

  /** The id of the number of two words, or -1. */
  find(low: number, high: number): number {
    const places = this.#places;
    const at = placeOf(low, high);
    // Beyond the array there is undefined, which no word equals.
    return places[at] === low && places[at + 1] === high ? (places[at + 2] as number) - 1 : -1;
  }

  note(low: number, high: number, id: number): void {
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
