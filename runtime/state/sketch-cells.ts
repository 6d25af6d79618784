// The cells of COUNT_DISTINCT: sketches of all groups in one array while they are small; knows no window and no store.

import type { Batch } from '../data/batch.ts';
import { type Column, isNull, valueAt } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import type { Type, Value } from '../data/type.ts';
import { weightOf } from '../data/value.ts';
import {
  denseEstimate,
  each,
  ENTRY_BYTES,
  entryOfValue,
  linear,
  putEntry,
  RANK_BITS,
  RANK_MASK,
  REGISTERS,
  SPARSE_ENTRIES_MAX,
} from '../functions/count-distinct.ts';
import { grown } from '../base/grown.ts';
import type { Fold } from './accumulators.ts';
import {
  type CallCells,
  type CellWriter,
  checkRoom,
  failedCall,
  type GenericCall,
  LIGHT_MAX,
  type RowContext,
} from './call-cells.ts';
import { entriesOfNumbers } from './sketch-hashes.ts';

/** Entries that an array of a group's own holds at most: of more all registers are held, which then take no more than twice as much. */
const ENTRIES_MAX = 2048;
/** Blocks have room for 2 to the power of an order of entries. */
const ORDER_MIN = 2;
const RANKS = 1 << RANK_BITS;

/** All registers, and how many of them have each rank. */
interface Dense {
  readonly registers: Uint8Array;
  readonly counts: Int32Array;
}

/** In the place of an entry: the value is so long that the group's state must be looked at before it is taken. */
const LONG = -1;

/**
 * A group's registers that are not 0, as `index << RANK_BITS | rank`, ascending, in a block of one array for all groups; or all registers. Its estimate stands beside them, so that a
 * row that raises none costs a look-up. Stored as count-distinct.ts says.
 */
export class SketchCells implements CallCells {
  readonly #call: GenericCall;
  readonly #index: number;
  readonly #argument: Type;
  readonly #rows: RowContext;
  #entries = new Int32Array(1 << 10);
  #used = 0;
  /** Blocks that are not used any more, by order. */
  readonly #free: number[][] = [];
  // By slot.
  #at = new Int32Array(0);
  #order = new Uint8Array(0);
  #count = new Int32Array(0);
  #estimates = new BigInt64Array(0);
  readonly #dense: (Dense | undefined)[] = [];
  /** Of the rows of one fold; 0: null. */
  #ofRows = new Int32Array(0);
  /** Of the texts of a family, or of one dictionary, by number; 0: not asked for yet. */
  #known: { readonly of: object; entries: Int32Array } | null = null;

  /** @param index the number of the call in its step */
  constructor(call: GenericCall, index: number, argument: Type, rows: RowContext) {
    this.#call = call;
    this.#index = index;
    this.#argument = argument;
    this.#rows = rows;
  }

  reserve(slots: number): void {
    if (slots <= this.#at.length) return;
    const room = Math.max(slots, this.#at.length * 2);
    this.#at = grown(this.#at, room);
    this.#order = grown(this.#order, room);
    this.#count = grown(this.#count, room);
    this.#estimates = grown(this.#estimates, room);
  }

  reset(slot: number): void {
    this.#giveBack(slot);
    this.#dense[slot] = undefined;
    this.#count[slot] = 0;
    this.#estimates[slot] = 0n;
  }

  set(slot: number, [registers = null]: readonly Value[]): void {
    this.reset(slot);
    each(registers as Uint8Array, (index, rank) => {
      this.#raise(slot, (index << RANK_BITS) | rank);
    });
  }

  get(slot: number): readonly Value[] {
    const bytes = new Uint8Array(this.#lengthOf(slot));
    this.#writeTo(slot, bytes);
    return [bytes];
  }

  write(slot: number, to: CellWriter): void {
    const tail = to.sized();
    const length = this.#lengthOf(slot);
    tail.u32(length);
    tail.zeros(length);
    const { buffer, position } = tail;
    this.#writeTo(slot, buffer.subarray(position - length, position));
  }

  /** Bytes of the stored form. */
  #lengthOf(slot: number): number {
    const dense = this.#dense[slot];
    const count = dense ? REGISTERS - (dense.counts[0] as number) : (this.#count[slot] as number);
    return count > SPARSE_ENTRIES_MAX ? REGISTERS : count * ENTRY_BYTES;
  }

  #writeTo(slot: number, bytes: Uint8Array): void {
    const dense = this.#dense[slot];
    if (dense === undefined) {
      const at = this.#at[slot] as number;
      const count = this.#count[slot] as number;
      for (let i = 0; i < count; i++) putEntry(bytes, i, this.#entries[at + i] as number);
    } else if (bytes.length === REGISTERS) bytes.set(dense.registers);
    else {
      let to = 0;
      each(dense.registers, (index, rank) => putEntry(bytes, to++, (index << RANK_BITS) | rank));
    }
  }

  move(from: number, to: number): void {
    if (from === to) return;
    this.reset(to);
    const dense = this.#dense[from];
    if (dense !== undefined)
      this.#dense[to] = { registers: dense.registers.slice(), counts: dense.counts.slice() };
    else if ((this.#count[from] as number) > 0) {
      this.#take(to, this.#order[from] as number);
      const at = this.#at[from] as number;
      const count = this.#count[from] as number;
      this.#entries.copyWithin(this.#at[to] as number, at, at + count);
      this.#count[to] = count;
    }
    this.#estimates[to] = this.#estimates[from] as bigint;
  }

  fold(batch: Batch, fold: Fold): Column {
    const { count, slots, positions, before, after, rowsOut } = fold;
    const entries = this.#entriesOf(batch, fold);
    const values = new BigInt64Array(rowsOut);
    const estimates = this.#estimates;
    for (let k = 0; k < count; k++) {
      const slot = slots[k] as number;
      const row = before === null ? -1 : (before[k] as number);
      if (row >= 0) values[row] = estimates[slot] as bigint;
      const entry = entries[k] as number;
      if (entry > 0) this.#raise(slot, entry);
      else if (entry === LONG) this.#raiseLong(slot, batch, positions[k] as number);
      const to = after === null ? k : (after[k] as number);
      if (to >= 0) values[to] = estimates[slot] as bigint;
    }
    return { type: this.#call.type, validity: null, storage: 'i64', values };
  }

  /** The entry of each row; 0: its value is null. */
  #entriesOf(batch: Batch, { count, positions }: Fold): Int32Array {
    const column = batch.columns[this.#call.arguments[0] as number] as Column;
    if (this.#ofRows.length < count) this.#ofRows = new Int32Array(count);
    const to = this.#ofRows;
    if (column.storage === 'dictionary') {
      const { values: codes, dictionary, validity } = column;
      const { numbers, entries } = this.#knownOf(dictionary);
      for (let k = 0; k < count; k++) {
        const position = positions[k] as number;
        if (validity !== null && isNull(column, position)) to[k] = 0;
        else {
          const code = codes[position] as number;
          const number = numbers === null ? code : (numbers[code] as number);
          to[k] = entries[number] || (entries[number] = this.#entryOf(dictionary.text(code)));
        }
      }
    } else if (!entriesOfNumbers(column, positions, count, to)) {
      for (let k = 0; k < count; k++) {
        const position = positions[k] as number;
        to[k] = isNull(column, position) ? 0 : this.#entryOf(valueAt(column, position));
      }
    }
    return to;
  }

  #entryOf(value: Value): number {
    return weightOf(value) < LIGHT_MAX ? entryOfValue(this.#argument, value) : LONG;
  }

  /** What is known of the texts of a dictionary, from dictionaries before where it is of a family. */
  #knownOf(dictionary: Dictionary): {
    readonly numbers: Uint32Array | null;
    readonly entries: Int32Array;
  } {
    const of = dictionary.known?.family ?? dictionary;
    const { size } = of;
    if (this.#known?.of !== of) this.#known = { of, entries: new Int32Array(size) };
    const known = this.#known;
    if (known.entries.length < size) known.entries = grown(known.entries, size * 2);
    return { numbers: dictionary.known?.numbers ?? null, entries: known.entries };
  }

  #raiseLong(slot: number, batch: Batch, position: number): void {
    const value = valueAt(batch.columns[this.#call.arguments[0] as number] as Column, position);
    try {
      checkRoom(this.get(slot), [value]);
      this.#raise(slot, entryOfValue(this.#argument, value));
    } catch (thrown) {
      failedCall(this.#rows, batch, position, this.#index, thrown);
    }
  }

  #raise(slot: number, entry: number): void {
    const dense = this.#dense[slot];
    if (dense !== undefined) {
      this.#raiseDense(slot, dense, entry);
      return;
    }
    const entries = this.#entries;
    const count = this.#count[slot] as number;
    const at = this.#at[slot] as number;
    const index = entry >> RANK_BITS;
    let from = at;
    for (let to = at + count; from < to;) {
      const middle = (from + to) >> 1;
      if ((entries[middle] as number) >> RANK_BITS < index) from = middle + 1;
      else to = middle;
    }
    const known = from < at + count ? (entries[from] as number) : -1;
    if (known >> RANK_BITS === index) {
      if (known < entry) entries[from] = entry;
      return;
    }
    this.#insert(slot, entry, from - at);
  }

  /** Puts a new entry in at a place. */
  #insert(slot: number, entry: number, place: number): void {
    const count = this.#count[slot] as number;
    if (count === ENTRIES_MAX) {
      this.#densify(slot);
      this.#raise(slot, entry);
      return;
    }
    const order = this.#order[slot] as number;
    let at = this.#at[slot] as number;
    if (order === 0 || count === 1 << order) {
      const old = at;
      this.#giveBack(slot);
      this.#take(slot, Math.max(order + 1, ORDER_MIN));
      at = this.#at[slot] as number;
      this.#entries.copyWithin(at, old, old + count);
    }
    const entries = this.#entries;
    for (let i = at + count; i > at + place; i--) entries[i] = entries[i - 1] as number;
    entries[at + place] = entry;
    this.#count[slot] = count + 1;
    this.#estimates[slot] = linear(REGISTERS - count - 1);
  }

  #raiseDense(slot: number, { registers, counts }: Dense, entry: number): void {
    const index = entry >> RANK_BITS;
    const rank = entry & RANK_MASK;
    const known = registers[index] as number;
    if (known >= rank) return;
    registers[index] = rank;
    counts[known] = (counts[known] as number) - 1;
    counts[rank] = (counts[rank] as number) + 1;
    this.#estimates[slot] = denseEstimate(counts);
  }

  #densify(slot: number): void {
    const registers = new Uint8Array(REGISTERS);
    const counts = new Int32Array(RANKS);
    const at = this.#at[slot] as number;
    const count = this.#count[slot] as number;
    for (let i = at; i < at + count; i++) {
      const entry = this.#entries[i] as number;
      registers[entry >> RANK_BITS] = entry & RANK_MASK;
      counts[entry & RANK_MASK] = (counts[entry & RANK_MASK] as number) + 1;
    }
    counts[0] = REGISTERS - count;
    this.#giveBack(slot);
    this.#count[slot] = 0;
    this.#dense[slot] = { registers, counts };
  }

  /** Gives a slot a block. */
  #take(slot: number, order: number): void {
    let at = this.#free[order]?.pop();
    if (at === undefined) {
      at = this.#used;
      this.#used += 1 << order;
      if (this.#used > this.#entries.length)
        this.#entries = grown(this.#entries, Math.max(this.#used, this.#entries.length * 2));
    }
    this.#at[slot] = at;
    this.#order[slot] = order;
  }

  #giveBack(slot: number): void {
    const order = this.#order[slot] as number;
    if (order === 0) return;
    (this.#free[order] ??= []).push(this.#at[slot] as number);
    this.#order[slot] = 0;
  }
}
