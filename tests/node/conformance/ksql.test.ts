// The functional tests of ksqlDB, whole, whichever way the input comes and on either path; they lie beside the project.

import { describe, expect, test } from 'vitest';
import { suiteFolder, suitesFolder } from '../../conformance/folder.ts';
import { sumOf } from '../../conformance/report.ts';
import type { RunOptions } from '../../conformance/run-case.ts';
import { strangersOf, type Suite, SUITES, suiteFiles } from '../../conformance/suite.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const SEED = 2026;
const TIMEOUT_MS = 300_000;

type Way = Pick<RunOptions, 'mode' | 'path' | 'fuse' | 'partitions'>;

const NORMAL: Way = { mode: 'normal', path: 'auto', fuse: 'auto' };
const ROW: Way = { mode: 'normal', path: 'row', fuse: 'never' };
const CUT: Way = { mode: 'cut', path: 'auto', fuse: 'never' };
const RESTART: Way = { mode: 'restart', path: 'auto', fuse: 'auto' };
const ROW_RESTART: Way = { mode: 'restart', path: 'row', fuse: 'auto' };
const PARTITIONS: Way = { mode: 'normal', path: 'auto', fuse: 'never', partitions: 4 };

interface Runs {
  readonly ways: readonly Way[];
  /** How many cases in scope pass at least; those that are left out in a mode count. */
  readonly positiveMin: number;
  readonly negativeMin: number;
}

const RUNS: Readonly<Record<Suite, Runs>> = {
  'query-validation-tests': {
    ways: [NORMAL, ROW, CUT, RESTART, ROW_RESTART, PARTITIONS],
    positiveMin: 781,
    negativeMin: 281,
  },
  'rest-query-validation-tests': { ways: [NORMAL, ROW], positiveMin: 178, negativeMin: 43 },
  'sql-tests': { ways: [NORMAL, ROW, RESTART, ROW_RESTART], positiveMin: 24, negativeMin: 27 },
};

const here = SUITES.flatMap((suite) => {
  const folder = suiteFolder(suitesFolder(), suite);
  return folder === null ? [] : [{ suite, folder, ...RUNS[suite] }];
});

test('a suite of ksqlDB is at hand', ({ skip }) => {
  const where = suitesFolder();
  skip(here.length === 0, `no suite is in ${where}; MILLRACE_KSQL_DIR may name their folder`);
  expect(here.map(({ suite }) => suite)).toContain('query-validation-tests');
});

describe.each(here)('$suite', ({ suite, folder, ways, positiveMin, negativeMin }) => {
  const files = suiteFiles(suite, folder);

  test('has every case of the list of known failures', () => {
    expect(strangersOf(suite, files)).toEqual([]);
  });

  test.each(ways)(
    `fails nowhere else: mode $mode, path $path, fuse $fuse, partitions $partitions (seed ${SEED})`,
    async (way) => {
      const options = { ...way, random: seededRandom(SEED), kernel: kernelModule() };
      const reports = [];
      for (const file of files) reports.push(await file.run(options));
      const { failures, positive, negative, leftOut } = sumOf(suite, reports);
      expect(failures).toEqual([]);
      const left = Object.values(leftOut).reduce((sum, count) => sum + count, 0);
      expect(positive.passed + left).toBeGreaterThanOrEqual(positiveMin);
      expect(negative.passed).toBeGreaterThanOrEqual(negativeMin);
    },
    TIMEOUT_MS,
  );
});
