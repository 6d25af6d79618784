// Accumulators of COUNT, SUM, MIN, MAX and AVG over typed columns, in one typed memory; knows no window and no store.

import type { Batch } from '../data/batch.ts';
import { type Column } from '../data/column.ts';
import { storageOf } from '../data/storage.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { Accumulators, Fold } from './accumulators.ts';
import { SlotMemory, TYPED_CELLS_MAX } from './slot-memory.ts';
import { AverageFloat64Call, AverageIntegerCall } from './typed-averages.ts';
import { BoundFloat64Call, BoundInt32Call, BoundInt64Call } from './typed-bounds.ts';
import {
  CountCall,
  SumFloat64Call,
  SumInt32Call,
  SumInt64Call,
  type TypedCall,
} from './typed-calls.ts';

/** What a call is to its accumulators: plan/step.ts says the same and more. */
export interface CallSpec {
  readonly function: string;
  readonly signature: string;
  readonly arguments: readonly number[];
  readonly constants?: readonly object[] | undefined;
  readonly type: Type;
}

type Make = (memory: SlotMemory, type: Type, cell: number) => TypedCall;

interface Shape {
  readonly cells: number;
  /** True: the cells are never null. */
  readonly present: boolean;
  /** True: the first cell holds a double. */
  readonly double: boolean;
  readonly make: Make;
}

/** How a call is computed over a column of that kind; null when there is no typed way. */
function shapeOf(name: string, argument: Type | null): Shape | null {
  if (name === 'COUNT')
    return { cells: 1, present: true, double: false, make: (...at) => new CountCall(...at) };
  if (argument === null) return null;
  const storage = storageOf(argument);
  const isTime =
    argument.kind === 'TIME' || argument.kind === 'DATE' || argument.kind === 'TIMESTAMP';
  if (storage !== 'f64' && storage !== 'i32' && storage !== 'i64') return null;
  const double = storage === 'f64';
  if (name === 'MIN' || name === 'MAX') {
    const Bound = { f64: BoundFloat64Call, i32: BoundInt32Call, i64: BoundInt64Call }[storage];
    return { cells: 1, present: false, double, make: (...at) => new Bound(...at, name) };
  }
  if (isTime) return null;
  if (name === 'SUM') {
    const Sum = { f64: SumFloat64Call, i32: SumInt32Call, i64: SumInt64Call }[storage];
    return { cells: 1, present: true, double, make: (...at) => new Sum(...at) };
  }
  if (name !== 'AVG') return null;
  const Average = storage === 'f64' ? AverageFloat64Call : AverageIntegerCall;
  return { cells: 2, present: true, double, make: (...at) => new Average(...at) };
}

/** Typed accumulators for these calls, or null when one of them has no typed way. */
export function typedAccumulators(
  calls: readonly CallSpec[],
  input: Schema,
): TypedAccumulators | null {
  const shapes: Shape[] = [];
  for (const call of calls) {
    const [argument] = call.arguments;
    if (call.arguments.length > 1 || call.constants !== undefined) return null;
    const type = argument === undefined ? null : (input.columns[argument]?.type ?? null);
    const shape = shapeOf(call.function, type);
    if (shape === null) return null;
    shapes.push(shape);
  }
  const present = shapes.flatMap((shape) =>
    Array.from({ length: shape.cells }, () => shape.present),
  );
  return present.length > TYPED_CELLS_MAX ? null : new TypedAccumulators(calls, shapes, present);
}

export class TypedAccumulators implements Accumulators {
  readonly memory: SlotMemory;
  readonly #calls: readonly TypedCall[];
  /** Position of each call's argument, -1 for none. */
  readonly #arguments: readonly number[];

  constructor(calls: readonly CallSpec[], shapes: readonly Shape[], present: readonly boolean[]) {
    const doubles: number[] = [];
    let first = 0;
    for (const { cells, double } of shapes) {
      if (double) doubles.push(first);
      first += cells;
    }
    const memory = new SlotMemory(present, doubles);
    let cell = 0;
    this.memory = memory;
    this.#arguments = calls.map((call) => call.arguments[0] ?? -1);
    this.#calls = shapes.map((shape, index) => {
      const type = calls[index]?.type as Type;
      const made = shape.make(memory, type, cell);
      cell += shape.cells;
      return made;
    });
  }

  reserve(slots: number): void {
    this.memory.reserve(slots);
  }

  reset(slot: number): void {
    this.memory.reset(slot);
  }

  load(slot: number, bytes: Uint8Array): void {
    this.memory.load(slot, bytes);
  }

  encode(slot: number): Uint8Array {
    return this.memory.encode(slot);
  }

  move(from: number, to: number): void {
    this.memory.move(from, to);
  }

  foldRowtimes(batch: Batch, fold: Fold): Float64Array {
    const { f64, stride } = this.memory;
    const { slots, positions, after, before } = fold;
    const { rowtime } = batch;
    const out = new Float64Array(fold.rowsOut + 1);
    if (after === null && before === null) {
      for (let k = 0; k < fold.count; k++) {
        const cell = (slots[k] as number) * stride;
        const ms = rowtime[positions[k] as number] as number;
        let latest = f64[cell] as number;
        if (ms > latest) f64[cell] = latest = ms;
        out[k] = latest;
      }
      return out.subarray(0, fold.rowsOut);
    }
    for (let k = 0; k < fold.count; k++) {
      const cell = (slots[k] as number) * stride;
      const ms = rowtime[positions[k] as number] as number;
      let latest = f64[cell] as number;
      if (ms > latest) f64[cell] = latest = ms;
      // Index -1, where a row shows no result, is the spare place at the end.
      out[after === null ? k : placeOf(after[k] as number, fold.rowsOut)] = latest;
      if (before !== null) out[placeOf(before[k] as number, fold.rowsOut)] = latest;
    }
    return out.subarray(0, fold.rowsOut);
  }

  fold(batch: Batch, fold: Fold): Column[] {
    const { count, rowsOut } = fold;
    const isPlain = fold.after === null && fold.before === null && fold.undo === null;
    return this.#calls.map((call, index) => {
      const argument = this.#arguments[index] as number;
      call.begin(argument < 0 ? null : (batch.columns[argument] as Column), rowsOut + 1);
      if (isPlain) call.run(fold, 0, count, 0);
      else foldOneByOne(call, fold);
      return call.finish(rowsOut);
    });
  }
}

/** An output row, or the spare one behind the last for -1. */
function placeOf(row: number, rowsOut: number): number {
  return row < 0 ? rowsOut : row;
}

function foldOneByOne(call: TypedCall, fold: Fold): void {
  const { slots, positions, undo, after, before, rowsOut } = fold;
  for (let k = 0; k < fold.count; k++) {
    const slot = slots[k] as number;
    if (before !== null && (before[k] as number) >= 0) call.read(slot, before[k] as number);
    const row = after === null ? k : placeOf(after[k] as number, rowsOut);
    if (undo !== null && undo[k] === 1) {
      call.take(slot, positions[k] as number);
      call.read(slot, row);
    } else call.run(fold, k, k + 1, row);
  }
}
