// Builders of columns, one per storage: values are appended, rolled back and finished; knows no schema and no format.

import { ByteWriter } from '../base/bytes.ts';
import { InvariantError } from '../base/errors.ts';
import { grown } from '../base/grown.ts';
import type { Bitmap, Column } from './column.ts';
import { Interner } from './interner.ts';
import { RARER_VALUES } from './parts.ts';
import { type Type, type Value, typeText } from './type.ts';

const FIRST_CAPACITY_ROWS = 8;

/**
 * Builds one column, again and again: after `finish` it is empty and ready for the next batch.
 *
 * `append` takes any value of the type; the typed appends are for decoders, which know what they hold, and each type
 * has its own: `appendNumber` (INTEGER, TIME, DATE, DOUBLE, TIMESTAMP, and BIGINT for integers within 2^53),
 * `appendBigint` (BIGINT), `appendBoolean` (BOOLEAN), `appendUtf8` and `appendText` (STRING). The wrong one is an
 * InvariantError. The value of a null row is 0, so that the same rows always encode to the same bytes.
 */
export abstract class ColumnBuilder {
  readonly type: Type;
  /** Rows appended since the last `finish`. */
  length = 0;
  #validity: Uint8Array<ArrayBuffer> | null = null;
  #nulls = 0;

  constructor(type: Type) {
    this.type = type;
  }

  append(value: Value): void {
    if (value === null) this.appendNull();
    else if (typeof value === 'number') this.appendNumber(value);
    else if (typeof value === 'bigint') this.appendBigint(value);
    else if (typeof value === 'string') this.appendText(value);
    else if (typeof value === 'boolean') this.appendBoolean(value);
    else throw this.wrong(value);
  }

  /** Writes the value that stands in a null row. */
  protected abstract appendZero(): void;
  /** The column of the rows so far. */
  protected abstract take(rows: number, validity: Bitmap | null): Column;

  appendNumber(value: number): void {
    throw this.wrong(value);
  }

  appendBigint(value: bigint): void {
    throw this.wrong(value);
  }

  appendBoolean(value: boolean): void {
    throw this.wrong(value);
  }

  /** Appends the text whose UTF-8 is `from .. to` of `bytes`; it must be well-formed. */
  appendUtf8(_bytes: Uint8Array, _from: number, _to: number): void {
    throw this.wrong('');
  }

  appendText(value: string): void {
    throw this.wrong(value);
  }

  appendNull(): void {
    const row = this.length;
    let bits = this.#validity;
    if (bits === null || row >> 3 >= bits.length) {
      // Bits are set until a null clears one; rows that are valid need not touch them.
      const grown = new Uint8Array(Math.max(8, (row >> 3) * 2)).fill(0xff);
      if (bits !== null) grown.set(bits);
      this.#validity = bits = grown;
    }
    bits[row >> 3] = (bits[row >> 3] as number) & ~(1 << (row & 7));
    this.#nulls++;
    this.appendZero();
  }

  /** True when the row, which has been appended, is null. */
  protected isNullRow(row: number): boolean {
    const bits = this.#validity;
    return (
      bits !== null &&
      row >> 3 < bits.length &&
      ((bits[row >> 3] as number) & (1 << (row & 7))) === 0
    );
  }

  /** Forgets the rows from `length` on; a decoder's record that fails is rolled back so. */
  truncate(length: number): void {
    const bits = this.#validity;
    if (bits !== null) {
      for (let row = length; row < this.length; row++) {
        if (!this.isNullRow(row)) continue;
        bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
        this.#nulls--;
      }
    }
    this.length = length;
  }

  /** The column; the builder is empty afterwards. */
  finish(): Column {
    const rows = this.length;
    const column = this.take(rows, this.#nulls === 0 ? null : this.#finishedValidity(rows));
    this.length = 0;
    this.#validity = null;
    this.#nulls = 0;
    return column;
  }

  #finishedValidity(rows: number): Bitmap {
    const size = (rows + 7) >> 3;
    const whole = new Uint8Array(size).fill(0xff);
    whole.set((this.#validity as Uint8Array).subarray(0, size));
    if ((rows & 7) !== 0) whole[size - 1] = (whole[size - 1] as number) & ((1 << (rows & 7)) - 1);
    return whole;
  }

  protected wrong(value: Value): InvariantError {
    return new InvariantError(`a ${typeof value} is no ${typeText(this.type)}`);
  }
}

/** The builder for columns of that type, with the storage of `storageOf` (a dictionary for STRING). @throws {PartMissing} */
export function columnBuilder(type: Type): ColumnBuilder {
  switch (type.kind) {
    case 'DOUBLE':
    case 'TIMESTAMP':
      return new Float64ColumnBuilder(type);
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      return new Int32ColumnBuilder(type);
    case 'BIGINT':
      return new Int64ColumnBuilder(type);
    case 'STRING':
      return new StringColumnBuilder(type);
    default:
      return RARER_VALUES.code.rarerBuilder(type);
  }
}

type Numbers =
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>;

/** What builders over one array share; each appends by itself, so that its stores are of one kind. */
export abstract class ArrayColumnBuilder<Values extends Numbers> extends ColumnBuilder {
  protected values: Values;

  constructor(type: Type, made: new (length: number) => Values) {
    super(type);
    this.values = new made(0);
  }

  /** Makes room for more rows. */
  protected grow(): void {
    this.values = grown(this.values, Math.max(FIRST_CAPACITY_ROWS, this.length * 2));
  }

  /** A copy of the values of the rows: room for the next batch is there, and a copy of a few rows is much less than what is made with a buffer. */
  protected taken(rows: number): Values {
    return this.values.slice(0, rows) as Values;
  }
}

class Float64ColumnBuilder extends ArrayColumnBuilder<Float64Array<ArrayBuffer>> {
  constructor(type: Type) {
    super(type, Float64Array);
  }

  override appendNumber(value: number): void {
    if (this.length === this.values.length) this.grow();
    this.values[this.length++] = value;
  }

  protected appendZero(): void {
    this.appendNumber(0);
  }

  protected take(rows: number, validity: Bitmap | null): Column {
    return { type: this.type, validity, storage: 'f64', values: this.taken(rows) };
  }
}

class Int32ColumnBuilder extends ArrayColumnBuilder<Int32Array<ArrayBuffer>> {
  constructor(type: Type) {
    super(type, Int32Array);
  }

  override appendNumber(value: number): void {
    if (this.length === this.values.length) this.grow();
    this.values[this.length++] = value;
  }

  protected appendZero(): void {
    this.appendNumber(0);
  }

  protected take(rows: number, validity: Bitmap | null): Column {
    return { type: this.type, validity, storage: 'i32', values: this.taken(rows) };
  }
}

class Int64ColumnBuilder extends ArrayColumnBuilder<BigInt64Array<ArrayBuffer>> {
  /** The same bytes as pairs of words, low first: a number is stored without making a bigint. */
  #words = new Int32Array(0);

  constructor(type: Type) {
    super(type, BigInt64Array);
  }

  override append(value: Value): void {
    if (typeof value === 'number') throw this.wrong(value);
    super.append(value);
  }

  override appendBigint(value: bigint): void {
    if (this.length === this.values.length) this.grow();
    this.values[this.length++] = value;
  }

  override appendNumber(value: number): void {
    if (this.length === this.values.length) this.grow();
    const at = this.length++ * 2;
    this.#words[at] = value | 0;
    this.#words[at + 1] = Math.floor(value / 0x1_0000_0000);
  }

  protected appendZero(): void {
    this.appendNumber(0);
  }

  protected override grow(): void {
    super.grow();
    this.#words = new Int32Array(this.values.buffer);
  }

  protected take(rows: number, validity: Bitmap | null): Column {
    return { type: this.type, validity, storage: 'i64', values: this.taken(rows) };
  }
}

class StringColumnBuilder extends ArrayColumnBuilder<Uint32Array<ArrayBuffer>> {
  /** Entries before each row, so that a row is rolled back with the entry that it brought. */
  #sizes = new Uint32Array(0);
  readonly #entries = new Interner();
  readonly #scratch = new ByteWriter(64);

  constructor(type: Type) {
    super(type, Uint32Array);
  }

  override appendUtf8(bytes: Uint8Array, from: number, to: number): void {
    const row = this.length;
    if (row === this.values.length) this.grow();
    this.#sizes[row] = this.#entries.size;
    this.values[row] = this.#entries.intern(bytes, from, to);
    this.length = row + 1;
  }

  override appendText(value: string): void {
    const scratch = this.#scratch;
    scratch.truncate(0);
    scratch.utf8(value);
    this.appendUtf8(scratch.buffer, 0, scratch.position);
  }

  protected appendZero(): void {
    const row = this.length;
    if (row === this.values.length) this.grow();
    this.#sizes[row] = this.#entries.size;
    this.values[row] = 0;
    this.length = row + 1;
  }

  protected override grow(): void {
    super.grow();
    this.#sizes = grown(this.#sizes, this.values.length);
  }

  override truncate(length: number): void {
    if (length === this.length) return;
    super.truncate(length);
    this.#entries.truncate(this.#sizes[length] as number);
  }

  protected take(rows: number, validity: Bitmap | null): Column {
    const values = this.taken(rows);
    // A column of nulls still has an entry for its zero codes to point at.
    if (this.#entries.size === 0) this.#entries.intern(this.#scratch.buffer, 0, 0);
    const dictionary = this.#entries.finish();
    return { type: this.type, validity, storage: 'dictionary', values, dictionary };
  }
}
