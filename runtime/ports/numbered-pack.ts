// Changes with values of any size whose keys are named by numbers, as those of a block, and how they are held until somebody reads them; not in pages. Knows no task.

import { InvariantError } from '../base/errors.ts';
import { readMs } from '../data/key-writer.ts';
import { PendingBlocks } from './pending-blocks.ts';
import { type Pending, packBytes } from './pending-packs.ts';
import type { BlockNames, StateBlock, StatePack, TableId } from './store.ts';

/** Bytes of values, outdated ones too, that are held as they came: of more all are put in order. */
const VALUES_BYTES_MAX = 67_108_864;
/** What a pack takes beside its keys and values: small ones are not held for long. */
const PACK_BYTES = 4096;
const WINDOW_BYTES = 8;
/** What an entry is in a block: its pack's number and its own, 4 bytes each. */
const PLACE_BYTES = 8;

/** Entries side by side, each key once; those of a window stand together. */
export interface NumberedEntries {
  readonly table: TableId;
  readonly names: BlockNames;
  readonly ids: Uint32Array;
  readonly starts: Float64Array;
  readonly values: Uint8Array;
  /** Where each value ends. */
  readonly ends: Uint32Array;
  /** Of all keys. */
  readonly keyBytes: number;
  /** As in StateBlock. */
  readonly closedMs: number;
}

/** Nobody writes to the entries any more. */
export class NumberedPack implements StatePack {
  readonly entries: NumberedEntries;
  readonly isOver: StatePack['isOver'];

  constructor(entries: NumberedEntries) {
    const { closedMs } = entries;
    this.entries = entries;
    this.isOver = closedMs === -Infinity ? null : (key) => windowOf(key) <= closedMs;
  }

  get table(): TableId {
    return this.entries.table;
  }

  get size(): number {
    return this.entries.ids.length;
  }

  get bytes(): number {
    return this.entries.keyBytes + this.entries.values.length;
  }

  each(visit: (key: Uint8Array, value: Uint8Array) => void): void {
    const { names, ids, starts } = this.entries;
    for (let i = 0; i < ids.length; i++)
      visit(names.key(ids[i] as number, starts[i] as number), this.value(i));
  }

  value(entry: number): Uint8Array {
    const { ends, values } = this.entries;
    return values.subarray(entry === 0 ? 0 : ends[entry - 1], ends[entry]);
  }

  held(): Pending {
    return new PendingNumbered(this.entries.names);
  }
}

function windowOf({ buffer, byteOffset, length }: Uint8Array): number {
  return readMs(new DataView(buffer, byteOffset + length - WINDOW_BYTES, WINDOW_BYTES));
}

/** The packs as they came, and in blocks where the newest value of each key is. Cost: as PendingBlocks, without a copy of a value. */
class PendingNumbered implements Pending {
  readonly #names: BlockNames;
  readonly #places: PendingBlocks;
  readonly #packs: NumberedPack[] = [];
  #bytes = 0;

  constructor(names: BlockNames) {
    this.#names = names;
    this.#places = new PendingBlocks({ names, valueBytes: PLACE_BYTES });
  }

  get size(): number {
    return this.grows ? Infinity : this.#places.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get grows(): boolean {
    return this.#bytes > VALUES_BYTES_MAX;
  }

  fits(block: StateBlock | StatePack): boolean {
    return block instanceof NumberedPack && block.entries.names === this.#names;
  }

  apply(block: StateBlock | StatePack): void {
    if (!(block instanceof NumberedPack)) throw new InvariantError('only such packs go together');
    const { table, names, ids, starts, closedMs } = block.entries;
    const places = new Uint32Array(ids.length * 2);
    for (let i = 0; i < ids.length; i++) {
      places[i * 2] = this.#packs.length;
      places[i * 2 + 1] = i;
    }
    const values = new Uint8Array(places.buffer);
    this.#packs.push(block);
    this.#bytes += packBytes(block) + PACK_BYTES;
    this.#places.apply({ table, names, ids, starts, values, valueBytes: PLACE_BYTES, closedMs });
  }

  each(visit: (key: Uint8Array, value: Uint8Array) => void): void {
    this.#places.each((key, { buffer, byteOffset }) => {
      const [pack, entry] = new Uint32Array(buffer, byteOffset, 2) as unknown as [number, number];
      visit(key, (this.#packs[pack] as NumberedPack).value(entry));
    });
  }
}
