// One subject of the engine suite in a thread of its own, with a heap and compiled code that no other subject has touched.

import { parentPort, workerData } from 'node:worker_threads';

import { type Batch, positionOf } from '../../runtime/data/batch.ts';
import { valueAt } from '../../runtime/data/column.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { fillColumnar, fillJson } from './engine-source.ts';
import { makeEvents, type Events } from './events.ts';
import { GRACE_MS, kernelByIds, laterEvents, SIZE_MS } from './kernel-subjects.ts';
import { NestedMap } from './reference-map.ts';
import type { Timed } from './run.ts';

/** What a worker measures. */
export interface EngineWork {
  readonly source: 'columnar' | 'json';
  readonly events: number;
  readonly keys: number;
  /** `bare`: the kernel by itself, a row per event copied out; null: the nested Map. */
  readonly query:
    | { readonly path: 'row' | 'kernel'; readonly fuse: 'auto' | 'never' }
    | 'bare'
    | null;
}

function queryOf(source: string): string {
  return `SELECT k, WINDOWSTART AS started, COUNT(*) AS n, SUM(x) AS total, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean
    FROM ${source} WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY k EMIT CHANGES;`;
}

/** What the subjects agree on: SUM in the last row of each batch (exact, as the values are), added up. */
function lastTotal(batch: Batch): number {
  const total = batch.columns[3];
  const value = total === undefined ? null : valueAt(total, positionOf(batch, batch.length - 1));
  return typeof value === 'number' ? value : NaN;
}

/** A push query, read as batches until the change of the last event has come. */
async function push(
  engine: Engine,
  source: string,
  events: number,
  { path, fuse }: Readonly<Record<'path' | 'fuse', string>>,
): Promise<number> {
  const properties = {
    'auto.offset.reset': 'earliest',
    'millrace.path': path,
    'millrace.fuse': fuse,
  };
  await using rows = await engine.query(queryOf(source), { properties });
  let seen = 0;
  let sum = 0;
  for await (const batch of rows.batches()) {
    seen += batch.length;
    sum += lastTotal(batch);
    if (seen >= events) break;
  }
  return sum + seen;
}

/** The work without a log, a commit or columns: a result object per event. */
function fold(events: Events): number {
  const map = new NestedMap(SIZE_MS, GRACE_MS, 'rows');
  let sum = 0;
  for (const batch of events.batches) {
    const rows = map.process(batch);
    const last = rows.at(-1) as { readonly sum: number } | undefined;
    sum += rows.length + (last?.sum ?? NaN);
  }
  return sum;
}

/** The kernel's time alone: a new one is made warm before each run. */
function bare(events: Events): () => Timed {
  const later = laterEvents(events);
  const { prepare } = kernelByIds({ events, later, emission: 'rows', advanceMs: SIZE_MS });
  return () => {
    const run = prepare();
    const start = performance.now();
    const checksum = run() as number;
    return { checksum, ms: performance.now() - start };
  };
}

/** An engine whose topic is filled with the events, and how many they are: nothing keeps them, or the engine would be made to mark them. */
async function filled(work: EngineWork): Promise<{ engine: Engine; count: number }> {
  const events = makeEvents(work.events, work.keys);
  const engine = await open({ host: memoryHost({ kernel: kernelModule() }) });
  const fill = work.source === 'columnar' ? fillColumnar : fillJson;
  await fill(engine, work.source, events);
  return { engine, count: events.count };
}

async function runner(work: EngineWork): Promise<() => number | Timed | Promise<number>> {
  const { query } = work;
  if (query === 'bare') return bare(makeEvents(work.events, work.keys));
  if (query !== null) {
    const { engine, count } = await filled(work);
    return () => push(engine, work.source, count, query);
  }
  const events = makeEvents(work.events, work.keys);
  return () => fold(events);
}

if (parentPort === null) throw new Error('this file is run as a worker');
const port = parentPort;
// The list argument is what tells a thread's message from a window's.
const answer = (value: number | Timed | 'ready'): void => port.postMessage(value, []);
const run = await runner(workerData as EngineWork);
port.on('message', () => {
  void (async () => answer(await run()))();
});
answer('ready');
