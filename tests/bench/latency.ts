// Suite `latency`: one record in, one change out, engine in a Worker of a real Chromium; knows no other suite.

import process from 'node:process';
import { BlankPage } from '../support/blank-page.ts';
import { quantile } from './edge/load.ts';
import type * as page from './latency-page.ts';
import { summary, type CaseResult, type SuiteResult } from './run.ts';

const STORAGES = ['memory', 'indexeddb'] as const;
/** 0: a record after the other. IndexedDB commits a few hundred times a second. */
const RATES_PER_SECOND = { memory: [0, 10_000], indexeddb: [0, 1000] } as const;
/** What counts; as many go before it, so that the code is warm. */
const SECONDS = 2;
const ALONE_RECORDS = 1000;
const ROUNDS = 3;
const LATE_MS_MAX = { p50: 0.3, p99: 2 };

type Page = typeof page;

/** @throws {Error} where there is no Chromium */
export async function latencySuite(full: boolean): Promise<SuiteResult> {
  const rounds = full ? ROUNDS * 3 : ROUNDS;
  const cases: CaseResult[] = [];
  const ratios: [string, number][] = [];
  for (const storage of STORAGES) {
    await using page = await BlankPage.open<Page>('/tests/bench/latency-page.ts');
    await page.call('prepare', storage);
    for (const perSecond of RATES_PER_SECOND[storage]) {
      const name =
        perSecond === 0
          ? `a record after the other, ${storage}`
          : `${perSecond} records/s, ${storage}`;
      const p50: number[] = [];
      const p99: number[] = [];
      for (let round = -1; round < rounds; round++) {
        const lateMs =
          perSecond === 0
            ? await page.call('oneByOne', storage, ALONE_RECORDS)
            : await page.call('paced', storage, perSecond, perSecond * SECONDS);
        if (round < 0) continue;
        p50.push(quantile(lateMs, 0.5));
        p99.push(quantile(lateMs, 0.99));
      }
      for (const [subject, figures] of Object.entries({ p50, p99 })) {
        const found = summary(figures);
        cases.push({ case: name, subject, unit: 'ms', ...found });
        ratios.push([`${name}: ${subject}`, found.median]);
      }
      process.stderr.write(`measured: ${name}\n`);
    }
  }
  const loaded = `${RATES_PER_SECOND.memory[1]} records/s, memory`;
  return {
    suite: 'latency',
    cases,
    ratios: Object.fromEntries(ratios),
    aims: Object.entries(LATE_MS_MAX).map(([subject, value]) => ({
      ratio: `${loaded}: ${subject}`,
      bound: 'at most',
      value,
    })),
    notes: [
      'From `produce` on the page to the row of its change on the page, in ms: over the Worker and back, JSON parsed, grouped, committed.',
      'Page and Worker share the cores with Chromium and its browser process.',
    ],
  };
}
