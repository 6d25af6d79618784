// State that came as blocks, held as bytes by number until somebody asks for it by key; knows no task.

import { assert } from '../base/assert.ts';
import { InvariantError, PortError } from '../base/errors.ts';
import { grown } from '../base/grown.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import { latestOf } from '../data/timestamps.ts';
import { isPack, packBytes, type Pending, PendingPacks } from './pending-packs.ts';
import type {
  BlockNames,
  StateBlock,
  StateBytes,
  StatePack,
  StateReader,
  TableId,
  TaskId,
} from './store.ts';

export { copied } from './block-copies.ts';

/** Entries of a page: 2 to the power of this. The first page of a window begins smaller. */
const PAGE_SHIFT = 10;
const PAGE_ENTRIES = 1 << PAGE_SHIFT;
const PAGE_ENTRIES_FIRST = 16;
/** Ids that a table has room for at first. */
const IDS_FIRST = 256;
/** Bytes of a key in a block, for a first estimate: half of it is what a key in a map counts twice. */
const KEY_BYTES = 128;
const NO_KEY = new Uint8Array(0);
/**
 * Bytes of values that wait as they came. Commits change the same keys again and again: of those that are put in order together the
 * last value of each is copied, and none of a window that has closed meanwhile.
 */
const WAITING_BYTES_MAX = 4_194_304;

/** One that the block fits, which is not applied yet. */
export function pendingOf(block: StateBlock | StatePack): Pending {
  return isPack(block) ? (block.held?.() ?? new PendingPacks()) : new PendingBlocks(block);
}

/** What the entries of a block hold in a map, roughly. */
export function bytesOf(block: StateBlock | StatePack): number {
  return isPack(block) ? packBytes(block) : blockBytes(block.ids.length, block.valueBytes);
}

/** Calls for each entry of a block with its key and the size of its value; null: the key is removed. */
function eachOf(
  block: StateBlock | StatePack,
  visit: (key: Uint8Array, valueBytes: number | null) => void,
): void {
  if (isPack(block)) block.each((key, value) => visit(key, value?.length ?? null));
  else {
    const { names, ids, starts, valueBytes } = block;
    ids.forEach((id, i) => visit(names.key(id, starts[i] as number), valueBytes));
  }
}

function blockBytes(entries: number, valueBytes: number): number {
  return entries * (valueBytes + OrderedMap.entryBytes(NO_KEY) + KEY_BYTES);
}

/** What is to be committed, and how much may be held then. */
interface Growth {
  readonly task: TaskId;
  readonly changes: readonly StateBytes[];
  readonly blocks: readonly (StateBlock | StatePack)[];
  readonly bytesMax: number;
}

/**
 * As `ResidentTables.refuseTooLarge`, to the byte.
 * @param heldBytes what is held now, all of it by key
 */
export function refuseTooMuch(
  tables: Pick<StateReader, 'get'>,
  heldBytes: number,
  { task, changes, blocks, bytesMax }: Growth,
): void {
  let held = heldBytes;
  const account = (table: TableId, key: Uint8Array, valueBytes: number | null): void => {
    const before = tables.get(table, key);
    if (before !== null) held -= before.length + OrderedMap.entryBytes(key);
    if (valueBytes !== null) held += valueBytes + OrderedMap.entryBytes(key);
  };
  for (const { table, key, value } of changes) account(table, key, value?.length ?? null);
  for (const block of blocks) {
    eachOf(block, (key, valueBytes) => account(block.table, key, valueBytes));
  }
  if (changes.length + blocks.length === 0 || held <= bytesMax) return;
  throw new PortError(
    'STORAGE_FULL',
    `task '${task}' would hold ${held} bytes of state; RESIDENT_STATE_BYTES_MAX is ${bytesMax}`,
    { limit: 'RESIDENT_STATE_BYTES_MAX' },
  );
}

/** Rows `from .. to` of a block. */
type RowSpan = readonly [from: number, to: number];

/** The entries of one window, in any order. */
class WindowEntries {
  /** Entry + 1 by id, from `#firstId` on: what comes lately has late ids. */
  #byId = new Int32Array(0);
  #firstId = 0;
  #ids = new Uint32Array(PAGE_ENTRIES_FIRST);
  /** By entry: the last merge that set it. */
  #merges = new Uint32Array(PAGE_ENTRIES_FIRST);
  /** Entries that the pages have room for. */
  #room = PAGE_ENTRIES_FIRST;
  /** Values one after the other. Integers, not doubles, are copied: a double's copy may change the bits of a NaN. */
  readonly #pages: BigInt64Array<ArrayBuffer>[];
  readonly #words: number;
  size = 0;

  /** @param words of 8 bytes of a value */
  constructor(words: number) {
    this.#words = words;
    this.#pages = [new BigInt64Array(PAGE_ENTRIES_FIRST * words)];
  }

  /** Sets the values of rows `from .. to` of a block, of keys that this merge has not set. */
  set(ids: Uint32Array, values: BigInt64Array, [from, to]: RowSpan, merge: number): void {
    const words = this.#words;
    // New keys stand side by side here as in the block: `fresh` so many of them, up to the row before, are copied at once.
    let fresh = 0;
    for (let i = from; i < to; i++) {
      const id = ids[i] as number;
      let place = id - this.#firstId;
      if (place < 0 || place >= this.#byId.length) {
        this.#reserve(id);
        place = id - this.#firstId;
      }
      const entry = (this.#byId[place] as number) - 1;
      if (entry < 0) {
        if (this.#isPageFull) {
          this.#copyFresh(values, i, fresh);
          fresh = 0;
          this.#grow();
        }
        this.#merges[this.size] = merge;
        this.#ids[this.size++] = id;
        this.#byId[place] = this.size;
        fresh++;
        continue;
      }
      if (fresh > 0) {
        this.#copyFresh(values, i, fresh);
        fresh = 0;
      }
      if (this.#merges[entry] === merge) continue;
      this.#merges[entry] = merge;
      const into = this.#pages[entry >> PAGE_SHIFT] as BigInt64Array;
      let at = (entry & (PAGE_ENTRIES - 1)) * words;
      for (let word = i * words, end = word + words; word < end; word++, at++) {
        into[at] = values[word] as bigint;
      }
    }
    this.#copyFresh(values, to, fresh);
  }

  /** Copies the values of the last `count` keys, which are those of the block's rows before `end`. */
  #copyFresh(values: BigInt64Array, end: number, count: number): void {
    if (count === 0) return;
    const words = this.#words;
    const first = this.size - count;
    const into = this.#pages[first >> PAGE_SHIFT] as BigInt64Array;
    const at = (first & (PAGE_ENTRIES - 1)) * words;
    into.set(values.subarray((end - count) * words, end * words), at);
  }

  get #isPageFull(): boolean {
    return this.size === this.#room;
  }

  /** Room for more entries: the first page doubles until it is a whole one, so that a table that grows further is never copied. */
  #grow(): void {
    const words = this.#words;
    const isWhole = this.size >= PAGE_ENTRIES;
    this.#room += isWhole ? PAGE_ENTRIES : this.size;
    // Doubled, not by a page: else a window of a million keys would be copied a thousand times.
    if (this.#room > this.#ids.length) {
      this.#ids = grown(this.#ids, this.size * 2);
      this.#merges = grown(this.#merges, this.size * 2);
    }
    if (isWhole) this.#pages.push(new BigInt64Array(PAGE_ENTRIES * words));
    else {
      const [page] = this.#pages as [BigInt64Array<ArrayBuffer>];
      this.#pages[0] = grown(page, this.#room * words);
    }
  }

  /** Room in the table for an id; it doubles to the side on which that is. */
  #reserve(id: number): void {
    const known = this.#byId;
    const { length } = known;
    const before = this.#firstId;
    let first = id - (id % IDS_FIRST);
    let room = IDS_FIRST;
    if (length > 0 && id < before) {
      first = Math.max(0, Math.min(first, before - length));
      room = before + length - first;
    } else if (length > 0) {
      first = before;
      room = Math.max(length * 2, id + 1 - first);
    }
    const byId = new Int32Array(room);
    byId.set(known, length === 0 ? 0 : before - first);
    this.#byId = byId;
    this.#firstId = first;
  }

  /** Calls for each entry with its id and a copy of its value. */
  each(visit: (id: number, value: Uint8Array) => void): void {
    const words = this.#words;
    for (let entry = 0; entry < this.size; entry++) {
      const page = this.#pages[entry >> PAGE_SHIFT] as BigInt64Array<ArrayBuffer>;
      const at = (entry & (PAGE_ENTRIES - 1)) * words;
      visit(this.#ids[entry] as number, new Uint8Array(page.slice(at, at + words).buffer));
    }
  }
}

/** A block that has not been merged. */
interface Waiting {
  readonly block: StateBlock;
  /** The latest window of it. */
  readonly latestMs: number;
}

/**
 * The newest value of each key of blocks with one `names`. Cost: of WAITING_BYTES_MAX together, a table look-up an entry and a copy of the last
 * value of a key, of new keys one for many; no object and no key bytes. A sorted map costs a hundred times that and is filled only when it is read.
 */
export class PendingBlocks implements Pending {
  readonly grows = false;
  readonly names: BlockNames;
  readonly valueBytes: number;
  readonly #windows = new Map<number, WindowEntries>();
  /** Entries in windows. */
  #size = 0;
  /** Not merged yet, oldest first, and how many entries that is. */
  #waiting: Waiting[] = [];
  #waitingSize = 0;
  #merge = 0;
  #closedMs = -Infinity;

  /** Of the block's names and size of values; the block itself is not applied. */
  constructor({ names, valueBytes }: Pick<StateBlock, 'names' | 'valueBytes'>) {
    assert(valueBytes % 8 === 0, 'a value in a block has whole words of 8 bytes');
    this.names = names;
    this.valueBytes = valueBytes;
  }

  /** Entries held; those of one key that wait each for itself. */
  get size(): number {
    return this.#size + this.#waitingSize;
  }

  /** What is held, roughly. */
  get bytes(): number {
    return blockBytes(this.size, this.valueBytes);
  }

  /** Its numbers mean the same here. */
  fits(block: StateBlock | StatePack): boolean {
    if (isPack(block)) return false;
    return block.names === this.names && block.valueBytes === this.valueBytes;
  }

  apply(block: StateBlock | StatePack): void {
    if (isPack(block)) throw new InvariantError('a pack does not go with blocks');
    const { starts, closedMs } = block;
    const latestMs = latestOf(starts, 0, starts.length);
    this.#waiting.push({ block, latestMs });
    this.#waitingSize += starts.length;
    if (closedMs > this.#closedMs) this.#forget(closedMs);
    if (this.#waitingSize * this.valueBytes > WAITING_BYTES_MAX) this.#mergeAll();
  }

  /** Newest first, so that what is outdated is not copied. */
  #mergeAll(): void {
    this.#merge += 1;
    for (const { block } of this.#waiting.reverse()) {
      this.#mergeBlock(block);
      block.giveBack?.();
    }
    this.#waiting = [];
    this.#waitingSize = 0;
  }

  #mergeBlock({ ids, starts, values }: StateBlock): void {
    const words = this.valueBytes / 8;
    const all = new BigInt64Array(values.buffer, values.byteOffset, ids.length * words);
    for (let from = 0; from < ids.length;) {
      const startMs = starts[from] as number;
      let to = from + 1;
      while (to < ids.length && starts[to] === startMs) to++;
      if (startMs > this.#closedMs) {
        const window = this.#windowAt(startMs);
        const before = window.size;
        window.set(ids, all, [from, to], this.#merge);
        this.#size += window.size - before;
      }
      from = to;
    }
  }

  #windowAt(startMs: number): WindowEntries {
    let window = this.#windows.get(startMs);
    if (window === undefined) {
      window = new WindowEntries(this.valueBytes / 8);
      this.#windows.set(startMs, window);
    }
    return window;
  }

  #forget(closedMs: number): void {
    this.#closedMs = closedMs;
    this.#waiting = this.#waiting.filter(({ block, latestMs }) => {
      const stays = latestMs > closedMs;
      if (!stays) block.giveBack?.();
      return stays;
    });
    this.#waitingSize = this.#waiting.reduce((sum, { block }) => sum + block.ids.length, 0);
    for (const [startMs, { size }] of this.#windows) {
      if (startMs > closedMs) continue;
      this.#windows.delete(startMs);
      this.#size -= size;
    }
  }

  /** Calls for each entry, with copies. */
  each(visit: (key: Uint8Array, value: Uint8Array) => void): void {
    this.#mergeAll();
    for (const [startMs, window] of this.#windows)
      window.each((id, value) => visit(this.names.key(id, startMs), value));
  }
}
