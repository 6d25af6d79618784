// One subject of the JSON suite in a thread of its own, with a heap and compiled code that no other subject has touched.

import { parentPort, workerData } from 'node:worker_threads';

import { type Batch, positionOf } from '../../runtime/data/batch.ts';
import { valueAt } from '../../runtime/data/column.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { BATCH_ROWS } from './events.ts';
import { jsonEvents, type JsonBatch } from './json-events.ts';
import { arraysOf, foldArrays, foldLines, linesOf } from './json-references.ts';
import { TypedArrays } from './reference-typed-arrays.ts';

/** What a worker measures. */
export interface JsonWork {
  readonly events: number;
  readonly keys: number;
  readonly subject: 'kernel' | 'row decoder' | 'arrays' | 'lines';
  /** A row of results per event, or for each changed group of a batch. */
  readonly output: 'rows' | 'results';
}

const BOUNDS = { sizeMs: 60_000, graceMs: 10_000, rowsMax: BATCH_ROWS };
/** A block of offsets is a batch here. */
const CACHED = { 'cache.max.bytes.buffering': '1000000' };

const SOURCE = `CREATE STREAM events (k STRING, x DOUBLE, ts BIGINT)
  WITH (KAFKA_TOPIC='events', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='ts');`;
const QUERY = `SELECT k, WINDOWSTART AS started, COUNT(*) AS n, SUM(x) AS total, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean
  FROM events WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY k EMIT CHANGES;`;

/** What the subjects agree on: SUM in the last row of each batch (exact, as the values are), added up. */
function lastTotal(batch: Batch): number {
  const total = batch.columns[3];
  const value = total === undefined ? null : valueAt(total, positionOf(batch, batch.length - 1));
  return typeof value === 'number' ? value : NaN;
}

/** A push query, read as batches until so many rows have come: the change of the last event is among the last. */
async function push(
  engine: Engine,
  count: number,
  given: Readonly<Record<string, string>>,
): Promise<number> {
  const properties = { 'auto.offset.reset': 'earliest', ...given };
  await using rows = await engine.query(QUERY, { properties });
  let seen = 0;
  let sum = 0;
  for await (const batch of rows.batches()) {
    seen += batch.length;
    sum += lastTotal(batch);
    if (seen >= count) break;
  }
  return sum + seen;
}

async function engineOf(batches: readonly JsonBatch[]): Promise<Engine> {
  const engine = await open({ host: memoryHost({ kernel: kernelModule() }) });
  await engine.execute(SOURCE);
  for (const { texts } of batches)
    await engine.produce(
      'events',
      texts.map((value) => ({ key: null, value })),
    );
  return engine;
}

async function runner({
  events,
  keys,
  subject,
  output,
}: JsonWork): Promise<() => number | Promise<number>> {
  const batches = jsonEvents(events, keys);
  const bounds = { ...BOUNDS, output };
  if (subject === 'arrays') {
    const arrays = arraysOf(batches);
    return () => foldArrays(arrays, bounds);
  }
  if (subject === 'lines') {
    const lines = linesOf(batches);
    return () => foldLines(lines, bounds);
  }
  const engine = await engineOf(batches);
  const given = {
    'millrace.decoder': subject === 'kernel' ? 'auto' : 'row',
    ...(output === 'rows' ? {} : CACHED),
  };
  // Counted once: making the answer beside the engine is no part of its work. Nor are the texts, which the garbage collector would go through.
  const rows = rowsOf(batches, output);
  return () => push(engine, rows, given);
}

/** How many rows there will be. */
function rowsOf(batches: readonly JsonBatch[], output: JsonWork['output']): number {
  const totals = new TypedArrays(BOUNDS.sizeMs, BOUNDS.graceMs, BATCH_ROWS, output);
  return batches.reduce((sum, { columns }) => sum + totals.process(columns).length, 0);
}

if (parentPort === null) throw new Error('this file is run as a worker');
const port = parentPort;
// The list argument is what tells a thread's message from a window's.
const answer = (value: number | 'ready'): void => port.postMessage(value, []);
const run = await runner(workerData as JsonWork);
port.on('message', () => {
  void (async () => answer(await run()))();
});
answer('ready');
