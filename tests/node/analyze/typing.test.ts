// Types, coercions and folded literals of expressions, as text.
import { expect, test } from 'vitest';
import { inferred, typed } from '../../../runtime/analyze/typing.ts';
import { scopeOf } from '../../../runtime/analyze/scope.ts';
import { typeText } from '../../../runtime/data/type.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { exprText } from '../../../runtime/plan/print-expr.ts';
import { parseExpression } from '../../../runtime/sql/parser.ts';
import { Session } from '../plan/session.ts';

const session = new Session();
session.run(`
  CREATE TYPE point AS STRUCT<x INT, y DOUBLE>;
  CREATE STREAM s (id INT KEY, i INT, l BIGINT, d DOUBLE, p DECIMAL(6, 2), q DECIMAL(4, 3), a STRING, f BOOLEAN,
    ts TIMESTAMP, dt DATE, xs ARRAY<INT>, m MAP<STRING, BIGINT>, o point) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
`);
const scope = scopeOf(session.catalog.source('S'), null);
const context = {
  scope,
  registry: builtinRegistry(),
  types: session.catalog.types,
  clause: 'SELECT',
};

/** The typed expression as text with its type: `text :: TYPE`. */
function shown(sql: string): string {
  const expression = typed(parseExpression(sql), context);
  return `${exprText(expression, scope.row)} :: ${typeText(expression.type)}`;
}

test.each([
  // Numbers widen to the wider side; literals are folded.
  ['i + l', '(CAST(I AS BIGINT) + L) :: BIGINT'],
  ['l + 1', '(L + 1) :: BIGINT'],
  ['d * 2', '(D * 2) :: DOUBLE'],
  ['d * 2.50', '(D * 2.5) :: DOUBLE'],
  ['i / 2', '(I / 2) :: INTEGER'],
  ['-i', '(-I) :: INTEGER'],
  ['+i', 'I :: INTEGER'],
  ['1.50', '1.50 :: DECIMAL(3, 2)'],
  ['0.05', '0.05 :: DECIMAL(2, 2)'],
  ['3000000000', '3000000000 :: BIGINT'],
  ['1e3', '1000 :: DOUBLE'],
  // Decimal results are as wide as ksqlDB's.
  ['p + q', '(P + Q) :: DECIMAL(8, 3)'],
  ['p * q', '(P * Q) :: DECIMAL(11, 5)'],
  ['p / q', '(P / Q) :: DECIMAL(14, 7)'],
  ['p % q', '(P % Q) :: DECIMAL(4, 3)'],
  ['p + i', '(P + CAST(I AS DECIMAL(10, 0))) :: DECIMAL(13, 2)'],
  ['p + 1', '(P + 1) :: DECIMAL(13, 2)'],
  ['p + d', '(CAST(P AS DOUBLE) + D) :: DOUBLE'],
  // Text
  ["a + 'x'", "(A + 'x') :: STRING"],
  ["a || 'x'", "CONCAT(A, 'x') :: STRING"],
  ["a LIKE '%x_' ESCAPE '!'", "(A LIKE '%x_' ESCAPE '!') :: BOOLEAN"],
  // Comparisons
  ['i < d', '(CAST(I AS DOUBLE) < D) :: BOOLEAN'],
  ['p = i', '(P = CAST(I AS DECIMAL(10, 0))) :: BOOLEAN'],
  ['dt < ts', '(CAST(DT AS TIMESTAMP) < TS) :: BOOLEAN'],
  ["ts > '2026-01-31T00:00'", "(TS > CAST('2026-01-31T00:00' AS TIMESTAMP)) :: BOOLEAN"],
  ["ROWTIME >= '1970-01-02T00:00+01:00'", '(ROWTIME >= 82800000) :: BOOLEAN'],
  ["ROWTIME < '1970-01-01T07'", '(ROWTIME < 25200000) :: BOOLEAN'],
  ["ROWTIME < '1970-01-01T24'", '(ROWTIME < 86400000) :: BOOLEAN'],
  ['xs = xs', '(XS = XS) :: BOOLEAN'],
  ['i IS DISTINCT FROM l', '(CAST(I AS BIGINT) IS DISTINCT FROM L) :: BOOLEAN'],
  ['i IS NOT DISTINCT FROM NULL', '(I IS NOT DISTINCT FROM NULL) :: BOOLEAN'],
  ['NULL IS NULL', '(NULL IS NULL) :: BOOLEAN'],
  ['i BETWEEN 1 AND l', '((I >= 1) AND (CAST(I AS BIGINT) <= L)) :: BOOLEAN'],
  ['i NOT BETWEEN 1 AND 2', '(NOT ((I >= 1) AND (I <= 2))) :: BOOLEAN'],
  ["i IN (1, '2', NULL)", '(I IN (1, 2, NULL)) :: BOOLEAN'],
  ['i IN (1, l)', '(CAST(I AS BIGINT) IN (1, L)) :: BOOLEAN'],
  ["i IN (1, '2.50')", '(CAST(I AS DECIMAL(11, 1)) IN (1.0, 2.5)) :: BOOLEAN'],
  ["d IN (1, '2.50')", '(D IN (1, 2.5)) :: BOOLEAN'],
  ["xs IN (ARRAY['1', NULL], ARRAY[2])", '(XS IN (ARRAY[1, NULL], ARRAY[2])) :: BOOLEAN'],
  ["m IN (MAP('a' := '7'))", "(M IN (CAST(MAP('a' := 7) AS MAP<STRING, BIGINT>))) :: BOOLEAN"],
  ["o IN (STRUCT(x := '1', y := '2.5'))", '(O IN (STRUCT(X := 1, Y := 2.5))) :: BOOLEAN'],
  ["f IN ('yes', 'F')", '(F IN (true, false)) :: BOOLEAN'],
  ['f AND NOT f OR f', '((F AND (NOT F)) OR F) :: BOOLEAN'],
  ['NULL AND f', '(NULL AND F) :: BOOLEAN'],
  // Values
  [
    'CASE WHEN f THEN 1 WHEN i = 2 THEN l END',
    '(CASE WHEN F THEN 1 WHEN (I = 2) THEN L END) :: BIGINT',
  ],
  ["CASE i WHEN 1 THEN 'x' ELSE NULL END", "(CASE WHEN (I = 1) THEN 'x' ELSE NULL END) :: STRING"],
  ["ARRAY['a', 1, 2.50, TRUE, NULL]", "ARRAY['a', '1', '2.50', 'true', NULL] :: ARRAY<STRING>"],
  ["ARRAY['7', 1]", "ARRAY['7', '1'] :: ARRAY<STRING>"],
  ['MAP(a := i, 7 := l)', "MAP(A := CAST(I AS BIGINT), '7' := L) :: MAP<STRING, BIGINT>"],
  ["xs IN (ARRAY['7', 1])", '(XS IN (ARRAY[7, 1])) :: BOOLEAN'],
  ["ARRAY[i, '7']", 'ARRAY[I, 7] :: ARRAY<INTEGER>'],
  ["ARRAY[i, '3000000000']", 'ARRAY[CAST(I AS BIGINT), 3000000000] :: ARRAY<BIGINT>'],
  [
    "ARRAY[NULL, i, '2e1', l]",
    'ARRAY[NULL, CAST(I AS DECIMAL(19, 0)), 20, CAST(L AS DECIMAL(19, 0))] :: ARRAY<DECIMAL(19, 0)>',
  ],
  ["ARRAY[ARRAY[i], ARRAY['7']]", 'ARRAY[ARRAY[I], ARRAY[7]] :: ARRAY<ARRAY<INTEGER>>'],
  ["ARRAY[ARRAY['a'], ARRAY[7]]", "ARRAY[ARRAY['a'], ARRAY['7']] :: ARRAY<ARRAY<STRING>>"],
  ["ARRAY[1e0, '1e-100']", 'ARRAY[1, 1e-100] :: ARRAY<DOUBLE>'],
  [
    "ARRAY[STRUCT(x := 'a'), STRUCT(y := 2, x := 7)]",
    "ARRAY[CAST(STRUCT(X := 'a') AS STRUCT<`Y` INTEGER, `X` STRING>), STRUCT(Y := 2, X := '7')] :: ARRAY<STRUCT<`Y` INTEGER, `X` STRING>>",
  ],
  ['ARRAY[i, l, NULL]', 'ARRAY[CAST(I AS BIGINT), L, NULL] :: ARRAY<BIGINT>'],
  [
    "MAP('k' := i, 'n' := 2.5)",
    "MAP('k' := CAST(I AS DECIMAL(11, 1)), 'n' := 2.5) :: MAP<STRING, DECIMAL(11, 1)>",
  ],
  ['STRUCT(x := i, y := a)', 'STRUCT(X := I, Y := A) :: STRUCT<`X` INTEGER, `Y` STRING>'],
  ['o->y + 1', '(O->Y + 1) :: DOUBLE'],
  ['xs[i]', 'XS[I] :: INTEGER'],
  ["m['k']", "M['k'] :: BIGINT"],
  ['CAST(NULL AS point)', 'NULL :: STRUCT<`X` INTEGER, `Y` DOUBLE>'],
  ['CAST(i AS STRING)', 'CAST(I AS STRING) :: STRING'],
  ["DATE '2026-01-31'", "CAST('2026-01-31' AS DATE) :: DATE"],
  // Functions
  ['ABS(i)', 'ABS(I) :: INTEGER'],
  ['COALESCE(NULL, l)', 'COALESCE(NULL, L) :: BIGINT'],
  [
    "LEAST(ts, NULL, '2026-01-31')",
    "LEAST(TS, NULL, CAST('2026-01-31' AS TIMESTAMP)) :: TIMESTAMP",
  ],
  ["LEAST('b', a)", "LEAST('b', A) :: STRING"],
  ['AS_VALUE(id)', 'ID :: INTEGER'],
  ['s.id', 'ID :: INTEGER'],
])('%s is %s', (sql, expected) => {
  expect(shown(sql)).toBe(expected);
});

test('a long run of OR makes a shallow tree', () => {
  const sql = Array.from({ length: 1000 }, (_, index) => `i = ${index}`).join(' OR ');
  let depth = 0;
  let node = typed(parseExpression(sql), context);
  while (node.expr === 'logic') {
    depth++;
    node = node.left;
  }
  expect(depth).toBeLessThanOrEqual(10);
});

test('a condition nested as deep as the parser allows is typed in linear time', () => {
  const deep = `${'('.repeat(90)}i${' IS NULL)'.repeat(90)}`;
  expect(typed(parseExpression(deep), context).type.kind).toBe('BOOLEAN');
});

test('a NULL that nothing types is left to the caller', () => {
  expect(inferred(parseExpression('NULL'), context)).toBeNull();
});
