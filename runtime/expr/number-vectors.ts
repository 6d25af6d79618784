// Typed loops over whole columns for division by constants, casts between numbers, IN and CASE; knows no expression tree. None of them can fail.

import { bitAt, bitmap, type Column, setBit } from '../data/column.ts';
import { wordsOf } from '../data/dense.ts';
import type { Type } from '../data/type.ts';
import { type ColumnOf, truths } from './vectors.ts';

/** Columns of numbers. */
export type Numbers = ColumnOf<'f64'> | ColumnOf<'i32'> | ColumnOf<'i64'>;

/** Division, which truncates, or its rest, by a number that is not 0. */
export function divideI32(
  op: '/' | '%',
  type: Type,
  left: ColumnOf<'i32'>,
  divisor: number,
): Column {
  const a = left.values;
  const values = new Int32Array(a.length);
  if (op === '/') {
    for (let i = 0; i < values.length; i++) values[i] = (a[i] as number) / divisor;
  } else for (let i = 0; i < values.length; i++) values[i] = (a[i] as number) % divisor;
  return { type, validity: left.validity, storage: 'i32', values };
}

/** As `divideI32`. */
export function divideI64(
  op: '/' | '%',
  type: Type,
  left: ColumnOf<'i64'>,
  divisor: bigint,
): Column {
  const a = left.values;
  const values = new BigInt64Array(a.length);
  if (op === '/') {
    for (let i = 0; i < values.length; i++) {
      values[i] = BigInt.asIntN(64, (a[i] as bigint) / divisor);
    }
  } else {
    for (let i = 0; i < values.length; i++) {
      values[i] = BigInt.asIntN(64, (a[i] as bigint) % divisor);
    }
  }
  return { type, validity: left.validity, storage: 'i64', values };
}

/** INTEGER and BIGINT to DOUBLE, rounded once. */
export function toF64(type: Type, from: ColumnOf<'i32'> | ColumnOf<'i64'>): Column {
  const { validity } = from;
  if (from.storage === 'i32') {
    return { type, validity, storage: 'f64', values: Float64Array.from(from.values) };
  }
  const words = wordsOf(from.values);
  const values = new Float64Array(from.values.length);
  for (let i = 0; i < values.length; i++) {
    const low = (words[i * 2] as number) >>> 0;
    values[i] = (words[i * 2 + 1] as number) * 0x1_0000_0000 + low;
  }
  return { type, validity, storage: 'f64', values };
}

/** INTEGER to BIGINT. */
export function toI64(type: Type, from: ColumnOf<'i32'>): Column {
  const a = from.values;
  const values = new BigInt64Array(a.length);
  const words = wordsOf(values);
  for (let i = 0; i < a.length; i++) {
    words[i * 2] = a[i] as number;
    words[i * 2 + 1] = (a[i] as number) >> 31;
  }
  return { type, validity: from.validity, storage: 'i64', values };
}

/** BIGINT, which wraps, and DOUBLE, which is cut and saturates, to INTEGER. */
export function toI32(type: Type, from: ColumnOf<'i64'> | ColumnOf<'f64'>): Column {
  const values = new Int32Array(from.values.length);
  if (from.storage === 'i64') {
    const words = wordsOf(from.values);
    for (let i = 0; i < values.length; i++) values[i] = words[i * 2] as number;
  } else {
    // Storing into the array cuts, and makes 0 of a NaN.
    const a = from.values;
    for (let i = 0; i < values.length; i++) {
      values[i] = Math.min(2_147_483_647, Math.max(-2_147_483_648, a[i] as number));
    }
  }
  return { type, validity: from.validity, storage: 'i32', values };
}

/** The opposite; whole numbers wrap. */
export function negated(type: Type, from: Numbers): Column {
  const { validity } = from;
  switch (from.storage) {
    case 'f64':
      return { type, validity, storage: 'f64', values: from.values.map((value) => -value) };
    case 'i32':
      return { type, validity, storage: 'i32', values: from.values.map((value) => -value) };
    case 'i64':
      return {
        type,
        validity,
        storage: 'i64',
        values: from.values.map((value) => BigInt.asIntN(64, -value)),
      };
  }
}

/** Which rows have one of the items; a null has none. */
export function within(from: Numbers, items: readonly (number | bigint)[]): Column {
  const values = new Uint8Array(from.values.length);
  if (from.storage === 'i64') {
    const wanted = items.map(BigInt);
    for (const item of wanted) markI64(from.values, item, values);
  } else if (from.storage === 'i32') {
    for (const item of items) markI32(from.values, Number(item), values);
  } else for (const item of items) markF64(from.values, Number(item), values);
  return truths(values, from.validity, null);
}

// One loop per storage, so that each sees one kind of array.

function markF64(a: Float64Array, item: number, values: Uint8Array): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] as number) | Number((a[i] as number) === item);
  }
}

function markI32(a: Int32Array, item: number, values: Uint8Array): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] as number) | Number((a[i] as number) === item);
  }
}

function markI64(a: BigInt64Array, item: bigint, values: Uint8Array): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] as number) | Number((a[i] as bigint) === item);
  }
}

/** A branch of a CASE: its condition, and the values of the rows for which it is the first that is true. */
export interface Branch<S extends 'f64' | 'i32' | 'i64' | 'u8'> {
  readonly when: ColumnOf<'u8'>;
  readonly then: ColumnOf<S>;
}

/** The values of the branches taken; `otherwise` null: no branch gives null. */
export function chosen<S extends 'f64' | 'i32' | 'i64' | 'u8'>(
  type: Type,
  branches: readonly Branch<S>[],
  otherwise: ColumnOf<S> | null,
  make: (rows: number) => ColumnOf<S>['values'],
  rows: number,
): Column {
  /** One more than the number of the branch taken, 0 for none. */
  const taken = new Uint8Array(rows);
  for (let b = branches.length - 1; b >= 0; b--) {
    const { values, validity } = (branches[b] as Branch<S>).when;
    for (let i = 0; i < rows; i++) {
      if (values[i] === 1 && (validity === null || bitAt(validity, i))) taken[i] = b + 1;
    }
  }
  const columns = [otherwise, ...branches.map(({ then }) => then)];
  const isNullable = columns.some((column) => column === null || column.validity !== null);
  const validity = isNullable ? bitmap(rows) : null;
  const values = make(rows);
  for (const [index, column] of columns.entries()) {
    if (column === null) continue;
    const from = column.values;
    for (let i = 0; i < rows; i++) {
      if (taken[i] !== index) continue;
      values[i] = from[i] as never;
      if (validity !== null && (column.validity === null || bitAt(column.validity, i))) {
        setBit(validity, i);
      }
    }
  }
  const storage = (branches[0] as Branch<S>).then.storage;
  return { type, validity, storage, values } as Column;
}
