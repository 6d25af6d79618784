// Cases on several partitions: which are left out, what is compared, and faults that must be seen.

import { describe, expect, test } from 'vitest';
import { readCases } from '../../conformance/case.ts';
import { type Outcome, runCase } from '../../conformance/run-case.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { kernelModule } from '../../support/kernel-module.ts';

interface Rec {
  readonly topic: string;
  readonly key?: string;
  readonly value: object | null;
  readonly timestamp?: number;
}

const SOURCE =
  "CREATE STREAM TAPS (ID STRING KEY, SITE STRING, N INT) WITH (kafka_topic='taps', value_format='JSON');";

function outcome(sql: string, inputs: readonly Rec[], outputs: readonly Rec[]): Promise<Outcome> {
  const entry = { name: 'n', statements: [SOURCE, sql], inputs, outputs };
  const [one] = readCases('file', JSON.stringify({ tests: [entry] }));
  if (one === undefined) throw new TypeError('one case was written');
  return runCase(one, {
    mode: 'normal',
    path: 'auto',
    fuse: 'auto',
    random: seededRandom(1),
    kernel: kernelModule(),
    partitions: 4,
  });
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const inputs = KEYS.map((key, n) => ({
  topic: 'taps',
  key,
  value: { SITE: n % 2 === 0 ? 'x' : 'y', N: n },
  timestamp: n,
}));

const COUNTS =
  'CREATE TABLE C AS SELECT SITE, COUNT(*) AS TAPS, SUM(N) AS N FROM TAPS GROUP BY SITE;';
const count = (key: string, taps: number, n: number) => ({
  topic: 'C',
  key,
  value: { TAPS: taps, N: n },
});
const counts = [
  count('x', 1, 0),
  count('y', 1, 1),
  count('x', 2, 2),
  count('y', 2, 4),
  count('x', 3, 6),
  count('y', 3, 9),
];

test('rows of one group come together from all partitions, in the order of the inputs', async () => {
  expect(await outcome(COUNTS, inputs, counts)).toEqual({ kind: 'passed' });
});

test('the order across keys does not count', async () => {
  const sorted = counts.toSorted((a, b) => a.key.localeCompare(b.key));
  expect(await outcome(COUNTS, inputs, sorted)).toEqual({ kind: 'passed' });
});

test.each([
  ['the order of one key', counts.toReversed()],
  ['a record more', [...counts, count('x', 3, 6)]],
  ['a record less', counts.slice(0, 5)],
  ['another key', counts.with(5, count('z', 3, 9))],
  ['another last value', counts.with(5, count('y', 3, 8))],
])('%s is seen', async (_, outputs) => {
  expect(await outcome(COUNTS, inputs, outputs)).toMatchObject({ kind: 'failed' });
});

test('records without a key are spread, and may come in any order', async () => {
  const values = [3, 0, 2, 1, 5, 4].map((n) => ({ topic: 'P', value: { N: n } }));
  const keyless = inputs.map(({ topic, value }) => ({ topic, value }));
  const copy = 'CREATE STREAM P AS SELECT ID, N FROM TAPS;';
  expect(await outcome(copy, keyless, values)).toEqual({ kind: 'passed' });
  const wrong = values.with(0, { topic: 'P', value: { N: 7 } });
  expect(await outcome(copy, keyless, wrong)).toMatchObject({ kind: 'failed' });
});

describe('left out is what hangs on one partition', () => {
  test.each([
    [
      'CREATE TABLE C AS SELECT SITE, COUNT(*) AS N FROM TAPS WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY SITE;',
      'a window',
    ],
    ['CREATE STREAM C AS SELECT ID, ROWPARTITION AS P FROM TAPS;', 'a place in the log'],
    ['CREATE STREAM C AS SELECT ID, N FROM TAPS WHERE ROWOFFSET > 0;', 'a place in the log'],
  ])('%s', async (sql, reason) => {
    expect(await outcome(sql, inputs, [])).toEqual({ kind: 'leftOut', reason });
  });
});
