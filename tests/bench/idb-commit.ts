// How fast an engine over IndexedDB takes small appends in, by commit interval, in a real Chromium; knows nothing of other suites.

import { BlankPage } from '../support/blank-page.ts';
import type * as page from './idb-commit-page.ts';
import { runCase } from './run.ts';

const INTERVALS_MS = [0, 10, 50, 100];
const RECORDS = 20_000;
const ROUNDS = 5;

type Page = typeof page;

/**
 * One case, a subject per interval; the ratios are to committing after every turn.
 * @throws {Error} where there is no Chromium
 */
export async function idbCommitCase(): ReturnType<typeof runCase> {
  await using page = await BlankPage.open<Page>('/tests/bench/idb-commit-page.ts');
  for (const interval of INTERVALS_MS) await page.call('prepare', interval);
  const named = (interval: number) => `commit every ${interval} ms`;
  return await runCase(
    {
      case: 'IndexedDB, JSON, appends of 100 records',
      unit: 'M rows/s',
      amount: RECORDS,
      subjects: INTERVALS_MS.map((interval) => ({
        subject: named(interval),
        prepare: () => () => page.call('run', interval, RECORDS),
      })),
      ratios: INTERVALS_MS.slice(1).map((interval) => [named(interval), named(0)]),
    },
    ROUNDS,
  );
}
