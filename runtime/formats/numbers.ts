// Numbers of the SQL types from their text, exactly and within their ranges; knows no format.

import { type Type, type Value, typeText } from '../data/type.ts';
import { parseDecimal } from '../data/decimal-text.ts';
import { isInRange } from './json-common.ts';

const BIGINT_MAX = 9_223_372_036_854_775_807n;
const BIGINT_MIN = -9_223_372_036_854_775_808n;
/** Whole numbers of at most 19 significant digits; more cannot be a BIGINT. */
const WHOLE = /^[+-]?0*\d{1,19}$/u;
/** What Java's Double.parseDouble takes, less its hexadecimal form. */
const DOUBLE_TEXT = /^([+-]?)(?:(NaN|Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[dDfF]?)$/u;

/** The whole number that a text spells, within 64 bits; null when it spells none. */
function parseBigint(text: string): bigint | null {
  if (!WHOLE.test(text)) return null;
  const value = BigInt(text);
  return value >= BIGINT_MIN && value <= BIGINT_MAX ? value : null;
}

/** The double nearest to the number that a text spells; null when it spells none. */
function parseDouble(text: string): number | null {
  const match = DOUBLE_TEXT.exec(text.trim());
  if (match === null) return null;
  const [, sign, word, digits] = match;
  const value = word === undefined ? Number(digits) : word === 'NaN' ? Number.NaN : Infinity;
  return sign === '-' ? -value : value;
}

/** A JSON number's text without its fraction, exactly; null beyond 64 bits. */
export function truncateNumber(text: string): bigint | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/u.exec(text);
  if (match === null || Math.abs(Number(text)) > 1e19) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  const digits = all.replace(/^0+/u, '');
  const point = whole.length + Number(exponent) - (all.length - digits.length);
  if (digits === '' || point <= 0) return 0n;
  return parseBigint(sign + digits.slice(0, point).padEnd(point, '0'));
}

/**
 * The value of a type without parts that a text spells: what a number in quotes is in JSON, and a field in DELIMITED.
 * @returns the value, or what is wrong as `{ refused }`
 */
export function parseScalar(type: Type, text: string): Value | { readonly refused: string } {
  const refused = () => ({ refused: `"${shown(text)}" is no ${typeText(type)}` });
  switch (type.kind) {
    case 'BIGINT':
      return parseBigint(text) ?? refused();
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
    case 'TIMESTAMP': {
      const value = parseBigint(text);
      if (value === null || !isInRange(type.kind, Number(value))) return refused();
      return Number(value);
    }
    case 'DOUBLE':
      return parseDouble(text) ?? refused();
    case 'DECIMAL': {
      const value = parseDecimal(text, type.precision, type.scale);
      if (value === 'excess') {
        return { refused: `${shown(text)} does not fit in ${typeText(type)} without rounding` };
      }
      return value ?? refused();
    }
    default:
      return refused();
  }
}

/** True for what `parseScalar` refused. */
export function isRefused(
  value: Value | { readonly refused: string },
): value is { readonly refused: string } {
  return typeof value === 'object' && value !== null && 'refused' in value;
}

/** A text cut to what fits in a message. */
export function shown(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}
