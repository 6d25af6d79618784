// After a burst nobody asks for anything: what was acknowledged must come out at the other end all the same.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

const ROUNDS = 4;
const RECORDS = 40;

/** High watermark of a partition, read from its object's file: no request wakes anything. */
function highWatermark(edge: Workerd, topic: string): number {
  const folder = join(edge.folder, 'millrace-Partition');
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (!/^[0-9a-f]{64}\.sqlite$/.test(file)) continue;
    const database = new DatabaseSync(join(folder, file), { readOnly: true, timeout: 5_000 });
    try {
      const meta = database.prepare('SELECT topic, next FROM meta').get();
      if (meta?.['topic'] === topic) return Number(meta['next']);
    } finally {
      database.close();
    }
  }
  return -1;
}

test(
  'what was acknowledged is processed though most wake-ups are lost and nobody asks',
  { timeout: 90_000 },
  async () => {
    await using edge = await Workerd.start('tests/workers/torture/deaf.ts');
    const ksql = `CREATE STREAM s (k STRING KEY, g STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE t AS SELECT g, COUNT(*) AS n FROM s GROUP BY g;`;
    const streamsProperties = { 'millrace.fuse': 'never' };
    expect((await send(edge, 'POST', '/ksql', { ksql, streamsProperties })).status).toBe(200);
    const records = Array.from({ length: RECORDS }, (_, i) => ({
      key: `${i}`,
      value: { G: `${i % 3}` },
    }));
    for (let round = 1; round <= ROUNDS; round++) {
      expect((await send(edge, 'POST', '/topics/s/records', { records })).status).toBe(200);
      // Most of the wake-ups that follow the reply are lost, and now and then the process with them.
      if (round % 2 === 0) {
        await edge.kill();
        await edge.restart();
      }
      await until(async () => highWatermark(edge, 'T') === round * RECORDS, 30_000);
    }
    expect(highWatermark(edge, 's')).toBe(ROUNDS * RECORDS);
  },
);
