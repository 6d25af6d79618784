// The rarer functions of text: padding, searching, choosing, code points; knows no other theme.

import { concatBytes } from '../base/byte-arrays.ts';
import { BYTES, INTEGER, map, STRING, type Type, type Value } from '../data/type.ts';
import { checkLength, lengthOf } from '../data/value.ts';
import { of, parameter, scalar, text, variadic, whole } from './declare.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'STRING';
const CODE_POINT_MAX = 0x10ffff;

/** A backslash, `u` and four hexadecimal digits: a UTF-16 unit as Java writes it. */
const UNIT_LENGTH = 6;

/** The text with its `\uXXXX` decoded; null when it does not begin with one or has one that is cut short. */
function decodeUnits(written: string): string | null {
  if (!written.startsWith('\\u')) return null;
  let decoded = '';
  let from = 0;
  for (;;) {
    const at = written.indexOf('\\u', from);
    if (at < 0) return decoded + written.slice(from);
    const digits = written.slice(at + 2, at + UNIT_LENGTH);
    if (!/^[0-9a-f]{4}$/iu.test(digits)) return null;
    decoded += written.slice(from, at) + String.fromCharCode(Number.parseInt(digits, 16));
    from = at + UNIT_LENGTH;
  }
}

/**
 * The 1-based place of the n-th occurrence, overlapping ones counted; 0 when there is none. A negative position counts from
 * the end, and the search goes from there to the beginning.
 */
function instr(value: string, part: string, position: number, occurrence: number): number {
  if (position === 0 || occurrence < 1 || Math.abs(position) > value.length) return 0;
  const backwards = position < 0;
  let at = backwards ? value.length + position + 1 - part.length : position - 1;
  for (let left = occurrence; ; left--) {
    if (at < 0) return 0;
    at = backwards ? value.lastIndexOf(part, at) : value.indexOf(part, at);
    if (at < 0) return 0;
    // An empty part is found where the search begins, and nowhere else.
    if (left === 1 || part === '') return at + 1;
    at += backwards ? -1 : 1;
  }
}

const INSTR_TEXT =
  'Where a part stands in a text, 1-based, 0 when nowhere or where one is null; from a position on, backwards when it is negative, the n-th time. A null position or count gives null.';

const INSTR: readonly ScalarOverload[] = [
  [text('value'), text('part')],
  [text('value'), text('part'), whole('position')],
  [text('value'), text('part'), whole('position'), whole('occurrence')],
].map((parameters) =>
  scalar({
    name: 'INSTR',
    category,
    description: INSTR_TEXT,
    parameters,
    returns: INTEGER,
    // A null text has no parts, which is 0 too; a null number makes a null.
    nullPropagating: false,
    body: ([value = null, part = null, ...numbers]) => {
      if (numbers.includes(null)) return null;
      if (value === null || part === null) return 0;
      const [position = 1, occurrence = 1] = numbers as number[];
      return instr(value as string, part as string, position, occurrence);
    },
  }),
);

/** How much padding a value needs; null when it cannot be padded. */
function missing(value: { length: number }, length: number, padding: { length: number }) {
  if (padding.length === 0 || length < 0) return null;
  checkLength(length);
  return Math.max(0, length - value.length);
}

function padText(value: string, length: number, padding: string, left: boolean): string | null {
  const needed = missing(value, length, padding);
  if (needed === null) return null;
  const filling = padding.repeat(Math.ceil(needed / padding.length)).slice(0, needed);
  return (left ? filling + value.slice(0, length) : value + filling).slice(0, length);
}

function padBytes(
  value: Uint8Array,
  length: number,
  padding: Uint8Array,
  left: boolean,
): Uint8Array | null {
  const needed = missing(value, length, padding);
  if (needed === null) return null;
  const filling = Uint8Array.from({ length: needed }, (_, i) => padding[i % padding.length] ?? 0);
  const kept = value.subarray(0, length);
  return concatBytes(left ? [filling, kept] : [kept, filling]);
}

function pad(name: string, left: boolean): ScalarOverload[] {
  const description = `The value padded at its ${left ? 'beginning' : 'end'} to a length, or cut to it; null where the padding is empty or the length negative.`;
  const declare = (type: Type, body: (value: Value, length: number, padding: Value) => Value) =>
    scalar({
      name,
      category,
      description,
      parameters: [parameter('value', of(type)), whole('length'), parameter('padding', of(type))],
      returns: type,
      body: ([value = null, length = null, padding = null]) =>
        body(value, length as number, padding),
    });
  return [
    declare(STRING, (value, length, padding) =>
      padText(value as string, length, padding as string, left),
    ),
    declare(BYTES, (value, length, padding) =>
      padBytes(value as Uint8Array, length, padding as Uint8Array, left),
    ),
  ];
}

/** Pieces without the delimiter between their halves are left out, and so is what stands behind a second one. */
function splitToMap(value: string, entries: string, halves: string): Value {
  if (entries === '' || halves === '' || entries === halves) return null;
  const found = new Map<Value, Value>();
  for (const entry of value.split(entries)) {
    const [key = '', half] = entry.split(halves, 2);
    if (half !== undefined) found.set(key, half);
  }
  return found;
}

/** All values that are not null with the separator between them, which is not null itself. */
function between<T>(separator: T, values: readonly (T | null)[]): T[] {
  const kept = values.filter((value) => value !== null);
  return kept.flatMap((value, index) => (index === 0 ? [value] : [separator, value]));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The upper 16 of 32 bits, then the lower ones. */
const upper = (bits: number) => `${HEX[bits >>> 24]}${HEX[(bits >>> 16) & 0xff]}`;
const lower = (bits: number) => `${HEX[(bits >>> 8) & 0xff]}${HEX[bits & 0xff]}`;

/** 128 bits as text; each of the four numbers has 32 of them. */
function uuidText(a: number, b: number, c: number, d: number): string {
  return `${upper(a)}${lower(a)}-${upper(b)}-${lower(b)}-${upper(c)}-${lower(c)}${upper(d)}${lower(d)}`;
}

const UUID_BYTES = 16;

export const TEXTS: readonly ScalarOverload[] = [
  scalar({
    name: 'CHR',
    category,
    description: 'The character of a code point; null where there is none.',
    parameters: [whole('codePoint')],
    returns: STRING,
    body: ([value = null]) => {
      const code = value as number;
      return code >= 0 && code <= CODE_POINT_MAX ? String.fromCodePoint(code) : null;
    },
  }),
  scalar({
    name: 'CHR',
    category,
    description: 'The character written as a backslash, u and four hexadecimal digits.',
    parameters: [text('written')],
    returns: STRING,
    body: ([value = null]) => decodeUnits(value as string),
  }),
  ...[STRING, BYTES].map((type) =>
    scalar({
      name: 'CONCAT_WS',
      category,
      description:
        'All values one after the other with a separator between them; nulls are left out, a null separator gives null.',
      parameters: [
        parameter('separator', of(type)),
        parameter('first', of(type)),
        variadic('more', of(type)),
      ],
      returns: type,
      nullPropagating: false,
      body: ([separator = null, ...values]) => {
        if (separator === null) return null;
        const parts = between(separator, values) as string[] | Uint8Array[];
        checkLength(lengthOf(parts));
        return type === STRING ? parts.join('') : concatBytes(parts as Uint8Array[]);
      },
    }),
  ),
  ...INSTR,
  ...pad('LPAD', true),
  ...pad('RPAD', false),
  scalar({
    name: 'SPLIT_TO_MAP',
    category,
    description:
      'A map of the entries of a text, cut by one delimiter, their keys and values by another; of two with one key the later.',
    parameters: [text('value'), text('entryDelimiter'), text('keyDelimiter')],
    returns: map(STRING, STRING),
    body: ([value = null, entries = null, halves = null]) =>
      splitToMap(value as string, entries as string, halves as string),
  }),
  scalar({
    name: 'ELT',
    category,
    description: 'The n-th of the texts, counted from 1; null where there is none or n is null.',
    parameters: [whole('n'), variadic('texts', of(STRING))],
    returns: STRING,
    nullPropagating: false,
    body: ([n = null, ...texts]) => (n === null ? null : (texts[(n as number) - 1] ?? null)),
  }),
  scalar({
    name: 'FIELD',
    category,
    description:
      'The place of a text among the others, counted from 1; 0 where it is not there or null.',
    parameters: [text('value'), variadic('texts', of(STRING))],
    returns: INTEGER,
    nullPropagating: false,
    body: ([value = null, ...texts]) => (value === null ? 0 : texts.indexOf(value) + 1),
  }),
  scalar({
    name: 'UUID',
    category,
    description: 'A random UUID (version 4).',
    parameters: [],
    returns: STRING,
    body: (_values, context) => {
      const bits = () => context.random() * 0x1_0000_0000;
      return uuidText(
        bits(),
        (bits() & 0xffff_0fff) | 0x4000,
        (bits() & 0x3fff_ffff) | 0x8000_0000,
        bits(),
      );
    },
  }),
  scalar({
    name: 'UUID',
    category,
    description: 'The UUID whose 16 bytes are given; null where they are more or fewer.',
    parameters: [parameter('value', of(BYTES))],
    returns: STRING,
    body: ([value = null]) => {
      const given = value as Uint8Array;
      if (given.length !== UUID_BYTES) return null;
      const view = new DataView(given.buffer, given.byteOffset, given.byteLength);
      return uuidText(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12));
    },
  }),
];
