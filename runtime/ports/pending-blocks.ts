// State that came as blocks, held as bytes by number until somebody asks for it by key; knows no task.

import { assert } from '../base/assert.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import type { BlockNames, StateBlock } from './store.ts';

const FIRST_ENTRIES = 1024;
/** Bytes of a key in a block, for a first estimate: half of it is what a key in a map counts twice. */
const KEY_BYTES = 128;
const NO_KEY = new Uint8Array(0);

/** What the entries of a block hold in a map, roughly. */
export function blockBytes(entries: number, valueBytes: number): number {
  return entries * (valueBytes + OrderedMap.entryBytes(NO_KEY) + KEY_BYTES);
}

/**
 * The newest value of each key of blocks with one `names`. Cost: a table look-up and a copy of the value an entry; no object
 * and no key bytes. A sorted map costs a hundred times that and is filled only when it is read.
 */
export class PendingBlocks {
  readonly names: BlockNames;
  readonly valueBytes: number;
  /** Entry + 1 by id, per window. */
  readonly #windows = new Map<number, Int32Array<ArrayBuffer>>();
  /** Values one after the other. Integers, not doubles, are copied: a double's copy may change the bits of a NaN. */
  #values: BigInt64Array<ArrayBuffer>;
  #ids = new Uint32Array(FIRST_ENTRIES);
  #starts = new Float64Array(FIRST_ENTRIES);
  #size = 0;

  /** Of the block's names and size of values; the block itself is not applied. */
  constructor({ names, valueBytes }: StateBlock) {
    assert(valueBytes % 8 === 0, 'a value in a block has whole words of 8 bytes');
    this.names = names;
    this.valueBytes = valueBytes;
    this.#values = new BigInt64Array((FIRST_ENTRIES * valueBytes) / 8);
  }

  /** Entries held. */
  get size(): number {
    return this.#size;
  }

  /** What is held, roughly. */
  get bytes(): number {
    return blockBytes(this.#size, this.valueBytes);
  }

  /** True when the block's numbers mean the same here. */
  fits(block: StateBlock): boolean {
    return block.names === this.names && block.valueBytes === this.valueBytes;
  }

  apply(block: StateBlock): void {
    const { ids, starts, values } = block;
    const words = this.valueBytes / 8;
    const from = new BigInt64Array(values.buffer, values.byteOffset, ids.length * words);
    while (this.#size + ids.length > this.#ids.length) this.#grow();
    const to = this.#values;
    let startMs = NaN;
    let entries = new Int32Array(0);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      if (starts[i] !== startMs || id >= entries.length) {
        startMs = starts[i] as number;
        entries = this.#entriesOf(startMs, id);
      }
      let entry = (entries[id] as number) - 1;
      if (entry < 0) {
        entry = this.#add(id, startMs);
        entries[id] = entry + 1;
      }
      let at = entry * words;
      for (let word = i * words, end = word + words; word < end; word++, at++) {
        to[at] = from[word] as bigint;
      }
    }
  }

  /** The window's table, with room for an id. */
  #entriesOf(startMs: number, id: number): Int32Array<ArrayBuffer> {
    const known = this.#windows.get(startMs);
    if (known !== undefined && id < known.length) return known;
    const grown = new Int32Array(Math.max(FIRST_ENTRIES, id + 1, (known?.length ?? 0) * 2));
    if (known !== undefined) grown.set(known);
    this.#windows.set(startMs, grown);
    return grown;
  }

  #add(id: number, startMs: number): number {
    const entry = this.#size++;
    this.#ids[entry] = id;
    this.#starts[entry] = startMs;
    return entry;
  }

  #grow(): void {
    const ids = new Uint32Array(this.#ids.length * 2);
    ids.set(this.#ids);
    this.#ids = ids;
    const starts = new Float64Array(ids.length);
    starts.set(this.#starts);
    this.#starts = starts;
    const values = new BigInt64Array(this.#values.length * 2);
    values.set(this.#values);
    this.#values = values;
  }

  /** Calls for each entry, with copies. */
  each(visit: (key: Uint8Array, value: Uint8Array) => void): void {
    const words = this.valueBytes / 8;
    for (let entry = 0; entry < this.#size; entry++) {
      const key = this.names.key(this.#ids[entry] as number, this.#starts[entry] as number);
      const value = this.#values.slice(entry * words, (entry + 1) * words);
      visit(key, new Uint8Array(value.buffer));
    }
  }
}
