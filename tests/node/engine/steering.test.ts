// Statements that steer an engine: ALTER, source tables, PAUSE and RESUME, variables, properties, ASSERT TOPIC and the long forms of SHOW.

import { expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { systemClock } from '../../../runtime/memory/system-clock.ts';
import { refusal } from '../../support/refusal.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v BIGINT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

async function recordsOf(engine: Engine, topic: string): Promise<number> {
  await engine.idle();
  const { topics } = await engine.stats();
  return topics[topic]?.in ?? 0;
}

const stateOf = async (engine: Engine): Promise<unknown> =>
  (await engine.execute('SHOW QUERIES;'))[0]?.['queries'];

test('ALTER adds columns behind those that are there; running queries go on as they are', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} CREATE STREAM u AS SELECT * FROM s;`);
  const [status] = await engine.execute('ALTER STREAM s ADD COLUMN w INT, ADD x STRING;');
  expect(status).toMatchObject({
    commandId: 'stream/S/alter',
    commandStatus: { message: 'Stream S altered.' },
  });
  expect(engine.catalog.source('S').statement).toContain('ALTER STREAM');
  await engine.execute("INSERT INTO s (k, v, w, x) VALUES ('a', 1, 2, 'b');");
  await engine.idle();
  const [record] = await engine.topicRecords('U');
  expect(new TextDecoder().decode(record?.value ?? new Uint8Array())).toBe('{"V":1}');
});

test.each([
  ['ALTER TABLE s ADD COLUMN w INT;', 'S is a stream, not a table'],
  ['ALTER STREAM s ADD COLUMN v INT;', 'S has a column V already'],
  ['ALTER STREAM s ADD COLUMN w INT, ADD w INT;', 'S has a column W already'],
  ['ALTER STREAM s ADD COLUMN rowtime BIGINT;', 'ROWTIME is a reserved name'],
  ['ALTER STREAM u ADD COLUMN w INT;', 'U was made by a query'],
  ['ALTER STREAM r ADD COLUMN w INT;', 'R is a SOURCE stream'],
  ['ALTER STREAM bare ADD COLUMN w INT;', 'has room for one column'],
  ['ALTER STREAM kafka ADD COLUMN w INT;', 'value format'],
  ['ALTER STREAM z ADD COLUMN w INT;', 'there is no stream or table Z'],
])('%s is refused: %s', async (sql, why) => {
  await using engine = await open();
  await engine.execute(`${STREAM} CREATE STREAM u AS SELECT * FROM s;
    CREATE SOURCE STREAM r (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
    CREATE STREAM bare (k STRING KEY, v INT)
      WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=false);
    CREATE STREAM kafka (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='KAFKA');`);
  expect((await refusal(engine, sql)).message).toContain(why);
});

test('a source table answers pull queries, is written by nobody and goes with what keeps it', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    const [status] = await engine.execute(`CREATE SOURCE TABLE t (k INT PRIMARY KEY, v STRING)
      WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON');`);
    expect(status).toMatchObject({ commandStatus: { queryId: 'CST_T_1' } });
    await engine.produce('t', [{ key: new Uint8Array([0, 0, 0, 7]), value: '{"V":"x"}' }]);
    await engine.idle();
    await using answer = await engine.query('SELECT * FROM t WHERE k = 7;');
    expect(await answer.all()).toEqual([{ K: 7, V: 'x' }]);
    expect((await refusal(engine, "INSERT INTO t VALUES (1, 'y');")).message).toContain(
      'read-only',
    );
    expect((await refusal(engine, 'DROP TABLE t DELETE TOPIC;')).message).toContain('read-only');
    expect((await refusal(engine, 'TERMINATE CST_T_1;')).hint).toContain('DROP TABLE T');
    await engine.execute('TERMINATE ALL;');
    expect([...engine.catalog.queries.keys()]).toEqual(['CST_T_1']);
  }
  await using engine = await open({ host });
  await using answer = await engine.query('SELECT v FROM t;');
  expect(await answer.all()).toEqual([{ V: 'x' }]);
  await engine.execute('DROP TABLE t;');
  expect(engine.catalog.queries.size).toBe(0);
});

test('a source table that another query reads is not dropped', async () => {
  await using engine = await open();
  await engine.execute(`CREATE SOURCE TABLE t (k INT PRIMARY KEY, v STRING)
      WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE u AS SELECT * FROM t;`);
  const error = await refusal(engine, 'DROP TABLE t;');
  expect(error).toMatchObject({ code: 'IN_USE' });
  expect(error.message).toContain('in use by CTAS_U_2; U is made from it');
});

test('a paused query takes nothing in until it is resumed, after a restart too', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    await engine.execute(`${STREAM} CREATE STREAM u AS SELECT * FROM s;`);
    await engine.insert('s', { k: 'a', v: 1 });
    await engine.idle();
    const [status] = await engine.execute('PAUSE csas_u_1;');
    expect(status).toMatchObject({ commandStatus: { message: 'Query CSAS_U_1 paused.' } });
    expect(await stateOf(engine)).toMatchObject([{ state: 'PAUSED', statusCount: { PAUSED: 1 } }]);
    expect((await engine.stats()).queries['CSAS_U_1']?.in).toBe(1);
    await engine.insert('s', { k: 'b', v: 2 });
    expect(await recordsOf(engine, 'U')).toBe(1);
    await engine.execute('PAUSE ALL;');
  }
  await using engine = await open({ host });
  expect(await recordsOf(engine, 'U')).toBe(1);
  expect(await stateOf(engine)).toMatchObject([{ state: 'PAUSED' }]);
  await engine.execute('RESUME ALL;');
  expect(await recordsOf(engine, 'U')).toBe(2);
  expect(await stateOf(engine)).toMatchObject([{ state: 'RUNNING' }]);
  await engine.execute('PAUSE ALL; TERMINATE csas_u_1; DROP STREAM u;');
  expect(await refusal(engine, 'PAUSE csas_u_1;')).toMatchObject({ code: 'UNKNOWN_QUERY' });
});

test('variables last as long as the session and are listed', async () => {
  await using engine = await open();
  const [defined] = await engine.execute(
    "DEFINE topic = 's'; DEFINE Format = 'JSON'; DEFINE TOPIC = 't';",
  );
  expect(defined).toMatchObject({
    '@type': 'variables',
    variables: [{ name: 'topic', value: 's' }],
  });
  await engine.execute(`CREATE STREAM s (k STRING KEY, v INT)
    WITH (KAFKA_TOPIC='\${topic}', PARTITIONS=1, VALUE_FORMAT='\${format}');`);
  expect(engine.catalog.source('S').topic).toBe('t');
  const [shown] = await engine.execute('SHOW VARIABLES;');
  expect(shown?.['variables']).toEqual([
    { name: 'Format', value: 'JSON' },
    { name: 'TOPIC', value: 't' },
  ]);
  await engine.execute('UNDEFINE topic;');
  expect((await engine.execute('LIST VARIABLES;'))[0]?.['variables']).toHaveLength(1);
});

test('ALTER SYSTEM is for every session that does not set the property itself, and stays', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    await engine.execute("ALTER SYSTEM 'ksql.output.topic.name.prefix' = 'out-';");
    await engine.execute(`${STREAM} CREATE STREAM u AS SELECT * FROM s;`);
    expect(engine.catalog.source('U').topic).toBe('out-U');
  }
  await using engine = await open({ host });
  expect((await engine.execute('SHOW PROPERTIES;'))[0]?.['properties']).toMatchObject([
    { name: 'ksql.output.topic.name.prefix', value: 'out-' },
  ]);
  await engine.execute(`SET 'ksql.output.topic.name.prefix' = 'mine-';
    ALTER SYSTEM 'ksql.output.topic.name.prefix' = 'theirs-';
    CREATE STREAM x AS SELECT * FROM s;`);
  expect(engine.catalog.source('X').topic).toBe('mine-X');
  await engine.execute(
    `UNSET 'ksql.output.topic.name.prefix'; CREATE STREAM y AS SELECT * FROM s;`,
  );
  expect(engine.catalog.source('Y').topic).toBe('theirs-Y');
});

test.each([
  ["SET 'auto.offset.rest' = 'latest';", 'Did you mean auto.offset.reset?'],
  ["SET 'auto.offset.reset' = 'middle';", 'It is earliest or latest.'],
  ["SET 'ksql.streams.auto.offset.reset' = 'middle';", 'It is earliest or latest.'],
  ["SET 'ksql.persistence.wrap.single.values' = 'yes';", 'It is true or false.'],
  ["SET 'ksql.assert.topic.default.timeout.ms' = 'soon';", 'It is a whole number'],
  ["SET 'cache.max.bytes.buffering' = 'much';", 'It is a whole number'],
  ["SET 'ksql.variable.substitution.enable' = 'false';", 'It is true.'],
  ["SET 'ksql.service.id' = 'x';", 'It belongs to the host'],
  ["UNSET 'nothing.at.all';", 'SHOW PROPERTIES'],
  ["ALTER SYSTEM 'millrace.path' = 'fast';", 'It is auto or row or kernel.'],
])('%s is refused with: %s', async (sql, hint) => {
  await using engine = await open();
  const error = await refusal(engine, sql);
  expect(error.code).toBe('INVALID');
  expect(error.hint).toContain(hint);
});

test('properties go by one name, with or without the prefix of Kafka Streams', async () => {
  await using engine = await open();
  await engine.execute(`SET 'ksql.streams.auto.offset.reset' = 'EARLIEST';
    SET 'ksql.streams.num.stream.threads' = '4'; SET 'ksql.functions.my_udf.size' = '7';`);
  const [shown] = await engine.execute('SHOW PROPERTIES;');
  expect(shown?.['overwrittenProperties']).toEqual([
    'auto.offset.reset',
    'num.stream.threads',
    'ksql.functions.my_udf.size',
  ]);
});

test('INSERT VALUES can be switched off', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} SET 'ksql.insert.into.values.enabled' = 'false';`);
  const error = await refusal(engine, "INSERT INTO s VALUES ('a', 1);");
  expect(error.message).toContain('switched off');
});

test('header columns are left out by INSERT VALUES and are null then', async () => {
  await using engine = await open();
  await engine.execute(`CREATE STREAM h (k STRING KEY, v INT, trace BYTES HEADER('trace'))
      WITH (KAFKA_TOPIC='h', PARTITIONS=1, VALUE_FORMAT='JSON');
    INSERT INTO h VALUES ('a', 1); INSERT INTO h (v) VALUES (2);`);
  expect(await recordsOf(engine, 'h')).toBe(2);
  expect((await refusal(engine, 'INSERT INTO h (trace) VALUES (NULL);')).message).toContain(
    'TRACE is filled from the headers',
  );
});

test('what ASSERT TOPIC waits for may be made by another call', async () => {
  await using engine = await open();
  const asserted = engine.execute('ASSERT TOPIC s TIMEOUT 1 MINUTE;');
  await engine.execute(STREAM);
  expect((await asserted)[0]).toMatchObject({ topicName: 's', exists: true });
});

test('ASSERT TOPIC looks at topics and their partitions', async () => {
  await using engine = await open();
  await engine.execute(STREAM);
  const [found] = await engine.execute('ASSERT TOPIC s WITH (PARTITIONS=1, REPLICAS=1);');
  expect(found).toMatchObject({ '@type': 'assert_topic', topicName: 's', exists: true });
  const [absent] = await engine.execute('ASSERT NOT EXISTS TOPIC z;');
  expect(absent).toMatchObject({ topicName: 'z', exists: false });
});

test.each([
  ['ASSERT TOPIC z TIMEOUT 1 MILLISECOND;', 'the topic z does not exist'],
  ['ASSERT NOT EXISTS TOPIC s TIMEOUT 0 SECONDS;', 'the topic s exists'],
  [
    'ASSERT TOPIC s WITH (PARTITIONS=3) TIMEOUT 60 MILLISECONDS;',
    'the topic s has 1 partitions, not 3',
  ],
  ['ASSERT TOPIC s WITH (REPLICAS=3) TIMEOUT 0 SECONDS;', 'the topic s has 1 replica, not 3'],
  ["ASSERT TOPIC s WITH (FORMAT='JSON');", 'ASSERT TOPIC cannot check FORMAT'],
  ["ASSERT TOPIC s WITH (PARTITIONS='x');", 'PARTITIONS is not a number of them'],
])('%s fails: %s', async (sql, why) => {
  await using engine = await open();
  await engine.execute(STREAM);
  expect((await refusal(engine, sql)).message).toContain(why);
});

test('ASSERT TOPIC waits for a topic that comes in time', async () => {
  const host = memoryHost();
  await using engine = await open({ host });
  await engine.execute("SET 'ksql.assert.topic.default.timeout.ms' = '5000';");
  const asserted = engine.execute('ASSERT TOPIC late;');
  await host.log.create({
    name: 'late',
    partitions: 1,
    retentionMs: null,
    compacted: false,
    internal: false,
  });
  expect((await asserted)[0]).toMatchObject({ exists: true });
});

test('ASSERT TOPIC waits no longer though the clock is set back', async () => {
  let behindMs = 0;
  const clock = {
    now: () => systemClock.now() - behindMs,
    wakeAt: (atMs: number, wake: () => void) => systemClock.wakeAt(atMs + behindMs, wake),
  };
  await using engine = await open({ host: memoryHost({ clock }) });
  const refused = refusal(engine, 'ASSERT TOPIC z TIMEOUT 120 MILLISECONDS;');
  setTimeout(() => (behindMs = 3_600_000), 60);
  expect((await refused).message).toContain('the topic z does not exist');
});

test('the long forms of SHOW and DESCRIBE say more', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`);
  await engine.insert('s', { k: 'a', v: 1 });
  await engine.idle();
  const show = async (what: string) => (await engine.execute(`${what};`))[0];
  expect(await show('SHOW TOPICS EXTENDED')).toMatchObject({
    '@type': 'kafka_topics_extended',
    topics: [
      { name: 's', consumerCount: 1, consumerGroupCount: 1 },
      { name: 'N', consumerCount: 0, consumerGroupCount: 0 },
    ],
  });
  expect(JSON.stringify(await show('SHOW ALL TOPICS'))).toContain('__catalog');
  expect(await show('SHOW QUERIES EXTENDED')).toMatchObject({
    '@type': 'query_descriptions',
    queryDescriptions: [{ id: 'CTAS_N_1', state: 'RUNNING' }],
  });
  expect(await show('SHOW TABLES EXTENDED')).toMatchObject({
    '@type': 'source_descriptions',
    sourceDescriptions: [{ name: 'N', extended: true }],
  });
  expect(await show('DESCRIBE TABLES')).toMatchObject({
    '@type': 'source_descriptions',
    sourceDescriptions: [{ name: 'N', extended: false, statistics: '' }],
  });
  expect(await show('DESCRIBE n EXTENDED')).toMatchObject({
    '@type': 'sourceDescription',
    sourceDescription: {
      extended: true,
      statistics: 'records in: 1, records out: 1, late: 0',
      errorStats: 'errors: 0',
    },
  });
});
