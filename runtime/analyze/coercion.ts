// Which type an operation gives and what may become what; rules over types and literals alone, without names or functions.

import {
  asDecimal,
  commonType as narrowest,
  type DecimalType,
  widerWhole,
} from '../data/common-type.ts';
import { decimalText } from '../data/decimal-text.ts';
import { castBetween } from '../expr/cast.ts';
import { roundDecimal } from '../expr/decimal.ts';
import type { Arithmetic, Expr } from '../expr/expr.ts';
import {
  decimal,
  DOUBLE,
  isNumeric,
  STRING,
  struct,
  TIMESTAMP,
  type Type,
  typeEquals,
} from '../data/type.ts';

/** The type of `a op b` for numbers; null when one is not a number. DECIMAL results are as wide as ksqlDB's. */
export function arithmeticType(op: Arithmetic, a: Type, b: Type): Type | null {
  if (!isNumeric(a) || !isNumeric(b)) return null;
  if (a.kind === 'DOUBLE' || b.kind === 'DOUBLE') return DOUBLE;
  if (a.kind === 'DECIMAL' || b.kind === 'DECIMAL')
    return decimalResult(op, asDecimal(a), asDecimal(b));
  return widerWhole(a, b);
}

function decimalResult(op: Arithmetic, a: DecimalType, b: DecimalType): Type {
  const scale = Math.max(a.scale, b.scale);
  const wholeA = a.precision - a.scale;
  const wholeB = b.precision - b.scale;
  switch (op) {
    case '+':
    case '-':
      return decimal(Math.max(wholeA, wholeB) + scale + 1, scale);
    case '*':
      return decimal(a.precision + b.precision + 1, a.scale + b.scale);
    case '/': {
      const quotientScale = Math.max(6, a.scale + b.precision + 1);
      return decimal(wholeA + b.scale + quotientScale, quotientScale);
    }
    case '%':
      return decimal(Math.min(wholeA, wholeB) + scale, scale);
  }
}

/** The type both become to be compared or joined in one list; null when there is none. */
export function commonType(a: Type, b: Type): Type | null {
  return narrowest(a, b, (left, right) => {
    if (left.kind === 'STRUCT' && right.kind === 'STRUCT')
      return commonStruct(right.fields, left.fields); // ksqlDB's order
    const kinds = [left.kind, right.kind];
    return kinds.includes('DATE') && kinds.includes('TIMESTAMP') ? TIMESTAMP : null;
  });
}

type Fields = (Type & { readonly kind: 'STRUCT' })['fields'];

/** The fields of `a`, then those that only `b` has; a value that lacks one has null there. */
function commonStruct(a: Fields, b: Fields): Type | null {
  const fields = [];
  for (const field of a) {
    const other = b.find((candidate) => candidate.name === field.name);
    const type = other === undefined ? field.type : commonType(field.type, other.type);
    if (type === null) return null;
    fields.push({ name: field.name, type });
  }
  const added = b.filter((field) => !a.some((candidate) => candidate.name === field.name));
  return struct([...fields, ...added]);
}

/** True when every value of `from` is one of `to`, so that no CAST need be written. Fields are found by name; some may lack. */
export function widens(from: Type, to: Type): boolean {
  if (from.kind === 'ARRAY' && to.kind === 'ARRAY') return widens(from.item, to.item);
  if (from.kind === 'MAP' && to.kind === 'MAP')
    return widens(from.key, to.key) && widens(from.value, to.value);
  if (from.kind === 'STRUCT' && to.kind === 'STRUCT') {
    return from.fields.every(({ name, type }) => {
      const field = to.fields.find((candidate) => candidate.name === name);
      return field !== undefined && widens(type, field.type);
    });
  }
  const common = commonType(from, to);
  return common !== null && typeEquals(common, to);
}

/** True for the types that text can be read as where a literal stands for one. */
export function isTemporal(type: Type): boolean {
  return type.kind === 'TIME' || type.kind === 'DATE' || type.kind === 'TIMESTAMP';
}

/** True when CAST from one to the other is in the language: bytes have no one text. */
export function canCast(from: Type, to: Type): boolean {
  if (from.kind === 'BYTES' && to.kind === STRING.kind) return false;
  return castBetween(from, to) !== null;
}

/** A literal as one of another type; null when it must be cast row by row. */
export function converted(of: Expr & { readonly expr: 'literal' }, type: Type): Expr | null {
  const value = of.value === null ? null : foldedNumber(of, type);
  return value === undefined ? null : { expr: 'literal', value, type };
}

/** A number's literal as another number's; undefined when it is no number or does not fit. */
function foldedNumber(
  literal: Expr & { readonly expr: 'literal' },
  type: Type,
): string | number | undefined {
  const { value } = literal;
  if (!isNumeric(literal.type) || literal.type.kind === 'DOUBLE' || value === null)
    return undefined;
  const text = String(value);
  switch (type.kind) {
    case 'BIGINT':
      return literal.type.kind === 'INTEGER' ? text : undefined;
    case 'DOUBLE':
      return Number(text);
    case 'DECIMAL': {
      const exact = asDecimal(literal.type);
      const unscaled = roundDecimal(text, type.scale);
      if (unscaled === null || exact.scale > type.scale) return undefined;
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().length;
      return digits > type.precision ? undefined : decimalText(unscaled, type.scale);
    }
    default:
      return undefined;
  }
}

/** The text of a STRING literal that is not NULL, or null. */
export function literalText(of: Expr | null): string | null {
  return of?.expr === 'literal' && of.type.kind === STRING.kind && typeof of.value === 'string'
    ? of.value
    : null;
}
