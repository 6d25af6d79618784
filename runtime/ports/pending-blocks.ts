// State that came as blocks, held as bytes by number until somebody asks for it by key; knows no task.

import { assert } from '../base/assert.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import type { BlockNames, StateBlock } from './store.ts';

/** Entries of one page: 2 to the power of this. */
const PAGE_SHIFT = 10;
const PAGE_ENTRIES = 1 << PAGE_SHIFT;
const IDS_FIRST = 1024;
/** Bytes of a key in a block, for a first estimate: half of it is what a key in a map counts twice. */
const KEY_BYTES = 128;
const NO_KEY = new Uint8Array(0);

/** What the entries of a block hold in a map, roughly. */
export function blockBytes(entries: number, valueBytes: number): number {
  return entries * (valueBytes + OrderedMap.entryBytes(NO_KEY) + KEY_BYTES);
}

/** Entries in the order in which their keys first came. Pages never grow, so that a table that does is never copied. */
interface Page {
  readonly ids: Uint32Array;
  readonly starts: Float64Array;
  /** Values one after the other. Integers, not doubles, are copied: a double's copy may change the bits of a NaN. */
  readonly values: BigInt64Array<ArrayBuffer>;
}

/**
 * The newest value of each key of blocks with one `names`. Cost: a table look-up and a copy of the value an entry, of new keys one for many; no
 * object and no key bytes. A sorted map costs a hundred times that and is filled only when it is read.
 */
export class PendingBlocks {
  readonly names: BlockNames;
  readonly valueBytes: number;
  readonly #words: number;
  /** Entry + 1 by id, per window. */
  readonly #windows = new Map<number, Int32Array<ArrayBuffer>>();
  readonly #pages: Page[] = [];
  #size = 0;

  /** Of the block's names and size of values; the block itself is not applied. */
  constructor({ names, valueBytes }: StateBlock) {
    assert(valueBytes % 8 === 0, 'a value in a block has whole words of 8 bytes');
    this.names = names;
    this.valueBytes = valueBytes;
    this.#words = valueBytes / 8;
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

  apply({ ids, starts, values }: StateBlock): void {
    const words = this.#words;
    const from = new BigInt64Array(values.buffer, values.byteOffset, ids.length * words);
    let startMs = NaN;
    let entries = new Int32Array(0);
    // New keys stand side by side here as in the block: `fresh` so many of them, up to the row before, are copied at once.
    let fresh = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      if (starts[i] !== startMs || id >= entries.length) {
        startMs = starts[i] as number;
        entries = this.#entriesOf(startMs, id);
      }
      const entry = (entries[id] as number) - 1;
      if (entry < 0) {
        if ((this.#size & (PAGE_ENTRIES - 1)) === 0) {
          this.#copyFresh(from, i, fresh);
          fresh = 0;
        }
        entries[id] = this.#add(id, startMs) + 1;
        fresh++;
        continue;
      }
      if (fresh > 0) {
        this.#copyFresh(from, i, fresh);
        fresh = 0;
      }
      const to = (this.#pages[entry >> PAGE_SHIFT] as Page).values;
      let at = (entry & (PAGE_ENTRIES - 1)) * words;
      for (let word = i * words, end = word + words; word < end; word++, at++) {
        to[at] = from[word] as bigint;
      }
    }
    this.#copyFresh(from, ids.length, fresh);
  }

  /** Copies the values of the last `count` keys, which are those of the block's rows before `end`. */
  #copyFresh(from: BigInt64Array, end: number, count: number): void {
    if (count === 0) return;
    const words = this.#words;
    const first = this.#size - count;
    const { values } = this.#pages[first >> PAGE_SHIFT] as Page;
    values.set(
      from.subarray((end - count) * words, end * words),
      (first & (PAGE_ENTRIES - 1)) * words,
    );
  }

  /** The window's table, with room for an id. */
  #entriesOf(startMs: number, id: number): Int32Array<ArrayBuffer> {
    const known = this.#windows.get(startMs);
    if (known !== undefined && id < known.length) return known;
    const grown = new Int32Array(Math.max(IDS_FIRST, id + 1, (known?.length ?? 0) * 2));
    if (known !== undefined) grown.set(known);
    this.#windows.set(startMs, grown);
    return grown;
  }

  #add(id: number, startMs: number): number {
    const entry = this.#size++;
    const at = entry & (PAGE_ENTRIES - 1);
    if (at === 0) {
      this.#pages.push({
        ids: new Uint32Array(PAGE_ENTRIES),
        starts: new Float64Array(PAGE_ENTRIES),
        values: new BigInt64Array(PAGE_ENTRIES * this.#words),
      });
    }
    const { ids, starts } = this.#pages[entry >> PAGE_SHIFT] as Page;
    ids[at] = id;
    starts[at] = startMs;
    return entry;
  }

  /** Calls for each entry, with copies. */
  each(visit: (key: Uint8Array, value: Uint8Array) => void): void {
    const words = this.#words;
    for (let entry = 0; entry < this.#size; entry++) {
      const { ids, starts, values } = this.#pages[entry >> PAGE_SHIFT] as Page;
      const at = entry & (PAGE_ENTRIES - 1);
      const key = this.names.key(ids[at] as number, starts[at] as number);
      visit(key, new Uint8Array(values.slice(at * words, (at + 1) * words).buffer));
    }
  }
}
