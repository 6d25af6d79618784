// Functions of arrays: what is in them, sets, order, parts and series; knows no lambda and no other theme.

import { RecordError } from '../base/errors.ts';
import { SERIES_ITEMS_MAX } from '../base/limits.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type Type,
  type Value,
} from '../data/type.ts';
import { checkLength, lengthOf, scalarText, valueEquals, weigher } from '../data/value.ts';
import { castOf } from '../expr/cast.ts';
import { orderOf } from '../expr/compare.ts';
import { identity, items } from './collections.ts';
import { ANY, DECIMALS, first, of, parameter, scalar, type ScalarDeclaration } from './declare.ts';
import type { Pattern, ScalarOverload } from './registry.ts';

const category = 'ARRAY';

const arrayOf = (item: Pattern): Pattern => ({ pattern: 'array', item });
const ANY_ARRAY = arrayOf(ANY);

/** Items that have a text of their own: neither collections nor bytes. */
const TEXTUAL: readonly Pattern[] = [
  ...[BOOLEAN, INTEGER, BIGINT, DOUBLE, STRING, TIME, DATE, TIMESTAMP].map(of),
  DECIMALS,
];

/** Items that have an order: no collections. */
const PRIMITIVES: readonly Pattern[] = [...TEXTUAL, of(BYTES)];

/** The type of the items of the first argument. */
function itemType(types: readonly Type[]): Type {
  const own = first(types);
  return own.kind === 'ARRAY' ? own.item : own;
}

/** The declaration once for each type of items that has an order. */
function ofPrimitives(
  declaration: Omit<ScalarDeclaration, 'category' | 'parameters'>,
  more: ScalarDeclaration['parameters'] = [],
  types: readonly Pattern[] = PRIMITIVES,
): ScalarOverload[] {
  return types.map((item) =>
    scalar({ ...declaration, category, parameters: [parameter('array', arrayOf(item)), ...more] }),
  );
}

/** ARRAY_MIN and ARRAY_MAX: the item that stands before all others, nulls aside. */
function extreme(name: string, description: string, sign: 1 | -1): ScalarOverload[] {
  return ofPrimitives({
    name,
    description,
    returns: itemType,
    body: ([all], _context, types) => {
      const compare = orderOf(itemType(types));
      let found: Value = null;
      for (const item of items(all)) {
        if (item !== null && (found === null || sign * compare(item, found) < 0)) found = item;
      }
      return found;
    },
  });
}

/** The directions of ARRAY_SORT. */
const DIRECTIONS: ReadonlyMap<string, 1 | -1> = new Map([
  ['ASC', 1],
  ['ASCENDING', 1],
  ['DESC', -1],
  ['DESCENDING', -1],
]);

const sorting: Omit<ScalarDeclaration, 'category' | 'parameters'> = {
  name: 'ARRAY_SORT',
  description:
    "The array with its items in order, 'ASC' (the default) or 'DESC', nulls at the end either way; another word gives null.",
  returns: first,
  body: ([all, direction = 'ASC'], _context, types) => {
    const sign = DIRECTIONS.get(scalarText(direction).toUpperCase());
    if (sign === undefined) return null;
    const compare = orderOf(itemType(types));
    const given = items(all);
    const known = given.filter((item) => item !== null);
    const sorted: Value[] = known.sort((a, b) => sign * compare(a, b));
    return [...sorted, ...given.filter((item) => item === null)];
  },
};

/** The items of each kind once, where they first stand, of those that `keep` takes. */
function distinct(all: readonly Value[], keep: (id: Value) => boolean = () => true): Value[] {
  const seen = new Set<Value>();
  return all.filter((item) => {
    const id = identity(item);
    if (seen.has(id) || !keep(id)) return false;
    seen.add(id);
    return true;
  });
}

/** A function of two arrays of one type that gives a third; null where one of them is. */
function ofTwo(
  name: string,
  description: string,
  combine: (left: readonly Value[], right: readonly Value[]) => Value,
): ScalarOverload {
  return scalar({
    name,
    category,
    description,
    parameters: [parameter('left', ANY_ARRAY), parameter('right', ANY_ARRAY)],
    returns: first,
    body: ([left, right]) => combine(items(left), items(right)),
  });
}

/** The items of each kind once that are in the other array, or are not. */
function chosen(all: readonly Value[], other: readonly Value[], isThere: boolean): Value[] {
  const others = new Set(other.map(identity));
  return distinct(all, (id) => others.has(id) === isThere);
}

const joining: Omit<ScalarDeclaration, 'category' | 'parameters'> = {
  name: 'ARRAY_JOIN',
  description:
    'The items as one text with a delimiter between them, a comma where none is given; a null item is the word null, a null array gives null.',
  returns: STRING,
  nullPropagating: false,
  body: ([all = null, delimiter = ','], _context, types) => {
    if (all === null) return null;
    const text = castOf(itemType(types), STRING);
    const texts = items(all).map((item) => (item === null ? 'null' : scalarText(text(item))));
    const between = scalarText(delimiter ?? '');
    checkLength(lengthOf(texts) + between.length * Math.max(0, texts.length - 1));
    return texts.join(between);
  },
};

/** The numbers from start to end, both included. @throws {RecordError} for a step that never gets there, or too many numbers */
function series(start: bigint, end: bigint, step: bigint): bigint[] {
  const distance = end - start;
  if (step === 0n) throw failed('the step of GENERATE_SERIES is 0');
  if (distance !== 0n && distance > 0n !== step > 0n) {
    throw failed(`GENERATE_SERIES does not get from ${start} to ${end} by ${step}`);
  }
  const count = distance / step + 1n;
  if (count > SERIES_ITEMS_MAX) {
    throw failed(`GENERATE_SERIES gives ${count} numbers, more than ${SERIES_ITEMS_MAX}`);
  }
  return Array.from({ length: Number(count) }, (_, index) => start + BigInt(index) * step);
}

function failed(reason: string): RecordError {
  return new RecordError('EXPRESSION', reason);
}

function generating(type: Type, fromExact: (value: bigint) => Value): ScalarOverload[] {
  const exact = (value: Value | undefined): bigint => BigInt(value as number | bigint);
  const bounds = [parameter('start', of(type)), parameter('end', of(type))];
  const shared = { name: 'GENERATE_SERIES', category, returns: array(type) };
  return [
    scalar({
      ...shared,
      description: 'The numbers from start to end, both included, by 1 up or down.',
      parameters: bounds,
      body: ([start, end]) => {
        const [low, high] = [exact(start), exact(end)];
        return series(low, high, high > low ? 1n : -1n).map(fromExact);
      },
    }),
    scalar({
      ...shared,
      description: 'The numbers from start to end, both included, by a step up or down.',
      parameters: [...bounds, parameter('step', of(INTEGER))],
      body: ([start, end, step]) => series(exact(start), exact(end), exact(step)).map(fromExact),
    }),
  ];
}

/** The items from the one place to the other, both counted from 1; null where a place is not one of the array. */
function slice(all: readonly Value[], from: number, to: number): readonly Value[] | null {
  return from < 1 || to > all.length || from > to + 1 ? null : all.slice(from - 1, to);
}

export const ARRAYS: readonly ScalarOverload[] = [
  scalar({
    name: 'ARRAY_CONCAT',
    category,
    description:
      'The items of both arrays; a null array counts as empty beside one that is not, two null arrays give null.',
    parameters: [parameter('left', ANY_ARRAY), parameter('right', ANY_ARRAY)],
    returns: first,
    nullPropagating: false,
    body: ([left = null, right = null]) =>
      left === null ? right : right === null ? left : weigher()([...items(left), ...items(right)]),
  }),
  scalar({
    name: 'ARRAY_CONTAINS',
    category,
    description: 'Whether the array holds the value, a null too; false for a null array.',
    parameters: [parameter('array', ANY_ARRAY), parameter('value', ANY)],
    returns: BOOLEAN,
    nullPropagating: false,
    body: ([all, value = null]) => items(all).some((item) => valueEquals(item, value)),
  }),
  scalar({
    name: 'ARRAY_DISTINCT',
    category,
    description:
      'The different items of the array, null too, in the order in which they first come.',
    parameters: [parameter('array', ANY_ARRAY)],
    returns: first,
    body: ([all]) => distinct(items(all)),
  }),
  ofTwo(
    'ARRAY_EXCEPT',
    'The different items of the first array that are not in the second.',
    (left, right) => chosen(left, right, false),
  ),
  ofTwo(
    'ARRAY_INTERSECT',
    'The different items of the first array that are in the second too.',
    (left, right) => chosen(left, right, true),
  ),
  ofTwo(
    'ARRAY_UNION',
    'The different items of both arrays, in the order in which they first come.',
    (left, right) => weigher()(distinct([...left, ...right])),
  ),
  ...ofPrimitives(joining, [], TEXTUAL),
  ...ofPrimitives(joining, [parameter('delimiter', of(STRING))], TEXTUAL),
  scalar({
    name: 'ARRAY_LENGTH',
    category,
    description: 'How many items the array has, nulls included.',
    parameters: [parameter('array', ANY_ARRAY)],
    returns: INTEGER,
    body: ([all]) => items(all).length,
  }),
  ...extreme('ARRAY_MAX', 'The largest item of the array, nulls aside.', -1),
  ...extreme('ARRAY_MIN', 'The smallest item of the array, nulls aside.', 1),
  scalar({
    name: 'ARRAY_REMOVE',
    category,
    description:
      'The array without the items that equal the value; a null value removes the nulls.',
    parameters: [parameter('array', ANY_ARRAY), parameter('value', ANY)],
    returns: first,
    nullPropagating: false,
    body: ([all = null, value = null]) =>
      all === null ? null : items(all).filter((item) => !valueEquals(item, value)),
  }),
  ...ofPrimitives(sorting),
  ...ofPrimitives(sorting, [parameter('direction', of(STRING))]),
  ...generating(INTEGER, Number),
  ...generating(BIGINT, (value) => value),
  scalar({
    name: 'SLICE',
    category,
    description:
      'The items from one place to another, both included and counted from 1; a null place is the end on its side. Null where a place is not in the array.',
    parameters: [
      parameter('array', ANY_ARRAY),
      parameter('from', of(INTEGER)),
      parameter('to', of(INTEGER)),
    ],
    returns: first,
    nullPropagating: false,
    body: ([all = null, from = null, to = null]) =>
      all === null ? null : slice(items(all), Number(from ?? 1), Number(to ?? items(all).length)),
  }),
];
