// The usual functions of text, most of them for bytes too; knows no other theme.

import { concatBytes } from '../base/byte-arrays.ts';
import { TEXT_LENGTH_MAX } from '../base/limits.ts';
import { array, BYTES, INTEGER, STRING, type Value } from '../data/type.ts';
import { checkLength, lengthOf } from '../data/value.ts';
import { of, parameter, scalar, text, variadic, whole } from './declare.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'STRING';

/** Where a 1-based position begins, counted from the end when it is negative; what lies outside begins at the nearer end. */
function startOf(length: number, position: number): number {
  const start = position < 0 ? length + position : position - 1;
  return Math.min(Math.max(start, 0), length);
}

function substring<T extends string | Uint8Array>(
  value: T,
  position: number,
  length: number | null,
): Value {
  const start = startOf(value.length, position);
  const end = length === null ? value.length : start + Math.max(0, length);
  return value.slice(start, end);
}

const SUBSTRING: readonly ScalarOverload[] = [STRING, BYTES].flatMap((type) =>
  [[], [whole('length')]].map((more) =>
    scalar({
      name: 'SUBSTRING',
      category,
      description:
        'A part from a 1-based position, a negative one counted from the end, to the end or so long.',
      parameters: [parameter('value', of(type)), whole('position'), ...more],
      returns: type,
      body: ([value = null, position = null, length = null]) =>
        substring(value as string, position as number, length as number | null),
    }),
  ),
);

/** Java's String.trim: everything up to the space counts as white. */
function trim(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && value.charCodeAt(from) <= 32) from++;
  while (to > from && value.charCodeAt(to - 1) <= 32) to--;
  return value.slice(from, to);
}

/** Java's `\s`. */
const WHITE = ' \t\n\v\f\r';

/** The first character of each word in upper case, the others in lower case; words stand between white space. */
function initcap(value: string): string {
  let capital = true;
  let result = '';
  for (const character of value.toLowerCase()) {
    result += capital ? character.toUpperCase() : character;
    capital = WHITE.includes(character);
  }
  return result;
}

/** Java's String.replace: no pattern in either; an empty part stands before every unit and at the end. */
function replace(value: string, old: string, fresh: string): string {
  const step = Math.max(1, old.length);
  if (value.length + (value.length / step + 1) * fresh.length > TEXT_LENGTH_MAX) {
    const count = value.split(old).length - (old === '' ? -1 : 1);
    checkLength(value.length + count * (fresh.length - old.length));
  }
  return value.replaceAll(old, () => fresh);
}

/** The characters of a text; an empty one is its only part. */
function characters(value: string): string[] {
  return value === '' ? [''] : Array.from(value);
}

/** Where `part` begins in `value`, from an index on; -1 when nowhere. */
function indexOfBytes(value: Uint8Array, part: Uint8Array, from: number): number {
  const first = part[0] as number;
  for (let at = value.indexOf(first, from); at >= 0; at = value.indexOf(first, at + 1)) {
    let same = 1;
    while (same < part.length && value[at + same] === part[same]) same++;
    if (same === part.length) return at;
  }
  return -1;
}

/** What a part takes at least, however short it is, as far as limits go. */
const PART_BYTES = 4;

function splitBytes(value: Uint8Array, delimiter: Uint8Array): Uint8Array[] {
  if (value.length === 0) return [value];
  if (delimiter.length === 0) {
    checkLength(value.length * PART_BYTES);
    return Array.from(value, (byte) => Uint8Array.of(byte));
  }
  const parts: Uint8Array[] = [];
  let from = 0;
  for (;;) {
    const at = indexOfBytes(value, delimiter, from);
    if (at < 0) break;
    checkLength(parts.push(value.slice(from, at)) * PART_BYTES);
    from = at + delimiter.length;
  }
  parts.push(value.slice(from));
  return parts;
}

const SPLIT_TEXT =
  'The parts between delimiters; an empty delimiter splits into single characters or bytes.';

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
  ...[STRING, BYTES].map((type) =>
    scalar({
      name: 'CONCAT',
      category,
      description: `All ${type === STRING ? 'texts' : 'bytes'} one after the other; nulls are left out.`,
      parameters: [variadic('values', of(type))],
      returns: type,
      nullPropagating: false,
      body: (values) => {
        const parts = values.filter((value) => value !== null) as string[] | Uint8Array[];
        checkLength(lengthOf(parts));
        return type === STRING ? parts.join('') : concatBytes(parts as Uint8Array[]);
      },
    }),
  ),
  scalar({
    name: 'REPLACE',
    category,
    description: 'The text with every occurrence of a part replaced by another.',
    parameters: [text('value'), text('old'), text('new')],
    returns: STRING,
    body: ([value = null, old = null, fresh = null]) =>
      replace(value as string, old as string, fresh as string),
  }),
  scalar({
    name: 'SPLIT',
    category,
    description: SPLIT_TEXT,
    parameters: [text('value'), text('delimiter')],
    returns: array(STRING),
    body: ([value = null, delimiter = null]) =>
      delimiter === '' ? characters(value as string) : (value as string).split(delimiter as string),
  }),
  scalar({
    name: 'SPLIT',
    category,
    description: SPLIT_TEXT,
    parameters: [parameter('value', of(BYTES)), parameter('delimiter', of(BYTES))],
    returns: array(BYTES),
    body: ([value = null, delimiter = null]) =>
      splitBytes(value as Uint8Array, delimiter as Uint8Array),
  }),
];
