// Table functions under the operator contract, and what they make of single rows.

import { expect, test } from 'vitest';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { array, BIGINT, INTEGER } from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { tableFunction } from '../../../runtime/functions/user-functions.ts';
import { flatMap } from '../../../runtime/operators/flat-map.ts';
import type { OperatorContext } from '../../../runtime/operators/operator.ts';
import type { FlatMapStep, TableCall } from '../../../runtime/plan/step.ts';
import { arithmetic, column, literal } from '../../support/expressions.ts';
import { batchesOf, describeOperator, outputLines } from '../../support/operator-contract.ts';
import { OperatorRun } from '../../support/operator-harness.ts';
import { streamArbitrary } from '../../support/operator-inputs.ts';

/** As many rows as it says; the first few before it fails, and none where it cannot begin. */
const times = tableFunction({
  name: 'TIMES',
  parameters: [{ name: 'n', type: 'INT' }],
  returns: 'BIGINT',
  *rows([n]) {
    if (n < 0) throw new Error('less than nothing');
    for (let i = 0; i < n; i++) {
      if (i === 50) throw new Error('too many');
      yield BigInt(i);
    }
  },
});
const registry = builtinRegistry([times]);

const INPUT = prettySchema('K:STRING key | I:INTEGER | L:BIGINT @rowtime');
const OUTPUT = prettySchema('K:STRING key | L:BIGINT | N:BIGINT | V:INTEGER @rowtime');
const timesOf = (argument: Expr): TableCall => ({
  function: 'TIMES',
  signature: 'TIMES(INTEGER)',
  arguments: [argument],
  type: BIGINT,
});
const explodeOf = (...items: readonly Expr[]): TableCall => ({
  function: 'EXPLODE',
  signature: 'EXPLODE(ARRAY<T>)',
  arguments: [{ expr: 'array', items, type: array(INTEGER) }],
  type: INTEGER,
});
const step = (...calls: readonly TableCall[]): FlatMapStep => ({
  step: 'flatMap',
  id: '2',
  input: '1',
  schema: OUTPUT,
  carried: [0, 2],
  calls,
});
const make = (of: FlatMapStep) => (context: OperatorContext) =>
  flatMap(of, INPUT, context, registry);

const I = column(1, INTEGER);
const divided = arithmetic('/', literal(6, INTEGER), I, INTEGER);
const BOTH = step(timesOf(I), explodeOf(I, divided));

describeOperator('flatMap, with functions and arguments that fail', {
  paths: [{ name: 'row path', make: make(BOTH) }],
  input: streamArbitrary(INPUT),
  changelog: null,
});

function run(of: FlatMapStep, ...rows: readonly Parameters<typeof batchesOf>[1][number][]) {
  const ran = new OperatorRun(make(of));
  for (const batch of batchesOf(INPUT, rows)) ran.process(batch);
  return ran;
}

test('the functions are zipped, the shorter one padded with null', () => {
  const ran = run(
    BOTH,
    { values: ['a', 3, 7n], rowtime: 5 },
    { values: ['b', 1, null], rowtime: 6 },
  );
  expect(outputLines(ran)).toEqual([
    'a | 7 | 0 | 3 @5',
    'a | 7 | 1 | 2 @5',
    'a | 7 | 2 | null @5',
    'b | null | 0 | 1 @6',
    'b | null | null | 6 @6',
  ]);
});

test('no rows come of null arguments, null values and empty lists', () => {
  const ran = run(
    step(timesOf(I), explodeOf()),
    { values: ['a', null, 7n], rowtime: 5 },
    { values: ['a', 0, 7n], rowtime: 5 },
    { values: ['a', null, null], rowtime: 6, valueNull: true },
  );
  expect(ran.emitted).toEqual([]);
  expect(ran.problems).toEqual([]);
});

test('what fails makes no rows and is a problem of the row; the other function goes on', () => {
  const ran = run(
    BOTH,
    { values: ['a', -2, 7n], rowtime: 5 },
    { values: ['b', 60, 1n], rowtime: 6 },
  );
  expect(outputLines(ran)).toEqual([
    'a | 7 | null | -2 @5',
    'a | 7 | null | -3 @5',
    'b | 1 | null | 60 @6',
    'b | 1 | null | 0 @6',
  ]);
  expect(ran.problems).toEqual([
    { code: 'EXPRESSION', origin: 0, field: 'N', reason: 'TIMES failed: less than nothing' },
    { code: 'EXPRESSION', origin: 1, field: 'N', reason: 'TIMES failed: too many' },
  ]);
});

test('a batch holds no more rows than it may, and a row goes on in the next one', () => {
  const cube: TableCall = {
    function: 'CUBE_EXPLODE',
    signature: 'CUBE_EXPLODE(ARRAY<T>)',
    arguments: [
      {
        expr: 'array',
        items: Array.from({ length: 13 }, (_, i) => literal(i, INTEGER)),
        type: array(INTEGER),
      },
    ],
    type: array(INTEGER),
  };
  const ran = run(
    { ...step(cube), schema: prettySchema('K:STRING key | L:BIGINT | V:ARRAY<INTEGER> @rowtime') },
    {
      values: ['a', 1, 1n],
      rowtime: 0,
    },
  );
  expect(ran.emitted.map(({ length }) => length)).toEqual([BATCH_ROWS_MAX, BATCH_ROWS_MAX]);
});

test('a function that the registry does not have is named', () => {
  const unknown = { ...timesOf(I), function: 'NO', signature: 'NO(STRING)' };
  expect(() => run(step(unknown))).toThrow('there is no table function NO(STRING)');
});
