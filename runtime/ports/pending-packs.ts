// State that came as packs, held as it came until somebody reads its table; knows no task.

import { OrderedMap } from '../data/ordered-map.ts';
import type { StatePack } from './store.ts';

const NO_KEY = new Uint8Array(0);

/** What the entries of a pack hold in a map, roughly. */
export function packBytes({ bytes, removed }: StatePack): number {
  return 2 * bytes.length + removed.length * OrderedMap.entryBytes(NO_KEY);
}

/** Calls for each entry with views of its key and value; null: the key is removed. */
export function eachOfPack(
  { bytes, ends, removed }: StatePack,
  visit: (key: Uint8Array, value: Uint8Array | null) => void,
): void {
  let from = 0;
  for (let entry = 0; entry < removed.length; entry++) {
    const keyTo = ends[entry * 2] as number;
    const to = ends[entry * 2 + 1] as number;
    const value = removed[entry] === 1 ? null : bytes.subarray(keyTo, to);
    visit(bytes.subarray(from, keyTo), value);
    from = to;
  }
}

/** Of one table; of entries with one key the last one counts. */
export class PendingPacks {
  readonly #packs: StatePack[] = [];
  /** Entries held. */
  size = 0;
  /** What they hold in a map, roughly. */
  bytes = 0;

  apply(pack: StatePack): void {
    this.#packs.push(pack);
    this.size += pack.removed.length;
    this.bytes += packBytes(pack);
  }

  /** Calls for each entry, in the order in which they came; what is over is removed. */
  each(visit: (key: Uint8Array, value: Uint8Array | null) => void): void {
    const isOver = this.#packs.at(-1)?.isOver ?? null;
    const visited =
      isOver === null
        ? visit
        : (key: Uint8Array, value: Uint8Array | null) => visit(key, isOver(key) ? null : value);
    for (const pack of this.#packs) eachOfPack(pack, visited);
  }
}
