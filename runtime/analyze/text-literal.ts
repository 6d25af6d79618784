// Text literals that stand for numbers, truths and bytes in lists of such, alone and within constructors; knows no names.

import { decodeBase64 } from '../base/base64.ts';
import { type Position, StatementError } from '../base/errors.ts';
import { decimalText } from '../data/decimal-text.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  decimal,
  INTEGER,
  isNumeric,
  map,
  struct,
  type Type,
  typeText,
} from '../data/type.ts';
import { TRUE_TEXT } from '../expr/cast.ts';
import { roundDecimal } from '../expr/decimal.ts';
import type { Expr, LiteralJson } from '../expr/expr.ts';
import { coerced, nullOf } from './coerced.ts';
import { commonType, literalText } from './coercion.ts';

const FALSE = /^(f|fa|fal|fals|false|n|no)$/i;

const WHOLE_MAX: ReadonlyMap<Type['kind'], bigint> = new Map([
  ['INTEGER', 2n ** 31n - 1n],
  ['BIGINT', 2n ** 63n - 1n],
]);

/** Digits behind the point that decide whether a number is whole: more than a statement would write. */
const PROBE_SCALE = 64;

/** True for the types whose values may be written as text in a list. */
function readsText(type: Type): boolean {
  return isNumeric(type) || type.kind === BOOLEAN.kind || type.kind === BYTES.kind;
}

/**
 * A text literal as the literal of a number, a truth or bytes that it stands for; null when it is no text literal, or the type
 * is none of these.
 * @throws {StatementError} TYPE_MISMATCH when the text is no value of the type
 */
function fromText(value: Expr | null, type: Type, at: Position): Expr | null {
  const text = literalText(value);
  if (text === null || !readsText(type)) return null;
  const read = readText(text.trim(), type);
  if (read !== null) return { expr: 'literal', value: read, type };
  throw new StatementError(
    'TYPE_MISMATCH',
    `'${text}' is not of type ${typeText(type)}`,
    at,
    'Write a value of that type, without quotes.',
  );
}

/** A number's or a truth's literal as text; null where it is none, or is not to be text. */
function toText(value: Expr | null, type: Type): Expr | null {
  if (type.kind !== 'STRING' || value?.expr !== 'literal') return null;
  if (value.value === null || !readsText(value.type)) return null;
  // The text of a DOUBLE is not the one that it was written as.
  return value.type.kind === 'DOUBLE'
    ? coerced(value, type)
    : { expr: 'literal', value: String(value.value), type };
}

/**
 * The narrowest type of numbers that a text stands for: of digits alone INTEGER, BIGINT or DECIMAL, with a point or an
 * exponent DECIMAL; null when it is no number.
 */
function numberTypeOf(text: string): Type | null {
  const trimmed = text.trim();
  const whole = /^[+-]?\d+$/.test(trimmed);
  for (const [kind, max] of WHOLE_MAX) {
    if (whole && wholeOf(trimmed, max) !== null) return kind === 'INTEGER' ? INTEGER : BIGINT;
  }
  const fine = roundDecimal(trimmed, PROBE_SCALE);
  if (fine === null) return null;
  const digits = decimalText(fine < 0n ? -fine : fine, PROBE_SCALE);
  const point = digits.indexOf('.');
  const scale = digits.replace(/0+$/, '').length - point - 1;
  const precision = digits.slice(0, point).replace(/^0+/, '').length + scale;
  return decimal(Math.max(1, precision), scale);
}

/**
 * The expression with its text literal, or those within its constructors, read as the numbers, truths and bytes that they
 * stand for beside `type`, and beside text its literals of these as text; itself where nothing is to be read, or where the
 * items of one ARRAY or MAP would have no type in common.
 * @throws {StatementError} TYPE_MISMATCH when a text is none
 */
export function withTextRead(of: Expr, type: Type, at: Position): Expr {
  const all = (values: readonly Expr[], to: Type): readonly Expr[] | null =>
    sharing(values.map((value) => withTextRead(value, to, at)));
  switch (of.expr) {
    case 'literal': {
      const text = literalText(of);
      if (of.value === null && of.type.kind === 'STRING' && readsText(type)) return nullOf(type);
      const isExact = isNumeric(type) && type.kind !== 'DOUBLE';
      const read = text !== null && isExact ? numberTypeOf(text) : null;
      return fromText(of, read ?? type, at) ?? toText(of, type) ?? of;
    }
    case 'array': {
      const items = type.kind === 'ARRAY' ? all(of.items, type.item) : null;
      const [first] = items ?? [];
      return items === null || first === undefined ? of : { ...of, items, type: array(first.type) };
    }
    case 'map': {
      if (type.kind !== 'MAP') return of;
      const keys = all(
        of.entries.map((entry) => entry.key),
        type.key,
      );
      const values = all(
        of.entries.map((entry) => entry.value),
        type.value,
      );
      const [key] = keys ?? [];
      const [value] = values ?? [];
      if (key === undefined || value === undefined) return of;
      const entries = of.entries.map((entry, index) => ({
        key: keys?.[index] ?? entry.key,
        value: values?.[index] ?? entry.value,
      }));
      return { ...of, entries, type: map(key.type, value.type) };
    }
    case 'struct': {
      if (type.kind !== 'STRUCT' || of.type.kind !== 'STRUCT') return of;
      const { fields } = of.type;
      const values = of.fields.map((value, index) => {
        const wanted = type.fields.find(({ name }) => name === fields[index]?.name);
        return wanted === undefined ? value : withTextRead(value, wanted.type, at);
      });
      const types = fields.map((field, index) => ({
        name: field.name,
        type: values[index]?.type ?? field.type,
      }));
      return { ...of, fields: values, type: struct(types) };
    }
    default:
      return of;
  }
}

/** The values in the type that all have in common; null when there is none. */
function sharing(values: readonly Expr[]): readonly Expr[] | null {
  let common: Type | null = values[0]?.type ?? null;
  for (const { type } of values) common = common === null ? null : commonType(common, type);
  const to = common;
  return to === null ? null : values.map((value) => coerced(value, to));
}

function readText(text: string, type: Type): LiteralJson {
  switch (type.kind) {
    case 'BOOLEAN':
      return TRUE_TEXT.test(text) ? true : FALSE.test(text) ? false : null;
    case 'BYTES':
      return decodeBase64(text) === null ? null : text;
    case 'INTEGER':
    case 'BIGINT': {
      const whole = wholeOf(text, WHOLE_MAX.get(type.kind) ?? 0n);
      if (whole === null) return null;
      return type.kind === 'INTEGER' ? Number(whole) : String(whole);
    }
    case 'DOUBLE': {
      const number = roundDecimal(text, 0) === null ? NaN : Number(text);
      return Number.isFinite(number) ? number : null;
    }
    case 'DECIMAL': {
      const unscaled = roundDecimal(text, type.scale);
      return unscaled === null ? null : decimalText(unscaled, type.scale);
    }
    default:
      return null;
  }
}

/** `20` of `20`, `2e1` and `20.0`; null for fractions and numbers beyond the type. */
function wholeOf(text: string, max: bigint): bigint | null {
  const fine = roundDecimal(text, PROBE_SCALE);
  const one = 10n ** BigInt(PROBE_SCALE);
  if (fine === null || fine % one !== 0n) return null;
  const whole = fine / one;
  return whole <= max && whole >= -max - 1n ? whole : null;
}
