// The suites of the ports on the edge's adapters, in workerd: the log over calls to objects, the store inside one.

import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { aroundEach, describe, expect, test } from 'vitest';
import { wallClock } from '../../edge/adapters/do-clock.ts';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { SqliteStore } from '../../edge/adapters/sqlite-store.ts';
import { partitionName } from '../../edge/names.ts';
import type { Partition } from '../../edge/objects/partition.ts';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { describeClock } from '../contracts/clock.ts';
import { describeAdmission } from '../contracts/log-admission.ts';
import { describeCompaction } from '../contracts/log-compaction.ts';
import { describeHistories } from '../contracts/log-history.ts';
import { describeRetention } from '../contracts/log-retention.ts';
import { describeLog, type LogUnderTest } from '../contracts/log.ts';
import { describeStore } from '../contracts/store.ts';

let tenants = 0;

function remoteLog(): RemoteLog {
  return new RemoteLog({ env, tenant: `ports-${tenants++}` });
}

async function logUnderTest(): Promise<LogUnderTest> {
  // The suite names its producers by the time, and one test is one producer.
  const startedMs = Date.now();
  const tenant = `ports-${tenants++}`;
  let passedMs = 0;
  const stubOf = (at: TopicPartition) =>
    env.PARTITION.get(env.PARTITION.idFromName(partitionName(tenant, at)));
  return {
    log: new RemoteLog({ env, tenant }),
    now: () => startedMs,
    upkeep: (at, aheadMs) => {
      passedMs += aheadMs;
      return runInDurableObject(stubOf(at), (object) =>
        (object as Partition).upkeep(startedMs + passedMs),
      );
    },
    reopenLog: async ({ name: topic, partitions }) => {
      for (let partition = 0; partition < partitions; partition++)
        await evictDurableObject(stubOf({ topic, partition }));
      return new RemoteLog({ env, tenant });
    },
  };
}

describeLog('RemoteLog', logUnderTest);
describeAdmission('RemoteLog', logUnderTest);
describeRetention('RemoteLog', logUnderTest);
describeCompaction('RemoteLog', logUnderTest, 8);
describeHistories('RemoteLog', logUnderTest, 3);

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

  test('what the database refuses passes, wherever it is asked: no task ends for it, and no record is at fault', async () => {
    const store = new SqliteStore(storage);
    const { reader } = await store.load('q/0/0');
    const unavailable = expect.objectContaining({ name: 'PortError', code: 'UNAVAILABLE' });
    storage.sql.exec('DROP TABLE page');
    expect(() => reader.get('1', encodeUtf8('k'))).toThrow(unavailable);
    expect(() => [...reader.scan('1', { from: null, to: null })]).toThrow(unavailable);
    for (const table of ['outbox', 'delta', 'task']) {
      const opened = new SqliteStore(storage);
      await opened.load('q/0/0');
      storage.sql.exec(`DROP TABLE ${table}`);
      await expect(opened.load('q/0/0')).rejects.toEqual(unavailable);
    }
  });
});
