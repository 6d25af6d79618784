// Topics that go, or are made again under their name, while somebody reads them: what is read is of one topic.

import { expect, test } from 'vitest';
import { Life, NO_FAULTS } from '../../../runtime/memory/faults.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { type Engine, open, type OpenOptions } from '../../../runtime/index.ts';
import type { Log } from '../../../runtime/ports/log.ts';

const STREAM = `CREATE STREAM s (a INT, b STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;
const CHANGED = { code: 'INCARNATION_CHANGED' };
/** More than one fetch holds. */
const LONG = 'x'.repeat(100_000);
const RECORDS = 40;

async function filled(options: OpenOptions = {}): Promise<Engine> {
  const engine = await open(options);
  await engine.execute(STREAM);
  for (let a = 0; a < RECORDS; a++) await engine.insert('s', { a, b: LONG });
  return engine;
}

/** Another topic of the name, with as many records. */
async function makeAgain(engine: Engine): Promise<void> {
  await engine.execute(`DROP STREAM s DELETE TOPIC; ${STREAM}`);
  for (let a = 0; a < 2 * RECORDS; a++) await engine.insert('s', { a: -a, b: 'y' });
}

test('a pull query over a stream gives no rows of the new topic', async () => {
  await using engine = await filled();
  const seen: unknown[] = [];
  const read = async (): Promise<void> => {
    for await (const { A } of await engine.query('SELECT a FROM s;')) {
      if (seen.push(A) === 1) await makeAgain(engine);
    }
  };
  await expect(read()).rejects.toMatchObject(CHANGED);
  expect(seen).toEqual(seen.map((_, i) => i));
  expect(seen.length).toBeLessThan(RECORDS);
});

test('PRINT gives no lines of it', async () => {
  await using engine = await filled();
  const lines = await engine.print('PRINT s FROM BEGINNING;');
  const read = async (): Promise<void> => {
    let seen = 0;
    for await (const line of lines) {
      if ((seen += 1) === 1) await makeAgain(engine);
      expect(line).not.toContain('"A":-');
    }
  };
  await expect(read()).rejects.toMatchObject(CHANGED);
});

test('nor has an array of records some of both', async () => {
  const host = memoryHost();
  const log = new Life(NO_FAULTS, () => undefined).log(host.log);
  let hasRead = (): Promise<void> => Promise.resolve();
  const read: Log['read'] = async (...given) => {
    const fetched = await log.read(...given);
    await hasRead();
    return fetched;
  };
  await using engine = await filled({ host: { ...host, log: { ...log, read } } });
  hasRead = async () => {
    hasRead = () => Promise.resolve();
    await makeAgain(engine);
  };
  await expect(engine.topicRecords('s')).rejects.toMatchObject(CHANGED);
});

test('statistics are without topics that go while they are made', async () => {
  await using engine = await open();
  let seen = 0;
  for (let round = 0; round < 30; round++) {
    await engine.execute(STREAM.replace('PARTITIONS=1', 'PARTITIONS=8'));
    const dropped = engine.execute('DROP STREAM s DELETE TOPIC;');
    const over = { is: false };
    void dropped.then(() => (over.is = true));
    while (!over.is) {
      for (let wait = 0; wait < round % 8; wait++) await Promise.resolve();
      seen += Object.keys((await engine.stats()).topics).length;
    }
    await dropped;
    expect(Object.keys((await engine.stats()).topics)).toEqual([]);
  }
  expect(seen).toBeGreaterThan(0);
});
