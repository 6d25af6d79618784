// Functions that users write: types as text, overloads, what is thrown and what is given wrongly.

import { expect, test } from 'vitest';
import { RecordError } from '../../../runtime/base/errors.ts';
import { TEXT_LENGTH_MAX } from '../../../runtime/base/limits.ts';
import {
  array,
  BIGINT,
  decimal,
  INTEGER,
  map,
  STRING,
  struct,
  TIMESTAMP,
  type Type,
  typeText,
  type Value,
} from '../../../runtime/data/type.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import {
  aggregateFunction,
  type FunctionParameter,
  scalarFunction,
  tableFunction,
} from '../../../runtime/functions/user-functions.ts';
import { folded } from '../../support/aggregates.ts';

const CONTEXT = { now: 0, random: () => 0 };

function scalarOf(...types: readonly string[]) {
  return scalarFunction({
    name: 'f',
    parameters: types.map((type, i): FunctionParameter => ({ name: `p${i}`, type })),
    returns: 'STRING',
    call: (values) => values.map(String).join(),
  });
}

test.each<[readonly string[], readonly (Type | null)[], string]>([
  [['int', 'varchar'], [INTEGER, STRING], 'F(INTEGER, STRING)'],
  [['ARRAY<bigint>'], [array(BIGINT)], 'F(ARRAY<BIGINT>)'],
  [
    ['MAP<STRING, ARRAY<T>>', 'T'],
    [map(STRING, array(INTEGER)), INTEGER],
    'F(MAP<STRING, ARRAY<T>>, T)',
  ],
  [['DECIMAL'], [decimal(9, 2)], 'F(DECIMAL)'],
  [['decimal(4, 2)'], [decimal(4, 2)], 'F(DECIMAL(4, 2))'],
  [['STRUCT'], [struct([{ name: 'A', type: INTEGER }])], 'F(STRUCT)'],
  [
    ['STRUCT<a INT, `b` STRING>'],
    [
      struct([
        { name: 'A', type: INTEGER },
        { name: 'b', type: STRING },
      ]),
    ],
    'F(STRUCT<`A` INTEGER, `b` STRING>)',
  ],
  [['ANY', 'ANY'], [INTEGER, array(STRING)], 'F(ANY, ANY)'],
])('parameters %o take %o', (parameters, types, signature) => {
  const registry = builtinRegistry([scalarOf(...parameters)]);
  expect(registry.resolve('F', types)?.signature).toBe(signature);
});

test.each([
  ['INTGER', "'INTGER' is no type"],
  ['ARRAY<INT, INT>', "'ARRAY<INT, INT>' is no type"],
  ['MAP<STRING>', "'MAP<STRING>' is no type"],
  ['', "'' is no type"],
])('the parameter type %o is refused', (type, message) => {
  expect(() => scalarOf(type)).toThrow(new TypeError(message));
});

test('a result cannot be of a variable that no parameter has', () => {
  const declare = (returns: string) => () =>
    scalarFunction({
      name: 'f',
      parameters: [{ name: 'a', type: 'ARRAY<T>' }],
      returns,
      call: () => null,
    });
  expect(declare('T')).not.toThrow();
  expect(declare('ARRAY<K>')).toThrow("'ARRAY<K>': nothing says what K is");
  expect(declare('DECIMAL')).toThrow("'DECIMAL': nothing says what DECIMAL is");
});

test('names are names, and not those of the common aggregates', () => {
  expect(() =>
    scalarFunction({ name: 'a b', parameters: [], returns: 'INT', call: () => 1 }),
  ).toThrow("'a b' is no name of a function");
  expect(() => counting('Sum')).toThrow('SUM is a built-in function');
});

test('a generic result follows the arguments, in scalar and in table functions', () => {
  const registry = builtinRegistry([
    scalarFunction({
      name: 'FIRST_OF',
      parameters: [{ name: 'list', type: 'ARRAY<T>' }],
      returns: 'T',
      call: ([list]) => list[0] as never,
    }),
    tableFunction({
      name: 'PAIRS',
      parameters: [{ name: 'of', type: 'MAP<K, V>' }],
      returns: 'MAP<K, V>',
      rows: ([of]) => [...(of as ReadonlyMap<Value, Value>)].map((pair) => new Map([pair])),
    }),
  ]);
  const resolved = registry.resolve('FIRST_OF', [array(TIMESTAMP)]);
  expect(resolved?.type).toEqual(TIMESTAMP);
  expect(registry.resolve('FIRST_OF', [null])?.type).toEqual(STRING);
  const pairs = registry.resolve('PAIRS', [map(STRING, INTEGER)]);
  expect(typeText(pairs?.type ?? STRING)).toBe('MAP<STRING, INTEGER>');
});

test('a variadic parameter may stand in the middle', () => {
  const registry = builtinRegistry([
    scalarFunction({
      name: 'F',
      parameters: [
        { name: 'first', type: 'INT' },
        { name: 'texts', type: 'STRING', variadic: true },
        { name: 'last', type: 'BOOLEAN' },
      ],
      returns: 'INT',
      call: (values) => values.length,
    }),
  ]);
  const boolean: Type = { kind: 'BOOLEAN' };
  expect(registry.resolve('F', [INTEGER, boolean])?.signature).toBe(
    'F(INTEGER, STRING..., BOOLEAN)',
  );
  expect(registry.resolve('F', [INTEGER, STRING, STRING, boolean])).not.toBe(null);
  expect(registry.resolve('F', [INTEGER, INTEGER, boolean])).toBe(null);
});

function bodyOf(returns: string, give: () => unknown) {
  const made = scalarFunction({
    name: 'GIVES',
    parameters: [],
    returns,
    call: () => give() as never,
  });
  const body = made.body?.([]);
  return () => body?.([], CONTEXT, []);
}

test.each<[string, unknown]>([
  ['INT', 7],
  ['BIGINT', 7n],
  ['DOUBLE', NaN],
  ['DECIMAL(3, 1)', 999n],
  ['BYTES', Uint8Array.of(1)],
  ['ARRAY<INT>', [1, null]],
  ['MAP<STRING, INT>', new Map([['a', 1]])],
  ['STRUCT<A INT>', [null]],
  ['TIME', 0],
  ['INT', null],
])('a function of %s may give %o', (returns, value) => {
  expect(bodyOf(returns, () => value)()).toEqual(value);
});

test('nothing is null', () => {
  expect(bodyOf('INT', () => undefined)()).toBe(null);
});

test.each<[string, unknown, string]>([
  ['INT', 7n, 'GIVES gave 7 (bigint), which is no INTEGER'],
  ['INT', 0.5, 'GIVES gave 0.5 (number), which is no INTEGER'],
  ['INT', 2 ** 31, 'GIVES gave 2147483648 (number), which is no INTEGER'],
  ['BIGINT', 7, 'GIVES gave 7 (number), which is no BIGINT'],
  ['BIGINT', 2n ** 63n, 'GIVES gave 9223372036854775808 (bigint), which is no BIGINT'],
  ['DECIMAL(3, 1)', 1000n, 'GIVES gave 1000 (bigint), which is no DECIMAL(3, 1)'],
  ['TIME', 86_400_000, 'GIVES gave 86400000 (number), which is no TIME'],
  ['STRING', {}, 'GIVES gave an object, which is no STRING'],
  ['ARRAY<INT>', ['a'], 'GIVES gave an object, which is no ARRAY<INTEGER>'],
  ['MAP<STRING, INT>', { a: 1 }, 'GIVES gave an object, which is no MAP<STRING, INTEGER>'],
  ['STRUCT<A INT>', [1, 2], 'GIVES gave an object, which is no STRUCT<`A` INTEGER>'],
])('a function of %s that gives %o has failed on the row', (returns, value, message) => {
  expect(bodyOf(returns, () => value)).toThrow(new RecordError('EXPRESSION', message));
});

test('what is thrown is a problem of the row, with the name of the function', () => {
  const thrower = bodyOf('INT', () => {
    throw new Error('boom');
  });
  expect(thrower).toThrow(new RecordError('EXPRESSION', 'GIVES failed: boom'));
});

/** Counts rows, each `step` times, beginning at `start`; fails on negative ones. */
function counting(name = 'COUNTING') {
  return aggregateFunction({
    name,
    parameters: [{ name: 'value', type: 'INT' }],
    constants: [
      { name: 'start', type: 'INT' },
      { name: 'more', type: 'INT', variadic: true },
    ],
    settings: ['ksql.functions.counting.step'],
    state: ['INT', 'ARRAY<INT>'],
    returns: 'STRING',
    initial: ({ constants }) => [constants.reduce<number>((sum, n) => sum + Number(n), 0), []],
    add: ([count, seen], [value], { settings }) => {
      if ((value ?? 0) < 0) throw new Error('negative');
      const step = Number(settings['ksql.functions.counting.step'] ?? 1);
      return [(count ?? 0) + step, [...(seen ?? []), value]];
    },
    undo: ([count, seen]) => [(count ?? 0) - 1, (seen ?? []).slice(0, -1)],
    merge: ([a, b], [c, d]) => [(a ?? 0) + (c ?? 0), [...(b ?? []), ...(d ?? [])]],
    result: ([count, seen]) => (count === 99 ? boom() : `${count} of ${seen?.join() ?? ''}`),
    refuses: ({ constants }) => (constants[0] === 13 ? 'not 13' : null),
  });
}

test('a state, and the rows of a table function, are no more than one value may be', () => {
  const growing = aggregateFunction({
    name: 'growing',
    parameters: [{ name: 'length', type: 'INT' }],
    state: ['STRING'],
    returns: 'STRING',
    initial: () => [''],
    add: (_state, [length]) => ['x'.repeat(length ?? 0)],
    merge: (earlier) => earlier,
    result: ([text]) => text,
  }).body([INTEGER], { constants: [], settings: {} });
  // A cell, and its text, count one each beside the text.
  const cells = folded(growing, [[TEXT_LENGTH_MAX - 2]]);
  expect(cells[0]).toHaveLength(TEXT_LENGTH_MAX - 2);
  expect(() => growing.add(cells, [TEXT_LENGTH_MAX - 1], 1)).toThrow(RecordError);
  expect(cells[0]).toHaveLength(TEXT_LENGTH_MAX - 2);
  const endless = tableFunction({
    name: 'endless',
    parameters: [{ name: 'most', type: 'INT' }],
    returns: 'INT',
    *rows([most]) {
      for (let i = 0; i < most; i++) yield i;
    },
  }).body([INTEGER]);
  expect(endless([TEXT_LENGTH_MAX])).toHaveLength(TEXT_LENGTH_MAX);
  expect(() => endless([Infinity])).toThrow(RecordError);
});

function boom(): never {
  throw new Error('boom');
}

test('an aggregate gets its constants and settings, and keeps a state of typed cells', () => {
  const registry = builtinRegistry([counting()]);
  const resolved = registry.resolve('COUNTING', [INTEGER, INTEGER, INTEGER]);
  expect(resolved?.signature).toBe('COUNTING(INTEGER, INTEGER, INTEGER...)');
  const settings = { 'ksql.functions.counting.step': '10' };
  const body = counting().body([INTEGER], { constants: [5, 2], settings });
  expect(body.cells).toEqual([INTEGER, array(INTEGER)]);
  const cells = folded(body, [[1], [null], [3]]);
  expect(body.result(cells)).toBe('37 of 1,,3');
  body.undo?.(cells, [3]);
  expect(body.result(cells)).toBe('36 of 1,');
  body.merge?.(cells, folded(body, [[4]]));
  expect(body.result(cells)).toBe('53 of 1,,4');
});

test('a step that fails leaves the state as it was', () => {
  const body = counting().body([INTEGER], { constants: [0], settings: {} });
  const cells = folded(body, [[1]]);
  expect(() => body.add(cells, [-1], 1)).toThrow(
    new RecordError('EXPRESSION', 'COUNTING failed: negative'),
  );
  expect(cells).toEqual([1, [1]]);
  const wrong = counting().body([INTEGER], {
    constants: [0],
    settings: { 'ksql.functions.counting.step': 'x' },
  });
  const untouched = wrong.initial();
  expect(() => wrong.add(untouched, [1], 0)).toThrow(
    'the state of COUNTING gave NaN (number), which is no INTEGER',
  );
  expect(untouched).toEqual([0, []]);
});

test('an aggregate may refuse what a statement gives', () => {
  const given = (start: number) => ({ constants: [start], settings: {} });
  expect(counting().refuses?.(given(13))).toBe('not 13');
  expect(counting().refuses?.(given(12))).toBe(null);
});
