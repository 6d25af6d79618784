// Which values of one key column a comparison with a constant allows, as ranges of key bytes; knows no expression.

import { compareBytes } from '../base/byte-arrays.ts';
import { holdsMap } from '../catalog/rarer-types.ts';
import { type ByteRange, encodeKey, prefixRange, valueRange } from '../data/key.ts';
import { isNumeric, STRING, type Type, type Value } from '../data/type.ts';
import type { Comparison } from '../expr/expr.ts';

/** Values of one key column, null not among them. */
export interface ColumnRange {
  /** Of the bytes of this column alone. */
  readonly range: ByteRange;
  /** The one value in the range; undefined: there may be more. */
  readonly value: Value | undefined;
  /** true: it says all that a single `=`, `<`, `<=`, `>` or `>=` says. */
  readonly isPlain: boolean;
}

const NEVER: readonly ColumnRange[] = [];

/** Doubles beyond this do not tell neighbouring whole numbers apart. */
const EXACT_DOUBLE_MAX = Number.MAX_SAFE_INTEGER;

/** Units of UTF-16 from here on stand in another order than the bytes of their UTF-8. */
const SURROGATE_MIN = 0xd800;

/**
 * The ranges outside of which `column op constant` is true for no value. Null: there is no such bound.
 * @param constant not null
 */
export function columnRanges(
  op: Comparison,
  column: Type,
  constant: { readonly type: Type; readonly value: Value },
): readonly ColumnRange[] | null {
  if (op === '<>') return null;
  if (isNumeric(column) && column.kind !== 'DOUBLE') return wholeRanges(op, column, constant);
  const { value } = constant;
  if (constant.type.kind !== column.kind) return null;
  switch (column.kind) {
    case 'DOUBLE':
      if (typeof value !== 'number' || Number.isNaN(value)) return NEVER;
      // -0 is equal to 0 and has bytes of its own, the neighbours of those of 0.
      if (value === 0)
        return op === '=' ? [one(column, -0), one(column, 0)] : between(op, column, -0, 0);
      return between(op, column, value);
    case 'STRING':
      return op !== '=' && typeof value === 'string'
        ? textRange(op, column, value)
        : between(op, column, value);
    case 'MAP':
      // Entries of equal maps may stand in another order.
      return null;
    case 'ARRAY':
    case 'STRUCT':
      return op === '=' && !holdsMap(column) ? between(op, column, value) : null;
    default:
      return between(op, column, value);
  }
}

/** The bytes of text that begins so. */
function textPrefix(prefix: string): ByteRange {
  // Without the two bytes that end a text: what comes after them may be anything.
  return prefixRange(encodeKey([STRING], [prefix]).subarray(0, -2));
}

/** Text that begins so. */
export function startingWith(prefix: string): ColumnRange {
  return { range: textPrefix(prefix), value: undefined, isPlain: false };
}

/** What both allow; null when they have no value in common. */
export function narrowed(a: ColumnRange, b: ColumnRange): ColumnRange | null {
  const from = ofBoth(a.range.from, b.range.from, (x, y) => (compareBytes(x, y) < 0 ? y : x));
  const to = ofBoth(a.range.to, b.range.to, (x, y) => (compareBytes(x, y) < 0 ? x : y));
  if (from !== null && to !== null && compareBytes(from, to) >= 0) return null;
  const value = a.value === undefined ? b.value : a.value;
  return { range: { from, to }, value, isPlain: false };
}

/** The one of two bounds that counts; null: there is none on that side. */
export function ofBoth<T>(a: T | null, b: T | null, choose: (a: T, b: T) => T): T | null {
  return a === null || b === null ? (a ?? b) : choose(a, b);
}

function one(column: Type, value: Value): ColumnRange {
  const bound = { value, inclusive: true };
  return { range: valueRange(column, bound, bound), value, isPlain: true };
}

function plain(range: ByteRange): readonly ColumnRange[] {
  return [{ range, value: undefined, isPlain: true }];
}

/** @param least the least of the values that count as the constant, `greatest` the greatest: only 0 has two */
function between(
  op: Comparison,
  column: Type,
  least: Value,
  greatest: Value = least,
): readonly ColumnRange[] {
  switch (op) {
    case '<':
      return plain(valueRange(column, null, { value: least, inclusive: false }));
    case '<=':
      return plain(valueRange(column, null, { value: greatest, inclusive: true }));
    case '>':
      return plain(valueRange(column, { value: greatest, inclusive: false }, null));
    case '>=':
      return plain(valueRange(column, { value: least, inclusive: true }, null));
    default:
      return [one(column, least)];
  }
}

/** Up to the first unit whose order is another in bytes, text with that beginning is within the range. */
function textRange(op: Comparison, column: Type, text: string): readonly ColumnRange[] {
  let same = 0;
  while (same < text.length && text.charCodeAt(same) < SURROGATE_MIN) same++;
  if (same === text.length) return between(op, column, text);
  const prefix = textPrefix(text.slice(0, same));
  const all = valueRange(column, null, null);
  return plain(
    op === '<' || op === '<='
      ? { from: all.from, to: prefix.to }
      : { from: prefix.from, to: all.to },
  );
}

/** Whole numbers and decimals: the constant is rounded down to the scale of the column. */
function wholeRanges(
  op: Comparison,
  column: Type,
  constant: { readonly type: Type; readonly value: Value },
): readonly ColumnRange[] | null {
  const floor = floorOf(column, constant);
  if (floor === null) return null;
  const { units, isExact } = floor;
  const { min, max } = boundsOf(column);
  const isLess = op === '<' || op === '<=';
  if (op === '=' && !isExact) return NEVER;
  if (units > max) return isLess ? plain(valueRange(column, null, null)) : NEVER;
  if (units < min) {
    return isLess || op === '=' ? NEVER : plain(valueRange(column, null, null));
  }
  const value = column.kind === 'INTEGER' ? Number(units) : units;
  if (isExact) return between(op, column, value);
  return between(isLess ? '<=' : '>', column, value);
}

function boundsOf(column: Type): { readonly min: bigint; readonly max: bigint } {
  if (column.kind === 'DECIMAL') {
    const max = 10n ** BigInt(column.precision) - 1n;
    return { min: -max, max };
  }
  const max = column.kind === 'INTEGER' ? 2n ** 31n - 1n : 2n ** 63n - 1n;
  return { min: -max - 1n, max };
}

/** The constant in units of the column's last place, rounded down; null where that does not tell what compares how. */
function floorOf(
  column: Type,
  { type, value }: { readonly type: Type; readonly value: Value },
): { readonly units: bigint; readonly isExact: boolean } | null {
  if (type.kind === 'DOUBLE') {
    if (column.kind === 'DECIMAL' || typeof value !== 'number') return null;
    if (!(Math.abs(value) < EXACT_DOUBLE_MAX)) return null;
    return { units: BigInt(Math.floor(value)), isExact: Number.isInteger(value) };
  }
  if (typeof value !== 'bigint' && !Number.isInteger(value)) return null;
  const unscaled = BigInt(value as bigint | number);
  const places =
    (column.kind === 'DECIMAL' ? column.scale : 0) - (type.kind === 'DECIMAL' ? type.scale : 0);
  const power = 10n ** BigInt(Math.abs(places));
  if (places >= 0) return { units: unscaled * power, isExact: true };
  const rest = ((unscaled % power) + power) % power;
  return { units: (unscaled - rest) / power, isExact: rest === 0n };
}
