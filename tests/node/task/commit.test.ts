// What a commit hides until it has succeeded, and what a failed one leaves: nothing.

import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { Commit, Store } from '../../../runtime/ports/store.ts';

const STATEMENTS = `CREATE STREAM s (k STRING KEY, v BIGINT)
    WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`;

/** A store whose commits are held at a gate, and then let through or refused. */
function gated(store: Store) {
  let open: (() => void) | null = null;
  let arrived: () => void = () => undefined;
  let refuses = false;
  const gate = {
    isClosed: false,
    /** Resolves when a commit stands at the gate. */
    waiting: (): Promise<void> => new Promise((resolve) => (arrived = resolve)),
    letThrough(): void {
      gate.isClosed = false;
      open?.();
    },
    refuse(): void {
      refuses = true;
      gate.letThrough();
    },
  };
  const commit = async (task: string, given: Commit) => {
    if (gate.isClosed) {
      arrived();
      await new Promise<void>((resolve) => (open = resolve));
    }
    if (refuses) {
      refuses = false;
      throw new PortError('UNAVAILABLE', 'the disk did not answer');
    }
    return store.commit(task, given);
  };
  const wrapped: Store = {
    load: (task) => store.load(task),
    commit,
    acknowledge: (...given) => store.acknowledge(...given),
    reader: (task) => store.reader(task),
    rebuild: (...given) => store.rebuild(...given),
    remove: (task) => store.remove(task),
  };
  return { gate, store: wrapped };
}

test('no output, push frame or pull answer shows a change before its commit has succeeded', async () => {
  const host = memoryHost();
  const { gate, store } = gated(host.store);
  await using engine = await openEngine({ host: { ...host, store } });
  await engine.execute(STATEMENTS);
  await engine.insert('s', { k: 'a', v: 1 });
  await engine.idle();
  const pull = async () => (await engine.query("SELECT n FROM t WHERE k = 'a'")).all();
  await using pushed = await engine.query('SELECT k, n FROM t EMIT CHANGES;');
  const frames = pushed[Symbol.asyncIterator]();
  const frame = frames.next();
  let isShown = false;
  void frame.then(() => (isShown = true));

  gate.isClosed = true;
  const stopped = gate.waiting();
  await engine.insert('s', { k: 'a', v: 1 });
  await stopped;
  expect((await engine.topicRecords('T')).length).toBe(1);
  expect(await pull()).toEqual([{ N: 1 }]);
  expect(isShown).toBe(false);

  // The first try fails: what it had made is gone with it, and made once more after the restore.
  gate.refuse();
  await engine.idle();
  expect((await engine.topicRecords('T')).length).toBe(2);
  expect(await pull()).toEqual([{ N: 2 }]);
  expect((await frame).value).toEqual({ K: 'a', N: 2 });
  expect((await engine.stats()).queries['CTAS_T_1']).toMatchObject({ in: 2, out: 2 });
});

/** A host whose store refuses commits of the table's query as long as it is told to. */
function refusing(error: Error) {
  const host = memoryHost();
  const told = { refuses: true };
  const store: Store = {
    load: (task) => host.store.load(task),
    commit: async (task, given) => {
      if (told.refuses && task.startsWith('CTAS_T_1')) throw error;
      return host.store.commit(task, given);
    },
    acknowledge: (...given) => host.store.acknowledge(...given),
    reader: (task) => host.store.reader(task),
    rebuild: (...given) => host.store.rebuild(...given),
    remove: (task) => host.store.remove(task),
  };
  return { told, host: { ...host, store } };
}

test('a storage without room holds the query up, which says so, and goes on once there is some', async () => {
  const { told, host } = refusing(new PortError('STORAGE_FULL', 'no room is left'));
  await using engine = await openEngine({ host });
  await engine.execute(STATEMENTS);
  await engine.insert('s', { k: 'a', v: 1 });
  for (let i = 0; i < 3; i++)
    await expect(engine.idle()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(engine.errorOf('CTAS_T_1')).toMatchObject({ code: 'STORAGE_FULL' });
  const [queries] = await engine.execute('SHOW QUERIES;');
  expect(queries?.['queries']).toMatchObject([{ id: 'CTAS_T_1', state: 'RUNNING' }]);
  told.refuses = false;
  await engine.idle();
  expect(engine.errorOf('CTAS_T_1')).toBeNull();
  expect(await (await engine.query('SELECT n FROM t;')).all()).toEqual([{ N: 1 }]);
});

test('it goes on by itself too, and can be paused and closed meanwhile', async () => {
  const { told, host } = refusing(new PortError('STORAGE_FULL', 'no room is left'));
  const engine = await openEngine({ host });
  await engine.execute(STATEMENTS);
  const rows = await engine.query('SELECT n FROM t EMIT CHANGES;');
  const row = rows[Symbol.asyncIterator]().next();
  await engine.insert('s', { k: 'a', v: 1 });
  await expect(engine.idle()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  await engine.execute('PAUSE ctas_t_1; RESUME ctas_t_1;');
  told.refuses = false;
  expect((await row).value).toEqual({ N: 1 });
  told.refuses = true;
  await engine.insert('s', { k: 'a', v: 1 });
  await expect(engine.idle()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  await engine.close();
});

test('a commit that is refused for good ends the query and says why; others go on', async () => {
  const limit = { limit: 'RESIDENT_STATE_BYTES_MAX' };
  const { host } = refusing(new PortError('STORAGE_FULL', 'more than may be', limit));
  await using engine = await openEngine({ host });
  await engine.execute(`${STATEMENTS} CREATE STREAM u AS SELECT k, v FROM s;`);
  await engine.insert('s', { k: 'a', v: 1 });
  await expect(engine.idle()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(engine.errorOf('CTAS_T_1')).toMatchObject({ code: 'STORAGE_FULL' });
  expect(engine.errorOf('CSAS_U_2')).toBeNull();
  const [queries] = await engine.execute('SHOW QUERIES;');
  expect(queries?.['queries']).toMatchObject([
    { id: 'CTAS_T_1', state: 'ERROR' },
    { id: 'CSAS_U_2', state: 'RUNNING' },
  ]);
  expect((await engine.topicRecords('T')).length).toBe(0);
  expect((await engine.topicRecords('U')).length).toBe(1);
});

test('a turn that failed is made again when it is time, however many records come in meanwhile', async () => {
  const host = memoryHost();
  const triedMs: number[] = [];
  const store: Store = {
    load: (task) => host.store.load(task),
    commit: async () => {
      triedMs.push(performance.now());
      throw new PortError('UNAVAILABLE', 'the disk did not answer');
    },
    acknowledge: (...given) => host.store.acknowledge(...given),
    reader: (task) => host.store.reader(task),
    rebuild: (...given) => host.store.rebuild(...given),
    remove: (task) => host.store.remove(task),
  };
  await using engine = await openEngine({ host: { ...host, store } });
  await engine.execute(STATEMENTS);
  for (let v = 0; triedMs.length < 4; v++) {
    await engine.insert('s', { k: 'a', v });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const waitedMs = triedMs.slice(1).map((ms, i) => ms - (triedMs[i] ?? ms));
  // A timer may be early by what its clock leaves out of a millisecond.
  for (const [i, ms] of waitedMs.entries()) expect(ms).toBeGreaterThan(50 * 2 ** i - 2);
});
