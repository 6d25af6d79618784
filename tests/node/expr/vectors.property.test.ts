// Typed loops give what closures give row by row, for any expression that has loops, whatever nulls and selections there are.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { select } from '../../../runtime/data/batch.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { schema } from '../../../runtime/data/schema.ts';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  STRING,
  type Type,
  type Value,
} from '../../../runtime/data/type.ts';
import { isLooped } from '../../../runtime/expr/compile.ts';
import { compilePredicate } from '../../../runtime/expr/evaluate.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { compileRows } from '../../../runtime/expr/rows.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { evaluate } from '../../support/expressions.ts';

const registry = builtinRegistry();
const TYPES: readonly Type[] = [INTEGER, BIGINT, DOUBLE, BOOLEAN, STRING];
const SCHEMA = schema(TYPES.map((type, i) => ({ name: `C${i}`, type, role: 'value' as const })));

const ints = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.constantFrom(2_147_483_647, -2_147_483_648),
);
const longs = fc.oneof(
  fc.bigInt({ min: -4n, max: 4n }),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 62n) - 1n),
);
const doubles = fc.oneof(
  fc.integer({ min: -8, max: 8 }).map((n) => n / 2),
  fc.constantFrom(-0, NaN, Infinity, -Infinity, 1e300, -3e9, 0.1),
);
const texts = fc.constantFrom('', 'a', 'b', 'ä');

function valueOfType(type: Type): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'INTEGER':
      return ints;
    case 'BIGINT':
      return longs;
    case 'DOUBLE':
      return doubles;
    case 'BOOLEAN':
      return fc.boolean();
    default:
      return texts;
  }
}

function literalOf(type: Type): fc.Arbitrary<Expr> {
  return fc.option(valueOfType(type), { freq: 6 }).map((value): Expr => {
    const isText =
      typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value));
    const json = isText ? String(value) : (value as number | boolean | string | null);
    return { expr: 'literal', value: json, type };
  });
}

const operators = fc.constantFrom('=', '<>', '<', '<=', '>', '>=');
const numbers = fc.constantFrom(INTEGER, BIGINT, DOUBLE);

/** An expression of a type; not every one has loops. */
function exprOf(type: Type, depth: number): fc.Arbitrary<Expr> {
  const leaf = fc.oneof(
    fc.constant<Expr>({ expr: 'column', index: TYPES.indexOf(type), type }),
    literalOf(type),
  );
  if (depth === 0 || type.kind === 'STRING') return leaf;
  const inner = (of: Type): fc.Arbitrary<Expr> => exprOf(of, depth - 1);
  const choice = fc
    .tuple(
      fc.array(fc.record({ when: inner(BOOLEAN), then: inner(type) }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.option(inner(type)),
    )
    .map(([branches, otherwise]): Expr => ({ expr: 'case', branches, otherwise, type }));
  if (type.kind === 'BOOLEAN') {
    const operand = fc.oneof(numbers, fc.constant(STRING));
    return fc.oneof(
      leaf,
      choice,
      fc
        .tuple(
          operators,
          operand.chain((of) => fc.tuple(inner(of), inner(of))),
        )
        .map(([op, [left, right]]): Expr => ({ expr: 'compare', op, left, right, type })),
      fc
        .tuple(fc.constantFrom('AND', 'OR'), inner(BOOLEAN), inner(BOOLEAN))
        .map(([op, left, right]): Expr => ({ expr: 'logic', op, left, right, type })),
      inner(BOOLEAN).map((argument): Expr => ({ expr: 'not', argument, type })),
      fc
        .tuple(operand.chain(inner), fc.boolean())
        .map(([argument, negated]): Expr => ({ expr: 'isNull', negated, argument, type })),
      fc
        .tuple(
          operand.chain((of) => fc.tuple(inner(of), fc.array(literalOf(of), { maxLength: 4 }))),
          fc.boolean(),
        )
        .map(([[argument, list], negated]): Expr => ({
          expr: 'in',
          negated,
          argument,
          list,
          type,
        })),
    );
  }
  return fc.oneof(
    leaf,
    choice,
    fc
      .tuple(fc.constantFrom('+', '-', '*', '/', '%'), inner(type), inner(type))
      .map(([op, left, right]): Expr => ({ expr: 'arithmetic', op, left, right, type })),
    inner(type).map((argument): Expr => ({ expr: 'negate', argument, type })),
    numbers
      .filter((from) => from !== type)
      .chain(inner)
      .map((argument): Expr => ({ expr: 'cast', argument, type })),
  );
}

const rows = fc.array(fc.tuple(...TYPES.map((type) => fc.option(valueOfType(type), { freq: 5 }))), {
  minLength: 1,
  maxLength: 12,
});

const cases = fc.record({
  expr: fc
    .constantFrom<Type>(INTEGER, BIGINT, DOUBLE, BOOLEAN, BOOLEAN)
    .chain((type) => exprOf(type, 3)),
  rows,
  keep: fc.option(fc.array(fc.boolean(), { minLength: 12, maxLength: 12 })),
});

test('loops and rows agree on every value, and on which rows pass', () => {
  let looped = 0;
  fc.assert(
    fc.property(cases, ({ expr, rows: given, keep }) => {
      if (!isLooped(expr)) return;
      looped += 1;
      const builder = new BatchBuilder(SCHEMA);
      for (const values of given) builder.append(values, 0, null, null);
      const whole = builder.finish();
      if (whole === null) throw new Error('rows make a batch');
      const positions = Uint32Array.from(given.keys()).filter(
        (i) => keep === null || keep[i] === true,
      );
      const batch = keep === null ? whole : select(whole, positions);
      if (batch === null) return;
      const context = {
        now: 0,
        random: () => 0,
        itemFailed: () => undefined,
      };
      const value = compileRows(expr, registry);
      const expected = [...positions].map((position) => value(batch, position, context));
      expect(evaluate(expr, batch)).toEqual({ values: expected, failures: [] });
      if (expr.type.kind !== 'BOOLEAN') return;
      const evaluation = { at: () => context, failed: () => undefined };
      const passed = compilePredicate(expr, registry)(batch, evaluation);
      expect([...passed]).toEqual([...positions].filter((_, i) => expected[i] === true));
    }),
    { numRuns: 3000 },
  );
  expect(looped).toBeGreaterThan(1000);
});
