// What functions of collections share: their items and entries, and what tells values of one type apart; knows no function.

import type { Value } from '../data/type.ts';
import { isItems, scalarText } from '../data/value.ts';

/** The items of an argument that is an ARRAY; none of null. */
export function items(value: Value | undefined): readonly Value[] {
  return value !== undefined && isItems(value) ? value : [];
}

/** The entries of an argument that is a MAP; none of null. */
export function entries(value: Value | undefined): ReadonlyMap<Value, Value> {
  return value instanceof Map ? value : new Map<Value, Value>();
}

/**
 * Equal for equal values of one type and for no others, in the sense of `valueEquals`: null equals null, NaN equals NaN,
 * 0 and -0 differ. The value itself where it is a primitive, else a text in which maps stand in the order of their keys.
 */
export function identity(value: Value): Value {
  if (typeof value === 'object' && value !== null) return textOf(value);
  return Object.is(value, -0) ? '-0' : value;
}

function textOf(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null) return 'null';
  if (typeof value !== 'object') return scalarText(identity(value));
  if (value instanceof Uint8Array) return `x${value.join()}`;
  if (isItems(value)) return `[${value.map(textOf).join()}]`;
  const entries = [...value].map(([key, item]) => `${textOf(key)}:${textOf(item)}`);
  return `{${entries.sort().join()}}`;
}
