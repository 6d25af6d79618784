// The stream of the processing log on plain workerd: there before any statement, and then read by push and by pull queries.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { send, until } from '../../support/edge-client.ts';
import { PROBLEM_RECORDS, PROBLEM_STATEMENTS, PROBLEMS } from '../../support/processing-log.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;

beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

const PULL = 'SELECT *, ROWTIME FROM ksql_processing_log;';

async function rowsOf(ksql: string): Promise<readonly (readonly unknown[])[]> {
  const streamsProperties = { 'auto.offset.reset': 'earliest' };
  const answer = await send(edge, 'POST', '/query', { ksql, streamsProperties });
  if (answer.status !== 200) throw new Error(answer.text);
  const rows = answer.body as readonly { row?: { columns: readonly unknown[] } }[];
  return rows.flatMap(({ row }) => (row === undefined ? [] : [row.columns]));
}

test('it is empty before anything else exists, and no stream of the user', async () => {
  expect(await rowsOf(PULL)).toEqual([]);
  const refused = await send(edge, 'POST', '/ksql', { ksql: 'DROP STREAM ksql_processing_log;' });
  expect(refused.status).toBe(409);
});

test('push and pull queries give the place, the column and the reason of every problem', async () => {
  expect((await send(edge, 'POST', '/ksql', { ksql: PROBLEM_STATEMENTS })).status).toBe(200);
  const records = PROBLEM_RECORDS.map(({ value, ...record }) => ({
    ...record,
    valueBase64: Buffer.from(value).toString('base64'),
  }));
  const produced = await send(edge, 'POST', '/topics/bad/records', { records });
  expect(produced.status, produced.text).toBe(200);
  const pulled = await until(async () => {
    const rows = await rowsOf(PULL);
    return rows.length === PROBLEMS.length && rows;
  });
  const sql = 'SELECT *, ROWTIME FROM ksql_processing_log EMIT CHANGES LIMIT 3;';
  expect(await rowsOf(sql)).toEqual(pulled);
  expect(pulled.map(([, , , , offset, , code, , rowtime]) => [offset, code, rowtime])).toEqual(
    PROBLEMS,
  );
  for (const [query, , topic, partition, , , , message] of pulled) {
    expect([query, topic, partition]).toEqual([expect.stringContaining('CTAS_SUMS'), 'bad', 0]);
    expect(message).not.toBe('');
  }
});
