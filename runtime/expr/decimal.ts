// Arithmetic of DECIMAL values (unscaled bigints whose scale the type holds); knows no columns and no SQL text.

import { RecordError } from '../base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import type { Type } from '../data/type.ts';

/** By exponent, up to DECIMAL_DIGITS_MAX: making one takes longer than what is done with it. */
const powers: bigint[] = [];

/** 10 to the power of `exponent`, a whole number of at least 0. */
export function powerOfTen(exponent: number): bigint {
  if (exponent > DECIMAL_DIGITS_MAX) return 10n ** BigInt(exponent);
  return (powers[exponent] ??= 10n ** BigInt(exponent));
}

/** Divides and rounds half away from zero, as HALF_UP does. @throws {RecordError} EXPRESSION on division by zero */
function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  if (divisor === 0n) throw new RecordError('EXPRESSION', 'division by zero');
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const doubled = rest < 0n ? -rest * 2n : rest * 2n;
  const size = divisor < 0n ? -divisor : divisor;
  if (doubled < size) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** The same number with another scale, rounded HALF_UP where digits go. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (to === from) return unscaled;
  if (to > from) return unscaled * powerOfTen(to - from);
  return divideHalfUp(unscaled, powerOfTen(from - to));
}

/** Returns the value when it has at most `precision` digits. @throws {RecordError} EXPRESSION when it has more */
export function fitted(unscaled: bigint, precision: number, scale: number): bigint {
  const limit = powerOfTen(precision);
  if (unscaled >= limit || (unscaled < 0n && -unscaled >= limit)) {
    throw new RecordError(
      'EXPRESSION',
      `numeric overflow: it does not fit DECIMAL(${precision}, ${scale})`,
    );
  }
  return unscaled;
}

/** The scale of a type that can stand in decimal arithmetic: whole numbers have 0. */
function scaleOf(type: Type): number {
  return type.kind === 'DECIMAL' ? type.scale : 0;
}

/** Compares two decimals of any scales: negative, 0 or positive. */
export function compareDecimals(a: bigint, aScale: number, b: bigint, bScale: number): number {
  const scale = Math.max(aScale, bScale);
  const left = a * powerOfTen(scale - aScale);
  const right = b * powerOfTen(scale - bScale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Exponents beyond this are refused: no DECIMAL comes near. */
const EXPONENT_MAX = 1000;

/**
 * Reads `[sign] digits [. digits] [e exponent]` as an unscaled value of that scale, rounded HALF_UP; null when the text
 * is not a number. Cost: linear.
 */
export function roundDecimal(text: string, scale: number): bigint | null {
  const parts = numberParts(text);
  if (parts === null || Math.abs(parts.exponent) > EXPONENT_MAX) return null;
  const unscaled = BigInt(parts.digits);
  const value = rescaleAny(
    parts.negative ? -unscaled : unscaled,
    parts.scale - parts.exponent,
    scale,
  );
  return value;
}

function rescaleAny(unscaled: bigint, from: number, to: number): bigint {
  return from < 0 ? rescale(unscaled * powerOfTen(-from), 0, to) : rescale(unscaled, from, to);
}

interface NumberParts {
  readonly negative: boolean;
  /** All digits, before and after the point. */
  readonly digits: string;
  /** How many of them stand after the point. */
  readonly scale: number;
  readonly exponent: number;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Splits the text of a number; null when it is none. No regular expression, so that the cost is plainly linear. */
function numberParts(text: string): NumberParts | null {
  let at = 0;
  const digitsFrom = (): string => {
    const start = at;
    while (at < text.length && isDigit(text.charCodeAt(at))) at++;
    return text.slice(start, at);
  };
  const sign = (): boolean => {
    const first = text[at];
    if (first === '-' || first === '+') at++;
    return first === '-';
  };
  const negative = sign();
  const whole = digitsFrom();
  let fraction = '';
  if (text[at] === '.') {
    at++;
    fraction = digitsFrom();
  }
  if (whole === '' && fraction === '') return null;
  let exponent = 0;
  if (text[at] === 'e' || text[at] === 'E') {
    at++;
    const down = sign();
    const digits = digitsFrom();
    if (digits === '') return null;
    exponent = down ? -Number(digits) : Number(digits);
  }
  if (at !== text.length) return null;
  return { negative, digits: whole + fraction, scale: fraction.length, exponent };
}

/** The operators of decimals; operands are unscaled with their own scales, the result fits `type`. */
export function decimalArithmetic(
  op: '+' | '-' | '*' | '/' | '%',
  left: Type,
  right: Type,
  type: Type & { readonly kind: 'DECIMAL' },
): (a: bigint, b: bigint) => bigint {
  const leftScale = scaleOf(left);
  const rightScale = scaleOf(right);
  const common = Math.max(leftScale, rightScale);
  const leftFactor = powerOfTen(common - leftScale);
  const rightFactor = powerOfTen(common - rightScale);
  const fit = (value: bigint, scale: number): bigint =>
    fitted(rescale(value, scale, type.scale), type.precision, type.scale);
  switch (op) {
    case '+':
      return (a, b) => fit(a * leftFactor + b * rightFactor, common);
    case '-':
      return (a, b) => fit(a * leftFactor - b * rightFactor, common);
    case '*':
      return (a, b) => fit(a * b, leftScale + rightScale);
    case '/': {
      // a / 10^ls over b / 10^rs with the result's scale: one rounding at the end.
      const up = powerOfTen(type.scale + rightScale);
      const down = powerOfTen(leftScale);
      return (a, b) => fitted(divideHalfUp(a * up, b * down), type.precision, type.scale);
    }
    case '%':
      return (a, b) => {
        if (b === 0n) throw new RecordError('EXPRESSION', 'division by zero');
        return fit((a * leftFactor) % (b * rightFactor), common);
      };
  }
}
