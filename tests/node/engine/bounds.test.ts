// What grows with the input and is kept within its bound: internal topics and the processing log.

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  BATCH_ROWS_MAX,
  PROCESSING_LOG_RECORDS_MAX,
  REPARTITION_RECORDS_MAX,
} from '../../../runtime/base/limits.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

test('an internal topic keeps REPARTITION_RECORDS_MAX records behind its reader, not more', async () => {
  const host = memoryHost();
  await using engine = await open({ host, properties: { 'millrace.fuse': 'never' } });
  await engine.execute(`
    CREATE STREAM c (k STRING KEY, g STRING) WITH (KAFKA_TOPIC='c', PARTITIONS=1, FORMAT='COLUMNAR');
    CREATE TABLE t AS SELECT g, COUNT(*) AS n FROM c GROUP BY g;`);
  const builder = new BatchBuilder(engine.catalog.source('C').schema);
  for (let i = 0; i < BATCH_ROWS_MAX; i++) builder.append(['k', 'g'], 1000);
  const batch = builder.finish();
  if (batch === null) throw new Error('there are rows');
  const internal = (await host.log.list()).find(({ name }) => name.endsWith('repartition'));
  const at = { topic: internal?.name ?? '', partition: 0 };
  const batches = REPARTITION_RECORDS_MAX / BATCH_ROWS_MAX;
  for (let i = 0; i < batches; i++) await engine.insertBatch('c', batch);
  await engine.idle();
  expect(await host.log.bounds(at)).toMatchObject({
    start: 0,
    highWatermark: REPARTITION_RECORDS_MAX,
  });
  await engine.insertBatch('c', batch);
  await engine.idle();
  const { start, highWatermark } = await host.log.bounds(at);
  expect(highWatermark - start).toBeLessThanOrEqual(REPARTITION_RECORDS_MAX / 2 + BATCH_ROWS_MAX);
  expect(highWatermark - start).toBeGreaterThanOrEqual(REPARTITION_RECORDS_MAX / 2);
  const rows = await (await engine.query("SELECT n FROM t WHERE g = 'g';")).all();
  expect(rows).toEqual([{ N: REPARTITION_RECORDS_MAX + BATCH_ROWS_MAX }]);
});

test('the processing log keeps its newest PROCESSING_LOG_RECORDS_MAX entries', async () => {
  const host = memoryHost();
  await using engine = await open({ host });
  const at = { topic: '__processing_log', partition: 0 };
  const append = async (entries: number): Promise<void> => {
    const builder = new RecordBatchBuilder();
    for (let i = 0; i < entries; i++) builder.append(null, encodeUtf8('{}'), 1);
    await host.log.append(at, builder.finish() ?? new Uint8Array());
  };
  for (let i = 0; i < 11; i++) await append(PROCESSING_LOG_RECORDS_MAX / 10);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await host.log.bounds(at)).start).toBe(0);
  await append(1);
  await expect.poll(async () => (await host.log.bounds(at)).start).toBeGreaterThan(0);
  const { start, highWatermark } = await host.log.bounds(at);
  expect(highWatermark - start).toBeGreaterThanOrEqual(PROCESSING_LOG_RECORDS_MAX);
  expect(highWatermark - start).toBeLessThanOrEqual(PROCESSING_LOG_RECORDS_MAX * 1.1);
  await engine.idle();
});
