// Plans of replaced queries: which state tables they keep, move and forget, and what they never touch again.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plan, Step } from '../../../runtime/plan/step.ts';
import { planProblems } from './check-plan.ts';
import { Session } from './session.ts';

const SOURCES = `
  CREATE STREAM s (k STRING KEY, a INT, b INT)
    WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE TABLE t (k STRING PRIMARY KEY, a INT, b INT)
    WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON');`;

function session(): Session {
  const made = new Session();
  made.run(SOURCES);
  return made;
}

const stepsOf = (plan: Plan): readonly Step[] => plan.subtopologies.flatMap((part) => part.steps);

const shown = (plan: Plan): string =>
  stepsOf(plan)
    .map(({ id, step }) => `${id} ${step}`)
    .join(' ');

test('steps that last keep their ids, and those that pass get new ones', () => {
  const made = session();
  expect(shown(made.plan('CREATE STREAM u AS SELECT k, a FROM s;'))).toBe(
    '1 source 2 project 3 sink',
  );
  const plan = made.plan('CREATE OR REPLACE STREAM u AS SELECT k, a FROM s WHERE b > 1;');
  expect(shown(plan)).toBe('1 source 4 filter 5 project 3 sink');
  expect(plan.moved).toEqual([]);
  expect(planProblems(plan)).toEqual([]);
});

test.each([
  'TABLE n AS SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (1 MINUTE) GROUP BY k',
  'TABLE n AS SELECT a, SUM(b) AS n FROM t GROUP BY a',
  'TABLE n AS SELECT t.k AS k, t.a AS a, u.b AS b FROM t JOIN u ON t.k = u.k',
  'TABLE n AS SELECT t.k AS k, u.b AS b FROM t LEFT JOIN u ON t.b = u.id',
  'STREAM n AS SELECT s.k AS k, u.b AS b FROM s JOIN u ON s.k = u.k',
  'STREAM n AS SELECT s.k AS k, o.b AS b FROM s JOIN o WITHIN 1 HOUR ON s.k = o.k',
  'STREAM n AS SELECT k, EXPLODE(ARRAY[a, b]) AS e FROM s',
  'STREAM n AS SELECT k, a FROM s WHERE b > 1',
])('a query that is made again as it is keeps its plan: %s', (query) => {
  const made = session();
  made.run(`
    CREATE STREAM o (k STRING KEY, a INT, b INT)
      WITH (KAFKA_TOPIC='o', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE TABLE u (${query.includes('u.id') ? 'id INT' : 'k STRING'} PRIMARY KEY, a INT, b INT)
      WITH (KAFKA_TOPIC='u', PARTITIONS=2, VALUE_FORMAT='JSON');`);
  const before = made.plan(`CREATE ${query};`);
  const statement = `CREATE OR REPLACE ${query}`;
  expect(made.plan(`${statement};`)).toEqual({ ...before, statement });
});

test('a field of a struct is of a column that is read already, whichever field it is', () => {
  const made = session();
  made.run(
    "CREATE STREAM f (o STRUCT<a INT, b INT, c INT>) WITH (KAFKA_TOPIC='f', PARTITIONS=2, VALUE_FORMAT='JSON');",
  );
  const select = (clauses: string): string =>
    `TABLE n AS SELECT o->a AS a, SUM(o->b) AS b FROM f ${clauses};`;
  const before = made.plan(`CREATE ${select('GROUP BY o->a')}`);
  const after = made.plan(`CREATE OR REPLACE ${select('WHERE o->c > 0 GROUP BY o->a')}`);
  const read = (plan: Plan) => stepsOf(plan)[0]?.schema.columns.map(({ name }) => name);
  expect(read(before)).toEqual(['O->A', 'O->B']);
  expect(read(after)).toEqual(['O->C', 'O->A', 'O->B']);
  expect(after.materialized?.table).toBe(before.materialized?.table);
  expect(planProblems(after)).toEqual([]);
});

test('an aggregation keeps its tables, its topics and the way to them', () => {
  const made = session();
  const before = made.plan(
    'CREATE TABLE n AS SELECT a, SUM(b) AS b FROM s WHERE b > 0 GROUP BY a;',
  );
  const after = made.plan(
    'CREATE OR REPLACE TABLE n AS SELECT a, SUM(b) AS b, 1 AS one FROM s GROUP BY a HAVING SUM(b) > 2;',
  );
  const lasting = ({ step }: Step): boolean => !['filter', 'tableFilter', 'project'].includes(step);
  const ids = (plan: Plan) =>
    stepsOf(plan)
      .filter(lasting)
      .map(({ id }) => id);
  expect(ids(after)).toEqual(ids(before));
  expect(after.internalTopics).toEqual(before.internalTopics);
  expect(after.materialized?.table).toBe(before.materialized?.table);
  expect(after.materialized?.after).toEqual(
    stepsOf(after).flatMap(({ id, step }) =>
      step === 'tableFilter' || step === 'project' ? [id] : [],
    ),
  );
  expect(planProblems(after)).toEqual([]);
});

test('rows whose columns are more move to a new table, and the filter that knows them with them', () => {
  const made = session();
  made.plan('CREATE TABLE u AS SELECT k, a FROM t WHERE a > 1;');
  const plan = made.plan('CREATE OR REPLACE TABLE u AS SELECT k, a, b FROM t WHERE a > 1;');
  const [source, filter] = stepsOf(plan);
  expect(plan.moved?.map(({ from, to }) => [from, to])).toEqual([
    ['1', source?.id],
    ['2', filter?.id],
  ]);
  expect(plan.moved?.[0]?.before.columns.map(({ name }) => name)).toEqual(['K', 'A']);
  expect(plan.moved?.[0]?.after.columns.map(({ name }) => name)).toEqual(['K', 'A', 'B']);
});

test('what another filter knew is forgotten', () => {
  const made = session();
  made.plan('CREATE TABLE u AS SELECT k, a FROM t WHERE a > 1;');
  const plan = made.plan('CREATE OR REPLACE TABLE u AS SELECT k, a FROM t WHERE a > 2;');
  expect(plan.moved).toMatchObject([{ from: '2', to: null }]);
});

const WHERE = ['', 'WHERE a > 1', 'WHERE a > 2', 'WHERE b > 1', 'WHERE a > b'];
const MORE = ['', ', b', ', b, a + 1 AS c'];

test('a table’s id never comes back with other rows, however often a query is replaced', () => {
  const upgrade = fc.record({ where: fc.constantFrom(...WHERE), more: fc.constantFrom(...MORE) });
  fc.assert(
    fc.property(fc.array(upgrade, { minLength: 1, maxLength: 8 }), (upgrades) => {
      const made = session();
      const tables = new Map<string, string>();
      let columns = 0;
      for (const [index, { where, more }] of upgrades.entries()) {
        // Columns are only ever added.
        columns = Math.max(columns, MORE.indexOf(more));
        const replace = index === 0 ? '' : 'OR REPLACE';
        const plan = made.plan(
          `CREATE ${replace} TABLE u AS SELECT k, a${MORE[columns]} FROM t ${where};`,
        );
        expect(planProblems(plan)).toEqual([]);
        const ids = stepsOf(plan).map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const step of stepsOf(plan)) {
          if (step.step !== 'source' && step.step !== 'tableFilter') continue;
          const holds = JSON.stringify([
            step.schema,
            step.step === 'tableFilter' ? step.predicate : null,
          ]);
          expect(tables.get(step.id) ?? holds).toBe(holds);
          tables.set(step.id, holds);
        }
        const moved = (plan.moved ?? []).map(({ from }) => from);
        expect(ids.filter((id) => moved.includes(id))).toEqual([]);
      }
    }),
    { seed: 7, numRuns: 200 },
  );
});
