// Long answers of pull queries: no longer than a call carries, and bounded together while those who asked on sockets grant no credit.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ANSWERS_HELD_BYTES_MAX,
  FETCH_BYTES_MAX,
  PULL_BYTES_MAX,
  SOCKET_CREDIT_ROWS_MAX,
  SOCKET_QUERIES_MAX,
} from '../../../runtime/base/limits.ts';
import { send, until } from '../../support/edge-client.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

/** Makes a table of so many rows of that length. */
async function table(name: string, rows: number, length: number, partitions = 1): Promise<void> {
  const ksql = `CREATE TABLE ${name}_in (k STRING PRIMARY KEY, v STRING) WITH (KAFKA_TOPIC='${name}_in', PARTITIONS=${partitions}, VALUE_FORMAT='JSON');
    CREATE TABLE ${name} AS SELECT k, v FROM ${name}_in EMIT CHANGES;`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  const most = Math.floor(900_000 / length);
  for (let row = 0; row < rows; row += most) {
    const records = Array.from({ length: Math.min(most, rows - row) }, (_, i) => ({
      key: `k${row + i}`,
      value: { V: 'x'.repeat(length) },
    }));
    const { status } = await send(edge, 'POST', `/topics/${name}_in/records`, { records });
    expect(status).toBe(200);
  }
  const last = `SELECT k FROM ${name} WHERE k = 'k${rows - 1}';`;
  await until(async () =>
    (await send(edge, 'POST', '/query', { ksql: last })).text.includes('"row"'),
  );
}

async function heldBytes(): Promise<number> {
  const { text } = await send(edge, 'GET', '/metrics');
  return Number(/^millrace_http_answers_held_bytes (\d+)$/m.exec(text)?.[1]);
}

test('an answer beyond PULL_BYTES_MAX is refused with what to do, and parts of it are given', async () => {
  const [rows, length] = [24, 720_000];
  expect(rows * length).toBeGreaterThan(PULL_BYTES_MAX);
  await table('wide', rows, length);
  const all = await send(edge, 'POST', '/query', { ksql: 'SELECT * FROM wide;' });
  expect(all.status).toBe(413);
  expect(all.body).toMatchObject({
    code: 'LIMIT',
    message: `more than ${PULL_BYTES_MAX} bytes answer; add LIMIT, or ask for keys`,
  });
  const sorted = { ksql: 'SELECT * FROM wide ORDER BY v;' };
  expect((await send(edge, 'POST', '/query', sorted)).status).toBe(413);
  const some = await send(edge, 'POST', '/query', { ksql: 'SELECT * FROM wide LIMIT 20;' });
  expect((some.body as readonly object[]).filter((item) => 'row' in item)).toHaveLength(20);
  const keys = await send(edge, 'POST', '/query', { ksql: 'SELECT k FROM wide;' });
  expect((keys.body as readonly object[]).filter((item) => 'row' in item)).toHaveLength(rows);
});

test('partitions that have more than their share of an answer bring it all the same', async () => {
  const [rows, length] = [18, 720_000];
  await table('spread', rows, length, 8);
  const keysOf = async (ksql: string): Promise<string[]> => {
    const { status, text } = await send(edge, 'POST', '/query', { ksql });
    expect(status, text.slice(0, 200)).toBe(200);
    return [...text.matchAll(/"(k\d+)"/g)].map(([, key = '']) => key);
  };
  const keys = Array.from({ length: rows }, (_, i) => `k${i}`).toSorted();
  await until(async () => (await keysOf('SELECT k FROM spread;')).length === rows);
  expect((await keysOf('SELECT * FROM spread;')).toSorted()).toEqual(keys);
  expect(await keysOf('SELECT * FROM spread ORDER BY k;')).toEqual(keys);
  expect(await keysOf('SELECT * FROM spread ORDER BY k LIMIT 12;')).toEqual(keys.slice(0, 12));
});

test('rows that wait for credit are counted, whoever takes none gives way, and others have all of theirs', async () => {
  const [rows, length] = [2_000, 2_000];
  await table('many', rows, length);
  const sql = 'SELECT * FROM many;';
  const silent = await Promise.all([1, 2].map(() => SocketClient.open(`${edge.url}/query-socket`)));
  for (const socket of silent)
    for (let id = 1; id <= SOCKET_QUERIES_MAX; id++)
      socket.send({ op: 'query', id, sql, credit: 1 });
  let most = 0;
  await until(async () => {
    most = Math.max(most, await heldBytes());
    return most > ANSWERS_HELD_BYTES_MAX - rows * length - FETCH_BYTES_MAX;
  });
  await using reader = await SocketClient.open(`${edge.url}/query-socket`);
  let read = 0;
  await until(async () => {
    reader.send({ op: 'query', id: 1, sql, credit: SOCKET_CREDIT_ROWS_MAX });
    for (;;) {
      const message = await reader.message();
      if (message.op === 'rows') read += (message['rows'] as unknown[]).length;
      if (message.op === 'ask') reader.send(message['text'] as string);
      if (message.op === 'end') return true;
      // Those who take nothing have not been silent for a second yet.
      if (message.op === 'error' && message['code'] === 'OVERLOADED') return false;
    }
  });
  expect(read).toBe(rows);
  most = Math.max(most, await heldBytes());
  expect(most).toBeLessThanOrEqual(ANSWERS_HELD_BYTES_MAX);
  for (const socket of silent) await socket[Symbol.asyncDispose]();
  await expect.poll(heldBytes).toBe(0);
});
