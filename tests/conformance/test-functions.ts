// Functions that the cases expect beside the built-in ones, as ksqlDB's tests bring them, written as a user would; knows no case.

import { decimal, type Type, type Value } from '../../runtime/data/type.ts';
import type {
  AggregateOverload,
  Overload,
  ScalarOverload,
  TableOverload,
} from '../../runtime/functions/registry.ts';
import {
  aggregateFunction,
  scalarFunction,
  tableFunction,
} from '../../runtime/functions/user-functions.ts';
import { decimalText } from '../../runtime/data/decimal-text.ts';
import { doubleText } from '../../runtime/data/double-text.ts';
import { scalarText } from '../../runtime/data/value.ts';

const named = (...types: readonly string[]) =>
  types.map((type, index) => ({ name: `argument${index}`, type }));

/** Names the Java method that ksqlDB would have chosen. */
function chosen(method: string, parameters: Parameters<typeof scalarFunction>[0]['parameters']) {
  return scalarFunction({
    name: 'TEST_UDF',
    parameters,
    returns: 'STRING',
    nulls: 'pass',
    call: () => method,
  });
}

function boom(): never {
  throw new Error('boom!');
}

/** Gives its first argument where the second is true, and throws elsewhere: it proves that a CASE is lazy. */
function guarded(name: string, type: 'BOOLEAN' | 'INT'): ScalarOverload {
  return scalarFunction({
    name,
    parameters: named(type, 'BOOLEAN'),
    returns: type,
    nulls: 'pass',
    call: ([value = null, runs]) => (runs === true ? (value as never) : boom()),
  });
}

const SCALARS: readonly ScalarOverload[] = [
  chosen('doStuffIntString', named('INT', 'STRING')),
  chosen('doStuffLongString', named('BIGINT', 'STRING')),
  chosen('doStuffLongLongString', named('BIGINT', 'BIGINT', 'STRING')),
  chosen('doStuffLongVarargs', [{ name: 'all', type: 'BIGINT', variadic: true }]),
  scalarFunction({
    name: 'TEST_UDF',
    parameters: [{ name: 'struct', type: 'STRUCT<A VARCHAR>' }],
    returns: 'STRING',
    call: ([struct]) => (struct as readonly (string | null)[])[0] ?? null,
  }),
  scalarFunction({
    name: 'TEST_UDF',
    parameters: [],
    returns: 'STRUCT<A VARCHAR>',
    call: () => ['foo'],
  }),
  scalarFunction({
    name: 'TOSTRUCT',
    parameters: named('STRING'),
    returns: 'STRUCT<A VARCHAR>',
    nulls: 'pass',
    call: ([value = null]) => [value],
  }),
  scalarFunction({
    name: 'BAD_UDF',
    parameters: named('INT'),
    returns: 'INT',
    nulls: 'pass',
    call: boom,
  }),
  scalarFunction({
    name: 'BAD_UDF',
    parameters: named('BOOLEAN'),
    returns: 'INT',
    nulls: 'pass',
    call: ([value]) => (value === true ? boom() : 0),
  }),
  {
    ...scalarFunction({
      name: 'BAD_UDF',
      parameters: named('STRING'),
      returns: 'STRING',
      nulls: 'pass',
      call: ([value]) => value as string | null,
    }),
    // Null at every other call of the instance, from the first on.
    body() {
      let calls = 0;
      return ([value = null]) => (calls++ % 2 === 0 ? null : value);
    },
  },
  guarded('WHENCONDITION', 'BOOLEAN'),
  guarded('WHENRESULT', 'INT'),
];

/** What a Java value would show. */
function shown(type: string, value: Value): string {
  if (value === null) return 'null';
  if (type === 'DOUBLE') return doubleText(Number(value));
  if (type.startsWith('DECIMAL')) return decimalText(value as bigint, DECIMAL_SCALE);
  if (type.startsWith('STRUCT'))
    return `Struct{A=${scalarText((value as readonly Value[])[0] ?? '')}}`;
  return scalarText(value);
}

const DECIMAL_SCALE = 10;
const SEVEN = ['INT', 'BIGINT', 'DOUBLE', 'BOOLEAN', 'STRING', 'DECIMAL', 'STRUCT<A VARCHAR>'];

/** The texts of seven values, after `pick` has taken each out of its argument. */
function seven(wrap: (type: string) => string, pick: (argument: Value) => Value): TableOverload {
  return tableFunction({
    name: 'TEST_UDTF',
    parameters: named(...SEVEN.map(wrap)),
    returns: 'STRING',
    rows: (values) => values.map((value, i) => shown(SEVEN[i] ?? '', pick(value))),
  });
}

const TABLES: readonly TableOverload[] = [
  seven(
    (type) => type,
    (value) => value,
  ),
  seven(
    (type) => `ARRAY<${type}>`,
    (list) => (list as readonly Value[])[0] ?? null,
  ),
  seven(
    (type) => `MAP<STRING, ${type}>`,
    (map) => [...(map as ReadonlyMap<Value, Value>).values()][0] ?? null,
  ),
  ...SEVEN.map((type) =>
    tableFunction({
      name: 'TEST_UDTF',
      parameters: named(type),
      returns: type === 'DECIMAL' ? (): Type => decimal(30, 10) : type,
      rows: ([value = null]) => [value as never],
    }),
  ),
  tableFunction({
    name: 'THROWING_UDTF',
    parameters: [{ name: 'throws', type: 'BOOLEAN' }],
    returns: 'BOOLEAN',
    rows: ([throws]) => [throws ? boom() : throws],
  }),
];

const lengths = (texts: readonly Value[]): bigint =>
  texts.reduce<bigint>((sum, text) => sum + BigInt(typeof text === 'string' ? text.length : 0), 0n);

/** A BIGINT, then texts: their numbers and lengths added up; nulls count 0. */
const added = ([first = null, ...rest]: readonly Value[]): bigint =>
  BigInt((first as bigint | null) ?? 0) +
  lengths(rest) +
  rest.reduce<bigint>((sum, value) => sum + BigInt(typeof value === 'number' ? value : 0), 0n);

type Columns = Parameters<typeof aggregateFunction>[0]['parameters'];

/** Starts at the first constant and the lengths of the others, and adds up what comes. */
function started(name: string, parameters: Columns): AggregateOverload {
  return aggregateFunction({
    name,
    parameters,
    constants: [
      { name: 'init', type: 'INT' },
      { name: 'more', type: 'STRING', variadic: true },
    ],
    state: ['BIGINT'],
    returns: 'BIGINT',
    initial: ({ constants }) => [added([BigInt(Number(constants[0])), ...constants.slice(1)])],
    add: ([sum], values) => [(sum ?? 0n) + added(values)],
    merge: ([a], [b]) => [(a ?? 0n) + (b ?? 0n)],
    result: ([sum]) => sum,
  });
}

const summing = {
  state: ['BIGINT'],
  returns: 'BIGINT',
  merge: ([a]: readonly (bigint | null)[], [b]: readonly (bigint | null)[]) =>
    [(a ?? 0n) + (b ?? 0n)] as const,
  result: ([sum]: readonly (bigint | null)[]) => sum,
} as const;

/** The first arguments of the rows in which none is null. */
function complete(name: string, parameters: Columns, item: string): AggregateOverload {
  return aggregateFunction({
    name,
    parameters,
    state: [`ARRAY<${item}>`],
    returns: `ARRAY<${item}>`,
    initial: () => [[]],
    add: ([list], values) =>
      values.includes(null) ? [list] : [[...((list ?? []) as Value[]), values[0] as never]],
    merge: ([a], [b]) => [[...((a ?? []) as never[]), ...((b ?? []) as never[])]],
    result: ([list]) => list as never,
  });
}

const AGGREGATES: readonly AggregateOverload[] = [
  aggregateFunction({
    ...summing,
    name: 'TEST_UDAF',
    parameters: [{ name: 'value', type: 'BIGINT' }],
    initial: () => [0n],
    add: ([sum], [value]) => [(sum ?? 0n) + (value ?? 0n)],
    undo: ([sum], [value]) => [(sum ?? 0n) - (value ?? 0n)],
  }),
  aggregateFunction({
    ...summing,
    name: 'TEST_UDAF',
    parameters: [{ name: 'value', type: 'INT' }],
    settings: ['ksql.functions.test_udaf.init'],
    initial: ({ settings }) => [BigInt(settings['ksql.functions.test_udaf.init'] ?? 0)],
    add: ([sum], [value]) => [(sum ?? 0n) + BigInt(value ?? 0)],
    undo: ([sum], [value]) => [(sum ?? 0n) - BigInt(value ?? 0)],
  }),
  aggregateFunction({
    name: 'TEST_UDAF',
    parameters: [{ name: 'value', type: 'DOUBLE' }],
    state: ['DOUBLE'],
    returns: 'DOUBLE',
    initial: () => [0],
    add: ([sum], [value]) => [(sum ?? 0) + (value ?? 0)],
    merge: ([a], [b]) => [(a ?? 0) + (b ?? 0)],
    result: ([sum]) => sum,
  }),
  aggregateFunction({
    ...summing,
    name: 'TEST_UDAF',
    parameters: [{ name: 'value', type: 'STRING' }],
    initial: () => [0n],
    add: ([sum], values) => [(sum ?? 0n) + lengths(values)],
  }),
  aggregateFunction({
    name: 'TEST_UDAF',
    parameters: [{ name: 'value', type: 'STRUCT<A INT, B INT>' }],
    state: ['INT', 'INT'],
    returns: 'STRUCT<A INT, B INT>',
    initial: () => [0, 0],
    add: ([a, b], [value]) => {
      const [x, y] = (value ?? [0, 0]) as readonly (number | null)[];
      return [(a ?? 0) + (x ?? 0), (b ?? 0) + (y ?? 0)];
    },
    merge: ([a, b], [c, d]) => [(a ?? 0) + (c ?? 0), (b ?? 0) + (d ?? 0)],
    result: ([a, b]) => [a, b],
  }),
  started('MULTI_ARG', named('BIGINT', 'STRING')),
  started('FOUR_ARG', named('BIGINT', 'STRING', 'STRING', 'STRING')),
  started('FIVE_ARG', named('BIGINT', 'STRING', 'STRING', 'STRING', 'INT')),
  aggregateFunction({
    ...summing,
    name: 'VAR_ARG',
    parameters: [
      { name: 'first', type: 'BIGINT' },
      { name: 'texts', type: 'STRING', variadic: true },
    ],
    initial: () => [0n],
    add: ([sum], values) => [(sum ?? 0n) + added(values)],
  }),
  aggregateFunction({
    ...summing,
    name: 'MID_VAR_ARG',
    parameters: [
      { name: 'first', type: 'BIGINT' },
      { name: 'texts', type: 'STRING', variadic: true },
    ],
    constants: named('INT', 'INT'),
    initial: () => [0n],
    add: ([sum], values) => [(sum ?? 0n) + added(values)],
    result: ([sum], { constants }) =>
      (sum ?? 0n) + BigInt(Number(constants[0])) + BigInt(Number(constants[1])),
  }),
  complete(
    'GENERIC_VAR_ARG',
    [...named('A', 'B'), { name: 'more', type: 'C', variadic: true }],
    'A',
  ),
  complete(
    'OBJ_COL_ARG',
    [...named('INT'), { name: 'others', type: 'ANY', variadic: true }],
    'INT',
  ),
];

export const TEST_FUNCTIONS: readonly Overload[] = [...SCALARS, ...TABLES, ...AGGREGATES];
