// Equality and kinds of values whatever their type; knows no order.

import { bytesEqual } from '../base/byte-arrays.ts';
import { InvariantError } from '../base/errors.ts';
import type { Value } from './type.ts';

/** True when both are the same value: null equals null, NaN equals NaN, 0 and -0 differ; maps in any order. */
export function valueEquals(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && bytesEqual(a, b);
  if (isItems(a)) {
    return (
      isItems(b) &&
      a.length === b.length &&
      a.every((item, index) => valueEquals(item, b[index] ?? null))
    );
  }
  if (b instanceof Uint8Array || isItems(b) || a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined ? !entryEquals(b, key, value) : !valueEquals(value, other))
      return false;
  }
  return true;
}

/** Finds keys that a Map does not find itself because they are objects. */
function entryEquals(of: ReadonlyMap<Value, Value>, key: Value, value: Value): boolean {
  for (const [otherKey, otherValue] of of) {
    if (valueEquals(key, otherKey)) return valueEquals(value, otherValue);
  }
  return false;
}

/** True for ARRAY and STRUCT values. */
export function isItems(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** The text of a value that is no object: digits, `true`, text as it is. @throws {InvariantError} for other values */
export function scalarText(value: Value): string {
  if (typeof value === 'object') throw new InvariantError('a value that is no scalar');
  return `${value}`;
}
