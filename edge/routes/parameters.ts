// Parameters of queries, and numbers in paths, queries and headers, refused where they are none; knows no route.

import type { EdgeContext } from './context.ts';
import { refusal } from './errors.ts';

/**
 * The parameters of the query by name, which are all among those that the route knows: one that is written wrong would be passed over, and the answer another one than was asked for.
 * @throws 400 with the known ones
 */
export function parametersOf<Name extends string>(
  c: EdgeContext,
  known: readonly Name[],
): Readonly<Partial<Record<Name | 'ticket', string>>> {
  const given = c.req.query();
  const names: readonly string[] = known;
  for (const name of Object.keys(given)) {
    if (names.includes(name) || name === 'ticket') continue;
    const message = `'${name.slice(0, 50)}' is no parameter here: ${known.join(', ')}`;
    throw refusal('BAD_REQUEST', message);
  }
  return given as Partial<Record<Name | 'ticket', string>>;
}

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
