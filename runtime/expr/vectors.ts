// Typed loops of comparison, arithmetic and logic over whole columns; knows no expression tree. None of them can fail.

import type { Batch } from '../data/batch.ts';
import { bitAt, type Bitmap, bitmap, type Column, isNull, setBit } from '../data/column.ts';
import { wordsOf } from '../data/dense.ts';
import { BOOLEAN, type Type } from '../data/type.ts';
import type { Arithmetic, Comparison } from './expr.ts';

export type Storage = Column['storage'];
export type ColumnOf<S extends Storage> = Column & { readonly storage: S };

/** Rows of the batch's arrays: every result is as long, so that positions stay what they are. */
export function arrayRows(batch: Batch): number {
  return batch.rowtime.length;
}

/**
 * For which outcomes a comparison holds, 1 or 0 each, so that no branch depends on values. `invert` turns the result round: `<>`
 * is not `=`, for a NaN too.
 */
function truthOf(
  op: Comparison,
): readonly [less: number, equal: number, greater: number, invert: number] {
  switch (op) {
    case '=':
      return [0, 1, 0, 0];
    case '<>':
      return [0, 1, 0, 1];
    case '<':
      return [1, 0, 0, 0];
    case '<=':
      return [1, 1, 0, 0];
    case '>':
      return [0, 0, 1, 0];
    case '>=':
      return [0, 1, 1, 0];
  }
}

/** A BOOLEAN column without nulls, but false where a bitmap says that an operand is null. */
export function truths(
  values: Uint8Array,
  left: Bitmap | null,
  right: Bitmap | null,
): ColumnOf<'u8'> {
  const valid = bothValid(left, right);
  if (valid !== null) {
    for (let i = 0; i < values.length; i++) if (!bitAt(valid, i)) values[i] = 0;
  }
  return { type: BOOLEAN, validity: null, storage: 'u8', values };
}

/** Valid where both are. */
function bothValid(left: Bitmap | null, right: Bitmap | null): Bitmap | null {
  if (left === null) return right;
  if (right === null || left === right) return left;
  const valid = new Uint8Array(left.length);
  for (let i = 0; i < valid.length; i++) valid[i] = (left[i] as number) & (right[i] as number);
  return valid;
}

/** How far a right side goes on with a row: 0 where it is one value for all. */
function strideOf({ length }: ArrayLike<unknown>): number {
  return Number(length !== 1);
}

// One loop per storage, so that each sees one kind of array. A loop covers all positions, chosen or not: that costs less
// than following the selection, and a result at a position that does not count is never read.

export function compareF64(op: Comparison, left: ColumnOf<'f64'>, right: ColumnOf<'f64'>): Column {
  const [less, equal, greater, invert] = truthOf(op);
  const a = left.values;
  const b = right.values;
  const values = new Uint8Array(a.length);
  const by = strideOf(b);
  for (let i = 0, j = 0; i < values.length; i++, j += by) {
    const x = a[i] as number;
    const y = b[j] as number;
    values[i] =
      ((Number(x < y) & less) | (Number(x === y) & equal) | (Number(x > y) & greater)) ^ invert;
  }
  return truths(values, left.validity, right.validity);
}

export function compareI32(op: Comparison, left: ColumnOf<'i32'>, right: ColumnOf<'i32'>): Column {
  const [less, equal, greater, invert] = truthOf(op);
  const a = left.values;
  const b = right.values;
  const values = new Uint8Array(a.length);
  const by = strideOf(b);
  for (let i = 0, j = 0; i < values.length; i++, j += by) {
    const x = a[i] as number;
    const y = b[j] as number;
    values[i] =
      ((Number(x < y) & less) | (Number(x === y) & equal) | (Number(x > y) & greater)) ^ invert;
  }
  return truths(values, left.validity, right.validity);
}

/** By their words, the lower first: a loop that is not compiled yet would make two bigints a row. */
export function compareI64(op: Comparison, left: ColumnOf<'i64'>, right: ColumnOf<'i64'>): Column {
  const [less, equal, greater, invert] = truthOf(op);
  const a = wordsOf(left.values);
  const b = wordsOf(right.values);
  const values = new Uint8Array(left.values.length);
  const by = strideOf(right.values) * 2;
  for (let i = 0, at = 0, j = 0; i < values.length; i++, at += 2, j += by) {
    const x = a[at + 1] as number;
    const y = b[j + 1] as number;
    const same = Number(x === y);
    const low = (a[at] as number) >>> 0;
    const other = (b[j] as number) >>> 0;
    values[i] =
      (((Number(x < y) | (same & Number(low < other))) & less) |
        (same & Number(low === other) & equal) |
        ((Number(x > y) | (same & Number(low > other))) & greater)) ^
      invert;
  }
  return truths(values, left.validity, right.validity);
}

/** Compares strings in dictionary codes with one text: each entry is compared once, then rows look their code up. */
export function compareEntries(
  left: ColumnOf<'dictionary'>,
  holds: (text: string) => boolean,
): Column {
  const { dictionary, values: codes } = left;
  const UNKNOWN = 2;
  const known = new Uint8Array(dictionary.size).fill(UNKNOWN);
  const values = new Uint8Array(codes.length);
  for (let i = 0; i < values.length; i++) {
    if (left.validity !== null && !bitAt(left.validity, i)) continue;
    const code = codes[i] as number;
    let truth = known[code] as number;
    if (truth === UNKNOWN) {
      truth = holds(dictionary.text(code)) ? 1 : 0;
      known[code] = truth;
    }
    values[i] = truth;
  }
  return { type: BOOLEAN, validity: null, storage: 'u8', values };
}

export function arithmeticF64(
  op: Arithmetic,
  type: Type,
  left: ColumnOf<'f64'>,
  right: ColumnOf<'f64'>,
): Column {
  const a = left.values;
  const b = right.values;
  const values = new Float64Array(a.length);
  const rows = values.length;
  switch (op) {
    case '+':
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) + (b[i] as number);
      break;
    case '-':
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) - (b[i] as number);
      break;
    case '*':
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) * (b[i] as number);
      break;
    case '/':
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) / (b[i] as number);
      break;
    case '%':
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) % (b[i] as number);
      break;
  }
  return { type, validity: bothValid(left.validity, right.validity), storage: 'f64', values };
}

/** Not for division: a divisor may be 0. */
export function arithmeticI32(
  op: '+' | '-' | '*',
  type: Type,
  left: ColumnOf<'i32'>,
  right: ColumnOf<'i32'>,
): Column {
  const a = left.values;
  const b = right.values;
  const values = new Int32Array(a.length);
  const rows = values.length;
  switch (op) {
    case '+':
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) + (b[i] as number);
      break;
    case '-':
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) - (b[i] as number);
      break;
    case '*':
      for (let i = 0; i < rows; i++) values[i] = Math.imul(a[i] as number, b[i] as number);
      break;
  }
  return { type, validity: bothValid(left.validity, right.validity), storage: 'i32', values };
}

/** Not for division: a divisor may be 0. Storing into the array wraps to 64 bits. */
export function arithmeticI64(
  op: '+' | '-' | '*',
  type: Type,
  left: ColumnOf<'i64'>,
  right: ColumnOf<'i64'>,
): Column {
  const a = left.values;
  const b = right.values;
  const values = new BigInt64Array(a.length);
  const rows = values.length;
  switch (op) {
    case '+':
      for (let i = 0; i < rows; i++)
        values[i] = BigInt.asIntN(64, (a[i] as bigint) + (b[i] as bigint));
      break;
    case '-':
      for (let i = 0; i < rows; i++)
        values[i] = BigInt.asIntN(64, (a[i] as bigint) - (b[i] as bigint));
      break;
    case '*':
      for (let i = 0; i < rows; i++)
        values[i] = BigInt.asIntN(64, (a[i] as bigint) * (b[i] as bigint));
      break;
  }
  return { type, validity: bothValid(left.validity, right.validity), storage: 'i64', values };
}

/** AND and OR of three truth values. */
export function logic(op: 'AND' | 'OR', left: ColumnOf<'u8'>, right: ColumnOf<'u8'>): Column {
  const a = left.values;
  const b = right.values;
  const rows = a.length;
  const values = new Uint8Array(rows);
  if (left.validity === null && right.validity === null) {
    if (op === 'AND')
      for (let i = 0; i < rows; i++) values[i] = (a[i] as number) & (b[i] as number);
    else for (let i = 0; i < rows; i++) values[i] = (a[i] as number) | (b[i] as number);
    return { type: BOOLEAN, validity: null, storage: 'u8', values };
  }
  const decides = op === 'AND' ? 0 : 1;
  const validity = bitmap(rows);
  for (let i = 0; i < rows; i++) {
    const x = left.validity === null || bitAt(left.validity, i) ? (a[i] as number) : -1;
    const y = right.validity === null || bitAt(right.validity, i) ? (b[i] as number) : -1;
    if (x === decides || y === decides) {
      values[i] = decides;
      setBit(validity, i);
    } else if (x >= 0 && y >= 0) {
      values[i] = 1 - decides;
      setBit(validity, i);
    }
  }
  return { type: BOOLEAN, validity, storage: 'u8', values };
}

export function not(argument: ColumnOf<'u8'>): Column {
  const from = argument.values;
  const values = new Uint8Array(from.length);
  for (let i = 0; i < values.length; i++) values[i] = 1 - (from[i] as number);
  return { type: BOOLEAN, validity: argument.validity, storage: 'u8', values };
}

export function nulls(argument: Column, negated: boolean, rows: number): Column {
  const values = new Uint8Array(rows);
  const whenNull = negated ? 0 : 1;
  for (let i = 0; i < rows; i++) values[i] = isNull(argument, i) ? whenNull : 1 - whenNull;
  return { type: BOOLEAN, validity: null, storage: 'u8', values };
}
