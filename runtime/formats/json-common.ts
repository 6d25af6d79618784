// What every reader of JSON asks of a byte or a number; knows no column and no nested value.

import type { Type } from '../data/type.ts';
import { type JsonScanner, MINUS } from '../data/json-scanner.ts';

const INTEGER_MAX = 2_147_483_647;
const INTEGER_MIN = -2_147_483_648;
const DAY_MS = 86_400_000;

/** True when a JSON number begins with the byte. */
export function beginsNumber(byte: number): boolean {
  return byte === MINUS || (byte >= 0x30 && byte <= 0x39);
}

/** The number last scanned as a double, correctly rounded. */
export function doubleOf(from: JsonScanner): number {
  return from.exact ? from.number : Number(from.numberText());
}

/** True when a whole number is a value of INTEGER, DATE, TIME or TIMESTAMP. */
export function isInRange(kind: Type['kind'], value: number): boolean {
  switch (kind) {
    case 'TIME':
      return value >= 0 && value < DAY_MS;
    case 'TIMESTAMP':
      return Number.isSafeInteger(value);
    default:
      return value >= INTEGER_MIN && value <= INTEGER_MAX;
  }
}
