// Several callers of one engine at once, from seeds: nothing is lost or counted twice, no error is unexplained, and nothing is left when it is closed.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { systemClock } from '../../../runtime/memory/system-clock.ts';
import type { Host } from '../../../runtime/ports/host.ts';
import type { Log } from '../../../runtime/ports/log.ts';
import { sqliteHost } from '../../../runtime/sqlite/sqlite-host.ts';
import { threads } from '../../../runtime/threads/threads.ts';
import { draws } from '../../support/draws.ts';
import { Interleaving } from '../../support/interleavings.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { NearWorkers } from '../../support/near-workers.ts';

/** More of them in a run of its own. */
const SEEDS = Number(process.env['SEEDS'] ?? 0);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const CALLERS = 5;
const CALLS = 30;

const kernel = kernelModule();
const file = join(tmpdir(), `millrace-interleavings-${crypto.randomUUID()}.db`);
const removeFile = (): void => {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
};
afterAll(removeFile);

/** Gives the host of a seed each time that it is opened. */
type Hosts = () => () => Host | Promise<Host>;

const inMemory =
  (delivery: 'atomic' | 'outbox'): Hosts =>
  () => {
    const host = memoryHost({ kernel, delivery });
    return () => host;
  };
const inFile: Hosts = () => {
  removeFile();
  return () =>
    sqliteHost({ file, clock: systemClock, kernel, commitIntervalMs: 0, durability: 'relaxed' });
};

/** The log, of which it is counted who is told of records. */
function counted(log: Log, subscribed: { count: number }): Log {
  return new Proxy(log, {
    get(of, name) {
      if (name !== 'subscribe') {
        const value: unknown = Reflect.get(of, name, of);
        return typeof value === 'function' ? value.bind(of) : value;
      }
      return (...given: Parameters<Log['subscribe']>) => {
        const unsubscribe = of.subscribe(...given);
        subscribed.count += 1;
        let isOver = false;
        return () => {
          if (!isOver) subscribed.count -= 1;
          isOver = true;
          unsubscribe();
        };
      };
    },
  });
}

const timers = (): number =>
  process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;

test.each([
  ['memory', 12, inMemory('atomic'), null],
  ['memory with an outbox', 6, inMemory('outbox'), null],
  ['SQLite', 6, inFile, null],
  ['memory and Workers', 6, inMemory('atomic'), () => new NearWorkers()],
  ['SQLite and threads', 2, inFile, () => threads],
] as const)('over %s', { timeout: 120_000 }, async (_, few, hosts, workersOf) => {
  const unhandled: unknown[] = [];
  const onUnhandled = (thrown: unknown): unknown => unhandled.push(thrown);
  process.on('unhandledRejection', onUnhandled);
  const before = timers();
  const recounted = { queries: 0, records: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + (SEEDS === 0 ? few : SEEDS); seed++) {
    const subscribed = { count: 0 };
    const hostOf = hosts();
    const one = new Interleaving(draws(seed), async () => {
      const host = await hostOf();
      const workers = workersOf === null ? {} : { workers: workersOf() };
      return await open({
        host: { ...host, log: counted(host.log, subscribed), ...workers },
        workers: workersOf === null ? 1 : 2,
        properties: { 'auto.offset.reset': 'earliest' },
      });
    });
    await one.run(CALLERS, CALLS);
    recounted.queries += one.recounted.queries;
    recounted.records += one.recounted.records;
    expect({ seed, ...one.faults, subscribed: subscribed.count, unhandled }).toEqual({
      seed,
      unexplained: [],
      miscounted: [],
      listeners: 0,
      subscribed: 0,
      unhandled: [],
    });
  }
  process.off('unhandledRejection', onUnhandled);
  // A seed whose last statements have dropped all has little to recount, but not each.
  expect(recounted.queries).toBeGreaterThan(few / 2);
  expect(recounted.records).toBeGreaterThan(few * 10);
  expect(timers()).toBeLessThanOrEqual(before);
});
