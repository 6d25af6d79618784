// Where an aggregate call keeps its cells beside other calls: the contract, and the two ways that serve any call; knows no window and no store.

import type { ByteWriter } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { columnBuilder } from '../data/builder.ts';
import { encodeCells } from '../data/cells.ts';
import { type Column, valueAt } from '../data/column.ts';
import type { Type, Value } from '../data/type.ts';
import { checkLength, weightOf } from '../data/value.ts';
import type { AggregateBody } from '../functions/registry.ts';
import type { Fold } from './accumulators.ts';
import type { TypedAccumulators } from './typed-accumulators.ts';

/** One call: its body, where its arguments stand in the input, and the type of its result. */
export interface GenericCall {
  readonly body: AggregateBody;
  readonly arguments: readonly number[];
  readonly type: Type;
}

/** What folding a row asks and tells about it. */
export interface RowContext {
  /** The offset of the record that made the row at that position. */
  offset(batch: Batch, position: number): number;
  /** The call failed on the row at that position, which counts nothing for it; or its result did, which is null. */
  failed(batch: Batch, position: number, call: number, reason: string): void;
}

/** Null for a call that has failed on the row, which is told. @throws what is no fault of the row */
export function failedCall(
  rows: RowContext,
  batch: Batch,
  position: number,
  call: number,
  thrown: unknown,
): null {
  if (!(thrown instanceof RecordError)) throw thrown;
  rows.failed(batch, position, call, thrown.message);
  return null;
}

/** Writes the cells of a state value, one after the other. */
export interface CellWriter {
  /** The next cell, of a value that is not null. */
  value(type: Type, value: Value): void;
  /** The next cell, as its 8 bytes stand in two words, which are 0 where it is null. */
  words(low: number, high: number, isPresent: boolean): void;
  /** What comes to the returned writer until the next call is the next cell's value. */
  sized(): ByteWriter;
}

/** The cells of one call by slot, as values of the types that its body says. */
export interface CallCells {
  /** Makes room for slots below `slots`. */
  reserve(slots: number): void;
  /** Sets a slot to no rows. */
  reset(slot: number): void;
  set(slot: number, values: readonly Value[]): void;
  get(slot: number): readonly Value[];
  /** Appends the cells of a slot; absent: they are written as the values that `get` gives. */
  write?(slot: number, to: CellWriter): void;
  /** Copies a slot over another one. */
  move(from: number, to: number): void;
  /** Folds the rows; one result a row out. */
  fold(batch: Batch, fold: Fold): Column;
}

/** A state holds few values; only long ones can be too much, and are weighed. */
export const LIGHT_MAX = 1024;

/** @throws {RecordError} EXPRESSION when the cells and the values of one more row are more than one value may be */
export function checkRoom(cells: readonly Value[], values: readonly Value[]): void {
  const weight = weightOf(values);
  if (weight > LIGHT_MAX) checkLength(weight + weightOf(cells));
}

/** The general way: a list of values a slot, and the body called for each row. */
export class BodyCells implements CallCells {
  readonly #call: GenericCall;
  readonly #index: number;
  readonly #rows: RowContext;
  readonly #cells: Value[][] = [];

  /** @param index the number of the call in its step */
  constructor(call: GenericCall, index: number, rows: RowContext) {
    this.#call = call;
    this.#index = index;
    this.#rows = rows;
  }

  reserve(): void {
    // Slots are made when they are set.
  }

  reset(slot: number): void {
    this.#cells[slot] = this.#call.body.initial();
  }

  set(slot: number, values: readonly Value[]): void {
    this.#cells[slot] = [...values];
  }

  get(slot: number): readonly Value[] {
    return this.#at(slot);
  }

  move(from: number, to: number): void {
    this.#cells[to] = this.#at(from);
  }

  #at(slot: number): Value[] {
    return this.#cells[slot] as Value[];
  }

  fold(batch: Batch, { count, slots, positions, undo, before, after }: Fold): Column {
    const { arguments: given, type } = this.#call;
    const columns = given.map((position) => batch.columns[position] as Column);
    const results = columnBuilder(type);
    // Output rows come in order: a row's own before its results, each once.
    for (let k = 0; k < count; k++) {
      const cells = this.#at(slots[k] as number);
      const position = positions[k] as number;
      if (before !== null && (before[k] as number) >= 0)
        results.append(this.#result(batch, position, cells));
      const values = columns.map((column) => valueAt(column, position));
      this.#foldRow(batch, position, cells, values, undo !== null && undo[k] === 1);
      if (after === null || (after[k] as number) >= 0)
        results.append(this.#result(batch, position, cells));
    }
    return results.finish();
  }

  // Without a closure a row: with one, what a call does is a third slower.

  #result(batch: Batch, position: number, cells: readonly Value[]): Value {
    try {
      return this.#call.body.result(cells);
    } catch (thrown) {
      return failedCall(this.#rows, batch, position, this.#index, thrown);
    }
  }

  #foldRow(
    batch: Batch,
    position: number,
    cells: Value[],
    values: readonly Value[],
    isUndo: boolean,
  ): void {
    const { body } = this.#call;
    try {
      if (isUndo) body.undo?.(cells, values);
      else {
        checkRoom(cells, values);
        body.add(cells, values, this.#rows.offset(batch, position));
      }
    } catch (thrown) {
      failedCall(this.#rows, batch, position, this.#index, thrown);
    }
  }
}

/** The cells of a call that has typed accumulators, beside calls that have none. */
export class TypedCells implements CallCells {
  readonly #accumulators: TypedAccumulators;
  readonly #types: readonly Type[];

  /** @param accumulators of this one call @param types of its cells */
  constructor(accumulators: TypedAccumulators, types: readonly Type[]) {
    this.#accumulators = accumulators;
    this.#types = types;
  }

  reserve(slots: number): void {
    this.#accumulators.reserve(slots);
  }

  reset(slot: number): void {
    this.#accumulators.reset(slot);
  }

  set(slot: number, values: readonly Value[]): void {
    this.#accumulators.load(slot, encodeCells(this.#types, 0, values));
  }

  get(slot: number): readonly Value[] {
    const { memory } = this.#accumulators;
    return this.#types.map(({ kind }, cell) => memory.value(slot, cell, kind));
  }

  move(from: number, to: number): void {
    this.#accumulators.move(from, to);
  }

  fold(batch: Batch, fold: Fold): Column {
    return this.#accumulators.fold(batch, fold)[0] as Column;
  }
}
