// Keys in their byte order while new ones come, and scans in that order; knows how no value is held.

import type { Interner } from './interner.ts';
import type { ByteRange } from './key.ts';
import type { Held } from './ordered-map.ts';

/** Entries that a scan takes at once: the map may change before it takes the next ones. */
const SCANNED_ENTRIES = 64;
/** Keys in one chunk before it is split in two. */
const CHUNK_KEYS_MAX = 512;

/**
 * A list of sorted chunks of the ids of an index. Cost: a new key two binary searches and a move within one chunk, or a part of a sort, once
 * somebody asks.
 */
export class KeyOrder {
  readonly #index: Interner;
  /** Each chunk sorted, and below the next. */
  readonly #chunks: number[][] = [];
  /** So many ids of the index are in the chunks. */
  #sorted = 0;

  constructor(index: Interner) {
    this.#index = index;
  }

  /** The ids from a key on, or behind it; null: all. No key may come meanwhile. */
  *from(key: Uint8Array | null, isBehind: boolean): Iterable<number> {
    this.#sort();
    const chunks = this.#chunks;
    const isBefore = (id: number): boolean => {
      if (key === null) return false;
      const order = this.#index.compareTo(id, key);
      return isBehind ? order <= 0 : order < 0;
    };
    const first = Math.max(0, firstNot(chunks, ([id]) => isBefore(id as number)) - 1);
    for (let i = first; i < chunks.length; i++) {
      const chunk = chunks[i] as number[];
      for (let at = i === first ? firstNot(chunk, isBefore) : 0; at < chunk.length; at++)
        yield chunk[at] as number;
    }
  }

  /** Puts new keys where they belong: one by one, or, when they are many, all at once. */
  #sort(): void {
    const index = this.#index;
    const { size } = index;
    const from = this.#sorted;
    this.#sorted = size;
    if ((size - from) * 8 < size) {
      for (let id = from; id < size; id++) this.#insert(id);
      return;
    }
    // A sort takes what is sorted already as it is.
    const all = this.#chunks.splice(0).flat();
    for (let id = from; id < size; id++) all.push(id);
    all.sort((a, b) => index.compareTo(a, index.key(b)));
    for (let at = 0; at < size; at += CHUNK_KEYS_MAX / 2)
      this.#chunks.push(all.slice(at, at + CHUNK_KEYS_MAX / 2));
  }

  #insert(id: number): void {
    const chunks = this.#chunks;
    const isBefore = (other: number): boolean =>
      this.#index.compareTo(other, this.#index.key(id)) < 0;
    const at = Math.max(0, firstNot(chunks, ([first]) => isBefore(first as number)) - 1);
    const chunk = chunks[at] as number[];
    chunk.splice(firstNot(chunk, isBefore), 0, id);
    if (chunk.length > CHUNK_KEYS_MAX) chunks.splice(at + 1, 0, chunk.splice(CHUNK_KEYS_MAX / 2));
  }
}

/** Of items that are first all so and then all not, where those begin that are not. */
function firstNot<T>(items: readonly T[], isSo: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keys in order from one on, or behind it, as they are now. */
interface Ordered {
  readonly index: Interner;
  readonly ids: Iterable<number>;
  /** A copy; null: the key is gone. */
  readonly valueOf: (id: number) => Uint8Array | null;
}

type OrderedFrom = (from: Uint8Array | null, isBehind: boolean) => Ordered;

/** Entries of the range in byte order, as copies. What is asked may have changed between steps. */
export function* scanned({ from, to }: ByteRange, orderedFrom: OrderedFrom): Iterable<Held> {
  let entries = taken(orderedFrom(from, false), to);
  for (;;) {
    yield* entries;
    const last = entries[SCANNED_ENTRIES - 1];
    if (last === undefined) return;
    entries = taken(orderedFrom(last.key, true), to);
  }
}

/** The first entries. */
function taken({ index, ids, valueOf }: Ordered, to: Uint8Array | null): Held[] {
  const entries: Held[] = [];
  for (const id of ids) {
    if (to !== null && index.compareTo(id, to) >= 0) break;
    const value = valueOf(id);
    if (value === null) continue;
    entries.push({ key: index.key(id).slice(), value });
    if (entries.length === SCANNED_ENTRIES) break;
  }
  return entries;
}
