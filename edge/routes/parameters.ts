// Numbers in paths, queries and headers, refused where they are none; knows no route.

import { refusal } from './errors.ts';

/** An integer from 0 to 2^53 - 1. */
export function integerOf(text: string, name: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw refusal('BAD_REQUEST', `${name} is '${text.slice(0, 50)}', not an integer from 0 on`);
}

/** As `integerOf`, `otherwise` when it is absent, and at most `max`. */
export function boundedOf(
  text: string | undefined,
  name: string,
  otherwise: number,
  max: number,
): number {
  if (text === undefined) return otherwise;
  const value = integerOf(text, name);
  if (value <= max) return value;
  throw refusal('BAD_REQUEST', `${name} is at most ${max}`);
}
