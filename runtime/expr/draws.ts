// Random numbers that what is drawn for decides: the input, the row, the call's place; knows no task and no row.

import { encodeUtf8 } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import { valueAt } from '../data/column.ts';

const WARM_UP_ROUNDS = 12;

/** Mixes 32 bits. Source: the finalizer of MurmurHash3. */
function mixed(bits: number): number {
  let h = bits | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** 128 bits of a text, in words. Each byte goes into each of them, and each depends on the others. */
function wordsOf(text: string): Int32Array {
  const words = Int32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667);
  for (const byte of encodeUtf8(text)) {
    let carried = byte;
    for (let i = 0; i < 4; i++) {
      carried = Math.imul((words[i] as number) ^ carried, 0x01000193 + i * 0x5bd1e994);
      carried ^= carried >>> 15;
      words[i] = carried;
    }
  }
  for (let round = 0; round < 8; round++) {
    const at = round & 3;
    words[at] = mixed((words[at] as number) + (words[(at + 3) & 3] as number));
  }
  return words;
}

/** What numbers are drawn for, beside the row. */
interface Input {
  /** Of rows that a record triggered. */
  readonly seed: string;
  /** Of others. */
  readonly idleSeed?: string | undefined;
  /** Offset of the record that rows of origin 0 came from. */
  readonly firstOffset?: number | undefined;
}

/** Rows that numbers are drawn for. */
type DrawnRows = Pick<Batch, 'origin' | 'rowtime'> & Partial<Pick<Batch, 'schema' | 'columns'>>;

/** The key of a row, with its window, as a text that no other key has. */
function keyText({ schema, columns = [] }: DrawnRows, position: number): string {
  const keys = columns.filter((_, at) => schema?.columns[at]?.role !== 'value');
  const values = keys.map((column) => valueAt(column, position));
  return JSON.stringify(values, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
}

/**
 * A generator with 128 bits of state that begins anew for each record: rows of one record draw one after the other. A row that no record
 * triggered has its key and its rowtime in the place of the offset. Source: sfc32 of PractRand, whose state is seeded in full.
 */
export class Draws {
  readonly #place: string;
  #seed = '';
  #row = NaN;
  #words: Int32Array = new Int32Array(4);
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  /** @param place tells the expressions of a task apart */
  constructor(place: string) {
    this.#place = place;
  }

  /** A number in [0, 1) of 53 bits for the row at that position. */
  draw({ seed, idleSeed = '', firstOffset = 0 }: Input, rows: DrawnRows, position: number): number {
    const { origin, rowtime } = rows;
    const own = origin === null ? `${idleSeed} ${keyText(rows, position)}` : seed;
    const row = origin === null ? rowtime[position] : firstOffset + (origin[position] ?? 0);
    this.#turn(own, row ?? 0);
    const high = this.#next() >>> 5;
    return (high * 0x400_0000 + (this.#next() >>> 6)) / 2 ** 53;
  }

  #turn(seed: string, row: number): void {
    if (seed === this.#seed && row === this.#row) return;
    if (seed !== this.#seed || Number.isNaN(this.#row))
      this.#words = wordsOf(`${seed} ${this.#place}`);
    this.#seed = seed;
    this.#row = row;
    const [a, b, c, d] = this.#words as unknown as readonly [number, number, number, number];
    this.#a = a ^ row;
    this.#b = b ^ Math.floor(row / 0x1_0000_0000);
    this.#c = c;
    this.#counter = d;
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.#next();
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum;
  }
}
