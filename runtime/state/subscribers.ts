// Which rows refer to which keys, in the order of their own keys' bytes; knows no row and no store.

import { grown } from '../base/grown.ts';
import type { Interner } from '../data/interner.ts';

/** Places of rows that refer to a key no more stay until they are more than these and than the others. */
const IDLE_PLACES_MAX = 16;
const NOBODY = -1;
const FIRST_KEYS = 256;
const NONE: readonly number[] = [];

/** Who refers to one key. */
class List {
  ids: number[] = [];
  idle = 0;
  /** How many of the first ones are in order. */
  sorted = 0;
}

/** Rows and what they refer to have one numbering; a row refers to one key at a time. Cost: a list is sorted when it is asked for. */
export class Subscribers {
  readonly #index: Interner;
  readonly #lists: (List | undefined)[] = [];
  /** By row where it stands in its list. */
  #places = new Int32Array(FIRST_KEYS);

  /** @param index has the bytes of the keys */
  constructor(index: Interner) {
    this.#index = index;
  }

  add(to: number, id: number): void {
    const { ids } = (this.#lists[to] ??= new List());
    if (id >= this.#places.length) this.#places = grown(this.#places, id * 2);
    this.#places[id] = ids.length;
    ids.push(id);
  }

  /** Takes out a row that was added. */
  remove(to: number, id: number): void {
    const list = this.#lists[to] as List;
    list.ids[this.#places[id] as number] = NOBODY;
    list.idle++;
    if (list.idle > IDLE_PLACES_MAX && list.idle * 2 > list.ids.length) this.#compact(list);
  }

  /** Those of a key in the order of their keys' bytes: good until one is added or removed. */
  of(to: number): readonly number[] {
    const list = this.#lists[to];
    if (list === undefined) return NONE;
    if (list.idle > 0) this.#compact(list);
    const { ids, sorted } = list;
    if (sorted === ids.length) return ids;
    // What is in order costs a comparison each.
    ids.sort(this.#compare);
    list.sorted = ids.length;
    this.#place(list);
    return ids;
  }

  #compact(list: List): void {
    const { ids } = list;
    list.sorted = ids.slice(0, list.sorted).filter((id) => id !== NOBODY).length;
    list.ids = ids.filter((id) => id !== NOBODY);
    list.idle = 0;
    this.#place(list);
  }

  #place({ ids }: List): void {
    for (let i = 0; i < ids.length; i++) this.#places[ids[i] as number] = i;
  }

  readonly #compare = (a: number, b: number): number => {
    const { bytes, offsets } = this.#index;
    const to = offsets[a + 1] as number;
    let i = offsets[a] as number;
    let j = offsets[b] as number;
    // Of two keys neither is the beginning of the other.
    while (i < to && bytes[i] === bytes[j]) {
      i++;
      j++;
    }
    return (bytes[i] as number) - (bytes[j] as number);
  };
}
