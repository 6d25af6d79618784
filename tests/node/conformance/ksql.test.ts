// Files of ksqlDB's functional tests that millrace passes, whichever way the input comes and on either path; they lie beside the project.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  caseFiles,
  type Report,
  runCases,
  runSqlCases,
  seededRandom,
  sqlFiles,
} from '../../conformance/suite.ts';
import type { RunOptions } from '../../conformance/run-case.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const SUITE = 'query-validation-tests';
const FOLDER = resolve(import.meta.dirname, '../../../../shared/ksql', SUITE);

/** Files, and how many of their cases pass at least. */
const FILES: readonly (readonly [file: string, passedMin: number])[] = [
  ['count', 5],
  ['group-by', 87],
  ['having', 1],
  ['headers', 8],
  ['hopping-windows', 6],
  ['null', 15],
  ['project-filter', 21],
  ['session-windows', 4],
  ['sum', 3],
  ['table', 2],
  ['tumbling-windows', 5],
  ['window-bounds', 8],
  ['windowed-source', 1],
];

/** Files of SQL tests, and how many of their cases pass at least. */
const SQL_FILES: readonly (readonly [file: string, passedMin: number])[] = [
  ['alter', 4],
  ['chained-upgrades', 1],
  ['filters', 12],
  ['headers', 2],
  ['prohibited-upgrades', 3],
  ['projections', 10],
  ['test', 17],
];

const SEED = 2026;
const ways: readonly Pick<RunOptions, 'mode' | 'path' | 'fuse'>[] = [
  { mode: 'normal', path: 'auto', fuse: 'auto' },
  { mode: 'normal', path: 'row', fuse: 'never' },
  { mode: 'cut', path: 'auto', fuse: 'never' },
  { mode: 'restart', path: 'auto', fuse: 'auto' },
  { mode: 'restart', path: 'row', fuse: 'auto' },
];

const isHere = existsSync(FOLDER);

function run(file: string, way: (typeof ways)[number]): Promise<Report> {
  const cases = caseFiles(FOLDER, [file]).flatMap((one) => one.cases);
  const options = { ...way, random: seededRandom(SEED), kernel: kernelModule() };
  return runCases(SUITE, cases, options);
}

// The functional tests are not part of the project: where they do not lie beside it there is nothing to run.
describe.skipIf(!isHere)('functional tests beside the project', () => {
  describe.each(ways)(`mode $mode, path $path, fuse $fuse (seed ${SEED})`, (way) => {
    test.each(FILES)('%s has no failure', async (file, passedMin) => {
      const report = await run(file, way);
      expect(report.failures).toEqual([]);
      expect(report.passed).toBeGreaterThanOrEqual(passedMin);
    });
  });

  describe.each(ways.filter(({ mode }) => mode !== 'cut'))(
    'SQL tests in mode $mode, path $path, fuse $fuse',
    (way) => {
      test.each(SQL_FILES)('%s has no failure', async (file, passedMin) => {
        const folder = resolve(FOLDER, '../sql-tests');
        const cases = sqlFiles(folder, [file]).flatMap((one) => one.cases);
        const options = { ...way, random: seededRandom(SEED), kernel: kernelModule() };
        const report = await runSqlCases('sql-tests', cases, options);
        expect(report.failures).toEqual([]);
        expect(report.passed).toBeGreaterThanOrEqual(passedMin);
      });
    },
  );
});
