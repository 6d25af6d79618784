// Which columns a decoder lends, and that whoever keeps rows until the end sees what they were: memory that is lent is written to again.

import { expect, test } from 'vitest';
import { type Batch, positionOf } from '../../../runtime/data/batch.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { lentColumns } from '../../../runtime/task/lent-columns.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { Session } from '../plan/session.ts';

const SOURCE = `CREATE STREAM s (k STRING, x DOUBLE, n BIGINT, d TIMESTAMP, ts BIGINT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='ts');`;
const BY_GROUPS = { 'cache.max.bytes.buffering': '1000000', 'commit.interval.ms': '20' };

/** What the source of a query lends, in the order of its columns. */
function lent(select: string, properties = {}): string {
  const plan = new Session(properties, true).plan(
    `${SOURCE} CREATE TABLE t WITH (KEY_FORMAT='JSON') AS ${select};`,
  );
  return plan.subtopologies
    .flatMap(({ steps }) =>
      steps.flatMap((step) => (step.step === 'source' ? [...lentColumns({ step, steps })] : [])),
    )
    .join();
}

test.each([
  ['SELECT k, SUM(x) FROM s GROUP BY k', {}, 'X,N,D'],
  ['SELECT k, SUM(x) FROM s WHERE n > 3 GROUP BY k', {}, 'X,N,D'],
  ['SELECT n, SUM(x) FROM s GROUP BY n', {}, 'K,X,D'],
  // What an expression gives may be a column that it reads.
  ['SELECT x + 1, SUM(n) FROM s GROUP BY x + 1', {}, 'K,N,D'],
  ['SELECT k, n, MAX(x) FROM s GROUP BY k, n', {}, 'X,D'],
  ['SELECT k, SUM(x) FROM s GROUP BY k', BY_GROUPS, 'K,X,N,D,TS'],
  // Rows are kept by what is no aggregation in the kernel.
  ['SELECT k, COLLECT_LIST(x) FROM s GROUP BY k', {}, ''],
  ['SELECT k, SUM(x) FROM s WINDOW SESSION (1 MINUTE) GROUP BY k', {}, ''],
])('%s with %o lends %s', (select, properties, names) => {
  expect(lent(select, properties)).toBe(names);
});

const QUERIES = [
  'SELECT k, COUNT(*) AS c, SUM(x) AS v, MAX(n) AS m FROM s GROUP BY k EMIT CHANGES;',
  'SELECT n, MIN(x) AS v FROM s WHERE x > 10 GROUP BY n EMIT CHANGES;',
  'SELECT COALESCE(d, d) AS a, COUNT(*) AS c FROM s GROUP BY COALESCE(d, d) EMIT CHANGES;',
  'SELECT k, n, WINDOWSTART AS w, SUM(x) AS v FROM s WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k, n EMIT CHANGES;',
  'SELECT k, WINDOWSTART AS w, SUM(x) AS v FROM s WINDOW HOPPING (SIZE 2 SECONDS, ADVANCE BY 1 SECOND) GROUP BY k EMIT CHANGES;',
];
/** Of each record batch, which is a chunk of its own. */
const RECORDS = 300;
const CHUNKS = 4;

function record(i: number): string {
  // Some are decoded elsewhere, some are null.
  const x = i % 97 === 0 ? '1e-300' : i % 89 === 0 ? 'null' : `${(i % 1000) / 8}`;
  const k = i % 101 === 0 ? '"a \\u00e9 b"' : `"key ${i % 50}"`;
  return `{"k":${k},"x":${x},"n":${i % 40},"d":${1000 + (i % 30)},"ts":${i}}`;
}

/** All rows with their rowtimes, looked at once the last one has come. */
async function rowsOf(query: string, properties: Readonly<Record<string, string>>) {
  await using engine = await openEngine({ host: memoryHost({ kernel: kernelModule() }) });
  await engine.execute(SOURCE);
  for (let chunk = 0; chunk < CHUNKS; chunk++)
    await engine.produce(
      's',
      Array.from({ length: RECORDS }, (_, i) => ({
        key: null,
        value: record(chunk * RECORDS + i),
      })),
    );
  const rows = await engine.query(query, {
    properties: { 'auto.offset.reset': 'earliest', ...properties },
  });
  const kept: Batch[] = [];
  const reading = (async () => {
    for await (const batch of rows.batches()) kept.push(batch);
  })();
  await rows.idle();
  await rows.close();
  await reading;
  return kept.flatMap((batch) =>
    Array.from({ length: batch.length }, (_, i) => {
      const at = positionOf(batch, i);
      return [batch.rowtime[at], ...batch.columns.map((column) => valueAt(column, at))];
    }),
  );
}

test.each(QUERIES)('%s gives the rows that it gives without the decoder', async (query) => {
  for (const properties of [{}, BY_GROUPS]) {
    const rows = await rowsOf(query, properties);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(await rowsOf(query, { ...properties, 'millrace.decoder': 'row' }));
  }
});
