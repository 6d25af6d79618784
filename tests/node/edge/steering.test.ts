// Statements over HTTP that steer the edge: source tables, ALTER, variables, ASSERT TOPIC, and what only an engine in a program does.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
}, 60_000);
afterAll(() => edge.stop());

const ksql = (text: string, sessionVariables = {}): Promise<Answer> =>
  send(edge, 'POST', '/ksql', { ksql: text, sessionVariables });

test('a source table answers pull queries and is written by nobody', async () => {
  const created = await ksql(`CREATE SOURCE TABLE t (k STRING PRIMARY KEY, v INT)
    WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');`);
  expect(created.text).toMatch(/"queryId":"CST_T_\d+"/);
  await send(edge, 'POST', '/topics/t/records', '{"records":[{"key":"a","value":{"v":7}}]}');
  const text = await until(async () => {
    const answer = await send(edge, 'POST', '/query', { ksql: "SELECT v FROM t WHERE k = 'a';" });
    return answer.text.includes('"row"') ? answer.text : null;
  });
  expect(text).toContain('{"row":{"columns":[7]}}');
  expect((await ksql("INSERT INTO t VALUES ('b', 1);")).status).toBe(400);
  expect((await ksql('DROP TABLE t; SHOW QUERIES;')).text).not.toContain('"id":"CST_T');
});

test('a stream that is altered or replaced takes its new columns', async () => {
  const made = "WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON')";
  await ksql(`CREATE STREAM s (k STRING KEY, v INT) ${made}; ALTER STREAM s ADD COLUMN w INT;`);
  await ksql(`CREATE OR REPLACE STREAM s (k STRING KEY, v INT, w INT, x INT) ${made};`);
  const { body } = await ksql('DESCRIBE s; DESCRIBE STREAMS;');
  expect(body).toMatchObject([
    { sourceDescription: { fields: ['K', 'V', 'W', 'X'].map((name) => ({ name })) } },
    { '@type': 'source_descriptions' },
  ]);
});

test('variables of a request are put in and shown', async () => {
  const { body } = await ksql("DEFINE a = '1'; SHOW VARIABLES; ASSERT NOT EXISTS TOPIC ${b};", {
    b: 'none',
  });
  expect(body).toMatchObject([
    { variables: [{ variable: 'b' }, { variable: 'a', value: '1' }] },
    { variables: [{ variable: 'b' }, { variable: 'a' }] },
    { '@type': 'assert_topic', topicName: 'none', exists: false },
  ]);
});

test('what only an engine in a program does is refused by name', async () => {
  await ksql(`CREATE STREAM q (k STRING KEY, v INT)
      WITH (KAFKA_TOPIC='q', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM r AS SELECT * FROM q;`);
  for (const [sql, why] of [
    ['PAUSE ALL;', 'PAUSE is not supported yet'],
    ["ALTER SYSTEM 'auto.offset.reset' = 'latest';", 'ALTER SYSTEM is not supported yet'],
    ['CREATE OR REPLACE STREAM r AS SELECT * FROM q WHERE v > 1;', 'of the running query CSAS_R_'],
    ['ASSERT TOPIC z TIMEOUT 1 MILLISECOND;', 'the topic z does not exist'],
  ] as const) {
    const answer = await ksql(sql);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(why);
  }
});
