// What records that are taken at once may make: beyond it fewer are taken, and one that makes too much alone goes to the dead letters.

import { expect, test } from 'vitest';
import {
  ATTEMPTS_MAX,
  BATCH_WEIGHT_MAX,
  MADE_BYTES_MAX,
  MADE_ROWS_MAX,
  TEXT_LENGTH_MAX,
} from '../../../runtime/base/limits.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import { open } from '../../../runtime/index.ts';
import { TestDriver } from '../../../runtime/memory/test-driver.ts';
import { RepartitionWriter } from '../../../runtime/task/repartition.ts';
import { SinkWriter } from '../../../runtime/task/sink.ts';
import { batchesOf } from '../../support/operator-contract.ts';

const STREAM =
  "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');";

const SCHEMA = prettySchema('K:STRING key | V:STRING');
const FORMAT = { format: 'KAFKA', options: [], wrap: true };
const PLACE = {
  id: '2',
  input: '1',
  schema: SCHEMA,
  topic: 'out',
  partitions: 1,
  keyFormat: FORMAT,
};

interface Filled {
  readonly write: (batch: Batch) => void;
  readonly waiting: () => number;
}

function sink(): Filled {
  const writer = new SinkWriter(
    {
      ...PLACE,
      step: 'sink',
      sink: 'OUT',
      kind: 'stream',
      valueFormat: FORMAT,
      window: null,
      timestamp: null,
    },
    FORMATS,
    { fallbackPartition: 0, headers: null, report: () => undefined, count: () => undefined },
  );
  return { write: writer.write, waiting: () => writer.waitingBytes };
}

function repartition(): Filled {
  const writer = new RepartitionWriter({ ...PLACE, step: 'repartition' }, FORMATS, {
    fallbackPartition: 0,
    checksum: false,
  });
  return { write: writer.write, waiting: () => writer.waitingBytes };
}

async function driven(sql: string, counts: readonly number[]): Promise<TestDriver> {
  const driver = new TestDriver();
  await driver.execute(STREAM);
  await driver.execute(sql);
  await piped(driver, counts);
  await driver.settle();
  return driver;
}

async function piped(driver: TestDriver, counts: readonly number[]): Promise<void> {
  const records = counts.map((v, i) => ({
    key: 'k',
    value: `{"V":${v}}`,
    timestamp: i,
  }));
  await driver.pipe('s', records);
}

/** How many records a topic has had. */
async function written(driver: TestDriver, topic: string): Promise<number> {
  return (await driver.durable.log.bounds({ topic, partition: 0 })).highWatermark;
}

async function letters(driver: TestDriver): Promise<readonly object[]> {
  const texts = await driver.texts('__dead_letters');
  return texts.map(({ value }) => JSON.parse(value ?? '') as object);
}

const TOO_MUCH = {
  attempts: ATTEMPTS_MAX,
  error: 'it makes more than one may (MADE_BYTES_MAX)',
};
test('rows for a client that are too many together come when fewer records are taken, as many as may be of one', async () => {
  await using engine = await open({ kernel: null });
  await engine.execute(STREAM);
  const query = await engine.query(
    'SELECT EXPLODE(GENERATE_SERIES(1, v)) AS n FROM s EMIT CHANGES;',
  );
  await engine.produce('s', [{ value: `{"V":${MADE_ROWS_MAX}}` }, { value: '{"V":3}' }]);
  let rows = 0;
  for await (const _ of query) if (++rows === MADE_ROWS_MAX + 3) break;
  expect(rows).toBe(MADE_ROWS_MAX + 3);
});

test.each([
  ['a sink', sink],
  ['an internal topic', repartition],
])('%s takes as many bytes as may wait, and no more', (_, output) => {
  const { write, waiting } = output();
  const rows = Array.from({ length: 900 }, () => ({ values: ['k', 'x'.repeat(900)], rowtime: 0 }));
  const [batch] = batchesOf(SCHEMA, rows);
  const add = (): void => write(batch as Batch);
  add();
  const most = MADE_BYTES_MAX - waiting();
  while (waiting() <= most) add();
  expect(() => {
    add();
    add();
  }).toThrow(TOO_MUCH.error);
});

const PADDING =
  "CREATE STREAM o WITH (VALUE_FORMAT='KAFKA') AS SELECT k, RPAD(k, v, k) AS t FROM s;";

test('records of which expressions make too much together are taken fewer at a time', async () => {
  const length = 800_000;
  const counts = Array.from({ length: Math.ceil((1.5 * BATCH_WEIGHT_MAX) / length) }, () => length);
  await using driver = await driven(PADDING, counts);
  expect(await written(driver, 'O')).toBe(counts.length);
  expect(await letters(driver)).toEqual([]);
});

test('a record of which expressions alone make too much does not go through', async () => {
  const columns = Array.from({ length: 42 }, (_, i) => `RPAD(k, v, k) AS c${i}`);
  await using driver = await driven(
    `CREATE STREAM o AS SELECT k, ${columns.join()} FROM s;`,
    [10, 800_000, 10],
  );
  expect(await written(driver, 'O')).toBe(2);
  expect(await letters(driver)).toMatchObject([{ offset: 1, ...TOO_MUCH }]);
});

test('a state is no more than one value may be: rows that would make it more fail, and the others count', async () => {
  await using driver = new TestDriver();
  await driver.execute(STREAM);
  await driver.execute(
    'CREATE TABLE o AS SELECT k, ARRAY_LENGTH(COLLECT_LIST(RPAD(k, v, k))) AS n FROM s GROUP BY k;',
  );
  const most = Math.floor(TEXT_LENGTH_MAX / 4) - 2;
  await piped(driver, [most, most, most, most + 10, most - 10, 5]);
  await driver.settle();
  const counts = (await driver.texts('O')).map(({ value }) => value);
  expect(counts).toEqual([1, 2, 3, 3, 4, 5].map((n) => `{"N":${n}}`));
  expect(await driver.texts('__processing_log')).toHaveLength(1);
});
