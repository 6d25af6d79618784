// Damaged state that is not made again: what forbids it, and what the query's error says; and what is asked while it is made again.

import { expect, test } from 'vitest';
import { TaskCorrupted } from '../../../runtime/base/errors.ts';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { type MemoryHost, memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { StateReader } from '../../../runtime/ports/store.ts';

const SOURCES = `
  CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM r (k STRING KEY, w INT) WITH (KAFKA_TOPIC='r', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE c (k STRING PRIMARY KEY, w INT)
    WITH (KAFKA_TOPIC='c', PARTITIONS=1, VALUE_FORMAT='JSON', CLEANUP_POLICY='compact');`;
const COUNT = 'CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;';

/** A host whose tasks of one query find their state damaged as soon as they read it, once that is said. */
function hostWithDamage(query: string): { host: MemoryHost; damage: () => void } {
  const host = memoryHost();
  let isDamaged = false;
  const load = host.store.load.bind(host.store);
  const rebuild = host.store.rebuild.bind(host.store);
  host.store.load = async (task) => {
    const restored = await load(task);
    const { reader } = restored;
    const check = (): void => {
      if (isDamaged && task.startsWith(query)) throw new TaskCorrupted('a row is damaged');
    };
    const checked: StateReader = {
      get: (...given) => {
        check();
        return reader.get(...given);
      },
      scan: (...given) => {
        check();
        return reader.scan(...given);
      },
    };
    return { ...restored, reader: checked };
  };
  host.store.rebuild = async (task, begin) => {
    await rebuild(task, (committed) => {
      const begun = begin(committed);
      if (begun !== null) isDamaged = false;
      return begun;
    });
  };
  return { host, damage: () => (isDamaged = true) };
}

/** Feeds the sources, damages the query's state and starts it again. */
async function restarted(engine: Engine, damage: () => void): Promise<void> {
  await engine.insert('s', [
    { k: 'a', v: 1 },
    { k: 'a', v: 2 },
  ]);
  await engine.insert('r', { k: 'a', w: 1 });
  await engine.idle();
  damage();
  await engine.execute('PAUSE ALL; RESUME ALL;');
  await engine.insert('s', { k: 'a', v: 3 });
}

test.each([
  [
    'a join',
    'CREATE STREAM t AS SELECT s.k, v, w FROM s JOIN r WITHIN 1 HOUR ON s.k = r.k;',
    'its several topics were taken as they came',
  ],
  [
    'what the clock hands over',
    'CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES EVERY 1 MILLISECOND;',
    'hangs on the clock',
  ],
  ['an idle time-out', `SET 'millrace.idle.timeout.ms' = '60000'; ${COUNT}`, 'hangs on the clock'],
  [
    'a beginning at the latest records',
    `SET 'auto.offset.reset' = 'latest'; ${COUNT}`,
    'it began at the latest records',
  ],
])('%s ends the query, and nothing is sent', async (_, sql, why) => {
  const { host, damage } = hostWithDamage('C');
  await using engine = await openEngine({ host });
  await engine.execute(`${SOURCES} ${sql}`);
  await engine.idle();
  await restarted(engine, damage);
  await expect(engine.idle()).rejects.toThrow(why);
  const [id = ''] = engine.catalog.queries.keys();
  expect(engine.errorOf(id)).toBeInstanceOf(TaskCorrupted);
  expect(engine.errorOf(id)?.message).toContain(
    'TERMINATE it, DROP what it writes, and create it again',
  );
});

test('records that the topic has let go end the query', async () => {
  const { host, damage } = hostWithDamage('C');
  await using engine = await openEngine({ host });
  await engine.execute(`${SOURCES} ${COUNT}`);
  await restarted(engine, () => {
    void host.log.trim({ topic: 's', partition: 0 }, 2);
    damage();
  });
  await expect(engine.idle()).rejects.toThrow('has let its records before offset');
  expect(await engine.topicRecords('T')).toHaveLength(2);
});

test('a compacted topic ends the query', async () => {
  const { host, damage } = hostWithDamage('C');
  await using engine = await openEngine({ host });
  await engine.execute(`${SOURCES} CREATE TABLE t AS SELECT * FROM c;`);
  await engine.insert('c', { k: 'a', w: 1 });
  await restarted(engine, damage);
  await expect(engine.idle()).rejects.toThrow('the topic c is compacted');
});

test('a record that was given up ends the query', async () => {
  const { host, damage } = hostWithDamage('C');
  await using engine = await openEngine({ host });
  await engine.execute(`${SOURCES} ${COUNT}`);
  const commit = host.store.commit.bind(host.store);
  host.store.commit = (task, given) =>
    commit(task, {
      ...given,
      outbox: given.outbox.map((append) =>
        append.to.topic === 'T'
          ? { ...append, to: { topic: '__dead_letters', partition: 0 } }
          : append,
      ),
    });
  await restarted(engine, damage);
  await expect(engine.idle()).rejects.toThrow('given up to the dead letters');
});

test('a pull query is refused until the rows are there again, and the table is what it was', async () => {
  const { host, damage } = hostWithDamage('C');
  await using engine = await openEngine({ host });
  await engine.execute(`${SOURCES} ${COUNT}`);
  const rebuild = host.store.rebuild.bind(host.store);
  const commit = host.store.commit.bind(host.store);
  const answers: unknown[] = [];
  const ask = async (): Promise<unknown> =>
    engine.query('SELECT n FROM t;').then(
      (rows) => rows.all(),
      (error: unknown) => error,
    );
  let isRebuilt = false;
  host.store.rebuild = async (...given) => {
    await rebuild(...given);
    isRebuilt = true;
  };
  host.store.commit = async (task, given) => {
    if (isRebuilt && answers.length === 0) answers.push(await ask());
    return commit(task, given);
  };
  await restarted(engine, damage);
  await engine.idle();
  expect(answers).toMatchObject([{ code: 'UNAVAILABLE' }]);
  expect(await ask()).toEqual([{ N: 3 }]);
  expect(await engine.topicRecords('T')).toHaveLength(3);
});
