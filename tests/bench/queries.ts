// Suite `queries`: what kinds of SQL cost that no other suite runs, and whether twice the records take twice the time; knows no statement.

import { once as nextEvent } from 'node:events';
import { resolve } from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';

import { QUERY_CASES } from './queries-cases.ts';
import type { QueryTimes, QueryWork } from './queries-worker.ts';
import { type Aim, type CaseResult, type SuiteResult, summary } from './run.ts';

const RECORDS = { small: 20_000, full: 100_000 };
const ROUNDS = { small: 3, full: 7 };
/** A query whose state grows is not steeper than memory is: a cliff is 2. */
const GROWTH_MAX = 1.5;

async function timesOf(work: QueryWork): Promise<QueryTimes> {
  const worker = new Worker(resolve(import.meta.dirname, 'queries-worker.ts'), {
    workerData: work,
  });
  try {
    const [times] = (await nextEvent(worker, 'message')) as [QueryTimes];
    return times;
  } finally {
    await worker.terminate();
  }
}

/** @throws {Error} a query that is refused, or gives no row */
export async function queriesSuite(full: boolean): Promise<SuiteResult> {
  const size = full ? 'full' : 'small';
  const records = RECORDS[size];
  const cases: CaseResult[] = [];
  const ratios: Record<string, number> = {};
  const aims: Aim[] = [];
  for (const [query, { name }] of QUERY_CASES.entries()) {
    const { once, twice } = await timesOf({ query, records, rounds: ROUNDS[size] });
    const few = summary(once);
    const many = summary(twice);
    const unit = 'ns of the processor a record';
    cases.push({ case: name, subject: `${records} records`, unit, ...few });
    cases.push({ case: name, subject: `${2 * records} records`, unit, ...many });
    const ratio = `${name}: a record of twice as many/of as many`;
    // The least: what else the machine does adds to time and never takes from it.
    ratios[ratio] = Number((many.min / few.min).toPrecision(4));
    aims.push({ ratio, bound: 'at most', value: GROWTH_MAX });
    process.stderr.write(`measured: ${name}\n`);
  }
  return {
    suite: 'queries',
    cases,
    ratios,
    aims,
    notes: ['Less is better. Push queries over JSON, in memory, from the first record.'],
  };
}
