// One subject of the workers suite in a thread of its own: a persistent query over four partitions, by an engine with so many Workers.

import { parentPort, workerData } from 'node:worker_threads';

import { decodeUtf8 } from '../../runtime/base/bytes.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { makeEvents } from './events.ts';
import type { Timed } from './run.ts';

/** What a thread measures. */
export interface PooledWork {
  readonly events: number;
  readonly keys: number;
  readonly query: 'kernel' | 'row';
  readonly workers: number;
}

const PARTITIONS = 4;
const LABEL = 'a reading of one sensor in the hall';

const CALLS: Readonly<Record<PooledWork['query'], string>> = {
  kernel: 'COUNT(*) AS n, SUM(x) AS total, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean',
  row: 'COUNT(*) AS n, STDDEV_SAMP(x) AS spread, TOPK(n, 8) AS most, COUNT_DISTINCT(n) AS kinds, LATEST_BY_OFFSET(UCASE(label)) AS label',
};

async function fill(engine: Engine, { events, keys }: PooledWork): Promise<void> {
  await engine.execute(`CREATE STREAM s (k STRING KEY, x DOUBLE, n BIGINT, label STRING)
    WITH (KAFKA_TOPIC='s', PARTITIONS=${PARTITIONS}, VALUE_FORMAT='JSON');`);
  for (const { keys: names, rowtime, value } of makeEvents(events, keys).batches) {
    const records = names.map((key, i) => ({
      key,
      value: `{"station":"north","x":${value[i]},"unit":"K","n":${Math.floor(value[i] ?? 0)},"label":"${LABEL}"}`,
      timestamp: rowtime[i],
    }));
    await engine.produce('s', records);
  }
}

/** The bytes of the last row of each partition, and how many rows there are: what all subjects agree on. */
async function checksum(engine: Engine, topic: string): Promise<number> {
  let sum = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const rows = await engine.topicRecords(topic, { partition });
    const last = decodeUtf8(rows.at(-1)?.value ?? new Uint8Array());
    for (const character of last) sum = (sum * 31 + character.charCodeAt(0)) % 1_000_003;
    sum += rows.length;
  }
  return sum;
}

if (parentPort === null) throw new Error('this file is run as a worker');
const port = parentPort;
// The list argument is what tells a thread's message from a window's.
const answer = (value: Timed | 'ready'): void => port.postMessage(value, []);
const work = workerData as PooledWork;
const engine = await open({
  kernel: kernelModule(),
  workers: work.workers,
  properties: { 'auto.offset.reset': 'earliest' },
});
await fill(engine, work);
let runs = 0;

async function run(): Promise<Timed> {
  const name = `T${++runs}`;
  const start = performance.now();
  await engine.execute(`CREATE TABLE ${name} AS SELECT k, ${CALLS[work.query]} FROM s
    WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY k EMIT CHANGES;`);
  await engine.idle();
  const ms = performance.now() - start;
  const sum = await checksum(engine, name);
  await engine.execute(`DROP TABLE ${name} DELETE TOPIC;`);
  return { checksum: sum, ms };
}

port.on('message', () => {
  void (async () => answer(await run()))();
});
answer('ready');
