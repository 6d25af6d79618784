// Push queries through the engine, clause by clause: limits, tombstones, windows, values without a row, where they begin.

import { expect, test, vi } from 'vitest';
import { OPEN_PUSH_QUERIES_MAX } from '../../../runtime/base/limits.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const EARLIEST = { properties: { 'auto.offset.reset': 'earliest' } };

const STREAM = `CREATE STREAM s (k STRING KEY, v INT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

async function started(statements = STREAM): Promise<Engine> {
  const engine = await open();
  await engine.execute(statements);
  return engine;
}

test('OPEN_PUSH_QUERIES_MAX are open at once; one that ends makes room for another', async () => {
  await using engine = await started();
  const select = 'SELECT * FROM s EMIT CHANGES;';
  const control = new AbortController();
  const ended = await engine.query(select, { signal: control.signal });
  for (let i = 1; i < OPEN_PUSH_QUERIES_MAX; i++) await engine.query(select);
  const refusal = { name: 'StatementError', code: 'LIMIT' };
  await expect(engine.query(select)).rejects.toMatchObject(refusal);
  control.abort();
  expect(await ended.all()).toEqual([]);
  const another = await engine.query(`${select.slice(0, -1)} LIMIT 1;`);
  await expect(engine.query(select)).rejects.toMatchObject(refusal);
  await engine.insert('s', { k: 'a', v: 1 });
  expect(await another.all()).toEqual([{ K: 'a', V: 1 }]);
  await engine.query(select);
});

test('LIMIT 0 ends at once, and says that the limit was reached', async () => {
  await using engine = await started();
  const rows = await engine.query('SELECT * FROM s EMIT CHANGES LIMIT 0;', EARLIEST);
  expect(await rows.all()).toEqual([]);
  expect(rows.finalMessage).toBe('Limit Reached');
});

test('a record of a stream without a value is no row', async () => {
  await using engine = await started();
  await engine.produce('s', [
    { key: 'a', value: null },
    { key: null, value: '{"V":1}' },
    { key: 'a', value: '{}' },
  ]);
  const rows = await engine.query('SELECT * FROM s EMIT CHANGES LIMIT 2;', EARLIEST);
  expect(await rows.all()).toEqual([
    { K: null, V: 1 },
    { K: 'a', V: null },
  ]);
});

test('a tombstone of a table is a change that deletes, with its key where it is selected', async () => {
  await using engine = await started(`CREATE TABLE t (k STRING PRIMARY KEY, v INT)
    WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');`);
  await engine.produce('t', [
    { key: 'a', value: '{"V":1}' },
    { key: 'a', value: null },
  ]);
  const changes = async (sql: string) =>
    Array.fromAsync((await engine.query(sql, EARLIEST)).changes(), ({ row, isDelete }) => ({
      ...row,
      isDelete,
    }));
  expect(await changes('SELECT * FROM t EMIT CHANGES LIMIT 2;')).toEqual([
    { K: 'a', V: 1, isDelete: false },
    { K: 'a', V: null, isDelete: true },
  ]);
  expect(await changes('SELECT v FROM t EMIT CHANGES LIMIT 2;')).toEqual([
    { V: 1, isDelete: false },
    { V: null, isDelete: true },
  ]);
});

test('sessions of a table that begin alike are told apart by their ends', async () => {
  await using engine = await started(`CREATE TABLE w (k INT PRIMARY KEY, v INT)
    WITH (KAFKA_TOPIC='w', PARTITIONS=1, VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');`);
  const key = (endMs: bigint): Uint8Array => {
    const bytes = new DataView(new ArrayBuffer(20));
    bytes.setInt32(0, 7);
    bytes.setBigInt64(4, endMs);
    return new Uint8Array(bytes.buffer);
  };
  const record = (endMs: bigint, v: number) => ({ key: key(endMs), value: `{"V":${v}}` });
  await engine.produce('w', [record(5n, 2), record(9n, 3), record(5n, 0), record(9n, 1)]);
  const rows = await engine.query('SELECT * FROM w WHERE v > 1 EMIT CHANGES LIMIT 4;', EARLIEST);
  const changes = await Array.fromAsync(rows.changes(), ({ row, isDelete }) => [
    row['WINDOWEND'],
    row['V'],
    isDelete,
  ]);
  expect(changes).toEqual([
    [5, 2, false],
    [9, 3, false],
    [5, null, true],
    [9, null, true],
  ]);
});

test('an aggregate without GROUP BY is over all rows, an expression needs no column', async () => {
  await using engine = await started();
  await engine.insert('s', [
    { k: 'a', v: 1 },
    { k: 'b', v: 2 },
  ]);
  const all = async (sql: string) => (await engine.query(sql, EARLIEST)).all();
  expect(await all('SELECT SUM(v) AS total, COUNT(*) AS n FROM s EMIT CHANGES LIMIT 2;')).toEqual([
    { TOTAL: 1, N: 1 },
    { TOTAL: 3, N: 2 },
  ]);
  expect(await all('SELECT 1 + 1 AS two FROM s EMIT CHANGES LIMIT 2;')).toEqual([
    { TWO: 2 },
    { TWO: 2 },
  ]);
});

test('a windowed table shows its windows, from the beginning or from now on', async () => {
  await using engine = await started(`${STREAM} CREATE TABLE w AS SELECT k, COUNT(*) AS n FROM s
    WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k;`);
  await engine.insert('s', { k: 'a', v: 1 }, { timestamp: 1500 });
  await engine.idle();
  const early = await engine.query('SELECT * FROM w EMIT CHANGES LIMIT 2;', EARLIEST);
  const late = await engine.query('SELECT n, WINDOWSTART FROM w EMIT CHANGES LIMIT 1;');
  await engine.insert('s', { k: 'a', v: 1 }, { timestamp: 1600 });
  expect(await early.all()).toEqual([
    { K: 'a', WINDOWSTART: 1000, WINDOWEND: 2000, N: 1 },
    { K: 'a', WINDOWSTART: 1000, WINDOWEND: 2000, N: 2 },
  ]);
  expect(await late.all()).toEqual([{ N: 2, WINDOWSTART: 1000 }]);
});

test('a query does not ask the log which topics there are: in pages that is a transaction', async () => {
  const host = memoryHost();
  const list = vi.spyOn(host.log, 'list');
  await using engine = await open({ host });
  await engine.execute(`${STREAM} CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`);
  expect(list).toHaveBeenCalled();
  list.mockClear();
  const rows = await engine.query('SELECT * FROM s EMIT CHANGES LIMIT 0;');
  expect(await rows.all()).toEqual([]);
  expect(await (await engine.query('SELECT * FROM t;')).all()).toEqual([]);
  expect(list).not.toHaveBeenCalled();
});
