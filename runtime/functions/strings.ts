// Functions of text and bytes; knows no other theme.

import { concatBytes } from '../base/bytes.ts';
import { array, BYTES, INTEGER, STRING, type Value } from '../data/type.ts';
import { of, parameter, scalar, variadic } from './declare.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'STRING';
const text = (name: string) => parameter(name, of(STRING));
const whole = (name: string) => parameter(name, of(INTEGER));

/** Where a 1-based position begins, counted from the end when it is negative; null when that is before the beginning. */
function startOf(length: number, position: number): number | null {
  if (position > 0) return Math.min(position - 1, length);
  if (position === 0) return 0;
  return length + position < 0 ? null : length + position;
}

function substring<T extends string | Uint8Array>(
  value: T,
  position: number,
  length: number | null,
): Value {
  const start = startOf(value.length, position);
  if (start === null) return null;
  const end = length === null ? value.length : start + Math.max(0, length);
  return value.slice(start, end);
}

const SUBSTRING_TEXT =
  'A part from a 1-based position, a negative one counted from the end, to the end or so long.';

const SUBSTRING: readonly ScalarOverload[] = [STRING, BYTES].flatMap((type) => [
  scalar({
    name: 'SUBSTRING',
    category,
    description: SUBSTRING_TEXT,
    parameters: [parameter('value', of(type)), whole('position')],
    returns: type,
    body: ([value = null, position = null]) => substring(value as string, position as number, null),
  }),
  scalar({
    name: 'SUBSTRING',
    category,
    description: SUBSTRING_TEXT,
    parameters: [parameter('value', of(type)), whole('position'), whole('length')],
    returns: type,
    body: ([value = null, position = null, length = null]) =>
      substring(value as string, position as number, length as number),
  }),
]);

/** Java's String.trim: everything up to the space counts as white. */
function trim(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && value.charCodeAt(from) <= 32) from++;
  while (to > from && value.charCodeAt(to - 1) <= 32) to--;
  return value.slice(from, to);
}

/** The first character of each word in upper case, the others in lower case; words stand between white space. */
function initcap(value: string): string {
  let capital = true;
  let result = '';
  for (const character of value) {
    const isSpace = character.trim() === '';
    result += capital ? character.toUpperCase() : character.toLowerCase();
    capital = isSpace;
  }
  return result;
}

export const STRINGS: readonly ScalarOverload[] = [
  scalar({
    name: 'LCASE',
    category,
    description: 'The text in lower case.',
    parameters: [text('value')],
    returns: STRING,
    body: ([value = null]) => (value as string).toLowerCase(),
  }),
  scalar({
    name: 'UCASE',
    category,
    description: 'The text in upper case.',
    parameters: [text('value')],
    returns: STRING,
    body: ([value = null]) => (value as string).toUpperCase(),
  }),
  scalar({
    name: 'INITCAP',
    category,
    description:
      'The text with the first letter of each word in upper case, the others in lower case.',
    parameters: [text('value')],
    returns: STRING,
    body: ([value = null]) => initcap(value as string),
  }),
  ...[STRING, BYTES].map((type) =>
    scalar({
      name: 'LEN',
      category,
      description: 'The length of a text in UTF-16 units, or of bytes.',
      parameters: [parameter('value', of(type))],
      returns: INTEGER,
      body: ([value = null]) => (value as string | Uint8Array).length,
    }),
  ),
  scalar({
    name: 'TRIM',
    category,
    description: 'The text without white space at its ends.',
    parameters: [text('value')],
    returns: STRING,
    body: ([value = null]) => trim(value as string),
  }),
  ...SUBSTRING,
  scalar({
    name: 'CONCAT',
    category,
    description: 'All texts one after the other; nulls are left out.',
    parameters: [variadic('values', of(STRING))],
    returns: STRING,
    nullPropagating: false,
    body: (values) => values.filter((value) => typeof value === 'string').join(''),
  }),
  scalar({
    name: 'CONCAT',
    category,
    description: 'All bytes one after the other; nulls are left out.',
    parameters: [variadic('values', of(BYTES))],
    returns: BYTES,
    nullPropagating: false,
    body: (values) => concatBytes(values.filter((value) => value instanceof Uint8Array)),
  }),
  scalar({
    name: 'REPLACE',
    category,
    description: 'The text with every occurrence of a part replaced by another.',
    parameters: [text('value'), text('old'), text('new')],
    returns: STRING,
    body: ([value = null, old = null, fresh = null]) =>
      old === '' ? value : (value as string).replaceAll(old as string, () => fresh as string),
  }),
  scalar({
    name: 'SPLIT',
    category,
    description:
      'The parts of a text between delimiters; an empty one splits it into its characters.',
    parameters: [text('value'), text('delimiter')],
    returns: array(STRING),
    body: ([value = null, delimiter = null]) =>
      delimiter === '' ? Array.from(value as string) : (value as string).split(delimiter as string),
  }),
];
