// The project's own cases: statements, inputs and outputs as data, run on both paths, fused and repartitioned, whole, cut and restarted.

import { resolve } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { plansText, runCase, type RunOptions } from '../../conformance/run-case.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { caseFiles } from '../../conformance/suite.ts';
import { kernelModule } from '../../support/kernel-module.ts';

/** Ways to cut that each case runs with: more of them in a run of its own. */
const SEEDS = Array.from({ length: Number(process.env['SEEDS'] ?? 1) }, (_, i) => i + 1);

const ways = (['auto', 'row'] as const).flatMap((path) =>
  (['auto', 'never'] as const).flatMap((fuse) =>
    (['normal', 'cut', 'restart'] as const).map((mode) => ({ path, fuse, mode })),
  ),
);

/** Queries that move no row plan alike, fused or not; then once is enough. */
function waysOf(one: Parameters<typeof runCase>[0]): typeof ways {
  const fused = plansText(one, { path: 'auto', fuse: 'auto' });
  const isSame = fused !== null && fused === plansText(one, { path: 'auto', fuse: 'never' });
  return isSame ? ways.filter(({ fuse }) => fuse === 'auto') : ways;
}

/** The ways in which the case does not pass, and why. */
async function faultsOf(one: Parameters<typeof runCase>[0]): Promise<object[]> {
  const faults: object[] = [];
  for (const way of waysOf(one)) {
    for (const seed of way.mode === 'cut' ? SEEDS : [0]) {
      const kernel = kernelModule();
      const options: RunOptions = { ...way, random: seededRandom(seed), kernel, isSilent: true };
      const outcome = await runCase(one, options);
      if (outcome.kind !== 'passed') faults.push({ ...way, seed, ...outcome });
    }
  }
  return faults;
}

const files = caseFiles(resolve(import.meta.dirname, '../../cases'));

test('the cases are there, each with a name of its own', () => {
  const names = files.flatMap(({ cases }) => cases.map(({ name }) => name));
  expect(names.length).toBeGreaterThanOrEqual(30);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(files)('$stem', ({ cases }) => {
  test.each(cases)('$name', async (one) => {
    expect(await faultsOf(one)).toEqual([]);
  });
});
