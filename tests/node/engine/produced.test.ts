// Records of every shape that a caller gives an engine: what they are in the topic, and what is refused; in memory and in a file.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Engine, open, type ProducedRecord } from '../../../runtime/index.ts';

const file = join(tmpdir(), `millrace-produced-${crypto.randomUUID()}.db`);
afterAll(() => {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
});

async function started(storage: 'memory' | { readonly file: string }): Promise<Engine> {
  const engine = await open({ storage });
  await engine.execute(
    "CREATE STREAM IF NOT EXISTS s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=4, VALUE_FORMAT='JSON');",
  );
  return engine;
}

const HOSTS = [
  ['memory', 'memory' as const],
  ['a file', { file }],
] as const;

test.each(HOSTS)(
  'in %s null is none, for a key as for a partition or a time',
  async (_, storage) => {
    await using engine = await started(storage);
    const beforeMs = Date.now();
    const record = { key: 'abc', value: null, timestamp: null, partition: null, headers: [] };
    const [place] = await engine.produce('s', [record as unknown as ProducedRecord]);
    // murmur2 of 'abc' is 479470107.
    expect(place).toEqual({ partition: 3, offset: 0 });
    const [found] = await engine.topicRecords('s', { partition: 3 });
    expect(found).toMatchObject({ value: null, headers: [] });
    expect(found?.timestamp).toBeGreaterThanOrEqual(beforeMs);
  },
);

test.each(HOSTS)(
  'in %s an internal topic takes no record from outside, and the engine opens again',
  async (_, storage) => {
    const engine = await started(storage);
    for (const topic of ['__catalog', '__processing_log'])
      await expect(engine.produce(topic, [{ value: 'x' }])).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC',
      });
    await engine.close();
    await using again = await started(storage);
    expect(again.catalog.source('S').topic).toBe('s');
  },
);

test.each(HOSTS)(
  'in %s headers of another shape are refused, and nothing is appended',
  async (_, storage) => {
    await using engine = await started(storage);
    const before = (await engine.topicRecords('s')).length;
    for (const [headers, message] of [
      [{ trace: 'abc' }, 'headers is an array of { name, value }'],
      [[{ name: 'trace', value: 'abc' }], 'string is no bytes'],
    ]) {
      const record = { value: '{}', partition: 0, headers } as unknown as ProducedRecord;
      await expect(engine.produce('s', [record])).rejects.toThrow(message);
    }
    expect(await engine.topicRecords('s')).toHaveLength(before);
  },
);
