// MIN and MAX over typed columns as loops over slots; knows no group, no window and no output batch.

import { bitAt, bitmap, type Bitmap, type Column, setBit } from '../data/column.ts';
import type { Type } from '../data/type.ts';
import { compareDoubles } from '../expr/compare.ts';
import { SlotMemory } from './slot-memory.ts';
import { type FoldRows, numbersOf, TypedCall, wordsOf } from './typed-calls.ts';

/** MIN or MAX: null until a value has come. Doubles are in Java's order: -0.0 below 0.0, NaN above all. */
abstract class BoundCall extends TypedCall {
  /** 1 for MAX, -1 for MIN. */
  protected readonly sign: 1 | -1;
  /** The word of a slot with this cell's present bit, and the bit. */
  protected readonly word: number;
  protected readonly bit: number;
  #nulls: Bitmap | null = null;
  #rows = 0;

  constructor(memory: SlotMemory, type: Type, firstCell: number, bound: 'MIN' | 'MAX') {
    super(memory, type, firstCell);
    this.sign = bound === 'MAX' ? 1 : -1;
    this.word = SlotMemory.presentWordOf(firstCell);
    this.bit = 1 << (firstCell & 31);
  }

  protected start(rows: number): void {
    this.#nulls = null;
    this.#rows = rows;
  }

  protected isPresent(slot: number): boolean {
    const { words, stride } = this.memory;
    return ((words[slot * stride * 2 + this.word] as number) & this.bit) !== 0;
  }

  protected markNull(row: number): void {
    setBit((this.#nulls ??= bitmap(this.#rows)), row);
  }

  /** Validity of the results: what is not known to be null. */
  protected validity(rows: number): Bitmap | null {
    const nulls = this.#nulls;
    if (nulls === null) return null;
    const valid = bitmap(rows);
    for (let row = 0; row < rows; row++) if (!bitAt(nulls, row)) setBit(valid, row);
    return valid;
  }

  take(): void {
    // The registry says that MIN and MAX have no undo, so that no plan comes here.
  }
}

/** MIN and MAX of DOUBLE and TIMESTAMP. */
export class BoundFloat64Call extends BoundCall {
  #out = new Float64Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    this.#out = new Float64Array(rows);
  }

  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { f64, words, stride } = this.memory;
    const { at, column, sign, word: presentWord, bit } = this;
    const out = this.#out;
    if (column === null) return;
    const values = numbersOf(column) as Float64Array;
    const { validity } = column;
    let toRow = row;
    for (let k = from; k < to; k++, toRow++) {
      const slotAt = (slots[k] as number) * stride;
      const position = positions[k] as number;
      const word = slotAt * 2 + presentWord;
      const present = words[word] as number;
      const isPresent = (present & bit) !== 0;
      let held = f64[slotAt + at] as number;
      if (validity === null || bitAt(validity, position)) {
        const value = values[position] as number;
        const beats = sign > 0 ? value > held : value < held;
        const loses = sign > 0 ? value < held : value > held;
        // Neither: they are equal, or zeros, or a NaN is among them.
        if (!isPresent || beats || (!loses && compareDoubles(value, held) * sign > 0)) {
          // Every NaN is stored as the same bits.
          held = value === value ? value : NaN;
          f64[slotAt + at] = held;
          words[word] = present | bit;
        }
        out[toRow] = held;
      } else if (isPresent) out[toRow] = held;
      else this.markNull(toRow);
    }
  }

  read(slot: number, row: number): void {
    if (!this.isPresent(slot)) this.markNull(row);
    else this.#out[row] = this.memory.f64[slot * this.memory.stride + this.at] as number;
  }

  finish(rows: number): Column {
    const values = this.#out.subarray(0, rows);
    return { type: this.type, validity: this.validity(rows), storage: 'f64', values };
  }
}

/** MIN and MAX of INTEGER, DATE and TIME: the cell is sign-extended. */
export class BoundInt32Call extends BoundCall {
  #out = new Int32Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    this.#out = new Int32Array(rows);
  }

  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { words, stride } = this.memory;
    const { at, column, sign, word: presentWord, bit } = this;
    const out = this.#out;
    if (column === null) return;
    const values = numbersOf(column) as Int32Array;
    const { validity } = column;
    let toRow = row;
    for (let k = from; k < to; k++, toRow++) {
      const slotWord = (slots[k] as number) * stride * 2;
      const position = positions[k] as number;
      const present = words[slotWord + presentWord] as number;
      const isPresent = (present & bit) !== 0;
      const cell = slotWord + at * 2;
      if (validity === null || bitAt(validity, position)) {
        const value = values[position] as number;
        const held = words[cell] as number;
        if (!isPresent || (sign > 0 ? value > held : value < held)) {
          words[cell] = value;
          words[cell + 1] = value >> 31;
          words[slotWord + presentWord] = present | bit;
        }
        out[toRow] = words[cell] as number;
      } else if (isPresent) out[toRow] = words[cell] as number;
      else this.markNull(toRow);
    }
  }

  read(slot: number, row: number): void {
    if (!this.isPresent(slot)) this.markNull(row);
    else this.#out[row] = this.memory.words[(slot * this.memory.stride + this.at) * 2] as number;
  }

  finish(rows: number): Column {
    const values = this.#out.subarray(0, rows);
    return { type: this.type, validity: this.validity(rows), storage: 'i32', values };
  }
}

/** MIN and MAX of BIGINT, by words. */
export class BoundInt64Call extends BoundCall {
  #from: Int32Array = new Int32Array(0);
  #out = new Int32Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    this.#out = new Int32Array(rows * 2);
    if (this.column !== null) this.#from = wordsOf(this.column);
  }

  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { words, stride } = this.memory;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const position = positions[k] as number;
      if (this.isValid(position) && (!this.isPresent(slot) || this.#beats(slot, position))) {
        const cell = (slot * stride + this.at) * 2;
        words[cell] = this.#from[position * 2] as number;
        words[cell + 1] = this.#from[position * 2 + 1] as number;
        const word = slot * stride * 2 + this.word;
        words[word] = (words[word] as number) | this.bit;
      }
      this.read(slot, row + k - from);
    }
  }

  #beats(slot: number, position: number): boolean {
    const cell = (slot * this.memory.stride + this.at) * 2;
    const held = this.memory.words[cell + 1] as number;
    const high = this.#from[position * 2 + 1] as number;
    if (high !== held) return this.sign > 0 ? high > held : high < held;
    const heldLow = (this.memory.words[cell] as number) >>> 0;
    const low = (this.#from[position * 2] as number) >>> 0;
    return this.sign > 0 ? low > heldLow : low < heldLow;
  }

  read(slot: number, row: number): void {
    if (!this.isPresent(slot)) {
      this.markNull(row);
      return;
    }
    const cell = (slot * this.memory.stride + this.at) * 2;
    this.#out[row * 2] = this.memory.words[cell] as number;
    this.#out[row * 2 + 1] = this.memory.words[cell + 1] as number;
  }

  finish(rows: number): Column {
    const values = new BigInt64Array(this.#out.buffer, 0, rows);
    return { type: this.type, validity: this.validity(rows), storage: 'i64', values };
  }
}
