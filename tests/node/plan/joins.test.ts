// Plans of joins: tasks and topics between them, what is decoded and carried, topics read twice, rows kept.
import { expect, test } from 'vitest';
import { explain } from '../../../runtime/plan/explain.ts';
import type { Plan, Step } from '../../../runtime/plan/step.ts';
import { planProblems } from './check-plan.ts';
import { NEVER, SELF, SOURCES, stream, table } from './join-sources.ts';
import { Session } from './session.ts';

function planned(sql: string, properties: Readonly<Record<string, string>> = {}): Plan {
  const plan = new Session(properties).plan(SOURCES + sql);
  expect(planProblems(plan)).toEqual([]);
  return plan;
}

function text(sql: string, properties: Readonly<Record<string, string>> = {}): string {
  return explain(planned(sql, properties));
}

function stepsOf(plan: Plan): readonly Step[] {
  return plan.subtopologies.flatMap((part) => part.steps);
}

/** The kinds of the steps of each task. */
function tasks(plan: Plan): string[] {
  return plan.subtopologies.map(({ steps }) => steps.map(({ step }) => step).join(' '));
}

test('streams joined by their keys are one task, and only what is read is decoded and carried', () => {
  expect(
    text(
      stream(
        'c.id, c.n, ms FROM clicks c JOIN views v WITHIN 1 HOUR ON c.id = v.id WHERE page > 3',
      ).replace('page', 'v.page'),
    ),
  ).toBe(`Query CSAS_X_0 (persistent, from the earliest offset)
Sources: CLICKS, VIEWS
Sink: X
Fused: yes, the topics that are joined have one partition
Pull queries: none, no state holds the result
Task 0 (1 partition)
  1 source [kernel] CLICKS from topic clicks (key KAFKA [kernel], value JSON): ID, N
  2 source [kernel] VIEWS from topic views (key JSON, value JSON): ID, PAGE, MS
    3 streamStreamJoin INNER of steps 1 and 2 within 3600000 ms before and 3600000 ms after: C_ID, C_N, V_PAGE, V_MS
      4 filter (V_PAGE > 3)
        5 project C_ID, C_N AS N, V_MS AS MS
          6 sink stream X to topic X (key KAFKA, value JSON): \`C_ID\` INTEGER KEY, \`N\` BIGINT, \`MS\` BIGINT`);
});

test('a stream that is looked up under a new key goes through a topic with the partitions of the table', () => {
  expect(text(stream('title, p.id, w.id AS viewer FROM wide w LEFT JOIN pages p ON w.page = p.id')))
    .toBe(`Query CSAS_X_0 (persistent, from the earliest offset)
Sources: WIDE, PAGES
Sink: X
Fused: no, JOIN changes the key and a topic has 4 partitions
Pull queries: none, no state holds the result
Task 0 (4 partitions)
  2 source [kernel] WIDE from topic wide (key KAFKA [kernel], value JSON): ID, PAGE
    3 rekey by PAGE AS P_ID, carrying ID
      4 repartition to topic __CSAS_X_0.4-repartition (1 partition, key KAFKA)
Task 1 (1 partition)
  1 source [kernel] PAGES from topic pages (key KAFKA [kernel], value JSON): ID, TITLE
  5 internalSource from topic __CSAS_X_0.4-repartition: P_ID, ID
    6 streamTableJoin LEFT of steps 5 and 1: P_ID, W_ID, P_TITLE
      7 project P_ID, P_TITLE AS TITLE, W_ID AS VIEWER
        8 sink stream X to topic X (key KAFKA, value JSON): \`P_ID\` INTEGER KEY, \`TITLE\` STRING, \`VIEWER\` INTEGER`);
});

test('a foreign key of a table in other partitions goes to its tasks and comes back', () => {
  const plan = planned(
    table('id, host, sites.ROWTIME AS since FROM pages LEFT JOIN sites ON site = sid'),
  );
  expect(explain(plan)).toBe(`Query CTAS_X_0 (persistent, from the earliest offset)
Sources: SITES, PAGES
Sink: X
Fused: no, the rows of a foreign key join are in tasks by either key
Pull queries: read the state of step 11, then 12
Task 0 (3 partitions)
  6 internalSource from topic __CTAS_X_0.5-repartition: FOREIGN_KEY, ID, SUBSCRIPTION
  2 source [kernel] SITES from topic sites (key KAFKA [kernel], value JSON): SID, HOST, ROWTIME
    3 project SID, HOST, ROWTIME
      7 foreignKeyRespond to step 6 from step 3
        8 repartition to topic __CTAS_X_0.8-repartition (1 partition, key KAFKA)
Task 1 (1 partition)
  1 source [kernel] PAGES from topic pages (key KAFKA [kernel], value JSON, materialized): ID, SITE
  9 internalSource from topic __CTAS_X_0.8-repartition: ID, SUBSCRIPTION, SID, SITES_HOST, SITES_ROWTIME
    10 foreignKeyJoin LEFT of step 1 with the answers of step 9: PAGES_ID, PAGES_SITE, SID, SITES_HOST, SITES_ROWTIME
    4 foreignKeySubscribe by SITE
      5 repartition to topic __CTAS_X_0.5-repartition (3 partitions, key KAFKA)
      11 materialize of step 10
        12 project PAGES_ID AS ID, SITES_HOST AS HOST, SITES_ROWTIME AS SINCE
          13 sink table X to topic X (key KAFKA, value JSON): \`ID\` INTEGER KEY, \`HOST\` STRING, \`SINCE\` BIGINT`);
  expect(plan.internalTopics).toEqual([
    { name: '__CTAS_X_0.5-repartition', partitions: 3 },
    { name: '__CTAS_X_0.8-repartition', partitions: 1 },
  ]);
  expect(plan.materialized).toEqual({
    subtopology: 1,
    table: '11',
    schema: {
      columns: [
        { name: 'PAGES_ID', type: { kind: 'INTEGER' }, role: 'key' },
        { name: 'PAGES_SITE', type: { kind: 'INTEGER' }, role: 'value' },
        { name: 'SID', type: { kind: 'INTEGER' }, role: 'value' },
        { name: 'SITES_HOST', type: { kind: 'STRING' }, role: 'value' },
        { name: 'SITES_ROWTIME', type: { kind: 'BIGINT' }, role: 'value' },
      ],
    },
    window: null,
    keyFormat: { format: 'KAFKA', options: [], wrap: false },
    holds: 'row',
    after: ['12'],
  });
});

test('a foreign key within one task goes row by row, and the join stands before who subscribes', () => {
  const plan = planned(table('a.id, b.v FROM pages a JOIN twins b ON a.site + 1 = b.id'));
  expect(tasks(plan)).toEqual([
    'source foreignKeyJoin source foreignKeySubscribe foreignKeyRespond materialize project sink',
  ]);
  expect(plan.subtopologies[0]?.rowByRow).toBe(true);
  expect(
    tasks(planned(table('a.id, b.v FROM twins a JOIN twins b ON a.twin = b.id'), SELF)),
  ).toEqual([
    'source project foreignKeyJoin project foreignKeySubscribe foreignKeyRespond materialize project sink',
  ]);
});

test('a topic that two sources read is read once, row by row, and each gets its own columns', () => {
  const plan = planned(
    stream('c.id, c.n, a.page FROM clicks c JOIN again a WITHIN 1 HOUR ON c.id = a.page'),
  );
  expect(explain(plan)).toBe(`Query CSAS_X_0 (persistent, from the earliest offset)
Sources: CLICKS
Sink: X
Fused: yes, the topics that are joined have one partition
Pull queries: none, no state holds the result
Task 0 (1 partition, row by row)
  1 source [kernel] CLICKS from topic clicks (key KAFKA [kernel], value JSON): ID, N, PAGE
    4 project ID, N
    5 project PAGE
      3 rekey by PAGE AS C_ID
        6 streamStreamJoin INNER of steps 4 and 3 within 3600000 ms before and 3600000 ms after: C_ID, C_N
          7 project C_ID, C_N, C_ID AS A_PAGE
            8 sink stream X to topic X (key KAFKA, value JSON): \`C_ID\` INTEGER KEY, \`C_N\` BIGINT, \`A_PAGE\` INTEGER`);
  expect(plan.subtopologies[0]?.rowByRow).toBe(true);
  const same = planned(
    stream('c.id, c.n, a.n FROM clicks c JOIN again a WITHIN 1 HOUR ON c.id = a.id'),
  );
  expect(tasks(same)).toEqual(['source streamStreamJoin project sink']);
  const apart = planned(
    stream('c.n, a.page FROM clicks c JOIN again a WITHIN 1 HOUR ON c.n = a.n + 1'),
    NEVER,
  );
  expect(tasks(apart)).toEqual([
    'source rekey repartition',
    'source rekey repartition',
    'internalSource internalSource streamStreamJoin project sink',
  ]);
  expect(apart.subtopologies.every(({ rowByRow }) => rowByRow === undefined)).toBe(true);
});

test('a topic that is read in two ways keeps a step for each, and goes row by row', () => {
  const sql = stream('c.id, o.deep FROM clicks c JOIN other o WITHIN 1 HOUR ON c.id = o.id');
  const plan = planned(sql);
  expect(tasks(plan)).toEqual(['source source streamStreamJoin project sink']);
  expect(plan.subtopologies[0]?.rowByRow).toBe(true);
});

test.each([
  ['INNER', 'source source streamStreamJoin project sink'],
  ['LEFT', 'source source project streamStreamJoin project sink'],
  ['RIGHT', 'source project source streamStreamJoin project sink'],
  ['FULL', 'source project source project streamStreamJoin project sink'],
])(
  'of a %s JOIN the columns of a side that may be missing are copies, never the key',
  (type, steps) => {
    const key = type === 'FULL' ? 'ROWKEY' : 'c.id';
    const copies = 'AS_VALUE(c.id) AS l, AS_VALUE(v.id) AS r';
    const from = `clicks c ${type} JOIN views v WITHIN 1 HOUR ON c.id = v.id`;
    expect(tasks(planned(stream(`${key}, ${copies} FROM ${from}`)))).toEqual([steps]);
  },
);

test('keys in two formats meet in that of the left side; a table moves for that as well', () => {
  const sql = table('p.id, title, hits FROM pages p JOIN stats s ON p.id = s.id');
  const auto = planned(sql);
  expect(tasks(auto)).toEqual(['source source tableTableJoin materialize project sink']);
  expect(auto.fused.fused).toBe(true);
  const split = planned(sql, NEVER);
  expect(tasks(split)).toEqual([
    'source repartition',
    'source internalSource tableTableJoin materialize project sink',
  ]);
  expect(split.fused).toEqual({
    fused: false,
    why: 'JOIN changes the format of the key and millrace.fuse is never',
  });
  const sent = stepsOf(split).find((step) => step.step === 'repartition');
  expect(sent?.step === 'repartition' && sent.keyFormat.format).toBe('KAFKA');
});

test('a chain with a new key in it has a place for each key', () => {
  const sql = stream(
    's.id, n, ms FROM clicks c JOIN views v WITHIN 1 HOUR ON c.id = v.id JOIN pages p ON c.id = p.id LEFT JOIN stats s ON v.page = s.id',
  );
  expect(tasks(planned(sql))).toEqual([
    'source source source source streamStreamJoin streamTableJoin rekey streamTableJoin project sink',
  ]);
  expect(tasks(planned(sql, NEVER))).toEqual([
    'source repartition',
    'source source internalSource streamStreamJoin streamTableJoin rekey repartition',
    'source internalSource streamTableJoin project sink',
  ]);
});

test('a table of tables is kept behind its join where something asks for its rows', () => {
  const from = 'FROM pages p LEFT JOIN twins t ON p.id = t.id';
  const kept = planned(table(`p.id, title, v ${from} WHERE site > 3`));
  expect(tasks(kept)).toEqual([
    'source source tableTableJoin materialize tableFilter project sink',
  ]);
  expect(kept.materialized).toMatchObject({
    subtopology: 0,
    table: '4',
    holds: 'row',
    after: ['5', '6'],
  });
  const grouped = planned(table(`v, COUNT(*) AS n ${from} GROUP BY v`));
  expect(tasks(grouped)).toEqual([
    'source source tableTableJoin materialize rekey aggregate project sink',
  ]);
  expect(grouped.materialized?.holds).toBe('aggregate');
  const push = planned(`SELECT title, v ${from} EMIT CHANGES;`);
  expect(tasks(push)).toEqual(['source source tableTableJoin project client']);
});

test('pull queries find rows of a join by its key', () => {
  const session = new Session();
  session.run(SOURCES + table('p.id, title, v FROM pages p LEFT JOIN twins t ON p.id = t.id'));
  const pull = session.pull('SELECT title FROM x WHERE p_id = 7;');
  expect([pull.access, pull.spans.length, pull.table.holds]).toEqual(['lookup', 1, 'row']);
  expect(pull.steps.map(({ step }) => step)).toEqual(['project']);
});

test('a push query reads joined tables from their beginning, and streams from now on', () => {
  const plan = planned('SELECT n, title FROM clicks c JOIN pages p ON c.page = p.id EMIT CHANGES;');
  expect(plan.from).toBe('latest');
  expect(
    stepsOf(plan).flatMap((step) => (step.step === 'source' ? [[step.source, step.from]] : [])),
  ).toEqual([
    ['PAGES', 'earliest'],
    ['CLICKS', undefined],
  ]);
});

test('GROUP BY the key of a join moves nothing', () => {
  const by = (key: string): string[] =>
    tasks(
      planned(
        table(
          `${key}, COUNT(*) AS n FROM clicks c LEFT JOIN pages p ON c.id = p.id GROUP BY ${key}`,
        ),
        NEVER,
      ),
    );
  expect(by('c.id')).toEqual(['source source streamTableJoin rekey aggregate project sink']);
  expect(by('p.title')).toEqual([
    'source source streamTableJoin rekey repartition',
    'internalSource aggregate project sink',
  ]);
});

test('windowed streams are joined by key and window, which pass through', () => {
  expect(
    text(
      stream(
        'a.id, a.page, b.page, b.WINDOWSTART AS ws FROM timed a LEFT JOIN timed2 b WITHIN 1 HOUR ON a.id = b.id',
      ),
    ),
  ).toBe(`Query CSAS_X_0 (persistent, from the earliest offset)
Sources: TIMED, TIMED2
Sink: X
Fused: yes, nothing is repartitioned
Pull queries: none, no state holds the result
Task 0 (1 partition)
  1 source [kernel] TIMED from topic timed (key KAFKA, value JSON): ID, WINDOWSTART, WINDOWEND, PAGE
  2 source [kernel] TIMED2 from topic timed2 (key KAFKA, value JSON): ID, WINDOWSTART, WINDOWEND, PAGE
    3 project ID, WINDOWSTART, WINDOWEND, WINDOWSTART, PAGE
      4 streamStreamJoin LEFT of steps 1 and 3 within 3600000 ms before and 3600000 ms after: A_ID, WINDOWSTART, WINDOWEND, A_PAGE, B_WINDOWSTART, B_PAGE
        5 project A_ID, WINDOWSTART, WINDOWEND, A_PAGE, B_PAGE, B_WINDOWSTART AS WS
          6 sink stream X to topic X (key KAFKA, value JSON): \`A_ID\` INTEGER KEY, \`A_PAGE\` INTEGER, \`B_PAGE\` INTEGER, \`WS\` BIGINT`);
});
