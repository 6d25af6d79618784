// Files of ksqlDB's REST tests that millrace passes; they lie beside the project.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { caseFiles, runCases, seededRandom } from '../../conformance/suite.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const SUITE = 'rest-query-validation-tests';
const FOLDER = resolve(import.meta.dirname, '../../../../shared/ksql', SUITE);

/** Files, and how many of their cases pass at least. */
const FILES: readonly (readonly [file: string, passedMin: number])[] = [
  ['insert-values', 20],
  ['pull-queries-against-cst-materialized', 3],
  ['pull-queries-against-ctas-materialized', 16],
  ['pull-queries-against-materialized-aggregates', 79],
  ['pull-queries-against-streams', 8],
  ['pull-queries-complex-lambda', 2],
  ['pull-queries-with-headers', 1],
  ['pull-queries-with-limit-clause', 7],
  ['pull-queries-with-predicates', 4],
  ['pull-queries-with-range-scan', 18],
  ['pull-queries-with-struct-star', 2],
  ['push-queries', 32],
  ['scalable-push-queries', 18],
];

/** Cases that differ on purpose. */
const DIFFERENT = new Set([
  // A record without a key is a row to every push query; ksqlDB's own case calls it inconsistent that its scalable ones skip it.
  'scalable-push-queries - non-windowed stream with nulls',
  // The header says the columns in the order in which the rows have them; ksqlDB names those made of headers before the others.
  'pull-queries-with-headers - select * against CST table with headers',
]);

const isHere = existsSync(FOLDER);

// The functional tests are not part of the project: where they do not lie beside it there is nothing to run.
describe.skipIf(!isHere)('REST tests beside the project', () => {
  test.each(FILES)('%s has no failure', async (file, passedMin) => {
    const cases = caseFiles(FOLDER, [file]).flatMap((one) => one.cases);
    const report = await runCases(SUITE, cases, {
      mode: 'normal',
      path: 'auto',
      fuse: 'auto',
      random: seededRandom(1),
      kernel: kernelModule(),
    });
    expect(report.failures.filter((failure) => !DIFFERENT.has(failure.case))).toEqual([]);
    expect(report.passed).toBeGreaterThanOrEqual(passedMin);
  });
});
