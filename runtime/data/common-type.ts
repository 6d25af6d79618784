// The narrowest type that two types can both be without saying so: numbers, and what is made of them; knows no value.

import { asDecimal, type DecimalType } from './number-types.ts';
import { DOUBLE, isNumeric, type Type, typeEquals } from './type.ts';

export { asDecimal, type DecimalType } from './number-types.ts';

/** The wider of two whole numbers. */
export function widerWhole(a: Type, b: Type): Type {
  return a.kind === 'BIGINT' ? a : b;
}

/** The DECIMAL that holds every value of both. */
function widest(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale);
  const whole = Math.max(a.precision - a.scale, b.precision - b.scale);
  return { kind: 'DECIMAL', precision: whole + scale, scale };
}

/**
 * The same type, the wider number, the DECIMAL that holds both, or the ARRAY or MAP of such; null when there is none.
 * @param other gives what both can be where they are neither equal, nor numbers, nor ARRAYs, nor MAPs
 */
export function commonType(
  a: Type,
  b: Type,
  other: (a: Type, b: Type) => Type | null = () => null,
): Type | null {
  if (typeEquals(a, b)) return a;
  if (isNumeric(a) && isNumeric(b)) {
    if (a.kind === 'DOUBLE' || b.kind === 'DOUBLE') return DOUBLE;
    if (a.kind === 'DECIMAL' || b.kind === 'DECIMAL') return widest(asDecimal(a), asDecimal(b));
    return widerWhole(a, b);
  }
  if (a.kind === 'ARRAY' && b.kind === 'ARRAY') {
    const item = commonType(a.item, b.item, other);
    return item === null ? null : { kind: 'ARRAY', item };
  }
  if (a.kind === 'MAP' && b.kind === 'MAP') {
    const key = commonType(a.key, b.key, other);
    const value = commonType(a.value, b.value, other);
    return key === null || value === null ? null : { kind: 'MAP', key, value };
  }
  return other(a, b);
}
