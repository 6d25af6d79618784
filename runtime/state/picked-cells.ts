// The cells of a call whose result is the value of one of its rows: EARLIEST_BY_OFFSET, LATEST_BY_OFFSET; knows no window and no store.

import { grown } from '../base/grown.ts';
import type { Batch } from '../data/batch.ts';
import { columnBuilder } from '../data/builder.ts';
import { type Column, isNull, valueAt } from '../data/column.ts';
import { gatherColumn } from '../data/dense.ts';
import type { Value } from '../data/type.ts';
import type { Picks } from '../functions/registry.ts';
import type { Fold } from './accumulators.ts';
import type { CallCells, GenericCall, RowContext } from './call-cells.ts';

/**
 * While a batch is folded a slot knows the row that it has picked, not its value: results are rows of the batch's own column, gathered at the
 * end, and of each slot one value is read. Cells are the value and its offset plus 1, 0 while there is none.
 */
export class PickedCells implements CallCells {
  readonly #call: GenericCall;
  readonly #picks: Picks;
  readonly #rows: RowContext;
  readonly #values: Value[] = [];
  /** 0: no value. */
  #offsets = new Float64Array(0);
  /** By slot, while a batch is folded: 1 + the position that it has picked, 0 for none. */
  #picked = new Uint32Array(0);

  constructor(call: GenericCall, picks: Picks, rows: RowContext) {
    this.#call = call;
    this.#picks = picks;
    this.#rows = rows;
  }

  reserve(slots: number): void {
    if (slots <= this.#offsets.length) return;
    const room = Math.max(slots, this.#offsets.length * 2);
    this.#offsets = grown(this.#offsets, room);
    this.#picked = grown(this.#picked, room);
  }

  reset(slot: number): void {
    this.#values[slot] = null;
    this.#offsets[slot] = 0;
  }

  set(slot: number, [value = null, offset = null]: readonly Value[]): void {
    this.#values[slot] = value;
    this.#offsets[slot] = Number(offset);
  }

  get(slot: number): readonly Value[] {
    return [this.#values[slot] ?? null, BigInt(this.#offsets[slot] as number)];
  }

  move(from: number, to: number): void {
    this.#values[to] = this.#values[from] ?? null;
    this.#offsets[to] = this.#offsets[from] as number;
  }

  fold(batch: Batch, { count, slots, positions, before, after, rowsOut }: Fold): Column {
    const column = batch.columns[this.#call.arguments[0] as number] as Column;
    const { isFirst, ignoresNulls } = this.#picks;
    const picked = this.#picked;
    const offsets = this.#offsets;
    const changed: number[] = [];
    const shown = new Shown(column, rowsOut, picked, this.#values);
    for (let k = 0; k < count; k++) {
      const slot = slots[k] as number;
      const position = positions[k] as number;
      if (before !== null) shown.put(before[k] as number, slot);
      const isNew = picked[slot] === 0;
      const isTaken = !isFirst || (isNew && offsets[slot] === 0);
      if (isTaken && !(ignoresNulls && isNull(column, position))) {
        if (isNew) changed.push(slot);
        picked[slot] = position + 1;
      }
      shown.put(after === null ? k : (after[k] as number), slot);
    }
    const results = shown.column();
    for (const slot of changed) {
      const position = (picked[slot] as number) - 1;
      picked[slot] = 0;
      this.#values[slot] = valueAt(column, position);
      offsets[slot] = this.#rows.offset(batch, position) + 1;
    }
    return results;
  }
}

/** What the rows out show: rows of the batch, or values that slots had before it. */
class Shown {
  readonly #from: Column;
  readonly #picked: Uint32Array;
  readonly #values: readonly Value[];
  /** By row out: a position, or at -1, -2, ... one of the values from before. */
  readonly #places: Int32Array<ArrayBuffer>;
  readonly #before: Value[] = [];

  constructor(from: Column, rows: number, picked: Uint32Array, values: readonly Value[]) {
    this.#from = from;
    this.#picked = picked;
    this.#values = values;
    this.#places = new Int32Array(rows);
  }

  /** The row out shows what the slot holds now; -1 shows nothing. */
  put(row: number, slot: number): void {
    if (row < 0) return;
    const picked = this.#picked[slot] as number;
    this.#places[row] = picked > 0 ? picked - 1 : -this.#before.push(this.#values[slot] ?? null);
  }

  column(): Column {
    const places = this.#places;
    if (this.#before.length === 0) return gatherColumn(this.#from, new Uint32Array(places.buffer));
    const builder = columnBuilder(this.#from.type);
    for (const place of places)
      builder.append(place >= 0 ? valueAt(this.#from, place) : (this.#before[-place - 1] as Value));
    return builder.finish();
  }
}
