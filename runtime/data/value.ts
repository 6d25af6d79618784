// Equality, kinds and lengths of values whatever their type, and the bound on what one call or constructor makes; knows no order and no function.

import { assert } from '../base/assert.ts';
import { bytesEqual } from '../base/byte-arrays.ts';
import { RecordError } from '../base/errors.ts';
import { TEXT_LENGTH_MAX } from '../base/limits.ts';
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
  assert(typeof value !== 'object', 'a value that is no scalar');
  return `${value}`;
}

/**
 * Asked before a text or bytes of that length are made, or while a collection of that weight is, so that one row cannot
 * exhaust the memory.
 * @throws {RecordError} EXPRESSION beyond TEXT_LENGTH_MAX
 */
export function checkLength(length: number): void {
  if (length <= TEXT_LENGTH_MAX) return;
  const message = `the result would be ${length} long, and ${TEXT_LENGTH_MAX} is the most`;
  throw new RecordError('EXPRESSION', message);
}

/** The sum of the lengths of texts or bytes; see `checkLength`. */
export function lengthOf(parts: readonly { readonly length: number }[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** What a value holds: 1, and the units of a text, the bytes, or the weights of all items, keys and values. */
export function weightOf(value: Value): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return 1 + value.length;
  let weight = 1;
  if (isItems(value)) {
    // Without an iterator: short lists are many.
    for (let i = 0; i < value.length; i++) weight += weightOf(value[i] as Value);
  } else if (value instanceof Map) {
    for (const [key, item] of value) weight += weightOf(key) + weightOf(item);
  }
  return weight;
}

/** Passes on what a collection is made of, one after the other; throws as `checkLength` once it is too much. */
export function weigher(): <V extends Value>(value: V) => V {
  let weight = 0;
  return (value) => {
    checkLength((weight += weightOf(value)));
    return value;
  };
}
