// AVG over typed columns as loops over slots; knows no group, no window and no output batch.

import { bitAt } from '../data/column.ts';
import {
  doubleOf,
  Float64Call,
  type FoldRows,
  numbersOf,
  subtract,
  wordsOf,
} from './typed-calls.ts';

/** AVG: its cells are the sum and then the count; 0 while no value has come. The sum is exact for whole numbers. */
abstract class AverageCall extends Float64Call {
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

  protected abstract remove(slot: number, position: number): void;
  protected abstract sum(slot: number): number;
}

/** AVG of DOUBLE. */
export class AverageFloat64Call extends AverageCall {
  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { f64, words, stride } = this.memory;
    const { out, at, column } = this;
    if (column === null) return;
    const values = numbersOf(column) as Float64Array;
    const { validity } = column;
    let toRow = row;
    for (let k = from; k < to; k++, toRow++) {
      const cell = (slots[k] as number) * stride + at;
      const position = positions[k] as number;
      const countWord = (cell + 1) * 2;
      let sum = f64[cell] as number;
      let low = words[countWord] as number;
      let high = words[countWord + 1] as number;
      if (validity === null || bitAt(validity, position)) {
        sum += values[position] as number;
        f64[cell] = sum;
        low = (low + 1) | 0;
        words[countWord] = low;
        if (low === 0) words[countWord + 1] = high = (high + 1) | 0;
      }
      const count = doubleOf(low, high);
      out[toRow] = count === 0 ? 0 : sum / count;
    }
  }

  protected remove(slot: number, position: number): void {
    if (this.column === null) return;
    const { f64, stride } = this.memory;
    const cell = slot * stride + this.at;
    f64[cell] = (f64[cell] as number) - (numbersOf(this.column)[position] as number);
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

  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { words, stride } = this.memory;
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      const position = positions[k] as number;
      if (this.isValid(position)) {
        const word = (slot * stride + this.at) * 2;
        const sum = ((words[word] as number) >>> 0) + (this.#low(position) >>> 0);
        words[word] = sum | 0;
        words[word + 1] =
          (words[word + 1] as number) + this.#high(position) + (sum > 0xffff_ffff ? 1 : 0);
        this.step(slot, this.at + 1, 1);
      }
      this.read(slot, row + k - from);
    }
  }

  #low(position: number): number {
    return (this.#numbers === null ? this.#words[position * 2] : this.#numbers[position]) as number;
  }

  #high(position: number): number {
    if (this.#numbers !== null) return (this.#numbers[position] as number) >> 31;
    return this.#words[position * 2 + 1] as number;
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
