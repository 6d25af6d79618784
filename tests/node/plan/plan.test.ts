// Plans: paths, windows, pruned columns, pull queries, and random statements that never crash the planner.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyzeStatement } from '../../../runtime/analyze/analyze.ts';
import { StatementError } from '../../../runtime/base/errors.ts';
import { encodeKey, windowRange } from '../../../runtime/data/key.ts';
import { INTEGER, STRING } from '../../../runtime/data/type.ts';
import { explain } from '../../../runtime/plan/explain.ts';
import { planQuery } from '../../../runtime/plan/planner.ts';
import { type AggregateStep, type Plan, type SourceStep } from '../../../runtime/plan/step.ts';
import { stepById } from '../../../runtime/plan/steps.ts';
import { parse } from '../../../runtime/sql/parser.ts';
import { planProblems } from './check-plan.ts';
import { Session } from './session.ts';

const SOURCES = `
CREATE STREAM s (id INT KEY, a STRING, b BIGINT, d DOUBLE, p DECIMAL(6, 2), l ARRAY<INT>) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON', TIMESTAMP='b');
CREATE TABLE t (id INT PRIMARY KEY, a STRING, b BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE STREAM w (id INT KEY, a STRING, b BIGINT) WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM h (id INT KEY, x BYTES HEADER('x'), y BYTES HEADER('y'), a STRING) WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON');
`;

function aggregateOf(plan: Plan): AggregateStep {
  const found = plan.subtopologies
    .flatMap((part) => part.steps)
    .find((step) => step.step === 'aggregate');
  if (found?.step !== 'aggregate') throw new Error('the plan has no aggregate');
  return found;
}

function sourceOf(plan: Plan): SourceStep {
  const step = plan.subtopologies[0]?.steps[0];
  if (step?.step !== 'source') throw new Error('the plan begins with no source');
  return step;
}

function planned(
  sql: string,
  properties: Readonly<Record<string, string>> = {},
  kernel = true,
): Plan {
  return new Session(properties, kernel).plan(SOURCES + sql);
}

const counted = (call: string): string =>
  `CREATE TABLE x AS SELECT a, ${call} AS n FROM s GROUP BY a;`;

test.each([
  ['COUNT(*)', { path: 'kernel' }],
  ['COUNT(1)', { path: 'kernel' }],
  ['COUNT(b)', { path: 'kernel' }],
  ['MIN(id)', { path: 'kernel' }],
  ['AVG(d * 2)', { path: 'kernel' }],
  ['COUNT(a)', { path: 'row', why: 'the kernel has no COUNT of STRING' }],
  ['SUM(p)', { path: 'row', why: 'the kernel has no SUM of DECIMAL(6, 2)' }],
  ['COLLECT_LIST(b)', { path: 'row', why: 'the kernel has no COLLECT_LIST' }],
])('%s runs as %o', (call, path) => {
  expect(aggregateOf(planned(counted(call))).run).toEqual(path);
});

test.each([
  ['TUMBLING (SIZE 1 HOUR)', { path: 'kernel' }],
  ['HOPPING (SIZE 1 HOUR, ADVANCE BY 7 SECONDS)', { path: 'kernel' }],
  ['HOPPING (SIZE 1024 SECONDS, ADVANCE BY 1 SECOND)', { path: 'kernel' }],
  [
    'HOPPING (SIZE 1025 SECONDS, ADVANCE BY 1 SECOND)',
    { path: 'row', why: 'a row falls in 1025 windows, and the kernel takes 1024' },
  ],
  ['SESSION (1 HOUR)', { path: 'kernel' }],
  ['SLIDING (SIZE 1 HOUR)', { path: 'row', why: 'the kernel has no SLIDING windows' }],
])('windows of %s run as %o', (window, path) => {
  const sql = `CREATE TABLE x AS SELECT a, COUNT(*) AS n FROM s WINDOW ${window} GROUP BY a;`;
  expect(aggregateOf(planned(sql)).run).toEqual(path);
});

test('without a kernel everything runs on the row path, and says why', () => {
  expect(aggregateOf(planned(counted('COUNT(*)'), {}, false)).run).toEqual({
    path: 'row',
    why: 'the host has no kernel',
  });
});

test('a kernel that is asked for and cannot is refused', () => {
  expect(() => planned(counted('SUM(p)'), { 'millrace.path': 'kernel' })).toThrow(
    'millrace.path is kernel, but the kernel has no SUM of DECIMAL(6, 2)',
  );
});

test.each([
  ['SIZE 1 HOUR', 82_800_000, 86_400_000],
  ['SIZE 2 DAYS', 0, 172_800_000],
  ['SIZE 1 HOUR, GRACE PERIOD 6 HOURS', 21_600_000, 25_200_000],
  ['SIZE 1 HOUR, RETENTION 2 DAYS, GRACE PERIOD 0 SECONDS', 0, 172_800_000],
])('a window of %s has its grace and retention resolved', (window, graceMs, retentionMs) => {
  const { window: spec } = aggregateOf(
    planned(
      `CREATE TABLE x AS SELECT a, COUNT(*) AS n FROM s WINDOW TUMBLING (${window}) GROUP BY a;`,
    ),
  );
  expect(spec).toMatchObject({ type: 'TUMBLING', graceMs, retentionMs, advanceMs: spec?.sizeMs });
});

test("a client's query lets go of windows once they have closed; a table keeps them for pull queries", () => {
  const select = `SELECT a, COUNT(*) AS n FROM s
    WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 6 HOURS) GROUP BY a`;
  const { window: pushed } = aggregateOf(planned(`${select} EMIT CHANGES;`));
  expect(pushed).toMatchObject({ retentionMs: 25_200_000, expires: true });
  const { window: kept } = aggregateOf(planned(`CREATE TABLE x AS ${select};`));
  expect(kept?.expires).toBeUndefined();
});

test('a windowed stream takes its window along into a copy', () => {
  const plan = planned('CREATE STREAM x AS SELECT * FROM w;');
  const sink = stepById(plan, '3');
  expect(sink).toMatchObject({ step: 'sink', window: { type: 'SESSION', sizeMs: null } });
  expect(sink?.schema.columns.map((column) => column.name)).toEqual([
    'ID',
    'WINDOWSTART',
    'WINDOWEND',
    'A',
    'B',
  ]);
});

test('PARTITION BY the key that is there leaves the key alone', () => {
  const plan = planned('CREATE STREAM x AS SELECT a, id AS k, id + 1 AS j FROM s PARTITION BY id;');
  expect(plan.subtopologies[0]?.steps.map((step) => step.step)).toEqual([
    'source',
    'project',
    'sink',
  ]);
  expect(stepById(plan, '2')).toMatchObject({
    expressions: [
      { expr: 'column', index: 0 },
      { expr: 'column', index: 1 },
      { expr: 'arithmetic', left: { expr: 'column', index: 0 } },
    ],
  });
});

test('grouping by the columns of a windowed key moves the rows', () => {
  const session = new Session();
  session.run(SOURCES);
  const windowed =
    "CREATE STREAM v (id INT KEY, a STRING) WITH (KAFKA_TOPIC='v', PARTITIONS=2, VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');";
  const { fused } = session.plan(
    `${windowed}CREATE TABLE x AS SELECT id, COUNT(*) AS n FROM v GROUP BY id;`,
  );
  expect(fused.fused).toBe(false);
});

test('a push query may aggregate all rows into one group', () => {
  const plan = planned('SELECT COUNT(*) AS n, SUM(b) AS m FROM s EMIT CHANGES;');
  expect(aggregateOf(plan).schema.columns.map((column) => column.name)).toEqual([
    'KSQL_COL_0',
    'AGGREGATE_0',
    'AGGREGATE_1',
  ]);
  expect(
    plan.subtopologies
      .at(-1)
      ?.steps.at(-1)
      ?.schema.columns.map((column) => column.name),
  ).toEqual(['N', 'M']);
});

test('only the headers that are read are asked of the source', () => {
  const source = sourceOf(planned('CREATE STREAM x AS SELECT id, y FROM h;'));
  expect(source.headers).toEqual([{ column: 'Y', key: 'y' }]);
  expect(source.schema.columns.map((column) => `${column.name} ${column.role}`)).toEqual([
    'ID key',
    'Y pseudo',
  ]);
  expect(source.sourceSchema.columns.map((column) => column.name)).toEqual(['ID', 'A']);
});

test('a query id that is no topic name still names its internal topic', () => {
  const plan = planned(
    "CREATE TABLE `a b` WITH (KAFKA_TOPIC='ab') AS SELECT a, COUNT(*) AS n FROM s GROUP BY a;",
  );
  expect(plan.query).toBe('CTAS_a b_0');
  expect(plan.internalTopics[0]?.name).toBe('__CTAS_a_b_0.3-repartition');
});

test('a pull query finds keys and window bounds on either side of a comparison', () => {
  const session = new Session();
  session.run(`${SOURCES}CREATE TABLE x WITH (KEY_FORMAT='JSON') AS SELECT a, id, COUNT(*) AS n FROM s
    WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY a, id;`);
  const pull = session.pull(
    "SELECT * FROM x WHERE 7 = id AND a IN ('p', 'q') AND WINDOWSTART >= '1970-01-01T00:00:02' AND WINDOWSTART < 9000 AND 8000 > WINDOWEND;",
  );
  expect(pull.access).toBe('lookup');
  const types = [STRING, INTEGER];
  expect(pull.spans).toEqual(
    [
      ['p', 7],
      ['q', 7],
    ].map((key) => ({ key, range: windowRange(encodeKey(types, key), 2000, 6999) })),
  );
  expect(pull.steps.map((step) => step.step)).toEqual(['project']);
  expect(pull.table.keyFormat.format).toBe('JSON');
});

test.each([
  ["a = 'p'", 'range'],
  ["id > 7 AND a = 'p'", 'range'],
  ["id = n AND a = 'p'", 'range'],
  ["a LIKE 'p%'", 'range'],
  ["(a = 'p' OR a = 'q') AND id IN (7, 8)", 'lookup'],
  ["a = 'p' AND a = 'q'", 'lookup'],
  ["a = 'p' OR id = 7", 'scan'],
  ['NOT (id = 7)', 'scan'],
  ['n > 7', 'scan'],
])('a pull query WHERE %s is a %s', (where, access) => {
  const session = new Session();
  session.run(
    `${SOURCES}CREATE TABLE x WITH (KEY_FORMAT='JSON') AS SELECT a, id, COUNT(*) AS n FROM s GROUP BY a, id;`,
  );
  expect(session.pull(`SELECT * FROM x WHERE ${where};`).access).toBe(access);
});

test('a pull query looks up as many keys as one asks for, then looks through all', () => {
  const session = new Session();
  session.run(`${SOURCES}CREATE TABLE x AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;`);
  const access = (count: number): string =>
    session.pull(
      `SELECT * FROM x WHERE id IN (${Array.from({ length: count }, (_, id) => id).join(', ')});`,
    ).access;
  expect(access(1000)).toBe('lookup');
  expect(access(1001)).toBe('scan');
});

// Statements that parse, from columns that may or may not exist, with types that may or may not fit.
const leaf = fc.constantFrom(
  'id',
  'a',
  'b',
  'd',
  'p',
  'l',
  'nope',
  'ROWTIME',
  'WINDOWSTART',
  '1',
  '-2.5',
  '3e1',
  "'x'",
  'NULL',
  'TRUE',
  '9223372036854775807',
  's.a',
);
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom(
          '+',
          '-',
          '*',
          '/',
          '%',
          '||',
          '=',
          '<',
          'AND',
          'OR',
          'IS DISTINCT FROM',
          'LIKE',
        ),
        tie('expression'),
      )
      .map(([l, op, r]) => `(${l} ${op} ${r})`),
    fc
      .tuple(
        fc.constantFrom(
          'COUNT',
          'SUM',
          'MAX',
          'UCASE',
          'ABS',
          'COALESCE',
          'AS_VALUE',
          'LEN',
          'nope',
        ),
        fc.array(tie('expression'), { maxLength: 2 }),
      )
      .map(([f, given]) => `${f}(${given.join(', ')})`),
    tie('expression').map((e) => `CAST(${e} AS DECIMAL(9, 3))`),
    tie('expression').map((e) => `(${e} IS NOT NULL)`),
    tie('expression').map((e) => `(${e})[1]`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `CASE WHEN ${a} THEN ${b} END`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a} IN (${b}, 1, '2'))`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `ARRAY[${a}, ${b}]`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `MAP('k' := ${a}, ${b} := 2)`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([a, b, c]) => `(${a} BETWEEN ${b} AND ${c})`),
  ),
}));
const often = (...texts: readonly string[]) => ({
  weight: 6,
  arbitrary: fc.constantFrom(...texts),
});
const seldom = { weight: 1, arbitrary: expression };
const clause = (word: string, of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.option(
    of.map((text) => ` ${word} ${text}`),
    { nil: '', freq: 1 },
  );
const item = fc.oneof(
  seldom,
  often('*', 'b * 2', 'UCASE(a)', 'COUNT(*)', 'SUM(b)', 'AS_VALUE(id)', 'b IS NULL'),
);
const query = fc
  .tuple(
    fc.constantFrom('id, ', 'a, ', ''),
    fc.array(item, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('s', 't', 'w', 'h'),
    fc.oneof(
      clause('WHERE', fc.oneof(seldom, often("a = 'x'", 'id > 3'))),
      fc
        .tuple(
          clause('WINDOW', fc.constant('TUMBLING (SIZE 1 HOUR)')),
          fc.oneof(seldom, often('id', 'a', 'a, id')),
          clause('HAVING', fc.oneof(seldom, often('COUNT(*) > 1'))),
        )
        .map(([window, by, having]) => `${window} GROUP BY ${by}${having}`),
    ),
  )
  .map(([key, items, from, rest]) => `SELECT ${key}${items.join(', ')} FROM ${from}${rest}`);
const statement = fc.oneof(
  query.map((text) => `CREATE STREAM x AS ${text};`),
  query.map((text) => `CREATE TABLE x WITH (KEY_FORMAT='JSON') AS ${text};`),
  query.map((text) => `INSERT INTO h ${text};`),
  query.map((text) => `${text} EMIT CHANGES;`),
  query.map((text) => `${text};`),
  fc
    .array(expression, { minLength: 1, maxLength: 5 })
    .map((values) => `INSERT INTO s VALUES (${values.join(', ')});`),
);

const options = fc.record({
  path: fc.constantFrom('auto' as const, 'row' as const),
  fuse: fc.constantFrom('auto' as const, 'never' as const),
  kernelAvailable: fc.boolean(),
});

test('a statement becomes a sound plan that is JSON, or is refused with a place; nothing else is thrown', () => {
  const session = new Session();
  session.run(SOURCES);
  let plans = 0;
  fc.assert(
    fc.property(statement, options, (sql, planning) => {
      const [parsed] = parse(sql);
      if (parsed === undefined) throw new Error('no statement');
      try {
        const analysis = analyzeStatement(parsed, session.options);
        if (analysis.kind !== 'query') return;
        const plan = planQuery(analysis, planning);
        expect(planProblems(plan)).toEqual([]);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
        expect(explain(plan)).toContain(plan.query);
        plans++;
      } catch (thrown) {
        if (!(thrown instanceof StatementError) || thrown.position === null) throw thrown;
      }
    }),
    { numRuns: 5000 },
  );
  expect(plans).toBeGreaterThan(50);
});
