// One case of each of our files as users run it, on every host; `npm run conformance -- ksql --host HOST` runs all of ksqlDB's.

import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { runHostCase } from '../../conformance/host-case.ts';
import { openHost } from '../../conformance/hosts.ts';
import { caseFiles } from '../../conformance/suite.ts';
import { findChromium } from '../../support/chromium.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { HANGS_MS } from '../../support/waits.ts';

/** All cases of a host are one test. */
const HOST_MS_MAX = 2 * HANGS_MS;

const cases = caseFiles(resolve(import.meta.dirname, '../../cases')).flatMap((file) => {
  const first = file.cases.find(
    ({ expectedError, outputs }) => expectedError === null && outputs.length > 0,
  );
  return first === undefined ? [] : [first];
});

test('there are cases of all kinds', () => {
  expect(cases.length).toBeGreaterThanOrEqual(30);
});

/** A page is one in Chromium. */
const PAGES = findChromium() === null ? [] : [['page', 1, 1] as const];

/** Threads take partitions, so that there have to be some, and a while to start: every fourth case. */
test.each([
  ['memory', 1, 1],
  ['sqlite', 1, 1],
  ['threads', 2, 4],
  ...PAGES,
  ['edge', 1, 1],
] as const)(
  'they give the same on the host %s, with %i partitions',
  async (name, partitions, every) => {
    await using host = await openHost(name, kernelModule());
    const faults: object[] = [];
    let passed = 0;
    for (const one of cases.filter((_, i) => i % every === 0)) {
      const outcome = await runHostCase(one, host, { path: 'auto', fuse: 'auto', partitions });
      if (outcome.kind === 'passed') passed += 1;
      else if (outcome.kind !== 'leftOut') faults.push({ name: one.name, ...outcome });
    }
    expect(faults).toEqual([]);
    expect(passed).toBeGreaterThan(2);
  },
  HOST_MS_MAX,
);
