// Scripts that make streams and queries at once, and drop them: the tasks of plain workerd find their topics, and none tries in vain.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

const ksql = (text: string) =>
  send(edge, 'POST', '/ksql', {
    ksql: text,
    streamsProperties: { 'auto.offset.reset': 'earliest' },
  });

/** How long a task that tried in vain would wait, and half as long again. */
const RETRIED_MS = 1_500;

const faults = (): string[] =>
  edge.output.split('\n').filter((line) => /"level":"(?:error|warn)"/.test(line));

test('a script of streams, queries and queries over them begins without a fault, and ends without one', async () => {
  const made = await ksql(`
    CREATE STREAM a (k STRING KEY, n INT) WITH (KAFKA_TOPIC='a', PARTITIONS=3, VALUE_FORMAT='JSON');
    CREATE STREAM b AS SELECT k, n + 1 AS n FROM a;
    CREATE TABLE c AS SELECT n, COUNT(*) AS of_n FROM b GROUP BY n;
    CREATE STREAM d AS SELECT * FROM a PARTITION BY n;
    INSERT INTO a (k, n) VALUES ('x', 1);`);
  expect(made.status).toBe(200);
  const rows = await until(async () => {
    const { text } = await send(edge, 'POST', '/query', { ksql: 'SELECT * FROM c;' });
    return text.includes('"columns":[2,1]') && text;
  });
  expect(rows).toContain('"columns":[2,1]');
  const dropped = await ksql(
    'DROP STREAM d DELETE TOPIC; DROP TABLE c DELETE TOPIC; DROP STREAM b DELETE TOPIC; DROP STREAM a DELETE TOPIC;',
  );
  expect(dropped.status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, RETRIED_MS));
  expect(faults()).toEqual([]);
});
