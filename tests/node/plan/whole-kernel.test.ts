// Which path aggregations take whose calls or windows whole kernels alone have; runs none.

import { expect, test } from 'vitest';
import { KERNEL_CALLS_MAX, KERNEL_CELLS_MAX } from '../../../runtime/base/limits.ts';
import { WHOLE_KERNEL } from '../../../runtime/plan/row-path-words.ts';
import type { Path } from '../../../runtime/plan/step.ts';
import { takeAway } from '../../support/taken-parts.ts';
import { Session } from './session.ts';

const SOURCE = `CREATE STREAM s (id INT KEY, a STRING, b BIGINT, d DOUBLE)
  WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');`;

const TABLE = `CREATE TABLE t (id INT PRIMARY KEY, a STRING, b BIGINT, d DOUBLE, e DECIMAL(4, 2))
  WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON');`;

function pathOf(calls: string, window = '', from = 's'): Path | undefined {
  const plan = new Session({}, true).plan(
    `${SOURCE}${TABLE}CREATE TABLE x AS SELECT a, ${calls} AS n FROM ${from} ${window} GROUP BY a;`,
  );
  const steps = plan.subtopologies.flatMap((part) => part.steps);
  return steps.find((step) => step.step === 'aggregate')?.run;
}

test.each([
  ['LATEST_BY_OFFSET(d)', { path: 'kernel' }],
  ['EARLIEST_BY_OFFSET(id)', { path: 'kernel' }],
  ['STDDEV_SAMP(b)', { path: 'kernel' }],
  ['STDDEV_SAMPLE(d)', { path: 'kernel' }],
  ['LATEST_BY_OFFSET(a)', { path: 'row', why: 'the kernel has no LATEST_BY_OFFSET of STRING' }],
  ['LATEST_BY_OFFSET(b, 2)', { path: 'row', why: 'the kernel has no LATEST_BY_OFFSET' }],
  ['EARLIEST_BY_OFFSET(b, false)', { path: 'row', why: 'the kernel has no EARLIEST_BY_OFFSET' }],
])('%s runs as %o', (call, path) => {
  expect(pathOf(call)).toEqual(path);
});

const SESSIONS = 'WINDOW SESSION (30 SECONDS, GRACE PERIOD 1 MINUTE)';

test.each([
  ['COUNT(*)', { path: 'kernel' }],
  ['STDDEV_SAMP(b)', { path: 'kernel' }],
  ['LATEST_BY_OFFSET(a)', { path: 'row', why: 'the kernel has no LATEST_BY_OFFSET of STRING' }],
  ['COLLECT_LIST(b)', { path: 'row', why: 'the kernel has no COLLECT_LIST' }],
])('%s of sessions runs as %o', (call, path) => {
  expect(pathOf(call, SESSIONS)).toEqual(path);
});

test.each([
  ['COUNT(*), SUM(b) AS m, AVG(d)', { path: 'kernel' }],
  ['SUM(e)', { path: 'row', why: 'the kernel has no SUM of DECIMAL(4, 2)' }],
  ['COLLECT_LIST(b)', { path: 'row', why: 'the kernel does not take COLLECT_LIST back' }],
  ['STDDEV_SAMP(d)', { path: 'row', why: 'the kernel does not take STDDEV_SAMP back' }],
])('%s over a table runs as %o', (calls, path) => {
  expect(pathOf(calls, '', 't')).toEqual(path);
});

test('without a whole kernel what only that has runs on the row path', () => {
  const putBack = takeAway([WHOLE_KERNEL]);
  try {
    const path = { path: 'row', why: 'the kernel has no LATEST_BY_OFFSET' };
    expect(pathOf('LATEST_BY_OFFSET(d)')).toEqual(path);
    expect(pathOf('MAX(d)')).toEqual({ path: 'kernel' });
    expect(pathOf('SUM(d)', '', 't')).toEqual({
      path: 'row',
      why: 'the kernel does not take old rows of a table back',
    });
    expect(pathOf('MAX(d)', SESSIONS)).toEqual({
      path: 'row',
      why: 'the kernel has no SESSION windows',
    });
  } finally {
    putBack();
  }
});

test('an aggregation has as many calls as the kernel takes, or the row path is taken', () => {
  const calls = (count: number): string =>
    Array.from({ length: count }, (_, i) => `SUM(b + ${i}) AS v${i}`).join();
  expect(pathOf(`${calls(KERNEL_CALLS_MAX - 1)}, COUNT(*)`)).toEqual({ path: 'kernel' });
  expect(pathOf(`${calls(KERNEL_CALLS_MAX)}, COUNT(*)`)).toEqual({
    path: 'row',
    why: `the kernel takes ${KERNEL_CALLS_MAX} calls`,
  });
});

test('a group has as many cells as the kernel keeps, or the row path is taken', () => {
  const count = (KERNEL_CELLS_MAX - 1) / 3;
  const calls = Array.from({ length: count }, (_, i) => `STDDEV_SAMP(b + ${i}) AS v${i}`).join();
  expect(pathOf(`${calls}, COUNT(*)`)).toEqual({ path: 'kernel' });
  expect(pathOf(`${calls}, AVG(d)`)).toEqual({
    path: 'row',
    why: `the kernel keeps ${KERNEL_CELLS_MAX} cells of a group`,
  });
});
