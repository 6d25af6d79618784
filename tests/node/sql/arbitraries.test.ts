// The generators of random SQL leave out no kind of statement, clause, expression or type; knows no printing.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Expression, Statement, TypeName, Window } from '../../../runtime/sql/ast.ts';
import { statements } from './statement-arbitraries.ts';

// Written as records, so that the compiler knows when a kind is missing.
const STATEMENTS: Readonly<Record<Statement['kind'], true>> = {
  CreateSource: true,
  CreateAs: true,
  InsertSelect: true,
  InsertValues: true,
  AlterSource: true,
  SwapSources: true,
  DropSource: true,
  CreateType: true,
  DropType: true,
  CreateConnector: true,
  DropConnector: true,
  Terminate: true,
  Pause: true,
  Resume: true,
  Set: true,
  Unset: true,
  AlterSystem: true,
  Define: true,
  Undefine: true,
  Show: true,
  Describe: true,
  DescribeStreams: true,
  DescribeFunction: true,
  DescribeConnector: true,
  Explain: true,
  Print: true,
  AssertValues: true,
  AssertTombstone: true,
  AssertSource: true,
  AssertTopic: true,
  AssertSchema: true,
  RunScript: true,
  Select: true,
};

const EXPRESSIONS: Readonly<Record<Expression['kind'], true>> = {
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
  AtTimeZone: true,
};

const TYPES: Readonly<Record<TypeName['kind'], true>> = {
  NamedType: true,
  DecimalType: true,
  ArrayType: true,
  MapType: true,
  StructType: true,
};

const WINDOWS: Readonly<Record<Window['kind'], true>> = {
  Tumbling: true,
  Hopping: true,
  Session: true,
  Sliding: true,
};

/** Clauses by the property of the tree that holds them; those that may be null are seen with a value. */
const CLAUSES =
  `joins window where groupBy partitionBy having orderBy emit every limit within grace retention
  columns properties constraint additions timeout interval escape otherwise alias`.split(/\s+/);
const WORDS =
  `INNER LEFT RIGHT FULL CHANGES FINAL ASC DESC Star StructStar Item Key PrimaryKey Headers Header
  ExplainQuery ExplainStatement`.split(/\s+/);

test('every kind is generated, in statements of 2000 as the round trip runs', () => {
  const kinds = new Set<string>();
  const clauses = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === 'object' && node !== null) {
      for (const [key, value] of Object.entries(node)) {
        if (['kind', 'mode', 'type', 'direction'].includes(key) && typeof value === 'string')
          kinds.add(value);
        if (value !== null && !(Array.isArray(value) && value.length === 0)) clauses.add(key);
        visit(value);
      }
    }
  };
  for (const statement of fc.sample(statements, { numRuns: 2000, seed: 1 })) visit(statement);
  const wanted = [STATEMENTS, EXPRESSIONS, TYPES, WINDOWS].flatMap((kind) => Object.keys(kind));
  expect([...wanted, ...WORDS].filter((kind) => !kinds.has(kind))).toEqual([]);
  expect(CLAUSES.filter((clause) => !clauses.has(clause))).toEqual([]);
});

test('table functions and lambdas stand in SELECT lists', () => {
  const shapes = new Set<string>();
  for (const statement of fc.sample(statements, { numRuns: 2000, seed: 2 })) {
    if (!('query' in statement) || statement.query === null || !('items' in statement.query))
      continue;
    for (const item of statement.query.items) {
      if (item.kind !== 'Item' || item.expression.kind !== 'Call') continue;
      shapes.add(item.expression.name.text);
      for (const { kind } of item.expression.arguments) shapes.add(kind);
    }
  }
  expect(['EXPLODE', 'CUBE_EXPLODE', 'Lambda'].filter((shape) => !shapes.has(shape))).toEqual([]);
});
