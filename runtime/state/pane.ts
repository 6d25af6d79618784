// The groups of one window: finds the slot of a group id; knows neither time nor what a slot holds.

const FIRST_PLACES = 16;
/** A place for each id is worth it from one id in so many on. */
const DENSE_FACTOR = 8;
const FIBONACCI = 0x9e3779b1 | 0;

/**
 * A table of slots with linear probing; the first place tried is `(id * multiplier >>> shift) & mask`. While a good part of
 * all ids is in the window, multiplier 1 and shift 0 make the id itself the place, so that nothing collides; else it is a
 * small hash table. The kernel's pane is built the same way.
 */
export class Pane {
  readonly startMs: number;
  /** Slots in use. */
  size = 0;
  /** The commit in which a slot of this pane was last handed over as a change. */
  flushed = -1;
  /** Slot + 1, or 0 for a free place. */
  places = new Int32Array(FIRST_PLACES);
  multiplier = FIBONACCI;
  shift = 28;

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  /**
   * The slot of an id, or -1.
   * @param groups group id by slot
   */
  find(id: number, groups: Int32Array): number {
    const { places } = this;
    const mask = places.length - 1;
    let place = (Math.imul(id, this.multiplier) >>> this.shift) & mask;
    for (;;) {
      const slot = (places[place] as number) - 1;
      if (slot < 0 || groups[slot] === id) return slot;
      place = (place + 1) & mask;
    }
  }

  /**
   * Puts the slot of an id in that is not there.
   * @param groups group id by slot, this one's too
   * @param groupCount ids that there are in all
   */
  add(slot: number, groups: Int32Array, groupCount: number): void {
    this.size++;
    const id = groups[slot] as number;
    const room = this.places.length;
    const fits = this.multiplier === 1 ? id < room && this.size < room : this.size * 4 <= room * 3;
    if (fits) this.#put(slot, groups);
    else this.#rebuild(slot, groups, groupCount);
  }

  /** Calls for every slot. */
  each(visit: (slot: number) => void): void {
    for (const place of this.places) if (place > 0) visit(place - 1);
  }

  #put(slot: number, groups: Int32Array): void {
    const { places } = this;
    const mask = places.length - 1;
    let place = (Math.imul(groups[slot] as number, this.multiplier) >>> this.shift) & mask;
    while (places[place] !== 0) place = (place + 1) & mask;
    places[place] = slot + 1;
  }

  #rebuild(slot: number, groups: Int32Array, groupCount: number): void {
    const old = this.places;
    const densePlaces = placesFor(groupCount + 1);
    const isDense = densePlaces <= placesFor(this.size) * DENSE_FACTOR;
    const room = isDense ? densePlaces : placesFor(this.size * 2);
    this.places = new Int32Array(room);
    this.multiplier = isDense ? 1 : FIBONACCI;
    this.shift = isDense ? 0 : Math.clz32(room) + 1;
    for (const place of old) if (place > 0) this.#put(place - 1, groups);
    this.#put(slot, groups);
  }
}

/** The smallest power of two above `count`. */
function placesFor(count: number): number {
  return Math.max(FIRST_PLACES, 1 << (32 - Math.clz32(count)));
}
