// The page's half of the benchmark of commit intervals: engines over IndexedDB that are fed small appends as fast as they take them.

import { type BrowserEngine, open } from '../../runtime/browser/index.ts';

const STATEMENTS = `
  CREATE STREAM events (id STRING KEY, device STRING, reading DOUBLE, ts BIGINT)
    WITH (KAFKA_TOPIC='events', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='ts');
  CREATE TABLE by_device AS SELECT device, COUNT(*) AS n, MAX(reading) AS high
    FROM events WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY device EMIT CHANGES;`;
const DEVICES = 1000;
/** Records of one append, and appends that are on their way at once. */
const CHUNK = 100;
const IN_FLIGHT = 8;

const engines = new Map<number, BrowserEngine>();
let fed = 0;

/** Opens an engine that commits at most so often. */
export async function prepare(commitIntervalMs: number): Promise<void> {
  const database = `bench-${commitIntervalMs}-${crypto.randomUUID()}`;
  const engine = await open({ database, commitIntervalMs });
  await engine.execute(STATEMENTS);
  engines.set(commitIntervalMs, engine);
}

function records(from: number) {
  return Array.from({ length: CHUNK }, (_, i) => {
    const n = from + i;
    const value = { device: `device ${(n * 7919) % DEVICES}`, reading: n % 100, ts: n * 10 };
    return { key: String(n), value: JSON.stringify(value) };
  });
}

/** Feeds so many records to that engine, waits until it has taken them in; gives how many it says it took. */
export async function run(commitIntervalMs: number, count: number): Promise<number> {
  const engine = engines.get(commitIntervalMs);
  if (engine === undefined) throw new Error('prepare comes first');
  const taken = async () => Object.values((await engine.stats()).queries)[0]?.in ?? 0;
  const before = await taken();
  let next = fed;
  const end = (fed += count);
  const feed = async (): Promise<void> => {
    while (next < end) {
      const from = next;
      next += CHUNK;
      await engine.produce('events', records(from));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, feed));
  await engine.idle();
  return (await taken()) - before;
}
