// Keys that PARTITION BY and GROUP BY give to rows that lack a value or a part of their key.

import { expect, test } from 'vitest';
import { batch, prettySchema } from '../../../runtime/data/pretty.ts';
import { BOOLEAN, INTEGER, STRING, type Type } from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { rekey } from '../../../runtime/operators/rekey.ts';
import { OperatorRun } from '../../support/operator-harness.ts';
import { registry } from '../../support/operator-inputs.ts';

const HEADER = 'K:STRING key | N:INTEGER @rowtime';
const INPUT = prettySchema(HEADER);
const ROWS = batch(HEADER, 'k | 1 @0', 'k | null @1', '~ | null @2', 'k | ~ @3', '~ | ~ @4');

const column = (index: number, type: Type): Expr => ({ expr: 'column', index, type });
const key = column(0, STRING);
const value = column(1, INTEGER);
const isNull = (argument: Expr): Expr => ({
  expr: 'isNull',
  negated: false,
  argument,
  type: BOOLEAN,
});

const toInteger: Expr = { expr: 'cast', argument: key, type: INTEGER };

function run(schema: string, keys: readonly Expr[], dropNullKeys: boolean): OperatorRun {
  const step = {
    step: 'rekey',
    id: '2',
    input: '1',
    schema: prettySchema(schema),
    key: keys,
    carried: [1],
    dropNullKeys,
  } as const;
  return new OperatorRun((context) => rekey(step, INPUT, context, registry)).process(ROWS);
}

function rekeyed(schema: string, keys: readonly Expr[], dropNullKeys = false): readonly string[] {
  const [, ...lines] = run(schema, keys, dropNullKeys).output().split('\n');
  return lines.map((line) => line.replaceAll(/ +/g, ' ').trim());
}

test('a key of several columns is never null as a whole, and keeps what the old key alone gives', () => {
  expect(rekeyed('K:STRING key | M:INTEGER key | N:INTEGER @rowtime', [key, value])).toEqual([
    'k | 1 | 1 @0',
    'k | null | null @1',
    'null | null | null @2',
    'k | null | ~ @3',
    'null | null | ~ @4',
  ]);
});

test('a key of one column is null as a whole where that column is', () => {
  expect(rekeyed('M:INTEGER key | N:INTEGER @rowtime', [value])).toEqual([
    '1 | 1 @0',
    '~ | null @1',
    '~ | null @2',
    '~ | ~ @3',
    '~ | ~ @4',
  ]);
});

test('an expression over value columns is not evaluated where there is no value', () => {
  expect(rekeyed('M:BOOLEAN key | N:INTEGER @rowtime', [isNull(value)])).toEqual([
    'false | 1 @0',
    'true | null @1',
    'true | null @2',
    '~ | ~ @3',
    '~ | ~ @4',
  ]);
  expect(rekeyed('M:BOOLEAN key | N:INTEGER @rowtime', [isNull(key)]).slice(3)).toEqual([
    'false | ~ @3',
    'true | ~ @4',
  ]);
});

test('a grouping drops rows without a value and with a null in the key', () => {
  expect(rekeyed('K:STRING key | M:INTEGER key | N:INTEGER @rowtime', [key, value], true)).toEqual([
    'k | 1 | 1 @0',
  ]);
});

test('a key that fails is a problem of each row that is kept, and of none that is dropped anyway', () => {
  const problems = (dropNullKeys: boolean) =>
    run('M:INTEGER key | N:INTEGER @rowtime', [toInteger], dropNullKeys).problems;
  expect(problems(false)).toHaveLength(3);
  expect(problems(true)).toHaveLength(2);
});
