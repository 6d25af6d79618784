// How types of numbers stand to each other: which is wider, and the DECIMAL of one; knows no value.

import type { Type } from './type.ts';

export type DecimalType = Type & { readonly kind: 'DECIMAL' };

/** Digits of whole numbers, for their DECIMAL. */
const INTEGER_DIGITS = 10;
const BIGINT_DIGITS = 19;

/** How wide numbers are, from the narrowest. */
export const NUMBER_WIDTH: ReadonlyMap<Type['kind'], number> = new Map([
  ['INTEGER', 0],
  ['BIGINT', 1],
  ['DECIMAL', 2],
  ['DOUBLE', 3],
]);

/** The DECIMAL that holds every value of a whole-number type, or the DECIMAL itself. */
export function asDecimal(type: Type): DecimalType {
  if (type.kind === 'DECIMAL') return type;
  const precision = type.kind === 'INTEGER' ? INTEGER_DIGITS : BIGINT_DIGITS;
  return { kind: 'DECIMAL', precision, scale: 0 };
}
