// What /metrics makes of objects that fail, and what objects count, in their own runtime.

import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { Collector } from '../../edge/metrics/collect.ts';
import { Exposition } from '../../edge/metrics/exposition.ts';
import { rowsWrittenBy } from '../../edge/metrics/meters.ts';
import { partitionName } from '../../edge/names.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { OBJECTS_ASKED_MAX, METRICS_WAIT_MS_MAX } from '../../runtime/base/limits.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import { producerId } from '../../runtime/ports/plain-append.ts';
import { topicSpec } from '../contracts/log.ts';

/** The bindings, but partitions of those names do what `instead` does, and calls under way are counted. */
function failing(names: ReadonlySet<string>, instead: () => Promise<never>) {
  const calls = { now: 0, most: 0 };
  const ids = new Set([...names].map((name) => String(env.PARTITION.idFromName(name))));
  const partitions = new Proxy(env.PARTITION, {
    get: (namespace, member) => {
      if (member === 'idFromName') return (name: string) => namespace.idFromName(name);
      return (id: DurableObjectId) => {
        const stub = namespace.get(id) as unknown as { metrics(): Promise<unknown> };
        const metrics = async (): Promise<unknown> => {
          calls.now += 1;
          calls.most = Math.max(calls.most, calls.now);
          try {
            if (ids.has(String(id))) return await instead();
            return await stub.metrics();
          } finally {
            calls.now -= 1;
          }
        };
        return { metrics };
      };
    },
  });
  return { env: { ...env, PARTITION: partitions }, calls };
}

test('an object that does not answer is a gap and counted; never are more asked at a time than may', async () => {
  const tenant = 'gaps';
  const log = new RemoteLog({ env, tenant });
  await log.create({ ...topicSpec('t'), partitions: 40 });
  const name = partitionName(tenant, { topic: 't', partition: 7 });
  const dead = failing(new Set([name]), () => Promise.reject(new Error('no answer')));
  const to = new Exposition();
  await new Collector(dead.env, tenant, to).page(0);
  const told = to
    .text()
    .split('\n')
    .filter((line) => line.startsWith('millrace_partition_log_start_offset{topic="t"'));
  expect(told).toHaveLength(39);
  expect(told.join('\n')).not.toContain('partition="7"');
  expect(to.text()).toContain('\nmillrace_metrics_unanswered_objects_total 1\n');
  expect(dead.calls.most).toBe(OBJECTS_ASKED_MAX);
});

test('an object is waited for as long as may be, and no longer', async () => {
  const tenant = 'slow';
  await new RemoteLog({ env, tenant }).create(topicSpec('t'));
  const name = partitionName(tenant, { topic: 't', partition: 0 });
  const asked = Promise.withResolvers<void>();
  const slow = failing(new Set([name]), () => {
    asked.resolve();
    return new Promise(() => undefined);
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const to = new Exposition();
    let isDone = false;
    const page = new Collector(slow.env, tenant, to).page(0).then(() => (isDone = true));
    await asked.promise;
    await vi.advanceTimersByTimeAsync(METRICS_WAIT_MS_MAX - 1);
    expect(isDone).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await page;
    expect(to.text()).not.toContain('millrace_partition_log_start_offset{topic="t"');
  } finally {
    vi.useRealTimers();
  }
});

test('rows are counted as SQLite writes them, in reads none', async () => {
  const stub = env.PARTITION.get(env.PARTITION.idFromName('rows-written'));
  await runInDurableObject(stub, (_object, { storage: { sql } }) => {
    const rows = rowsWrittenBy(sql);
    sql.exec('CREATE TABLE counted(id INTEGER PRIMARY KEY, n INTEGER)');
    const before = rows();
    sql.exec('INSERT INTO counted VALUES (1, 1), (2, 2), (3, 3)');
    expect(rows() - before).toBe(3);
    expect(sql.exec('SELECT * FROM counted').toArray()).toHaveLength(3);
    expect(rows() - before).toBe(3);
    sql.exec('UPDATE counted SET n = 0 WHERE id > 1');
    expect(rows() - before).toBe(5);
  });
});

test('a stamped append that is repeated is counted beside the appended ones', async () => {
  const tenant = 'repeats';
  const log = new RemoteLog({ env, tenant });
  await log.create(topicSpec('t'));
  const at = { topic: 't', partition: 0 };
  const stamp = { id: producerId(1, 'writer'), epoch: 0, sequence: 0 };
  const bytes = singleRecord(encodeUtf8('k'), encodeUtf8('v'), 1);
  for (let i = 0; i < 3; i++) await log.append(at, bytes, stamp);
  await expect(log.append(at, bytes, { ...stamp, sequence: 9 })).rejects.toMatchObject({
    code: 'OUT_OF_ORDER_SEQUENCE',
  });
  const to = new Exposition();
  await new Collector(env, tenant, to).page(0);
  const labels = '{topic="t",partition="0"}';
  for (const sample of [
    `millrace_partition_appended_batches_total${labels} 1`,
    `millrace_partition_repeated_batches_total${labels} 2`,
    `millrace_partition_producers${labels} 1`,
    'millrace_partition_refused_appends_total{topic="t",partition="0",code="OUT_OF_ORDER_SEQUENCE"} 1',
  ])
    expect(to.text()).toContain(`\n${sample}\n`);
});
