// The suites of the ports on the edge's adapters, in workerd: the log over calls to objects, the store inside one.

import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { aroundEach, describe } from 'vitest';
import { wallClock } from '../../edge/adapters/do-clock.ts';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { SqliteStore } from '../../edge/adapters/sqlite-store.ts';
import { describeClock } from '../contracts/clock.ts';
import { describeLog } from '../contracts/log.ts';
import { describeStore } from '../contracts/store.ts';

let tenants = 0;

function remoteLog(): RemoteLog {
  return new RemoteLog({ env, tenant: `ports-${tenants++}` });
}

describeLog('RemoteLog', async () => {
  // The suite names its producers by the time, and one test is one producer.
  const startedMs = Date.now();
  return { log: remoteLog(), now: () => startedMs };
});

describeClock('wallClock', () => ({
  clock: wallClock,
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

describe('within an object', () => {
  let storage: DurableObjectStorage;

  // A store reads its object's storage synchronously, so the test itself runs inside the object.
  aroundEach(async (runTest) => {
    const stub = env.PROCESSOR.get(env.PROCESSOR.newUniqueId());
    await runInDurableObject(stub, async (_object, state) => {
      storage = state.storage;
      await runTest();
    });
  });

  describeStore('SqliteStore', async () => ({
    store: new SqliteStore(storage),
    log: remoteLog(),
    reopen: async () => new SqliteStore(storage),
  }));
});
