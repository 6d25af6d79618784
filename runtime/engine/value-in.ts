// Public JavaScript values as values of the engine: the way in, as data/row.ts is the way out; knows no source.

import { decodeBase64 } from '../base/base64.ts';
import { StatementError } from '../base/errors.ts';
import { parseDecimal } from '../data/decimal-text.ts';
import { type Type, typeText, type Value } from '../data/type.ts';

/** What values of a type are given as, where its name does not say it. */
const GIVEN_AS: Readonly<Partial<Record<Type['kind'], string>>> = {
  INTEGER: 'a whole number of 32 bits',
  BIGINT: 'a bigint, a safe whole number, or digits',
  DECIMAL: 'digits, or a number, within its precision',
  BYTES: 'a Uint8Array, or Base64',
  TIME: 'the milliseconds of the day',
  DATE: 'the days since 1970-01-01',
  TIMESTAMP: 'a Date, or the milliseconds since 1970',
};
const INTEGER_MIN = -0x8000_0000;
const INTEGER_MAX = 0x7fff_ffff;
const BIGINT_MIN = -(2n ** 63n);
const BIGINT_MAX = 2n ** 63n - 1n;

/**
 * The value of a column. Takes what `publicValue` gives, and also: text for BIGINT, numbers for DECIMAL, base64 text for BYTES, Date for
 * TIMESTAMP, plain objects for MAP and STRUCT.
 * @throws {StatementError} TYPE_MISMATCH naming the column
 */
export function valueIn(type: Type, given: unknown, column: string): Value {
  if (given === null || given === undefined) return null;
  const value = converted(type, given, column);
  if (value !== undefined) return value;
  throw new StatementError(
    'TYPE_MISMATCH',
    `${column} is ${typeText(type)}; this ${typeof given} does not fit`,
    null,
    `Give ${GIVEN_AS[type.kind] ?? "a value of the column's type"}, or null.`,
  );
}

function converted(type: Type, given: unknown, column: string): Value | undefined {
  switch (type.kind) {
    case 'BOOLEAN':
      return typeof given === 'boolean' ? given : undefined;
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      return Number.isInteger(given) && isWithin(given as number, INTEGER_MIN, INTEGER_MAX)
        ? (given as number)
        : undefined;
    case 'BIGINT':
      return bigintIn(given);
    case 'DOUBLE':
      return typeof given === 'number' ? given : undefined;
    case 'DECIMAL':
      return decimalIn(given, type);
    case 'STRING':
      return typeof given === 'string' ? given : undefined;
    case 'BYTES':
      if (given instanceof Uint8Array) return given;
      return typeof given === 'string' ? (decodeBase64(given) ?? undefined) : undefined;
    case 'TIMESTAMP':
      return timestampIn(given instanceof Date ? given.getTime() : given);
    case 'ARRAY':
      return Array.isArray(given)
        ? given.map((item: unknown) => valueIn(type.item, item, column))
        : undefined;
    case 'MAP':
      return mapIn(given, type, column);
    case 'STRUCT': {
      if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
      const fields = new Map(
        Object.entries(given).map(([name, item]) => [name.toUpperCase(), item as unknown]),
      );
      return type.fields.map(({ name, type: field }) =>
        valueIn(field, fields.get(name.toUpperCase()), `${column}->${name}`),
      );
    }
  }
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function timestampIn(given: unknown): number | undefined {
  return Number.isInteger(given) ? (given as number) : undefined;
}

function bigintIn(given: unknown): bigint | undefined {
  let value: bigint | undefined;
  if (typeof given === 'bigint') value = given;
  else if (Number.isSafeInteger(given)) value = BigInt(given as number);
  else if (typeof given === 'string' && /^[+-]?\d{1,20}$/.test(given))
    value = BigInt(given.replace('+', ''));
  return value === undefined || value < BIGINT_MIN || value > BIGINT_MAX ? undefined : value;
}

function decimalIn(given: unknown, type: Type & { readonly kind: 'DECIMAL' }): bigint | undefined {
  if (typeof given !== 'string' && typeof given !== 'number' && typeof given !== 'bigint')
    return undefined;
  const value = parseDecimal(String(given), type.precision, type.scale);
  return typeof value === 'bigint' ? value : undefined;
}

function mapIn(
  given: unknown,
  type: Type & { readonly kind: 'MAP' },
  column: string,
): Value | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const entries: Iterable<[unknown, unknown]> =
    given instanceof Map ? given : Object.entries(given);
  const map = new Map<Value, Value>();
  for (const [key, item] of entries)
    map.set(valueIn(type.key, key, column), valueIn(type.value, item, column));
  return map;
}
