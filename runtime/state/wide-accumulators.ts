// Accumulators of any aggregates whose states are written without making their values; not in pages. Knows no window and no store.

import { ByteWriter, NAN_HIGH } from '../base/bytes.ts';
import { writeCell } from '../data/cells.ts';
import type { Type, Value } from '../data/type.ts';
import { type CalledAggregate, givenOf } from '../functions/aggregate-call.ts';
import type { Schema } from '../data/schema.ts';
import type { Accumulators } from './accumulators.ts';
import {
  type CallCells,
  type CellWriter,
  type GenericCall,
  type RowContext,
  TypedCells,
} from './call-cells.ts';
import { SketchCells } from './sketch-cells.ts';
import { TopCells } from './top-cells.ts';
import { SlotMemory } from './slot-memory.ts';
import { type CallSpec, type TypedAccumulators, typedAccumulators } from './typed-accumulators.ts';
import { GenericAccumulators } from './generic-accumulators.ts';

const CELL_BYTES = 8;

/** As `encodeCells` (data/cells.ts), cell by cell. */
class StateWriter implements CellWriter {
  readonly #tail = new ByteWriter();
  #to = new ByteWriter(0);
  #presentAt = 0;
  #cell = 0;
  /** Where the value of a sized cell begins in the tail, and its cell; -1: none is under way. */
  #sizedFrom = 0;
  #sizedAt = -1;

  begin(to: ByteWriter, rowtime: number, cells: number): void {
    to.f64(rowtime);
    this.#to = to;
    this.#presentAt = to.position;
    this.#cell = 0;
    this.#tail.truncate(0);
    to.zeros(((cells + 63) >> 6) * CELL_BYTES);
  }

  value(type: Type, value: Value): void {
    this.#mark();
    writeCell(this.#to, this.#tail, type, value);
  }

  none(): void {
    this.#endSized();
    this.#to.zeros(CELL_BYTES);
    this.#cell += 1;
  }

  words(low: number, high: number, isPresent: boolean): void {
    if (isPresent) this.#mark();
    else this.#cell += 1;
    this.#to.i32(low);
    this.#to.i32(high);
  }

  sized(): ByteWriter {
    this.#mark();
    this.#sizedFrom = this.#tail.position;
    this.#sizedAt = this.#to.position;
    this.#to.u32(this.#sizedFrom);
    this.#to.u32(0);
    return this.#tail;
  }

  end(): void {
    this.#endSized();
    this.#to.bytes(this.#tail.buffer, 0, this.#tail.position);
  }

  /** The next cell is not null. */
  #mark(): void {
    this.#endSized();
    const { buffer } = this.#to;
    const at = this.#presentAt + (this.#cell >> 3);
    buffer[at] = (buffer[at] as number) | (1 << (this.#cell & 7));
    this.#cell += 1;
  }

  #endSized(): void {
    if (this.#sizedAt < 0) return;
    this.#to.patchU32(this.#sizedAt + 4, this.#tail.position - this.#sizedFrom);
    this.#sizedAt = -1;
  }
}

/** The kinds of columns whose values TOPK holds as numbers. */
const NUMBERS: ReadonlySet<Type['kind']> = new Set(['INTEGER', 'BIGINT', 'DOUBLE', 'DATE', 'TIME']);

/** As TypedCells, of a call whose cells are written as they stand. */
class RawCells extends TypedCells {
  readonly #memory: SlotMemory;
  readonly #types: readonly Type[];

  constructor(accumulators: TypedAccumulators, types: readonly Type[]) {
    super(accumulators, types);
    this.#memory = accumulators.memory;
    this.#types = types;
  }

  write(slot: number, to: CellWriter): void {
    const { words, f64, stride, doubles } = this.#memory;
    const first = slot * stride;
    for (let cell = 0; cell < this.#types.length; cell++) {
      const at = first + SlotMemory.offsetOf(cell);
      const bits = words[first * 2 + SlotMemory.presentWordOf(cell)] as number;
      const isPresent = ((bits >> cell) & 1) === 1;
      // Stored bytes have one NaN.
      if (doubles.includes(cell) && Number.isNaN(f64[at])) to.words(0, NAN_HIGH, isPresent);
      else to.words(words[at * 2] as number, words[at * 2 + 1] as number, isPresent);
    }
  }
}

/** What accumulators are made of. */
interface Made {
  readonly step: { readonly calls: readonly Spec[] };
  readonly input: Schema;
  readonly calls: readonly GenericCall[];
  readonly rows: RowContext;
  /** The cells of a call that has no way of its own. */
  readonly cellsOf: (call: GenericCall, index: number) => CallCells;
}

type Spec = CallSpec & CalledAggregate;

/** Accumulators of any calls. */
export function wideAccumulators(made: Made): Accumulators {
  return new WideAccumulators(
    made.calls.map((call, index) => ({
      cells: ownCells(made, index) ?? made.cellsOf(call, index),
      types: call.body.cells,
    })),
  );
}

/** The cells of a call that has its own way of holding them, or of writing them; null: it has none. */
function ownCells({ step, input, calls, rows }: Made, index: number): CallCells | null {
  const call = calls[index] as GenericCall;
  const spec = step.calls[index] as Spec;
  const typed = typedAccumulators([spec], input);
  if (typed !== null) return new RawCells(typed, call.body.cells);
  const [at] = call.arguments;
  const argument = input.columns[at ?? -1]?.type;
  if (argument === undefined || call.arguments.length !== 1) return null;
  const name = spec.function;
  if (name === 'COUNT_DISTINCT') return new SketchCells(call, index, argument, rows);
  if ((name !== 'TOPK' && name !== 'TOPKDISTINCT') || !NUMBERS.has(argument.kind)) return null;
  const [most] = givenOf(spec).constants;
  return new TopCells(call, argument, Number(most), name === 'TOPKDISTINCT');
}

const state = new StateWriter();
const scratch = new ByteWriter(512);

class WideAccumulators extends GenericAccumulators {
  write(slot: number, to: ByteWriter): void {
    state.begin(to, this.rowtimes[slot] as number, this.types.length);
    for (const { cells, types } of this.calls) {
      if (cells.write !== undefined) {
        cells.write(slot, state);
        continue;
      }
      const values = cells.get(slot);
      for (let i = 0; i < types.length; i++) {
        const value = values[i] ?? null;
        if (value === null) state.none();
        else state.value(types[i] as Type, value);
      }
    }
    state.end();
  }

  override encode(slot: number): Uint8Array {
    scratch.truncate(0);
    this.write(slot, scratch);
    return scratch.finish();
  }
}
