// What an engine says once it has been closed, over a host that could go on and over one that could not.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { open } from '../../../runtime/index.ts';

const file = join(tmpdir(), `millrace-closed-${crypto.randomUUID()}.db`);
afterAll(() => {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
});

const STREAM = "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');";

test.each([
  ['memory', 'memory' as const],
  ['SQLite', { file }],
])(
  'over %s each call is refused, a row that waits is the last, and closing again is nothing',
  async (_, storage) => {
    const engine = await open({ storage });
    await engine.execute(STREAM);
    const waiting = await engine.query('SELECT * FROM s EMIT CHANGES;');
    const seen = waiting.all();
    await engine.close();
    expect(await seen).toEqual([]);
    for (const call of [
      () => engine.execute('SHOW STREAMS;'),
      () => engine.query('SELECT * FROM s EMIT CHANGES;'),
      () => engine.print('PRINT s;'),
      () => engine.insert('s', { a: 1 }),
      () => engine.produce('s', [{ key: null, value: '{"A":1}' }]),
      () => engine.topicRecords('s'),
      () => engine.stats(),
      () => engine.idle(),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: 'the engine is closed',
      });
    await engine.close();
    await engine[Symbol.asyncDispose]();
  },
);
