// Text literals that stand for numbers and truths in lists of such; knows no expressions around them.

import { type Position, StatementError } from '../base/errors.ts';
import { decimalText } from '../data/decimal-text.ts';
import { BOOLEAN, isNumeric, type Type, typeText } from '../data/type.ts';
import { roundDecimal } from '../expr/decimal.ts';
import type { Expr, LiteralJson } from '../expr/expr.ts';
import { literalText } from './coercion.ts';

const TRUE = /^(t|tr|tru|true|y|ye|yes)$/i;
const FALSE = /^(f|fa|fal|fals|false|n|no)$/i;

const WHOLE_MAX: ReadonlyMap<Type['kind'], bigint> = new Map([
  ['INTEGER', 2n ** 31n - 1n],
  ['BIGINT', 2n ** 63n - 1n],
]);

/** Digits behind the point that decide whether a number is whole: more than a statement would write. */
const PROBE_SCALE = 64;

/** True for the types whose values may be written as text in a list. */
export function readsText(type: Type): boolean {
  return isNumeric(type) || type.kind === BOOLEAN.kind;
}

/**
 * A text literal as the literal of a number or a truth that it stands for; null when it is no text literal, or the type
 * is none of these.
 * @throws {StatementError} TYPE_MISMATCH when the text is no value of the type
 */
export function fromText(value: Expr | null, type: Type, at: Position): Expr | null {
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

function readText(text: string, type: Type): LiteralJson {
  switch (type.kind) {
    case 'BOOLEAN':
      return TRUE.test(text) ? true : FALSE.test(text) ? false : null;
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
