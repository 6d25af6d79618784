// Types of lambdas, what they capture, `->*`, and the places and messages of what is refused about collections.
import { expect, test } from 'vitest';
import { scopeOf } from '../../../runtime/analyze/scope.ts';
import { typed } from '../../../runtime/analyze/typing.ts';
import { StatementError } from '../../../runtime/base/errors.ts';
import { typeText } from '../../../runtime/data/type.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { exprText } from '../../../runtime/plan/print-expr.ts';
import { explain } from '../../../runtime/plan/explain.ts';
import { parseExpression } from '../../../runtime/sql/parser.ts';
import { Session } from '../plan/session.ts';

const session = new Session();
session.run(`
  CREATE STREAM s (id INT KEY, x INT, l BIGINT, a STRING, bin BYTES, xs ARRAY<INT>, ls ARRAY<BIGINT>, ps ARRAY<DECIMAL(4, 2)>,
    xss ARRAY<ARRAY<INT>>, m MAP<STRING, BIGINT>, os ARRAY<STRUCT<n INT>>, o STRUCT<x INT, n STRUCT<y INT>>)
    WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
`);
const scope = scopeOf(session.catalog.source('S'), null);
const context = {
  scope,
  registry: builtinRegistry(),
  types: session.catalog.types,
  clause: 'SELECT',
};

function shown(sql: string): string {
  const expression = typed(parseExpression(sql), context);
  return `${exprText(expression, scope.row)} :: ${typeText(expression.type)}`;
}

test.each([
  ['TRANSFORM(xs, v => v + 1)', 'TRANSFORM(XS, (V) => (V + 1)) :: ARRAY<INTEGER>'],
  ['TRANSFORM(xs, v => v + l)', 'TRANSFORM(XS, (V) => (CAST(V AS BIGINT) + L)) :: ARRAY<BIGINT>'],
  ['TRANSFORM(xs, x => x + s.x)', 'TRANSFORM(XS, (X) => (X + X)) :: ARRAY<INTEGER>'],
  [
    'TRANSFORM(ps, p => CAST(p AS DOUBLE))',
    'TRANSFORM(PS, (P) => CAST(P AS DOUBLE)) :: ARRAY<DOUBLE>',
  ],
  ['TRANSFORM(os, v => v->n)', 'TRANSFORM(OS, (V) => V->N) :: ARRAY<INTEGER>'],
  [
    'TRANSFORM(xs, `v` => ARRAY[`v`, l])',
    'TRANSFORM(XS, (v) => ARRAY[CAST(v AS BIGINT), L]) :: ARRAY<ARRAY<BIGINT>>',
  ],
  [
    'TRANSFORM(m, (k, v) => LEN(k), (k, v) => k)',
    'TRANSFORM(M, (K, V) => LEN(K), (K, V) => K) :: MAP<INTEGER, STRING>',
  ],
  [
    'FILTER(m, (k, v) => v > x)',
    'FILTER(M, (K, V) => (V > CAST(X AS BIGINT))) :: MAP<STRING, BIGINT>',
  ],
  ['REDUCE(xs, l, (s, v) => s + v)', 'REDUCE(XS, L, (S, V) => (S + CAST(V AS BIGINT))) :: BIGINT'],
  ['REDUCE(xs, l, (s, v) => v)', 'REDUCE(XS, L, (S, V) => CAST(V AS BIGINT)) :: BIGINT'],
  ["REDUCE(m, '', (s, k, v) => s + k)", "REDUCE(M, '', (S, K, V) => (S + K)) :: STRING"],
  [
    'TRANSFORM(xss, ys => TRANSFORM(ys, y => y + ARRAY_LENGTH(ys)))',
    'TRANSFORM(XSS, (YS) => TRANSFORM(YS, (Y) => (Y + ARRAY_LENGTH(YS)))) :: ARRAY<ARRAY<INTEGER>>',
  ],
  ['ls[l]', 'LS[L] :: BIGINT'],
  ['ARRAY_CONTAINS(ls, x)', 'ARRAY_CONTAINS(LS, CAST(X AS BIGINT)) :: BOOLEAN'],
  ['ARRAY_UNION(xs, ls)', 'ARRAY_UNION(CAST(XS AS ARRAY<BIGINT>), LS) :: ARRAY<BIGINT>'],
  [
    'COALESCE(xss, ARRAY[ls])',
    'COALESCE(CAST(XSS AS ARRAY<ARRAY<BIGINT>>), ARRAY[LS]) :: ARRAY<ARRAY<BIGINT>>',
  ],
  ['ENTRIES(m, TRUE)', 'ENTRIES(M, true) :: ARRAY<STRUCT<`K` STRING, `V` BIGINT>>'],
  ['GENERATE_SERIES(x, l)', 'GENERATE_SERIES(CAST(X AS BIGINT), L) :: ARRAY<BIGINT>'],
])('%s is %s', (sql, expected) => {
  expect(shown(sql)).toBe(expected);
});

/** The refusal as `CODE message | hint`. */
function refusal(sql: string): string {
  try {
    shown(sql);
  } catch (thrown) {
    if (thrown instanceof StatementError)
      return `${thrown.code} ${thrown.message} | ${thrown.hint}`;
    throw thrown;
  }
  throw new Error('it was not refused');
}

test.each([
  [
    'TRANSFORM(xs, (a, b) => a)',
    'TYPE_MISMATCH line 1:15: this lambda has 2 parameters, where TRANSFORM gives it 1 | Over an array it is (item), over a map (key, value); in REDUCE the state stands before them.',
  ],
  [
    'TRANSFORM(m, (k, v) => k, v => v)',
    'TYPE_MISMATCH line 1:27: this lambda has 1 parameter, where TRANSFORM gives it 2 | Over an array it is (item), over a map (key, value); in REDUCE the state stands before them.',
  ],
  [
    'TRANSFORM(m, (k, v) => k)',
    'UNKNOWN_FUNCTION line 1:1: TRANSFORM does not take (MAP<STRING, BIGINT>, a lambda) | It is TRANSFORM(array, item) or TRANSFORM(map, key, value).',
  ],
  [
    'TRANSFORM(xs, x)',
    'UNKNOWN_FUNCTION line 1:1: TRANSFORM does not take (ARRAY<INTEGER>, INTEGER) | It is TRANSFORM(array, item) or TRANSFORM(map, key, value).',
  ],
  [
    'FILTER(xs, v => v)',
    'TYPE_MISMATCH line 1:17: the lambda gives INTEGER, where FILTER needs BOOLEAN | CAST its result, or the argument that gives it the type.',
  ],
  [
    'REDUCE(ls, 0, (s, v) => s + v)',
    'TYPE_MISMATCH line 1:27: the lambda gives BIGINT, where REDUCE needs INTEGER | CAST its result, or the argument that gives it the type.',
  ],
  [
    'REDUCE(xs, NULL, (s, v) => v)',
    'TYPE_MISMATCH line 1:18: nothing says which types REDUCE gives this lambda | CAST the NULL among the arguments to the type that is meant.',
  ],
  [
    'TRANSFORM(xs, v => NULL)',
    'TYPE_MISMATCH line 1:20: nothing says which type this NULL is | Write CAST(NULL AS ...) with the type that is meant.',
  ],
  [
    'TRANSFORM(m, (k, k) => k, (k, v) => v)',
    'INVALID line 1:18: two parameters of this lambda are called K | Give each its own name.',
  ],
  [
    'TRANSFORM(xs, v => v + somewhere)',
    'UNKNOWN_COLUMN line 1:24: SOMEWHERE is not a column of S | The columns are ID, X, L, A, BIN, XS, LS, PS, XSS, M, ....',
  ],
  [
    'TRANSFORM(xs, v => COUNT(v))',
    'INVALID line 1:20: the aggregate COUNT cannot stand in a lambda | Aggregates stand in SELECT and HAVING of a query with GROUP BY.',
  ],
  [
    'ARRAY_LENGTH(v => v)',
    'UNKNOWN_FUNCTION line 1:1: ARRAY_LENGTH does not take (a lambda) | It is ARRAY_LENGTH(array).',
  ],
  [
    'NOPE(v => v)',
    'UNKNOWN_FUNCTION line 1:1: there is no function NOPE | SHOW FUNCTIONS lists what there is.',
  ],
  ['CAST(bin AS STRING)', 'TYPE_MISMATCH line 1:1: there is no CAST of BYTES to STRING | '],
  ["xs['a']", 'TYPE_MISMATCH line 1:4: the index of an ARRAY is STRING, not INTEGER | '],
  ['m[1]', 'TYPE_MISMATCH line 1:3: the key of a MAP is INTEGER, not STRING | CAST it to STRING.'],
  [
    'x[1]',
    'TYPE_MISMATCH line 1:2: INTEGER has no items | [...] reads an item of an ARRAY or a MAP.',
  ],
  ['xs->n', 'TYPE_MISMATCH line 1:3: ARRAY<INTEGER> has no fields | -> reads a field of a STRUCT.'],
  [
    'ARRAY_MAX(xss)',
    'UNKNOWN_FUNCTION line 1:1: ARRAY_MAX does not take (ARRAY<ARRAY<INTEGER>>) | It is ARRAY_MAX(array).',
  ],
])('%s is refused: %s', (sql, expected) => {
  expect(refusal(sql)).toBe(expected);
});

test('within a lambda a parameter is no grouping expression, and a column has to be grouped by', () => {
  const grouped = new Session();
  grouped.run(
    `CREATE STREAM g (k INT KEY, x INT, xs ARRAY<INT>) WITH (KAFKA_TOPIC='g', VALUE_FORMAT='JSON');`,
  );
  const query = (lambda: string, name = 't'): string =>
    `CREATE TABLE ${name} AS SELECT x, TRANSFORM(COLLECT_LIST(k), ${lambda}) AS y FROM g GROUP BY x;`;
  expect(explain(grouped.plan(query('x => x + 1')))).toContain(
    'TRANSFORM(AGGREGATE_0, (X) => (X + 1))',
  );
  expect(explain(grouped.plan(query('v => v + x', 'u')))).toContain(
    'TRANSFORM(AGGREGATE_0, (V) => (V + X))',
  );
  expect(grouped.refusal(query('v => v + k', 'v'))).toBe(
    'INVALID line 1:65: K in SELECT is neither grouped by nor aggregated',
  );
});

test('a plan with lambdas survives JSON, and EXPLAIN shows them', () => {
  const fresh = new Session();
  fresh.run(
    `CREATE STREAM p (k INT KEY, xs ARRAY<INT>) WITH (KAFKA_TOPIC='p', VALUE_FORMAT='JSON');`,
  );
  const plan = fresh.plan('CREATE STREAM q AS SELECT k, FILTER(xs, v => v > k) AS ys FROM p;');
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  expect(explain(plan)).toContain('FILTER(XS, (V) => (V > K)) AS YS');
});

test('->* is refused where the operand is no STRUCT, and keeps the names of the fields', () => {
  const star = (sql: string): string => `CREATE STREAM q AS SELECT id, ${sql} FROM s;`;
  expect(session.refusal(star('xs->*'))).toBe(
    'TYPE_MISMATCH line 1:31: ARRAY<INTEGER> has no fields',
  );
  expect(session.refusal(star('x, o->*'))).toBe(
    'INVALID line 1:34: two columns of the SELECT are called X',
  );
  const plan = session.plan(star('o->*, o->n->*'));
  expect(explain(plan)).toContain('O->X AS X, O->N AS N, O->N->Y AS Y');
});
