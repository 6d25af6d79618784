// Equality and order of SQL values of one type; knows no columns and no expressions.

import { compareBytes } from '../base/byte-arrays.ts';
import type { Type, Value } from '../data/type.ts';
import { valueEquals } from '../data/value.ts';
import { compareDecimals } from './decimal.ts';

/**
 * Orders two non-null values: negative, 0 or positive; NaN when they are unordered (a NaN among them). Strings stand in
 * the order of their UTF-16 units, bytes as unsigned numbers, false before true; collections compare as equal or not (0 or 1).
 */
export function comparator(left: Type, right: Type): (a: Value, b: Value) => number {
  if (left.kind === 'DECIMAL' && right.kind === 'DECIMAL' && left.scale !== right.scale) {
    const { scale } = left;
    const other = right.scale;
    return (a, b) => compareDecimals(a as bigint, scale, b as bigint, other);
  }
  if (left.kind === 'BYTES') return (a, b) => compareBytes(a as Uint8Array, b as Uint8Array);
  if (left.kind === 'ARRAY' || left.kind === 'MAP' || left.kind === 'STRUCT') {
    return (a, b) => (valueEquals(a, b) ? 0 : 1);
  }
  return comparePrimitives;
}

function comparePrimitives(a: Value, b: Value): number {
  const left = a as number | bigint | string | boolean;
  const right = b as number | bigint | string | boolean;
  return left < right ? -1 : left > right ? 1 : left === right ? 0 : NaN;
}

/** As `comparator`, but with Java's order of doubles, in which all are ordered. */
export function orderOf(left: Type, right: Type = left): (a: Value, b: Value) => number {
  if (left.kind !== 'DOUBLE') return comparator(left, right);
  return (a, b) => compareDoubles(a as number, b as number);
}

/** Java's order of doubles: -0.0 below 0.0, NaN above all and equal to itself. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a !== a || b !== b) return Number(a !== a) - Number(b !== b);
  return a === 0 ? Number(!Object.is(a, -0)) - Number(!Object.is(b, -0)) : 0;
}
