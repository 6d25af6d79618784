// Suite `queries`: what kinds of SQL cost that no other suite runs, whether twice the records take twice the time, and whether a page is as fast; knows no statement.

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
/** What a page does without for its size costs no more than this: a path that it lacks is ten times as slow. */
const PAGE_MAX = 2;

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
    const work = { query, records, rounds: ROUNDS[size] };
    const { once, twice } = await timesOf({ ...work, inPage: false });
    const { twice: paged } = await timesOf({ ...work, inPage: true });
    const few = summary(once);
    const many = summary(twice);
    const page = summary(paged);
    const unit = 'ns of the processor a record';
    cases.push({ case: name, subject: `${records} records`, unit, ...few });
    cases.push({ case: name, subject: `${2 * records} records`, unit, ...many });
    cases.push({ case: name, subject: `${2 * records} records, as in a page`, unit, ...page });
    // The least: what else the machine does adds to time and never takes from it.
    const compared = (what: string, ratio: number, value: number): void => {
      ratios[`${name}: ${what}`] = Number(ratio.toPrecision(4));
      aims.push({ ratio: `${name}: ${what}`, bound: 'at most', value });
    };
    compared('a record of twice as many/of as many', many.min / few.min, GROWTH_MAX);
    compared('as in a page/with a whole kernel', page.min / many.min, PAGE_MAX);
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
