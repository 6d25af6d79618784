// The last row of each window and key since the last commit, held as it came; what EMIT FINAL holds back in memory. Knows no time and no store.

import { assert } from '../base/assert.ts';
import { grown } from '../base/grown.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { rowsAcross } from '../data/gather-across.ts';
import { Interner } from '../data/interner.ts';
import { KeyOrder } from '../data/key-order.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import { Pane } from '../state/pane.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import { doubleOf, wordsOf } from '../state/typed-calls.ts';
import { isGone } from './gone.ts';
import type { Emit } from './operator.ts';

const FIRST_SLOTS = 64;
/** Keys that stay numbered beside their rows: mostly they come again. */
const KEYS_KEPT_MAX = 65_536;

/** Reads a bound of the window of rows, in ms. */
type Bounds = (position: number) => number;

/**
 * Batches, and by window and key where in them its last row stands. Cost: a look-up a row; nothing is encoded and nothing sorted but the keys of a window that
 * is emitted.
 */
export class HeldRows {
  readonly #schema: Schema;
  readonly #windowAt: readonly number[];
  #index = new Interner();
  #order = new KeyOrder(this.#index);
  readonly #keys: RowKeys;
  /** By end, then by start. */
  readonly #windows = new Map<number, Map<number, Pane>>();
  /** All ends that there are windows of, ascending. */
  #ends: number[] = [];
  #batches: Batch[] = [];
  /** By slot of a pane: the number of its key, and the batch and the position of its row. */
  #keyOf = new Int32Array(FIRST_SLOTS);
  #batchOf = new Uint32Array(FIRST_SLOTS);
  #positionOf = new Uint32Array(FIRST_SLOTS);
  #slots = 0;
  /** Place in the order of keys by number, and by place the slot of the window that is looked at. */
  #places = new Uint32Array(0);
  #slotAt = new Int32Array(0);
  /** Rows of all batches. */
  size = 0;

  /** What has been put out and not emitted. */
  readonly #out = {
    batches: new Uint32Array(BATCH_ROWS_MAX),
    positions: new Uint32Array(BATCH_ROWS_MAX),
  };
  #count = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#windowAt = columnsWithRole(schema, 'window');
    assert(this.#windowAt.length === 2, 'only windows have final rows');
    // A key by itself, so that a text is looked up once for each entry of a dictionary.
    const columns = schema.columns.map((column) =>
      column.role === 'window' ? { ...column, role: 'value' as const } : column,
    );
    const locate = (bytes: Uint8Array, from: number, to: number): number =>
      this.#index.intern(bytes, from, to);
    this.#keys = new RowKeys({ ...schema, columns }, { locate }, { session: false });
  }

  /** When the first window ends; Infinity: none is held. */
  get firstEndMs(): number {
    return this.#ends[0] ?? Infinity;
  }

  /**
   * Holds a batch.
   * @returns what notes its row `i` at a position as the last one of its window and key
   */
  add(batch: Batch): (i: number, position: number) => void {
    this.letGo();
    const ids = this.#keys.assign(batch);
    const [startOf, endOf] = this.#windowAt.map((at) => boundsOf(batch.columns[at] as Column)) as [
      Bounds,
      Bounds,
    ];
    const number = this.#batches.push(batch) - 1;
    this.size += batch.length;
    let pane: Pane | null = null;
    let endMs = NaN;
    return (i, position) => {
      const id = ids[i] as number;
      assert(id !== NO_KEY, 'a group has a key');
      const start = startOf(position);
      const end = endOf(position);
      if (pane === null || end !== endMs || pane.startMs !== start) {
        pane = this.#pane(start, end);
        endMs = end;
      }
      let slot = pane.find(id, this.#keyOf);
      if (slot < 0) slot = this.#addSlot(pane, id);
      this.#batchOf[slot] = number;
      this.#positionOf[slot] = position;
    };
  }

  #pane(startMs: number, endMs: number): Pane {
    let panes = this.#windows.get(endMs);
    if (panes === undefined) {
      panes = new Map();
      this.#windows.set(endMs, panes);
      let at = this.#ends.length;
      while (at > 0 && (this.#ends[at - 1] as number) > endMs) at--;
      this.#ends.splice(at, 0, endMs);
    }
    let pane = panes.get(startMs);
    if (pane === undefined) {
      pane = new Pane(startMs);
      panes.set(startMs, pane);
    }
    return pane;
  }

  #addSlot(pane: Pane, id: number): number {
    const slot = this.#slots++;
    if (slot === this.#keyOf.length) {
      this.#keyOf = grown(this.#keyOf, slot * 2);
      this.#batchOf = grown(this.#batchOf, slot * 2);
      this.#positionOf = grown(this.#positionOf, slot * 2);
    }
    this.#keyOf[slot] = id;
    pane.add(slot, this.#keyOf, this.#index.size);
    return slot;
  }

  /** The windows that end before a time, by end and start; they are not held any more. */
  *#taken(beforeMs: number): Iterable<Pane> {
    let count = 0;
    for (; (this.#ends[count] ?? Infinity) < beforeMs; count++) {
      const endMs = this.#ends[count] as number;
      const panes = this.#windows.get(endMs) as Map<number, Pane>;
      this.#windows.delete(endMs);
      yield* [...panes.values()].sort((a, b) => a.startMs - b.startMs);
    }
    this.#ends.splice(0, count);
  }

  /** Puts the rows of the windows that end before a time out, by end, start and key, as Insert and but for tombstones, and holds them no more. They are emitted by `flush`, or when there is no room. */
  putOut(beforeMs: number, out: Emit): void {
    const { batches, positions } = this.#out;
    for (const pane of this.#taken(beforeMs)) {
      for (const slot of this.#inOrder(pane)) {
        const batch = this.#batchOf[slot] as number;
        const position = this.#positionOf[slot] as number;
        if (isGone(this.#batches[batch] as Batch, position)) continue;
        if (this.#count === BATCH_ROWS_MAX) this.flush(out);
        batches[this.#count] = batch;
        positions[this.#count++] = position;
      }
    }
  }

  /** Emits what has been put out. */
  flush(out: Emit): void {
    const length = this.#count;
    if (length === 0) return;
    const batches = this.#out.batches.subarray(0, length);
    const positions = this.#out.positions.subarray(0, length);
    this.#count = 0;
    out({
      schema: this.#schema,
      length,
      selection: null,
      ...rowsAcross(this.#batches, { batches, positions }),
      valueNull: null,
      keyNull: null,
      op: new Uint8Array(length),
      origin: null,
    });
  }

  /** The slots of a window in the order of their keys' bytes. */
  #inOrder(pane: Pane): Int32Array {
    const slots = new Int32Array(pane.size);
    let count = 0;
    pane.each((slot) => (slots[count++] = slot));
    if (count < 2) return slots;
    if (this.#places.length < this.#index.size) this.#putInOrder();
    const places = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const slot = slots[i] as number;
      const place = this.#places[this.#keyOf[slot] as number] as number;
      places[i] = place;
      this.#slotAt[place] = slot;
    }
    places.sort();
    for (let i = 0; i < count; i++) slots[i] = this.#slotAt[places[i] as number] as number;
    return slots;
  }

  #putInOrder(): void {
    const { size } = this.#index;
    this.#places = new Uint32Array(size);
    this.#slotAt = new Int32Array(size);
    let place = 0;
    for (const id of this.#order.from(null, false)) this.#places[id] = place++;
  }

  /** Hands over the rows of the windows that end before a time, tombstones too, and holds them no more. */
  write(beforeMs: number, into: (batch: Batch, position: number) => void): void {
    for (const pane of this.#taken(beforeMs))
      pane.each((slot) => {
        const batch = this.#batches[this.#batchOf[slot] as number] as Batch;
        into(batch, this.#positionOf[slot] as number);
      });
  }

  /** Lets the batches go where no row of them is held. */
  letGo(): void {
    if (this.#ends.length > 0) return;
    this.#batches = [];
    this.size = 0;
    this.#slots = 0;
    if (this.#index.size <= KEYS_KEPT_MAX) return;
    this.#index = new Interner();
    this.#order = new KeyOrder(this.#index);
    this.#places = new Uint32Array(0);
    this.#keys.reset();
  }
}

function boundsOf(column: Column): Bounds {
  const words = wordsOf(column);
  return (position) => doubleOf(words[position * 2] as number, words[position * 2 + 1] as number);
}
