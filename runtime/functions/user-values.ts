// The border to functions that users write: what they throw becomes a problem of the row, what they give is checked; knows no function.

import { messageOf, RecordError } from '../base/errors.ts';
import { type Type, typeText, type Value } from '../data/type.ts';
import { isItems } from '../data/value.ts';

/** What the function gives. @throws {RecordError} EXPRESSION for whatever it throws */
export function called<T>(name: string, compute: () => T): T {
  try {
    return compute();
  } catch (thrown) {
    if (thrown instanceof RecordError) throw thrown;
    throw new RecordError('EXPRESSION', `${name} failed: ${messageOf(thrown)}`, '', {
      cause: thrown,
    });
  }
}

/**
 * A value that a function gave, if it is one of the type; nothing at all is null.
 * @throws {RecordError} EXPRESSION when it is not
 */
export function checked(name: string, type: Type, value: Value | undefined): Value {
  if (value === undefined) return null;
  if (isOf(type, value)) return value;
  const given = typeof value === 'object' ? 'an object' : `${String(value)} (${typeof value})`;
  throw new RecordError('EXPRESSION', `${name} gave ${given}, which is no ${typeText(type)}`);
}

const INT32 = 2 ** 31;
const DAY_MS = 86_400_000;

function isWhole(value: Value, from: number, below: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= from && value < below;
}

function isOf(type: Type, value: Value): boolean {
  if (value === null) return true;
  switch (type.kind) {
    case 'BOOLEAN':
      return typeof value === 'boolean';
    case 'INTEGER':
    case 'DATE':
      return isWhole(value, -INT32, INT32);
    case 'TIME':
      return isWhole(value, 0, DAY_MS);
    case 'TIMESTAMP':
      return isWhole(value, -Infinity, Infinity);
    case 'DOUBLE':
      return typeof value === 'number';
    case 'BIGINT':
      return typeof value === 'bigint' && value === BigInt.asIntN(64, value);
    case 'DECIMAL': {
      const bound = 10n ** BigInt(type.precision);
      return typeof value === 'bigint' && value < bound && value > -bound;
    }
    case 'STRING':
      return typeof value === 'string';
    case 'BYTES':
      return value instanceof Uint8Array;
    case 'ARRAY':
      return isItems(value) && value.every((item) => isOf(type.item, item));
    case 'MAP':
      return (
        value instanceof Map &&
        [...(value as ReadonlyMap<Value, Value>)].every(
          ([key, item]) => isOf(type.key, key) && isOf(type.value, item),
        )
      );
    case 'STRUCT':
      return (
        isItems(value) &&
        value.length === type.fields.length &&
        type.fields.every((field, index) => isOf(field.type, value[index] ?? null))
      );
  }
}
