// Records that a topic let go before a query read them: it goes on as auto.offset.reset says, and the processing log tells each gap once.

import { expect, test } from 'vitest';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { Host } from '../../../runtime/ports/host.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM u AS SELECT * FROM s;`;
const AT = { topic: 's', partition: 0 };

async function insert(engine: Engine, ...values: readonly number[]): Promise<void> {
  // A batch each, so that each can be let go by itself.
  for (const v of values) await engine.insert('s', { k: 'k', v });
}

async function values(engine: Engine, topic: string): Promise<unknown[]> {
  await engine.idle();
  const records = await engine.topicRecords(topic);
  return records.map(({ value }) => JSON.parse(new TextDecoder().decode(value ?? undefined)));
}

/** An engine whose query is paused while records 2 and 3 are let go. */
async function withGap(host: Host, properties: Record<string, string> = {}): Promise<Engine> {
  const engine = await openEngine({ host, properties });
  await engine.execute(STREAM);
  await engine.idle();
  await insert(engine, 0, 1);
  await engine.idle();
  await engine.execute('PAUSE ALL;');
  await insert(engine, 2, 3, 4, 5);
  await host.log.trim(AT, 4);
  return engine;
}

const ENTRY = { query: 'CSAS_U_1', task: 'CSAS_U_1/0/0', topic: 's', partition: 0, code: 'GAP' };

test('from earliest it goes on at the first record that is there', async () => {
  const host = memoryHost();
  {
    await using engine = await withGap(host);
    await engine.execute('RESUME ALL;');
    expect(await values(engine, 'U')).toEqual([0, 1, 4, 5].map((V) => ({ V })));
    expect(await values(engine, '__processing_log')).toEqual([
      { ...ENTRY, offset: 2, field: '', message: expect.stringContaining('goes on at 4') },
    ]);
    const { queries } = await engine.stats();
    expect(queries['CSAS_U_1']).toMatchObject({ in: 4, errors: 1 });
    expect(engine.errorOf('CSAS_U_1')).toBeNull();
  }
  await using engine = await openEngine({ host });
  await insert(engine, 6);
  expect(await values(engine, 'U')).toHaveLength(5);
  expect(await values(engine, '__processing_log')).toHaveLength(1);
});

test('from latest it goes on with what comes', async () => {
  const host = memoryHost();
  await using engine = await withGap(host, { 'auto.offset.reset': 'latest' });
  await engine.execute('RESUME ALL;');
  await engine.idle();
  await insert(engine, 6);
  expect(await values(engine, 'U')).toEqual([0, 1, 6].map((V) => ({ V })));
  expect(await values(engine, '__processing_log')).toMatchObject([
    { ...ENTRY, offset: 2, message: expect.stringContaining('goes on at 6') },
  ]);
});

test('a crash between the gap and its commit tells it once', async () => {
  const host = memoryHost();
  const engine = await withGap(host);
  const commit = host.store.commit.bind(host.store);
  let refusals = 2;
  host.store.commit = async (task, change) => {
    if (change.outbox.length > 0 && refusals-- > 0) throw new Error('the process ends here');
    return commit(task, change);
  };
  await engine.execute('RESUME ALL;');
  await expect(engine.idle()).rejects.toThrow('the process ends here');
  await engine.execute('RESUME ALL;');
  await expect(engine.idle()).rejects.toThrow('the process ends here');
  await engine.execute('RESUME ALL;');
  expect(await values(engine, 'U')).toEqual([0, 1, 4, 5].map((V) => ({ V })));
  expect(await values(engine, '__processing_log')).toHaveLength(1);
  await engine.close();
});

test('what was read beyond the end of a partition ends the query', async () => {
  const host = memoryHost();
  await using engine = await withGap(host);
  const read = host.log.read.bind(host.log);
  host.log.read = (at, from, bytesMax) => read(at, at.topic === 's' ? from + 100 : from, bytesMax);
  await engine.execute('RESUME ALL;');
  await expect(engine.idle()).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
});
