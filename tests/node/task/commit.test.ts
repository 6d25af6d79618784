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

test('a commit that is refused for good ends the query and says why; others go on', async () => {
  const host = memoryHost();
  const full: Store = {
    load: (task) => host.store.load(task),
    commit: (task, given) =>
      task.startsWith('CTAS_T_1')
        ? Promise.reject(new PortError('STORAGE_FULL', 'no room is left'))
        : host.store.commit(task, given),
    acknowledge: (...given) => host.store.acknowledge(...given),
    reader: (task) => host.store.reader(task),
    rebuild: (...given) => host.store.rebuild(...given),
    remove: (task) => host.store.remove(task),
  };
  await using engine = await openEngine({ host: { ...host, store: full } });
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
