// Wake-ups are hints: whatever of them is lost, records are processed; and nothing of a commit is seen before it has succeeded.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { SqliteStore } from '../../edge/adapters/sqlite-store.ts';
import { catalogOf, type EdgeEnv, partitionAt, processorAt } from '../../edge/env.ts';
import { catalogName, partitionName, processorName } from '../../edge/names.ts';
import { Lines } from '../../edge/rows.ts';
import { unwrap } from '../../edge/wire.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import {
  FETCH_BYTES_MAX,
  HINT_BYTES_MAX,
  HINTS_KEPT_MAX,
  OBJECT_IDS_KEPT_MAX,
} from '../../runtime/base/limits.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import { until } from './objects.ts';

const TASK = 'CTAS_T_2/0/0';
const NOBODY = {
  properties: new Map<string, string>(),
  variables: new Map<string, string>(),
};
const stub = (namespace: DurableObjectNamespace, name: string) =>
  namespace.get(namespace.idFromName(name));

/** A stream and a table that counts it, of a tenant of its own. */
async function pipeline(tenant: string): Promise<Pipeline> {
  const sql = `CREATE STREAM s (k STRING KEY, a BIGINT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE t AS SELECT k, SUM(a) AS total FROM s GROUP BY k;`;
  const { failed } = await unwrap(catalogOf(env, tenant).execute(tenant, { sql, ...NOBODY }));
  expect(failed).toBeNull();
  const made = new Pipeline(tenant);
  await made.settled();
  return made;
}

class Pipeline {
  readonly tenant: string;
  readonly log: RemoteLog;
  readonly processor: DurableObjectStub;
  readonly input: DurableObjectStub;

  constructor(tenant: string) {
    this.tenant = tenant;
    this.log = new RemoteLog({ env, tenant });
    this.processor = stub(env.PROCESSOR, processorName(tenant, TASK));
    this.input = stub(env.PARTITION, partitionName(tenant, { topic: 's', partition: 0 }));
  }

  async append(a: number): Promise<void> {
    const value = encodeUtf8(JSON.stringify({ A: a }));
    await this.log.append({ topic: 's', partition: 0 }, singleRecord(encodeUtf8('k'), value, a));
  }

  /** From now on nobody is told of what is appended. */
  async untold(): Promise<void> {
    const input = partitionAt(env, this.tenant, { topic: 's', partition: 0 });
    await unwrap(input.unsubscribe(processorName(this.tenant, TASK)));
  }

  /** The table's changes so far. */
  async changes(): Promise<number> {
    return (await this.log.bounds({ topic: 'T', partition: 0 })).highWatermark;
  }

  async total(): Promise<string[]> {
    const script = { sql: "SELECT total FROM t WHERE k = 'k';", ...NOBODY };
    const prepared = await unwrap(catalogOf(env, this.tenant).prepare(script));
    if (prepared.kind !== 'pull') throw new Error('a pull query was asked');
    const rows = await unwrap(
      processorAt(env, this.tenant, TASK).pull(prepared.pull, prepared.planned),
    );
    return [...new Lines(rows.lines).next(Infinity)];
  }

  /** Waits until the task says that it has nothing left to do. */
  async settled(): Promise<void> {
    await until(async () => {
      const status = await unwrap(processorAt(env, this.tenant, TASK).status());
      return status !== null && !status.pending;
    });
  }
}

test('an append arms the alarm of its partition before it is acknowledged', async () => {
  const made = await pipeline('arms');
  await made.append(1);
  const alarm = await runInDurableObject(made.input, (_, { storage }) => storage.getAlarm());
  expect(alarm).not.toBeNull();
  await until(async () => (await made.changes()) === 1);
});

test('a task that is marked and has lost its alarm heals when its object begins again', async () => {
  const made = await pipeline('heals');
  await made.untold();
  await made.append(1);
  await runInDurableObject(made.processor, async (_, { storage }) => {
    storage.sql.exec('UPDATE process SET pending = 1');
    await storage.deleteAlarm();
  });
  await evictDurableObject(made.processor);
  expect(await made.changes()).toBe(0);
  await unwrap(processorAt(env, made.tenant, TASK).status());
  await until(async () => (await made.changes()) === 1);
});

test('the sweep of the catalog finds a task that nobody told', async () => {
  const made = await pipeline('swept');
  await made.untold();
  // A hint of the subscription may still be on its way: it comes before there is a record.
  await scheduler.wait(300);
  // So does the sweep that follows the statements; the one after it is a minute off.
  const catalog = stub(env.CATALOG, catalogName(made.tenant));
  await runDurableObjectAlarm(catalog);
  await made.settled();
  await made.append(1);
  await scheduler.wait(100);
  expect(await made.changes()).toBe(0);
  await runDurableObjectAlarm(catalog);
  await until(async () => (await made.changes()) === 1);
});

test('an object that begins again goes on where it was', async () => {
  const made = await pipeline('evicted');
  for (const a of [1, 2, 3]) {
    await made.append(a);
    await until(async () => (await made.changes()) === a);
    await made.settled();
    await evictDurableObject(made.processor);
    await evictDurableObject(made.input);
  }
  expect(await made.total()).toEqual(['[6]']);
});

/** The bindings with the calls to partitions noted. */
function noting(calls: string[]): typeof env {
  const noted = <T extends object>(object: T, get: (key: string | symbol) => unknown): T =>
    new Proxy(object, { get: (_, key) => get(key) });
  const { PARTITION } = env;
  const namespace = noted(PARTITION, (key) => {
    if (key === 'idFromName') return (name: string) => PARTITION.idFromName(name);
    return (id: DurableObjectId) => {
      const partition = PARTITION.get(id) as unknown as Record<
        string,
        (...given: unknown[]) => unknown
      >;
      return noted(partition, (method) => (...given: unknown[]) => {
        calls.push(`${String(method)} ${String(given[0])}`);
        return partition[String(method)]?.(...given);
      });
    };
  });
  return { ...env, PARTITION: namespace };
}

test('whoever has read to the end gets what follows with the wake-up, without another call', async () => {
  const calls: string[] = [];
  const log = new RemoteLog({ env: noting(calls), tenant: 'followed' });
  const other = new RemoteLog({ env, tenant: 'followed' });
  await log.create({
    name: 'f',
    partitions: 1,
    retentionMs: null,
    compacted: false,
    internal: false,
  });
  const at = { topic: 'f', partition: 0 };
  const append = (n: number) => other.append(at, singleRecord(null, encodeUtf8(String(n)), n));
  let wakes = 0;
  const unsubscribe = log.subscribe(at, () => (wakes += 1));
  let next = 0;
  const readToEnd = async (): Promise<void> => {
    for (;;) {
      const { batches, highWatermark } = await log.read(at, next, FETCH_BYTES_MAX);
      for (const { base, count } of batches) {
        expect(base).toBe(next);
        next = base + count;
      }
      if (next >= highWatermark) return;
    }
  };
  for (let n = 0; n < 6; n++) {
    await append(n);
    await until(async () => {
      const before = wakes;
      if (before > 0) await readToEnd();
      wakes -= before;
      return next === n + 1;
    });
  }
  await scheduler.wait(50);
  calls.length = 0;
  wakes = 0;
  await append(6);
  await until(async () => wakes > 0);
  await readToEnd();
  expect(next).toBe(7);
  await scheduler.wait(50);
  // The one call waits for what comes after it.
  expect(calls).toEqual(['readWithin 7']);
  unsubscribe();
});

test('a task that was told of all before gets small batches with its wake-up, and reads nothing', async () => {
  const made = await pipeline('brought');
  const reads: number[] = [];
  await runInDurableObject(made.input, (object) => {
    const prototype = Object.getPrototypeOf(object) as Record<string, (from: number) => unknown>;
    const read = prototype['read'];
    vi.spyOn(prototype, 'read').mockImplementation(function (this: unknown, from, ...others) {
      if (this === object) reads.push(from);
      return read?.call(this, from, ...others);
    });
  });
  try {
    for (const a of [1, 2, 3, 4]) {
      await made.append(a);
      await until(async () => (await made.changes()) === a);
      // The next one is to come once the partition has the answer to this wake-up.
      await made.settled();
      await scheduler.wait(20);
    }
    // The first task that opens reads from where it is; what follows comes along.
    expect(reads.filter((from) => from > 0)).toEqual([]);
    expect(await made.total()).toEqual(['[10]']);
  } finally {
    vi.restoreAllMocks();
  }
});

test('what wake-ups have brought is kept for HINTS_KEPT_MAX partitions, and serves the one read that it is for', async () => {
  const calls: string[] = [];
  const log = new RemoteLog({ env: noting(calls), tenant: 'kept' });
  const incarnation = 'of-before';
  const bounds = { start: 0, highWatermark: 8, incarnation };
  const at = (partition: number) => ({ topic: 'k', partition });
  const bring = (partition: number): void => {
    const batches = [{ base: 5, count: 3, bytes: new Uint8Array(8) }];
    log.bring(at(partition), { batches, ...bounds });
  };
  for (let partition = 0; partition <= HINTS_KEPT_MAX; partition++) bring(partition);
  for (let partition = 1; partition <= HINTS_KEPT_MAX; partition++)
    expect(await log.read(at(partition), 5, FETCH_BYTES_MAX)).toMatchObject(bounds);
  expect(calls).toEqual([]);
  const refused: Promise<unknown>[] = [log.read(at(0), 5, FETCH_BYTES_MAX)];
  refused.push(log.read(at(1), 5, FETCH_BYTES_MAX));
  bring(2);
  refused.push(log.read(at(2), 6, FETCH_BYTES_MAX), log.read(at(2), 5, FETCH_BYTES_MAX));
  bring(3);
  refused.push(log.readOrWait(at(3), 5, FETCH_BYTES_MAX, 0, 'another'));
  bring(3);
  refused.push(log.read(at(3), 5, HINT_BYTES_MAX - 1));
  for (const one of await Promise.allSettled(refused)) expect(one.status).toBe('rejected');
  expect(calls.filter((call) => call.startsWith('read'))).toHaveLength(refused.length);
});

test('the id of a name is computed once, and OBJECT_IDS_KEPT_MAX are kept', () => {
  const computed: string[] = [];
  const idFromName = (name: string): string => {
    computed.push(name);
    return name;
  };
  const only = { PARTITION: { idFromName, get: (id: string): string => id } } as unknown as EdgeEnv;
  const at = (name: number): unknown =>
    partitionAt(only, 'default', { topic: `t${name}`, partition: 0 });
  for (let i = 0; i < 3; i++) expect(at(0)).toBe('t:default:partition:t0/0');
  expect(computed).toHaveLength(1);
  for (let i = 0; i < OBJECT_IDS_KEPT_MAX; i++) at(i);
  at(0);
  expect(computed).toHaveLength(OBJECT_IDS_KEPT_MAX);
  at(OBJECT_IDS_KEPT_MAX);
  expect(at(0)).toBe('t:default:partition:t0/0');
  expect(computed).toHaveLength(OBJECT_IDS_KEPT_MAX + 2);
});

async function refuseCommits(made: Pipeline): Promise<void> {
  const refuse =
    "CREATE TRIGGER refuse BEFORE UPDATE OF position ON task BEGIN SELECT RAISE(ABORT, 'no'); END";
  await runInDurableObject(made.processor, (_, { storage }) => storage.sql.exec(refuse));
}

async function takeCommits(made: Pipeline): Promise<void> {
  await runInDurableObject(made.processor, (_, { storage }) =>
    storage.sql.exec('DROP TRIGGER refuse'),
  );
}

test('nothing of a commit is seen before it has succeeded', async () => {
  const made = await pipeline('visible');
  await refuseCommits(made);
  await made.append(5);
  await scheduler.wait(200);
  expect(await made.changes()).toBe(0);
  expect(await made.total()).toEqual([]);
  const written = await runInDurableObject(made.processor, (_, { storage }) =>
    ['delta', 'outbox', 'page'].map(
      (table) => storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n,
    ),
  );
  expect(written).toEqual([0, 0, 0]);
  await takeCommits(made);
  await until(async () => (await made.changes()) === 1);
  expect(await made.total()).toEqual(['[5]']);
});

test('a turn that failed is made again when it is time or when a command has come, however many records come in meanwhile', async () => {
  const made = await pipeline('hurried');
  await refuseCommits(made);
  const triedMs: number[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- it is applied to a store below
  const { load } = SqliteStore.prototype;
  vi.spyOn(SqliteStore.prototype, 'load').mockImplementation(function (this: SqliteStore, ...of) {
    triedMs.push(Date.now());
    return load.apply(this, of);
  });
  try {
    while (triedMs.length < 4) {
      await made.append(1);
      await scheduler.wait(2);
    }
    const waitedMs = triedMs.slice(1, 4).map((ms, i) => ms - (triedMs[i] ?? ms));
    for (const [i, ms] of waitedMs.entries()) expect(ms).toBeGreaterThanOrEqual(50 * 2 ** i);
    await until(() => triedMs.length >= 7);
  } finally {
    vi.restoreAllMocks();
  }
  const dueMs = (triedMs[6] ?? 0) + 50 * 2 ** 6;
  await takeCommits(made);
  const port = processorAt(env, made.tenant, TASK);
  await unwrap(port.pause(true, Number.MAX_SAFE_INTEGER - 1));
  await unwrap(port.pause(false, Number.MAX_SAFE_INTEGER));
  await until(async () => (await made.changes()) > 0);
  expect(Date.now()).toBeLessThan(dueMs);
});

test('a partition lets go what is older than its retention, but for the newest batch', async () => {
  const log = new RemoteLog({ env, tenant: 'retention' });
  const spec = { name: 'r', partitions: 1, retentionMs: 60_000, compacted: false, internal: false };
  await log.create(spec);
  const at = { topic: 'r', partition: 0 };
  const now = Date.now();
  for (const ms of [now - 120_000, now - 90_000, now]) {
    await log.append(at, singleRecord(null, encodeUtf8('1'), ms));
  }
  const partition = stub(env.PARTITION, partitionName('retention', at));
  expect(await runDurableObjectAlarm(partition)).toBe(true);
  expect(await log.bounds(at)).toMatchObject({ start: 2, highWatermark: 3 });
  await expect(log.read(at, 1, 100)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
  expect((await log.read(at, 2, 100)).batches).toHaveLength(1);
});
