// One way of one of the nine queries in a thread of its own: checked against the hand-written JavaScript once, then run on demand.

import { parentPort, workerData } from 'node:worker_threads';

import type { Engine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { fillNexmark, makeNexmark } from './nexmark-events.ts';
import { NEXMARK_QUERIES, type NexmarkQuery, type Row } from './nexmark-queries.ts';
import type { Timed } from './run.ts';

/** A query of a few milliseconds runs again and again: one run says more of compilers and collectors at work than of either way. */
const MEASURED_MS_MIN = 100;

/** What a worker measures. */
export interface NexmarkWork {
  readonly bids: number;
  /** Number of the query. */
  readonly query: number;
  /** null: the hand-written JavaScript. */
  readonly path: 'row' | 'kernel' | 'auto' | null;
}

function textOf(row: Readonly<Record<string, unknown>>): string {
  return Object.values(row).map(String).join('|');
}

/** How often each row comes. @throws {Error} a row that comes more often in one than in the other */
function assertSame(name: string, expected: readonly Row[], seen: readonly string[]): void {
  const counts = new Map<string, number>();
  for (const row of expected) counts.set(textOf(row), (counts.get(textOf(row)) ?? 0) + 1);
  for (const text of seen) counts.set(text, (counts.get(text) ?? 0) - 1);
  for (const [text, count] of counts)
    if (count !== 0)
      throw new Error(
        `${name}: ${text} comes ${Math.abs(count)} times too ${count > 0 ? 'seldom' : 'often'}`,
      );
}

const propertiesOf = (path: string): Record<string, string> => ({
  'auto.offset.reset': 'earliest',
  'millrace.path': path,
});

/** Reads every change, tombstones apart, and compares; how many rows there are with tombstones. */
async function checked(
  engine: Engine,
  { name, sql }: NexmarkQuery,
  path: string,
  expected: readonly Row[],
): Promise<number> {
  const seen: string[] = [];
  let total = 0;
  await using rows = await engine.query(sql, { properties: propertiesOf(path) });
  for await (const { row, isDelete } of rows.changes()) {
    total += 1;
    if (!isDelete) seen.push(textOf(row));
    if (seen.length >= expected.length) break;
  }
  assertSame(name, expected, seen);
  return total;
}

/** A push query, read as batches until the last change has come. */
async function push(engine: Engine, sql: string, path: string, total: number): Promise<void> {
  await using rows = await engine.query(sql, { properties: propertiesOf(path) });
  let seen = 0;
  for await (const batch of rows.batches()) {
    seen += batch.length;
    if (seen >= total) break;
  }
}

function queryOf({ query }: NexmarkWork): NexmarkQuery {
  const found = NEXMARK_QUERIES[query];
  if (found === undefined) throw new Error(`there is no query ${query}`);
  return found;
}

function inJavaScript(query: NexmarkQuery, bids: number): () => Promise<number> {
  const nexmark = makeNexmark(bids);
  return () => Promise.resolve(query.fold(nexmark).length);
}

/** The engine with its topics, and how many rows the query gives without and with tombstones. What they were made of is not kept: the garbage collector would go through it. */
async function filled(
  query: NexmarkQuery,
  bids: number,
  path: string,
): Promise<{ engine: Engine; count: number; total: number }> {
  const nexmark = makeNexmark(bids);
  const expected = query.fold(nexmark);
  const engine = await open({ host: memoryHost({ kernel: kernelModule() }) });
  await fillNexmark(engine, nexmark);
  const total = await checked(engine, query, path, expected);
  return { engine, count: expected.length, total };
}

async function runner(work: NexmarkWork): Promise<() => Promise<number>> {
  const query = queryOf(work);
  const { bids, path } = work;
  if (path === null) return inJavaScript(query, bids);
  const { engine, count, total } = await filled(query, bids, path);
  return async () => {
    await push(engine, query.sql, path, total);
    return count;
  };
}

/** Runs until enough time has passed; the mean of them. */
async function timed(run: () => Promise<number>): Promise<Timed> {
  const start = performance.now();
  for (let runs = 1; ; runs += 1) {
    const checksum = await run();
    const passed = performance.now() - start;
    if (passed >= MEASURED_MS_MIN) return { checksum, ms: passed / runs };
  }
}

if (parentPort === null) throw new Error('this file is run as a worker');
const port = parentPort;
// The list argument is what tells a thread's message from a window's.
const answer = (value: Timed | 'ready'): void => port.postMessage(value, []);
const run = await runner(workerData as NexmarkWork);
port.on('message', () => {
  void (async () => answer(await timed(run)))();
});
answer('ready');
