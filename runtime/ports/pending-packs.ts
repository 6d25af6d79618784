// State that came as packs, held as it came until somebody reads its table; knows no task.

import { InvariantError } from '../base/errors.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import type { StateBlock, StatePack } from './store.ts';

const NO_KEY = new Uint8Array(0);
/** A pack counts as so many entries at least: to the garbage collector it is a dozen objects, and many small ones are not held for long. */
const PACK_ENTRIES_MIN = 2048;

/** What came side by side for one table and nobody has read yet. */
export interface Pending {
  /** Entries held; few that came together count as more. */
  readonly size: number;
  /** What they hold in a map, roughly. */
  readonly bytes: number;
  /** True: of entries with one key all are held. */
  readonly grows: boolean;
  /** True when the block can be applied. */
  fits(block: StateBlock | StatePack): boolean;
  apply(block: StateBlock | StatePack): void;
  /** Calls for each entry; null: its key is removed. Of entries with one key the last one counts. The arrays are good until the next one. */
  each(visit: (key: Uint8Array, value: Uint8Array | null) => void): void;
}

export function isPack(block: StateBlock | StatePack): block is StatePack {
  return 'each' in block;
}

/** What the entries of a pack hold in a map, roughly. */
export function packBytes({ bytes, size }: StatePack): number {
  return 2 * bytes + size * OrderedMap.entryBytes(NO_KEY);
}

export class PendingPacks implements Pending {
  readonly grows = true;
  readonly #packs: StatePack[] = [];

  get size(): number {
    return this.#packs.reduce((sum, { size }) => sum + Math.max(size, PACK_ENTRIES_MIN), 0);
  }

  get bytes(): number {
    return this.#packs.reduce((sum, pack) => sum + packBytes(pack), 0);
  }

  fits(block: StateBlock | StatePack): boolean {
    return isPack(block);
  }

  apply(block: StateBlock | StatePack): void {
    if (!isPack(block)) throw new InvariantError('a block does not go with packs');
    const { overMs = -Infinity } = block;
    while ((this.#packs[0]?.newestMs ?? Infinity) < overMs) this.#packs.shift();
    this.#packs.push(block);
  }

  /** What is over is removed. */
  each(visit: (key: Uint8Array, value: Uint8Array | null) => void): void {
    const isOver = this.#packs.at(-1)?.isOver ?? null;
    for (const pack of this.#packs)
      pack.each((key, value) => visit(key, isOver?.(key) === true ? null : value));
  }
}
