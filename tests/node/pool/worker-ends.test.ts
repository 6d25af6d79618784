// Workers that end late, and tasks that come and go while their Worker stays: which Worker is whose, and what is left behind.

import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { StartedWorker, Workers } from '../../../runtime/ports/workers.ts';
import { NearWorkers } from '../../support/near-workers.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');`;

function spread(workers: Workers): Promise<Engine> {
  const properties = { 'auto.offset.reset': 'earliest' };
  return open({ host: { ...memoryHost(), workers }, workers: 2, properties });
}

test('a Worker that could not begin and ends late is no end of the one in its place', async () => {
  const near = new NearWorkers();
  const alive = new Set<StartedWorker>();
  let letEnd: () => void = () => undefined;
  const mayEnd = new Promise<void>((resolve) => (letEnd = resolve));
  const start = async (number: number): Promise<StartedWorker> => {
    const started = await near.start(number);
    alive.add(started);
    void started.ended.then(() => alive.delete(started));
    // The third, which takes the place of the first.
    if (near.started !== 3) return started;
    const refuse = (): never => {
      throw new PortError('UNAVAILABLE', 'it takes no message');
    };
    const end = { addEventListener: () => undefined, postMessage: refuse };
    return { ...started, end, terminate: () => mayEnd.then(() => started.terminate()) };
  };
  const engine = await spread({ bringFunctions: false, start });
  await engine.execute(`${STREAM} CREATE STREAM a AS SELECT * FROM s;`);
  await engine.idle();
  const [first] = alive;
  await first?.terminate();
  await expect.poll(() => near.started).toBe(3);
  // Finds nobody in the place, and has the fourth started.
  await engine.execute('CREATE STREAM b AS SELECT * FROM s;');
  await expect.poll(() => near.started).toBe(4);
  letEnd();
  await expect.poll(() => alive.size).toBe(2);
  await engine.execute('CREATE STREAM c AS SELECT * FROM s;');
  await engine.insert('s', [
    { k: 'x', v: 1 },
    { k: 'y', v: 2 },
  ]);
  await engine.idle();
  expect(near.started).toBe(4);
  await engine.close();
  await expect.poll(() => alive.size).toBe(0);
});

test('nothing of tasks that have gone stays with their Worker', async () => {
  const engine = await spread(new NearWorkers());
  await engine.execute(`${STREAM} CREATE STREAM a AS SELECT * FROM s;`);
  const again = async (times: number): Promise<number> => {
    for (let time = 0; time < times; time++) await engine.execute('PAUSE ALL; RESUME ALL;');
    await engine.idle();
    return queryObjects(Promise, { format: 'count' });
  };
  const before = await again(20);
  const after = await again(100);
  // 200 tasks were started and stopped meanwhile.
  expect(after - before).toBeLessThan(50);
  await engine.close();
});
