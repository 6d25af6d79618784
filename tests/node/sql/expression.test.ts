// Expressions: constants and their types, names, operators and their order, constructors, CASE, calls and lambdas.

import { describe, expect, test } from 'vitest';
import type { Expression } from '../../../runtime/sql/ast.ts';
import { parseExpression } from '../../../runtime/sql/parser.ts';
import { printExpression } from '../../../runtime/sql/print-expression.ts';
import { plain } from './plain.ts';

function tree(text: string): unknown {
  return plain(parseExpression(text));
}

describe('constants', () => {
  test.each<[string, object]>([
    ['NULL', { kind: 'Null' }],
    ['true', { kind: 'Boolean', value: true }],
    ['False', { kind: 'Boolean', value: false }],
    ['0', { kind: 'Integer', value: 0 }],
    ['-0', { kind: 'Integer', value: 0 }],
    ['2147483647', { kind: 'Integer', value: 2147483647 }],
    ['-2147483648', { kind: 'Integer', value: -2147483648 }],
    ['2147483648', { kind: 'Long', value: 2147483648n }],
    ['-2147483649', { kind: 'Long', value: -2147483649n }],
    ['9007199254740993', { kind: 'Long', value: 9007199254740993n }],
    ['9223372036854775807', { kind: 'Long', value: 9223372036854775807n }],
    ['-9223372036854775808', { kind: 'Long', value: -9223372036854775808n }],
    ['1.50', { kind: 'Decimal', text: '1.50' }],
    ['-.5', { kind: 'Decimal', text: '-0.5' }],
    ['1.', { kind: 'Decimal', text: '1' }],
    ['007.0', { kind: 'Decimal', text: '7.0' }],
    ['-0.0', { kind: 'Decimal', text: '0.0' }],
    ['1E0', { kind: 'Double', value: 1 }],
    ['-2.5e-3', { kind: 'Double', value: -0.0025 }],
    ["'it''s'", { kind: 'String', value: "it's" }],
    ["DATE '2026-01-31'", { kind: 'TypedLiteral', type: { text: 'DATE' }, value: '2026-01-31' }],
  ])('%s', (text, expected) => {
    expect(tree(text)).toEqual(expected);
  });

  test.each(['-0E0', '1E0', '-2.5E-3', '1.7976931348623157E308', '5E-324', '1.', '-0.50', '- -1'])(
    '%s is written as it was read',
    (text) => {
      expect(printExpression(parseExpression(text))).toBe(text);
    },
  );

  test('a sign is part of a number only directly before it', () => {
    expect(tree('-(5)')).toEqual({
      kind: 'Negate',
      operator: '-',
      operand: { kind: 'Integer', value: 5 },
    });
    expect(tree('- 5')).toEqual({ kind: 'Integer', value: -5 });
    expect(tree('+5')).toMatchObject({ kind: 'Negate', operator: '+' });
    expect(tree('a -5')).toMatchObject({
      kind: 'Arithmetic',
      right: { kind: 'Integer', value: 5 },
    });
  });
});

describe('names', () => {
  test.each<[string, string | null, string]>([
    ['abc', null, 'ABC'],
    ['`abc`', null, 'abc'],
    ['"abc"', null, 'abc'],
    ['s.Col', 'S', 'COL'],
    ['`s`.`a``b`', 's', 'a`b'],
    ['_1@x', null, '_1@X'],
    ['key', null, 'KEY'],
    ['timestamp', null, 'TIMESTAMP'],
    ['__proto__', null, '__PROTO__'],
  ])('%s', (text, source, name) => {
    expect(tree(text)).toEqual({
      kind: 'Column',
      source: source === null ? null : { text: source },
      name: { text: name },
    });
  });
});

describe('order of operators', () => {
  test.each([
    ['a + b * c', 'a + (b * c)'],
    ['a * b + c', '(a * b) + c'],
    ['a - b - c', '(a - b) - c'],
    ['a / b * c % d', '((a / b) * c) % d'],
    ['-a * b', '(-a) * b'],
    ['-a[1]', '-(a[1])'],
    ["-a AT TIME ZONE 'UTC'", "-(a AT TIME ZONE 'UTC')"],
    ['a->b[1]->c', '((a->b)[1])->c'],
    ['a.b->c', '(a.b)->c'],
    ['a + 1 = b * 2', '(a + 1) = (b * 2)'],
    ['NOT a = b', 'NOT (a = b)'],
    ['NOT a AND b', '(NOT a) AND b'],
    ['NOT NOT a OR b', '(NOT (NOT a)) OR b'],
    ['a OR b AND c', 'a OR (b AND c)'],
    ['a AND b OR c AND d', '(a AND b) OR (c AND d)'],
    ['a BETWEEN 1 AND 2 AND b', '(a BETWEEN 1 AND 2) AND b'],
    ['a NOT BETWEEN b + 1 AND c OR d', '(a NOT BETWEEN (b + 1) AND c) OR d'],
    ['a IS NULL AND b IS NOT NULL', '(a IS NULL) AND (b IS NOT NULL)'],
    ['a + 1 IN (b, c) OR d', '((a + 1) IN (b, c)) OR d'],
    ['a IS DISTINCT FROM b + 1', 'a IS DISTINCT FROM (b + 1)'],
  ])('%s is %s', (text, parenthesised) => {
    expect(tree(text)).toEqual(tree(parenthesised));
    const bare = printExpression(parseExpression(parenthesised));
    expect(bare.toLowerCase()).toBe(text.toLowerCase());
  });

  test.each([
    ["a || 'x' LIKE b || '%'", "CONCAT(a, 'x') LIKE CONCAT(b, '%')"],
    ['a || b || c + d', 'CONCAT(CONCAT(a, b), c + d)'],
  ])('%s is %s, written another way', (text, called) => {
    expect(tree(text)).toEqual(tree(called));
    expect(printExpression(parseExpression(text)).toLowerCase()).toBe(called.toLowerCase());
  });

  test.each(['a = b = c', 'a < b IS NULL', 'a IN (1) = b', 'a LIKE b LIKE c', 'a IS NULL IS NULL'])(
    '%s does not chain',
    (text) => {
      expect(() => parseExpression(text)).toThrow(/cannot follow another condition/);
    },
  );

  test.each(['a + NOT b', 'a = NOT b', '-NOT a', 'a BETWEEN NOT b AND c'])(
    '%s needs parentheses',
    (text) => {
      expect(() => parseExpression(text)).toThrow(/NOT cannot stand here/);
    },
  );

  test('a run of AND is one node, but a parenthesised one stays apart', () => {
    const operands = (expression: Expression): number =>
      expression.kind === 'Logical' ? expression.operands.length : 0;
    expect(operands(parseExpression('a AND b AND c'))).toBe(3);
    expect(operands(parseExpression('(a AND b) AND c'))).toBe(2);
    expect(printExpression(parseExpression('(a AND b) AND c'))).toBe('(A AND B) AND C');
  });
});

describe('other forms', () => {
  test.each([
    "LIKE: A NOT LIKE '%!%' ESCAPE '!'",
    'CASE: CASE WHEN A = 1 THEN 2 ELSE 3 END',
    "CASE: CASE A WHEN 1 THEN 'x' WHEN 2 THEN 'y' END",
    'CAST: CAST(A AS DECIMAL(10, 2))',
    'CAST: CAST(A AS ARRAY<STRUCT<B MAP<STRING, INT>, C VARCHAR(255)>>)',
    'ARRAY: ARRAY[1, ARRAY[]]',
    "MAP: MAP('a' := 1, B := 2)[B]",
    'STRUCT: STRUCT(A := 1, `b` := A = 2)->`b`',
    'STRUCT: STRUCT()',
    'calls: COUNT(*)',
    'calls: COUNT()',
    'calls: F(A, G(B), C = 1)',
    'units: DATEADD(DAYS, 1, D)',
    'lambdas: TRANSFORM(A, X => X + 1)',
    'lambdas: REDUCE(A, 0, (S, X) => S + X)',
    'lambdas: TRANSFORM(A, X => TRANSFORM(X, (Y, Z) => Y AND Z OR X))',
    "zones: A AT TIME ZONE 'Europe/Berlin'",
  ])('%s', (claim) => {
    const text = claim.slice(claim.indexOf(': ') + 2);
    expect(printExpression(parseExpression(text))).toBe(text);
  });

  test('a unit that is no reserved word stays a column, which it may be', () => {
    expect(tree('f(DAYS, minute, MILLISECOND)')).toMatchObject({
      arguments: [
        { kind: 'IntervalUnit', unit: 'DAYS' },
        { kind: 'Column', name: { text: 'MINUTE' } },
        { kind: 'IntervalUnit', unit: 'MILLISECONDS' },
      ],
    });
  });

  test('constructors are told from names by their bracket', () => {
    expect(tree('array')).toMatchObject({ kind: 'Column', name: { text: 'ARRAY' } });
    expect(tree('`ARRAY`[1]')).toMatchObject({ kind: 'Subscript', operand: { kind: 'Column' } });
    expect(tree('`MAP`(1)')).toMatchObject({ kind: 'Call' });
    expect(printExpression(parseExpression('`ARRAY`[1] + `STRUCT`(2)'))).toBe(
      '`ARRAY`[1] + `STRUCT`(2)',
    );
  });
});

test('a node stands at its first token, an operation at its operator', () => {
  expect(parseExpression('abc + \n f(x)')).toMatchObject({
    at: { line: 1, column: 5 },
    left: { at: { line: 1, column: 1 } },
    right: { at: { line: 2, column: 2 }, arguments: [{ at: { line: 2, column: 4 } }] },
  });
});
