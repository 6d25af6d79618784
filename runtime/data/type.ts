// The SQL types and the JavaScript values that stand for them; knows no columns and no text of statements.

/** One field of a STRUCT. */
export interface Field {
  readonly name: string;
  readonly type: Type;
}

/**
 * A resolved SQL type. Plain JSON, compared by `typeEquals`.
 *
 * | kind | value (never undefined; null is SQL NULL) |
 * |---|---|
 * | BOOLEAN | boolean |
 * | INTEGER | number, a 32-bit integer |
 * | BIGINT | bigint, 64 bits |
 * | DOUBLE | number; NaN and the infinities stay |
 * | DECIMAL | bigint: the unscaled value; the scale is the type's |
 * | STRING | string |
 * | BYTES | Uint8Array |
 * | TIME | number: milliseconds of the day |
 * | DATE | number: days since 1970-01-01 |
 * | TIMESTAMP | number: milliseconds since the Unix epoch |
 * | ARRAY | readonly Value[] |
 * | MAP | ReadonlyMap<Value, Value>, in insertion order |
 * | STRUCT | readonly Value[], in the order of the fields |
 */
export type Type =
  | { readonly kind: 'BOOLEAN' }
  | { readonly kind: 'INTEGER' }
  | { readonly kind: 'BIGINT' }
  | { readonly kind: 'DOUBLE' }
  | { readonly kind: 'DECIMAL'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'STRING' }
  | { readonly kind: 'BYTES' }
  | { readonly kind: 'TIME' }
  | { readonly kind: 'DATE' }
  | { readonly kind: 'TIMESTAMP' }
  | { readonly kind: 'ARRAY'; readonly item: Type }
  | { readonly kind: 'MAP'; readonly key: Type; readonly value: Type }
  | { readonly kind: 'STRUCT'; readonly fields: readonly Field[] };

/** A SQL value inside the engine; see the table at `Type`. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<Value, Value>;

/** `true` or `false`. */
export const BOOLEAN: Type = { kind: 'BOOLEAN' };
/** Whole numbers of 32 bits. */
export const INTEGER: Type = { kind: 'INTEGER' };
/** Whole numbers of 64 bits. */
export const BIGINT: Type = { kind: 'BIGINT' };
/** Floating-point numbers of 64 bits. */
export const DOUBLE: Type = { kind: 'DOUBLE' };
/** Text. */
export const STRING: Type = { kind: 'STRING' };
/** Bytes. */
export const BYTES: Type = { kind: 'BYTES' };
/** A time of day, to the ms. */
export const TIME: Type = { kind: 'TIME' };
/** A day, without a time. */
export const DATE: Type = { kind: 'DATE' };
/** A moment, in ms since the Unix epoch. */
export const TIMESTAMP: Type = { kind: 'TIMESTAMP' };
/** Exact numbers of at most `precision` digits, `scale` of them behind the point. */
export const decimal = (precision: number, scale: number): Type => ({
  kind: 'DECIMAL',
  precision,
  scale,
});
/** Lists of items of one type, each of which may be null. */
export const array = (item: Type): Type => ({ kind: 'ARRAY', item });
/** Values by key. */
export const map = (key: Type, value: Type): Type => ({ kind: 'MAP', key, value });
/** Named fields, each of a type of its own. */
export const struct = (fields: readonly Field[]): Type => ({ kind: 'STRUCT', fields });

/** True when both are the same type, names of struct fields and decimal sizes included: all that `typeText` tells. */
export function typeEquals(a: Type, b: Type): boolean {
  return a === b || (a.kind === b.kind && typeText(a) === typeText(b));
}

/** The type as SQL text, with ksqlDB's spelling in schemas (`INTEGER`, ``STRUCT<`A` INTEGER>``). */
export function typeText(type: Type): string {
  switch (type.kind) {
    case 'DECIMAL':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'ARRAY':
      return `ARRAY<${typeText(type.item)}>`;
    case 'MAP':
      return `MAP<${typeText(type.key)}, ${typeText(type.value)}>`;
    case 'STRUCT':
      return `STRUCT<${type.fields.map((field) => `\`${field.name.replaceAll('`', '``')}\` ${typeText(field.type)}`).join(', ')}>`;
    default:
      return type.kind;
  }
}

/** True for INTEGER, BIGINT, DOUBLE and DECIMAL. */
export function isNumeric(type: Type): boolean {
  return (
    type.kind === 'INTEGER' ||
    type.kind === 'BIGINT' ||
    type.kind === 'DOUBLE' ||
    type.kind === 'DECIMAL'
  );
}
