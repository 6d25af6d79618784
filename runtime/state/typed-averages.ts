// AVG, MIN and MAX over typed columns as loops over slots; knows no group, no window and no output batch.

import { bitAt, bitmap, type Bitmap, type Column, setBit } from '../data/column.ts';
import type { Type } from '../data/type.ts';
import { compareDoubles } from '../expr/compare.ts';
import { SlotMemory } from './slot-memory.ts';
import {
  doubleOf,
  Float64Call,
  type FoldRows,
  numbersOf,
  subtract,
  TypedCall,
  wordsOf,
} from './typed-calls.ts';

/** AVG: its cells are the sum and then the count; 0 while no value has come. The sum is exact for whole numbers. */
abstract class AverageCall extends Float64Call {
  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const position = positions[k] as number;
      if (this.isValid(position)) {
        this.add(slot, position);
        this.step(slot, this.at + 1, 1);
      }
      this.read(slot, row + k - from);
    }
  }

  read(slot: number, row: number): void {
    const { words, stride } = this.memory;
    const word = (slot * stride + this.at + 1) * 2;
    const count = doubleOf(words[word] as number, words[word + 1] as number);
    this.out[row] = count === 0 ? 0 : this.sum(slot) / count;
  }

  take(slot: number, position: number): void {
    if (!this.isValid(position)) return;
    this.remove(slot, position);
    this.step(slot, this.at + 1, -1);
  }

  protected abstract add(slot: number, position: number): void;
  protected abstract remove(slot: number, position: number): void;
  protected abstract sum(slot: number): number;
}

/** AVG of DOUBLE. */
export class AverageFloat64Call extends AverageCall {
  #from: Float64Array = new Float64Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    if (this.column !== null) this.#from = numbersOf(this.column) as Float64Array;
  }

  protected add(slot: number, position: number): void {
    const { f64, stride } = this.memory;
    const cell = slot * stride + this.at;
    f64[cell] = (f64[cell] as number) + (this.#from[position] as number);
  }

  protected remove(slot: number, position: number): void {
    const { f64, stride } = this.memory;
    const cell = slot * stride + this.at;
    f64[cell] = (f64[cell] as number) - (this.#from[position] as number);
  }

  protected sum(slot: number): number {
    return this.memory.f64[slot * this.memory.stride + this.at] as number;
  }
}

/** AVG of INTEGER and BIGINT: a 64-bit sum. */
export class AverageIntegerCall extends AverageCall {
  #words: Int32Array = new Int32Array(0);
  #numbers: Int32Array | null = null;

  protected override start(rows: number): void {
    super.start(rows);
    if (this.column === null) return;
    this.#numbers = this.column.storage === 'i32' ? this.column.values : null;
    if (this.#numbers === null) this.#words = wordsOf(this.column);
  }

  #low(position: number): number {
    return (this.#numbers === null ? this.#words[position * 2] : this.#numbers[position]) as number;
  }

  #high(position: number): number {
    if (this.#numbers !== null) return (this.#numbers[position] as number) >> 31;
    return this.#words[position * 2 + 1] as number;
  }

  protected add(slot: number, position: number): void {
    const { words, stride } = this.memory;
    const word = (slot * stride + this.at) * 2;
    const sum = ((words[word] as number) >>> 0) + (this.#low(position) >>> 0);
    words[word] = sum | 0;
    words[word + 1] =
      (words[word + 1] as number) + this.#high(position) + (sum > 0xffff_ffff ? 1 : 0);
  }

  protected remove(slot: number, position: number): void {
    const word = (slot * this.memory.stride + this.at) * 2;
    subtract(this.memory.words, word, this.#low(position), this.#high(position));
  }

  protected sum(slot: number): number {
    const { words, stride } = this.memory;
    const word = (slot * stride + this.at) * 2;
    return doubleOf(words[word] as number, words[word + 1] as number);
  }
}

/** MIN or MAX: null until a value has come. Doubles are in Java's order: -0.0 below 0.0, NaN above all. */
abstract class BoundCall extends TypedCall {
  /** 1 for MAX, -1 for MIN. */
  protected readonly sign: 1 | -1;
  readonly #word: number;
  readonly #bit: number;
  #nulls: Bitmap | null = null;
  #rows = 0;

  constructor(memory: SlotMemory, type: Type, firstCell: number, bound: 'MIN' | 'MAX') {
    super(memory, type, firstCell);
    this.sign = bound === 'MAX' ? 1 : -1;
    this.#word = SlotMemory.presentWordOf(firstCell);
    this.#bit = 1 << (firstCell & 31);
  }

  protected start(rows: number): void {
    this.#nulls = null;
    this.#rows = rows;
  }

  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { words, stride } = this.memory;
    const validity = this.column?.validity ?? null;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const position = positions[k] as number;
      if (validity === null || bitAt(validity, position)) {
        const word = slot * stride * 2 + this.#word;
        const present = words[word] as number;
        if ((present & this.#bit) === 0) {
          words[word] = present | this.#bit;
          this.set(slot, position);
        } else if (this.beats(slot, position)) this.set(slot, position);
      }
      this.read(slot, row + k - from);
    }
  }

  read(slot: number, row: number): void {
    const { words, stride } = this.memory;
    if (((words[slot * stride * 2 + this.#word] as number) & this.#bit) !== 0) this.show(slot, row);
    else setBit((this.#nulls ??= bitmap(this.#rows)), row);
  }

  take(): void {
    // The registry says that MIN and MAX have no undo, so that no plan comes here.
  }

  /** Validity of the results: what is not known to be null. */
  protected validity(rows: number): Bitmap | null {
    const nulls = this.#nulls;
    if (nulls === null) return null;
    const valid = bitmap(rows);
    for (let row = 0; row < rows; row++) if (!bitAt(nulls, row)) setBit(valid, row);
    return valid;
  }

  protected abstract set(slot: number, position: number): void;
  protected abstract beats(slot: number, position: number): boolean;
  protected abstract show(slot: number, row: number): void;
}

export class BoundFloat64Call extends BoundCall {
  #from: Float64Array = new Float64Array(0);
  #out = new Float64Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    this.#out = new Float64Array(rows);
    if (this.column !== null) this.#from = numbersOf(this.column) as Float64Array;
  }

  protected set(slot: number, position: number): void {
    const value = this.#from[position] as number;
    // Every NaN is stored as the same bits.
    this.memory.f64[slot * this.memory.stride + this.at] = value === value ? value : NaN;
  }

  protected beats(slot: number, position: number): boolean {
    const value = this.#from[position] as number;
    const held = this.memory.f64[slot * this.memory.stride + this.at] as number;
    if (value < held) return this.sign < 0;
    if (value > held) return this.sign > 0;
    return compareDoubles(value, held) * this.sign > 0;
  }

  protected show(slot: number, row: number): void {
    this.#out[row] = this.memory.f64[slot * this.memory.stride + this.at] as number;
  }

  finish(rows: number): Column {
    const values = this.#out.subarray(0, rows);
    return { type: this.type, validity: this.validity(rows), storage: 'f64', values };
  }
}

export class BoundInt32Call extends BoundCall {
  #from: Int32Array = new Int32Array(0);
  #out = new Int32Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    this.#out = new Int32Array(rows);
    if (this.column !== null) this.#from = numbersOf(this.column) as Int32Array;
  }

  protected set(slot: number, position: number): void {
    const word = (slot * this.memory.stride + this.at) * 2;
    const value = this.#from[position] as number;
    this.memory.words[word] = value;
    this.memory.words[word + 1] = value >> 31;
  }

  protected beats(slot: number, position: number): boolean {
    const held = this.memory.words[(slot * this.memory.stride + this.at) * 2] as number;
    const value = this.#from[position] as number;
    return this.sign > 0 ? value > held : value < held;
  }

  protected show(slot: number, row: number): void {
    this.#out[row] = this.memory.words[(slot * this.memory.stride + this.at) * 2] as number;
  }

  finish(rows: number): Column {
    const values = this.#out.subarray(0, rows);
    return { type: this.type, validity: this.validity(rows), storage: 'i32', values };
  }
}

export class BoundInt64Call extends BoundCall {
  #from: Int32Array = new Int32Array(0);
  #out = new Int32Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    this.#out = new Int32Array(rows * 2);
    if (this.column !== null) this.#from = wordsOf(this.column);
  }

  protected set(slot: number, position: number): void {
    const word = (slot * this.memory.stride + this.at) * 2;
    this.memory.words[word] = this.#from[position * 2] as number;
    this.memory.words[word + 1] = this.#from[position * 2 + 1] as number;
  }

  protected beats(slot: number, position: number): boolean {
    const word = (slot * this.memory.stride + this.at) * 2;
    const held = this.memory.words[word + 1] as number;
    const high = this.#from[position * 2 + 1] as number;
    if (high !== held) return this.sign > 0 ? high > held : high < held;
    const heldLow = (this.memory.words[word] as number) >>> 0;
    const low = (this.#from[position * 2] as number) >>> 0;
    return this.sign > 0 ? low > heldLow : low < heldLow;
  }

  protected show(slot: number, row: number): void {
    const word = (slot * this.memory.stride + this.at) * 2;
    this.#out[row * 2] = this.memory.words[word] as number;
    this.#out[row * 2 + 1] = this.memory.words[word + 1] as number;
  }

  finish(rows: number): Column {
    const values = new BigInt64Array(this.#out.buffer, 0, rows);
    return { type: this.type, validity: this.validity(rows), storage: 'i64', values };
  }
}
