// The functions that mask texts; knows no other theme.

import { RecordError } from '../base/errors.ts';
import { STRING, type Value } from '../data/type.ts';
import { scalar, text, whole } from './declare.ts';
import { refused } from './refused.ts';
import type { ScalarOverload } from './registry.ts';

/** What stands for capitals, small letters, digits and all else; null leaves them as they are. */
type Masks = readonly (string | null)[];

const DEFAULTS: Masks = ['X', 'x', 'n', '-'];

/** Which mask a character gets. Source: Java's Character.getType. */
const KINDS: readonly RegExp[] = [/^\p{Lu}$/u, /^\p{Ll}$/u, /^\p{Nd}$/u];

/** Number of the kind, that of all else behind the others. */
function kindOf(character: string): number {
  const kind = KINDS.findIndex((each) => each.test(character));
  return kind < 0 ? KINDS.length : kind;
}

/** Of the characters that most texts have. */
const KNOWN = Array.from({ length: 128 }, (_, code) => kindOf(String.fromCharCode(code)));

/** @param from the first character to mask @param to the one behind the last */
function masked(value: string, masks: Masks, from = 0, to = Infinity): string {
  let text = '';
  let at = 0;
  for (const character of value) {
    const mask =
      at >= from && at < to ? masks[KNOWN[character.charCodeAt(0)] ?? kindOf(character)] : null;
    text += mask ?? character;
    at++;
  }
  return text;
}

/** The masks of a call's last four arguments, or the usual ones. @throws {RecordError} EXPRESSION for one of another length */
function masksOf(given: readonly Value[]): Masks {
  if (given.length === 0) return DEFAULTS;
  for (const mask of given as Masks) {
    if (mask !== null && mask.length !== 1)
      throw refused(mask, 'is no mask: it must be one character');
  }
  return given as Masks;
}

const MASKS = [text('upper'), text('lower'), text('digit'), text('other')];

const TAIL =
  'Capitals become X, small letters x, digits n, all else -, if not said otherwise; a null mask leaves them. A null text or count gives null.';

/**
 * A function that masks some of a text's characters, without masks of its own and with them.
 * @param of the first character to mask and the one behind the last, for a length and the call's number
 */
function partly(
  name: string,
  which: string,
  of: (length: number, count: number) => readonly [from: number, to: number],
): ScalarOverload[] {
  return [[], MASKS].map((masks) =>
    scalar({
      name,
      category: 'STRING',
      description: `A text with ${which} masked. ${TAIL}`,
      parameters: [text('value'), whole('count'), ...masks],
      returns: STRING,
      nullPropagating: false,
      body: ([value = null, count = null, ...given]) => {
        if (count === null) return null;
        if ((count as number) < 0)
          throw new RecordError('EXPRESSION', `${name} of a negative number of characters`);
        const own = masksOf(given);
        if (value === null) return null;
        const { length } = Array.from(value as string);
        return masked(value as string, own, ...of(length, Math.min(count as number, length)));
      },
    }),
  );
}

export const MASK_FUNCTIONS: readonly ScalarOverload[] = [
  ...[[], MASKS].map((masks) =>
    scalar({
      name: 'MASK',
      category: 'STRING',
      description: `A text with all its characters masked. ${TAIL}`,
      parameters: [text('value'), ...masks],
      returns: STRING,
      nullPropagating: false,
      body: ([value = null, ...given]) => {
        const own = masksOf(given);
        return value === null ? null : masked(value as string, own);
      },
    }),
  ),
  ...partly('MASK_KEEP_LEFT', 'all but its first characters', (length, count) => [count, length]),
  ...partly('MASK_KEEP_RIGHT', 'all but its last characters', (length, count) => [
    0,
    length - count,
  ]),
  ...partly('MASK_LEFT', 'its first characters', (_length, count) => [0, count]),
  ...partly('MASK_RIGHT', 'its last characters', (length, count) => [length - count, length]),
];
