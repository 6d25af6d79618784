// One query of suite `queries` in a thread of its own, over so many records and over twice as many; knows no statement.

import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { type Engine, openEngine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import { JSON_MODULE } from '../../runtime/task/parts.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { QUERY_CASES, type QueryCase, recordsOf } from './queries-cases.ts';

/** What a worker measures. */
export interface QueryWork {
  /** Number of the case. */
  readonly query: number;
  /** Of each topic. */
  readonly records: number;
  readonly rounds: number;
  /** True: with what a page has, in the place of a whole kernel and the code beside it. */
  readonly inPage: boolean;
}

/** Nanoseconds of the thread's processor time a record, of each round, by how many records there were; in a page twice as many alone. */
export interface QueryTimes {
  readonly once: readonly number[];
  readonly twice: readonly number[];
}

const BATCH_RECORDS = 2000;
/** When so long no row has come behind the first there are no more: the queries of the suite have no timers. */
const SILENCE_MS = 500;
const FIRST_ROW_MS_MAX = 20_000;
const PROPERTIES = { 'auto.offset.reset': 'earliest' };

/** As the Worker of a page opens it: the halves of the kernel, and parts as they are asked for. */
function openInPage(): Promise<Engine> {
  JSON_MODULE.from('JSON in the kernel', async () => ({ module: kernelModule('json') }));
  return openEngine({ host: memoryHost({ kernel: kernelModule('aggregates') }) });
}

async function filled({ topics }: QueryCase, records: number): Promise<Engine> {
  const engine = inPage
    ? await openInPage()
    : await open({ host: memoryHost({ kernel: kernelModule() }) });
  for (const topic of topics) {
    await engine.execute(topic.statement);
    const all = recordsOf(topic, records);
    for (let from = 0; from < records; from += BATCH_RECORDS)
      await engine.produce(topic.name, all.slice(from, from + BATCH_RECORDS));
  }
  return engine;
}

/** How many rows the query gives: it is read until nothing comes. @throws {Error} when there is none */
async function countRows(engine: Engine, sql: string): Promise<number> {
  await using rows = await engine.query(sql, { properties: PROPERTIES });
  const lengths: number[] = [];
  const reading = (async () => {
    for await (const batch of rows.batches()) lengths.push(batch.length);
  })();
  const dueMs = performance.now() + FIRST_ROW_MS_MAX;
  const isWaiting = (): boolean => lengths.length === 0 && performance.now() < dueMs;
  for (let before = -1; before < lengths.length || isWaiting();) {
    before = lengths.length;
    await sleep(SILENCE_MS);
  }
  await rows.close();
  await reading;
  if (lengths.length === 0) throw new Error(`no row of ${sql}`);
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Reads so many rows; ms of the thread's processor time. */
async function timed(engine: Engine, sql: string, count: number): Promise<number> {
  const begun = process.threadCpuUsage();
  await using rows = await engine.query(sql, { properties: PROPERTIES });
  let seen = 0;
  for await (const batch of rows.batches()) if ((seen += batch.length) >= count) break;
  const { user, system } = process.threadCpuUsage(begun);
  return (user + system) / 1000;
}

async function measured(query: QueryCase, records: number, rounds: number): Promise<number[]> {
  await using engine = await filled(query, records);
  const count = await countRows(engine, query.sql);
  const nanos: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const ms = await timed(engine, query.sql, count);
    nanos.push((ms * 1e6) / (records * query.topics.length));
  }
  return nanos;
}

if (parentPort === null) throw new Error('this file is run as a worker');
const { query, records, rounds, inPage } = workerData as QueryWork;
const chosen = QUERY_CASES[query];
if (chosen === undefined) throw new Error(`there is no query ${query}`);
const once = inPage ? [] : await measured(chosen, records, rounds);
const twice = await measured(chosen, 2 * records, rounds);
// The list argument is what tells a thread's message from a window's.
parentPort.postMessage({ once, twice } satisfies QueryTimes, []);
