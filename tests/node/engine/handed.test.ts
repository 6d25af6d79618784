// What a push query hands from task to task gives the rows that it gives within one task, on both paths.

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { HandedBatch } from '../../../runtime/data/handed-batch.ts';
import type { PublicRow } from '../../../runtime/data/row.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const record = fc.record({
  k: fc.option(fc.constantFrom('a', 'b', 'çé', ''), { freq: 6 }),
  b: fc.option(fc.boolean(), { freq: 6 }),
  i: fc.option(fc.integer({ min: -9, max: 9 }), { freq: 6 }),
  x: fc.option(fc.integer({ min: -99, max: 99 }), { freq: 6 }),
  isNull: fc.constantFrom(false, false, false, true),
});

const QUERIES = [
  'SELECT k, COUNT(*) AS n, SUM(x) AS s, MIN(i) AS l, AVG(x) AS m FROM s GROUP BY k EMIT CHANGES;',
  'SELECT k, i, WINDOWSTART AS w, COUNT(x) AS n, MAX(x) AS m FROM s WINDOW TUMBLING (SIZE 5 MILLISECONDS) WHERE i > -5 GROUP BY k, i EMIT CHANGES;',
  'SELECT i, COUNT(*) AS n, LATEST_BY_OFFSET(k) AS k, COLLECT_LIST(b) AS bs FROM s GROUP BY i EMIT CHANGES;',
];

async function rowsOf(engine: Engine, sql: string, path: string, fuse: string) {
  const properties = {
    'auto.offset.reset': 'earliest',
    'millrace.path': path,
    'millrace.fuse': fuse,
  };
  await using rows = await engine.query(sql, { properties });
  const seen: PublicRow[] = [];
  const read = (async () => {
    for await (const row of rows) seen.push(row);
  })();
  await rows.idle();
  await rows.close();
  await read;
  return seen;
}

test('a repartitioned push query gives the rows of one task, and nothing is encoded between its tasks', async () => {
  const appended = vi.spyOn(MemoryLog.prototype, 'appendNow');
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 60 }), async (records) => {
      await using engine = await open({ host: memoryHost({ kernel: kernelModule() }) });
      await engine.execute(`CREATE STREAM s (id STRING KEY, k STRING, b BOOLEAN, i INT, x DOUBLE)
        WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`);
      await engine.produce(
        's',
        records.map(({ isNull, ...fields }, at) => ({
          key: `${at}`,
          value: isNull ? null : JSON.stringify(fields),
          timestamp: at,
        })),
      );
      for (const sql of QUERIES) {
        const whole = await rowsOf(engine, sql, 'row', 'auto');
        appended.mockClear();
        for (const path of sql.includes('COLLECT') ? ['row'] : ['row', 'kernel'])
          expect(await rowsOf(engine, sql, path, 'never')).toEqual(whole);
        const given = appended.mock.calls.map(([, batch]) => batch);
        expect(given.every((batch) => batch instanceof HandedBatch)).toBe(true);
        expect(given.length > 0).toBe(whole.length > 0);
      }
    }),
    { numRuns: 12 },
  );
  appended.mockRestore();
});
