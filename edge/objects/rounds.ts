// Rounds over a list of which each event sees a part, for the calls that one may make are bounded; knows no task.

/** Where a round stands, until the instance ends: the next one begins at the first again. */
export class Rounds {
  readonly #partMax: number;
  #next = 0;

  constructor(partMax: number) {
    this.#partMax = partMax;
  }

  /** The next part of the items, which may be others each time; the first behind the last. */
  part<Item>(items: readonly Item[]): readonly Item[] {
    const part = items.slice(this.#next, this.#next + this.#partMax);
    const next = this.#next + part.length;
    this.#next = next < items.length ? next : 0;
    return part;
  }

  /** The last part was the last of its round. */
  get isOver(): boolean {
    return this.#next === 0;
  }
}
