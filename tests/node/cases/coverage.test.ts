// Every function and every clause of the language stands in a case that passes; a new one without a case fails here.

import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ALLOWED } from '../../../runtime/catalog/all-properties.ts';
import { BUILT_IN } from '../../../runtime/catalog/types.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import type { Expression, Statement } from '../../../runtime/sql/ast.ts';
import { parse } from '../../../runtime/sql/parser.ts';
import { caseFiles, sqlFiles } from '../../conformance/suite.ts';
import { tagsOf } from '../../support/sql-tags.ts';

const CASES_MIN = 400;

const folder = resolve(import.meta.dirname, '../../cases');
const files = caseFiles(folder);
const scripts = sqlFiles(folder);

/** What the statements of all cases hold that are not refused. */
const tags = new Set<string>();
for (const { cases } of files) {
  for (const { statements, expectedError } of cases) {
    if (expectedError !== null) continue;
    for (const statement of parse(statements.join('\n'))) tagsOf(statement, tags);
  }
}
for (const { cases } of scripts) {
  for (const { sql, expected } of cases) {
    if (expected !== null) continue;
    for (const statement of parse(sql)) tagsOf(statement, tags);
  }
}

const missing = (prefix: string, names: readonly string[]): string[] =>
  names.map((name) => `${prefix} ${name}`).filter((tag) => !tags.has(tag));

test('there are enough cases', () => {
  const count = [...files, ...scripts].reduce((sum, { cases }) => sum + cases.length, 0);
  expect(count).toBeGreaterThanOrEqual(CASES_MIN);
});

test('every function of the registry has a case', () => {
  const { names } = builtinRegistry();
  expect(names.length).toBeGreaterThan(140);
  expect(missing('function', names)).toEqual([]);
});

/** true: a case has it; else why none can. */
const STATEMENTS: Readonly<Record<Statement['kind'], true | string>> = {
  CreateSource: true,
  CreateAs: true,
  InsertSelect: true,
  InsertValues: true,
  AlterSource: true,
  DropSource: true,
  CreateType: true,
  DropType: true,
  Terminate: true,
  Set: true,
  Unset: true,
  AssertValues: true,
  AssertTombstone: true,
  AssertSource: true,
  CreateConnector: 'refused',
  DropConnector: 'refused',
  DescribeConnector: 'refused',
  AssertSchema: 'refused',
  RunScript: 'the runner of SQL cases has one script only',
  SwapSources: 'changes no row of a case; tests/node/engine',
  Pause: 'changes no row of a case; tests/node/engine',
  Resume: 'changes no row of a case; tests/node/engine',
  AlterSystem: 'of the engine; tests/node/engine',
  Define: 'of the engine; tests/node/sql/variables and tests/node/engine',
  Undefine: 'of the engine; tests/node/sql/variables and tests/node/engine',
  Show: 'answers; tests/node/engine',
  Describe: 'answers; tests/node/engine',
  DescribeStreams: 'answers; tests/node/engine',
  DescribeFunction: 'answers; tests/node/engine',
  Explain: 'answers; tests/node/engine',
  Print: 'answers; tests/node/engine',
  AssertTopic: 'asks the host; tests/node/engine',
  Select: 'answers; tests/node/engine',
};

test('every kind of statement that makes or moves rows has a case', () => {
  const kinds = Object.entries(STATEMENTS).flatMap(([kind, has]) => (has === true ? [kind] : []));
  expect(missing('statement', kinds)).toEqual([]);
});

const EXPRESSIONS: Readonly<Record<Expression['kind'], true | string>> = {
  Null: true,
  Boolean: true,
  Integer: true,
  Long: true,
  Decimal: true,
  Double: true,
  String: true,
  TypedLiteral: true,
  IntervalUnit: true,
  Column: true,
  Field: true,
  Subscript: true,
  Call: true,
  Lambda: true,
  Arithmetic: true,
  Negate: true,
  Comparison: true,
  Logical: true,
  Not: true,
  Between: true,
  In: true,
  Like: true,
  IsNull: true,
  IsDistinct: true,
  SimpleCase: true,
  SearchedCase: true,
  Cast: true,
  Array: true,
  Map: true,
  Struct: true,
  AtTimeZone: 'refused',
};

test('every kind of expression and every operator has a case', () => {
  const kinds = Object.entries(EXPRESSIONS).flatMap(([kind, has]) => (has === true ? [kind] : []));
  expect(missing('expression', kinds)).toEqual([]);
  const operators = '+ - * / % = <> < <= > >= AND OR'.split(' ');
  expect(missing('operator', operators)).toEqual([]);
});

/** Clauses as tests/support/sql-tags.ts names them. LIMIT and ORDER BY are of queries that answer: tests/node/engine. */
const CLAUSES = [
  'INNER JOIN',
  'LEFT JOIN',
  'RIGHT JOIN',
  'FULL JOIN',
  'WITHIN',
  'WITHIN (before, after)',
  'WITHIN GRACE PERIOD',
  'WHERE',
  'GROUP BY',
  'PARTITION BY',
  'HAVING',
  'EMIT CHANGES',
  'EMIT FINAL',
  'EMIT CHANGES EVERY',
  'WINDOW Tumbling',
  'WINDOW Hopping',
  'WINDOW Session',
  'RETENTION',
  'GRACE PERIOD',
  'SELECT Star',
  'SELECT source.*',
  'SELECT StructStar',
  'SELECT Item',
  'AS',
  'FROM AS',
  'ESCAPE',
  'ELSE',
  'COUNT(*)',
  'OR REPLACE',
  'IF NOT EXISTS',
  'IF EXISTS',
  'SOURCE STREAM',
  'SOURCE TABLE',
  'STREAM',
  'TABLE',
  'Key',
  'PrimaryKey',
  'Headers',
  'Header',
];

test('every clause has a case', () => {
  expect(missing('clause', CLAUSES)).toEqual([]);
});

test('every property of WITH and every type has a case', () => {
  expect(missing('property', [...new Set(Object.values(ALLOWED).flat())])).toEqual([]);
  expect(missing('type', [...BUILT_IN.keys(), 'DECIMAL', 'ARRAY', 'MAP', 'STRUCT'])).toEqual([]);
});
