// CAST between all types of values, as explicit conversion of the language defines it; knows no columns.

import { decodeBase64, encodeBase64 } from '../base/base64.ts';
import { RecordError, StatementError } from '../base/errors.ts';
import { decimalText } from '../data/decimal-text.ts';
import { doubleText } from '../data/double-text.ts';
import { type Type, typeEquals, typeText, type Value } from '../data/type.ts';
import {
  dateText,
  dayOf,
  parseDate,
  parseTime,
  parseTimestamp,
  startOfDay,
  timeOf,
  timestampText,
  timeText,
} from './datetime.ts';
import { fitted, rescale, roundDecimal } from './decimal.ts';

/** Converts one non-null value. @throws {RecordError} EXPRESSION when this value has no counterpart */
export type Cast = (value: Value) => Value;

const same: Cast = (value) => value;

/** The words that stand for true, as far as they are written; CAST takes every other text for false. */
export const TRUE_TEXT = /^(t|tr|tru|true|y|ye|yes)$/i;

/**
 * The conversion from one type to another, null when the language has none. Numbers narrow as Java narrows them:
 * whole numbers wrap, doubles are cut and saturate, decimals are cut; to DECIMAL all round HALF_UP and must fit.
 */
export function castBetween(from: Type, to: Type): Cast | null {
  if (typeEquals(from, to)) return same;
  switch (to.kind) {
    case 'STRING':
      return from.kind === 'BYTES' ? null : (value) => valueText(value, from);
    case 'BOOLEAN':
      return from.kind === 'STRING' ? (value) => TRUE_TEXT.test((value as string).trim()) : null;
    case 'INTEGER':
      return toInteger(from);
    case 'BIGINT':
      return toBigint(from);
    case 'DOUBLE':
      return toDouble(from);
    case 'DECIMAL':
      return toDecimal(from, to.precision, to.scale);
    case 'TIME':
    case 'DATE':
    case 'TIMESTAMP':
      return toTime(from, to);
    case 'BYTES':
      return from.kind === 'STRING' ? toBytes : null;
    case 'ARRAY':
      return from.kind === 'ARRAY' ? arrays(from.item, to.item) : null;
    case 'MAP':
      return from.kind === 'MAP' ? maps(from, to) : null;
    case 'STRUCT':
      return from.kind === 'STRUCT' ? structs(from, to) : null;
  }
}

/** As `castBetween`. @throws {StatementError} TYPE_MISMATCH when there is no such conversion */
export function castOf(from: Type, to: Type): Cast {
  const cast = castBetween(from, to);
  if (cast !== null) return cast;
  throw new StatementError(
    'TYPE_MISMATCH',
    `there is no CAST of ${typeText(from)} to ${typeText(to)}`,
  );
}

function refused(text: string, to: string): RecordError {
  return new RecordError('EXPRESSION', `'${text}' is not a valid ${to}`);
}

const INTEGER_MAX = 2_147_483_647n;
const BIGINT_MAX = 9_223_372_036_854_775_807n;

function wholeNumber(text: string, max: bigint, to: string): bigint {
  const trimmed = text.trim();
  const digits = trimmed.startsWith('-') || trimmed.startsWith('+') ? trimmed.slice(1) : trimmed;
  const isWhole = digits !== '' && isDigits(digits);
  const value =
    isWhole && digits.length <= 40 ? BigInt(trimmed.startsWith('+') ? digits : trimmed) : null;
  if (value === null || value > max || value < -max - 1n) throw refused(text, to);
  return value;
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

function toInteger(from: Type): Cast | null {
  switch (from.kind) {
    case 'BIGINT':
      return (value) => Number(BigInt.asIntN(32, value as bigint));
    case 'DOUBLE':
      return (value) => cut(value as number, -2_147_483_648, 2_147_483_647);
    case 'DECIMAL': {
      const { scale } = from;
      return (value) => Number(BigInt.asIntN(32, whole(value as bigint, scale)));
    }
    case 'STRING':
      return (value) => Number(wholeNumber(value as string, INTEGER_MAX, 'INTEGER'));
    default:
      return null;
  }
}

/** A double without its fraction, between the bounds; NaN gives 0. */
function cut(value: number, min: number, max: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(max, Math.max(min, Math.trunc(value))) + 0;
}

function whole(unscaled: bigint, scale: number): bigint {
  return unscaled / 10n ** BigInt(scale);
}

function toBigint(from: Type): Cast | null {
  switch (from.kind) {
    case 'INTEGER':
      return (value) => BigInt(value as number);
    case 'DOUBLE':
      return (value) => bigintOf(value as number);
    case 'DECIMAL': {
      const { scale } = from;
      return (value) => BigInt.asIntN(64, whole(value as bigint, scale));
    }
    case 'STRING':
      return (value) => wholeNumber(value as string, BIGINT_MAX, 'BIGINT');
    default:
      return null;
  }
}

/** A double without its fraction as a 64-bit integer: saturates, NaN gives 0. */
export function bigintOf(value: number): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value >= 2 ** 63) return BIGINT_MAX;
  if (value <= -(2 ** 63)) return -BIGINT_MAX - 1n;
  return BigInt(Math.trunc(value));
}

function toDouble(from: Type): Cast | null {
  switch (from.kind) {
    case 'INTEGER':
      return same;
    case 'BIGINT':
      return (value) => Number(value);
    case 'DECIMAL': {
      const { scale } = from;
      return (value) => Number(decimalText(value as bigint, scale));
    }
    case 'STRING':
      return (value) => {
        const text = (value as string).trim();
        if (text === 'NaN' || text.endsWith('Infinity')) return Number(text);
        // The grammar of numbers is checked by the decimal reader; Number alone would take '' and '0x1'.
        if (roundDecimal(text, 0) === null) throw refused(text, 'DOUBLE');
        return Number(text);
      };
    default:
      return null;
  }
}

function toDecimal(from: Type, precision: number, scale: number): Cast | null {
  const fit = (unscaled: bigint): bigint => fitted(unscaled, precision, scale);
  switch (from.kind) {
    case 'INTEGER':
      return (value) => fit(rescale(BigInt(value as number), 0, scale));
    case 'BIGINT':
      return (value) => fit(rescale(value as bigint, 0, scale));
    case 'DECIMAL': {
      const own = from.scale;
      return (value) => fit(rescale(value as bigint, own, scale));
    }
    case 'DOUBLE':
    case 'STRING':
      return (value) => {
        const text = typeof value === 'object' ? '' : String(value);
        const unscaled = roundDecimal(text.trim(), scale);
        if (unscaled === null) throw refused(text, typeText({ kind: 'DECIMAL', precision, scale }));
        return fit(unscaled);
      };
    default:
      return null;
  }
}

const toBytes: Cast = (value) => {
  const bytes = decodeBase64((value as string).trim());
  if (bytes === null) throw refused(value as string, 'BYTES in base64');
  return bytes;
};

function toTime(from: Type, to: Type): Cast | null {
  if (from.kind === 'STRING') {
    const parse = to.kind === 'TIME' ? parseTime : to.kind === 'DATE' ? parseDate : parseTimestamp;
    return (value) => {
      const parsed = parse((value as string).trim());
      if (parsed === null) throw refused(value as string, to.kind);
      return parsed;
    };
  }
  if (from.kind === 'TIMESTAMP' && to.kind === 'DATE') return (value) => dayOf(value as number);
  if (from.kind === 'TIMESTAMP' && to.kind === 'TIME') return (value) => timeOf(value as number);
  if (from.kind === 'DATE' && to.kind === 'TIMESTAMP')
    return (value) => startOfDay(value as number);
  return null;
}

function arrays(from: Type, to: Type): Cast | null {
  const item = castBetween(from, to);
  if (item === null) return null;
  return (value) => (value as readonly Value[]).map((each) => (each === null ? null : item(each)));
}

function maps(from: Type & { kind: 'MAP' }, to: Type & { kind: 'MAP' }): Cast | null {
  const key = castBetween(from.key, to.key);
  const item = castBetween(from.value, to.value);
  if (key === null || item === null) return null;
  return (value) => {
    const into = new Map<Value, Value>();
    for (const [name, each] of value as ReadonlyMap<Value, Value>) {
      into.set(name === null ? null : key(name), each === null ? null : item(each));
    }
    return into;
  };
}

function structs(from: Type & { kind: 'STRUCT' }, to: Type & { kind: 'STRUCT' }): Cast | null {
  const fields: { readonly index: number; readonly cast: Cast }[] = [];
  for (const field of to.fields) {
    const index = from.fields.findIndex((candidate) => candidate.name === field.name);
    const source = from.fields[index];
    const cast = source === undefined ? same : castBetween(source.type, field.type);
    if (cast === null) return null;
    fields.push({ index, cast });
  }
  return (value) =>
    fields.map(({ index, cast }) => {
      const each = (value as readonly Value[])[index] ?? null;
      return each === null ? null : cast(each);
    });
}

/** A value as text, as CAST to STRING prints it: doubles as Java prints them, collections as `[1, 2]` and `{a=1}`. */
function valueText(value: Value, type: Type): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'DOUBLE':
      return doubleText(Number(value));
    case 'DECIMAL':
      return decimalText(value as bigint, type.scale);
    case 'TIME':
      return timeText(value as number);
    case 'DATE':
      return dateText(value as number);
    case 'TIMESTAMP':
      return timestampText(value as number);
    case 'ARRAY':
      return `[${(value as readonly Value[]).map((item) => valueText(item, type.item)).join(', ')}]`;
    case 'MAP': {
      const entries = [...(value as ReadonlyMap<Value, Value>)];
      const texts = entries.map(
        ([key, item]) => `${valueText(key, type.key)}=${valueText(item, type.value)}`,
      );
      return `{${texts.join(', ')}}`;
    }
    case 'STRUCT': {
      const items = value as readonly Value[];
      const texts = type.fields.flatMap((field, index) => {
        const item = items[index] ?? null;
        return item === null ? [] : [`${field.name}=${valueText(item, field.type)}`];
      });
      return `Struct{${texts.join(',')}}`;
    }
    case 'BYTES':
      return encodeBase64(value as Uint8Array);
    default:
      return typeof value === 'object' ? '' : String(value);
  }
}
