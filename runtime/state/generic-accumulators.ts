// Accumulators of any aggregates, each call with cells of its own; knows no window and no store.

import { PortError, TaskCorrupted } from '../base/errors.ts';
import { grown } from '../base/grown.ts';
import type { Batch } from '../data/batch.ts';
import { type Cells, decodeCells, encodeCells } from '../data/cells.ts';
import type { Column } from '../data/column.ts';
import type { Type, Value } from '../data/type.ts';
import type { Accumulators, Fold } from './accumulators.ts';
import type { CallCells } from './call-cells.ts';

/** One call: where its cells are, and their types. */
export interface HeldCall {
  readonly cells: CallCells;
  readonly types: readonly Type[];
}

export class GenericAccumulators implements Accumulators {
  protected readonly calls: readonly HeldCall[];
  protected readonly types: readonly Type[];
  protected rowtimes = new Float64Array(0);
  /** Of the slot that is encoded. */
  readonly #values: Value[] = [];

  constructor(calls: readonly HeldCall[]) {
    this.calls = calls;
    this.types = calls.flatMap(({ types }) => types);
  }

  reserve(slots: number): void {
    const { length } = this.rowtimes;
    if (slots > length) this.rowtimes = grown(this.rowtimes, Math.max(slots, length * 2));
    for (const { cells } of this.calls) cells.reserve(slots);
  }

  reset(slot: number): void {
    this.rowtimes[slot] = -Infinity;
    for (const { cells } of this.calls) cells.reset(slot);
  }

  load(slot: number, bytes: Uint8Array): void {
    const { rowtime, values } = this.#decode(bytes);
    let at = 0;
    this.rowtimes[slot] = rowtime;
    for (const { cells, types } of this.calls)
      cells.set(slot, values.slice(at, (at += types.length)));
  }

  #decode(bytes: Uint8Array): Cells {
    try {
      return decodeCells(this.types, bytes);
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a state value of an aggregate: ${thrown.message}`, {
        cause: thrown,
      });
    }
  }

  encode(slot: number): Uint8Array {
    const values = this.#values;
    let at = 0;
    for (const { cells } of this.calls) for (const value of cells.get(slot)) values[at++] = value;
    return encodeCells(this.types, this.rowtimes[slot] as number, values);
  }

  move(from: number, to: number): void {
    this.rowtimes[to] = this.rowtimes[from] as number;
    for (const { cells } of this.calls) cells.move(from, to);
  }

  foldRowtimes(
    batch: Batch,
    { count, slots, positions, before, after, rowsOut }: Fold,
  ): Float64Array {
    const rowtimes = this.rowtimes;
    const out = new Float64Array(rowsOut);
    for (let k = 0; k < count; k++) {
      const slot = slots[k] as number;
      const ms = Math.max(
        rowtimes[slot] as number,
        batch.rowtime[positions[k] as number] as number,
      );
      rowtimes[slot] = ms;
      // A row of -1 is outside the array, where writing does nothing.
      if (before !== null) out[before[k] as number] = ms;
      out[after === null ? k : (after[k] as number)] = ms;
    }
    return out;
  }

  fold(batch: Batch, fold: Fold): Column[] {
    return this.calls.map(({ cells }) => cells.fold(batch, fold));
  }
}
