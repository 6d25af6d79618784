// Sessions: typed and general accumulators agree, also where sessions merge, and outputs are cut where they are full.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { sessionAggregate } from '../../../runtime/operators/session-aggregate.ts';
import { batchesOf, outputLines } from '../../support/operator-contract.ts';
import { OperatorRun } from '../../support/operator-harness.ts';
import { aggregateStep, callOf, registry, sessionOf } from '../../support/operator-inputs.ts';

const INPUT = prettySchema('K:STRING key | L:BIGINT | D:DOUBLE @rowtime');
const TYPED = [
  callOf('COUNT', INPUT),
  callOf('SUM', INPUT, 1),
  callOf('SUM', INPUT, 2),
  callOf('MIN', INPUT, 2),
  callOf('MAX', INPUT, 1),
  callOf('AVG', INPUT, 2),
];

function sessions(calls: typeof TYPED, gapMs: number): OperatorRun {
  const step = aggregateStep(INPUT, calls, { window: sessionOf(gapMs, 1000) });
  return new OperatorRun((context) => sessionAggregate(step, INPUT, context, registry));
}

const row = fc.record({
  key: fc.constantFrom('a', 'b'),
  at: fc.nat({ max: 200 }),
  long: fc.option(fc.bigInt({ min: -9n, max: 9n }), { freq: 5 }),
  double: fc.option(fc.constantFrom(0.1, -0, 1e300, -1e300, NaN, 2.5), { freq: 5 }),
});

test('what typed accumulators give is what general ones give, to the last bit', () => {
  const property = fc.property(fc.array(row, { maxLength: 80 }), (rows) => {
    const input = batchesOf(
      INPUT,
      rows.map(({ key, at, long, double }) => ({ values: [key, long, double], rowtime: at })),
    );
    const typed = sessions(TYPED, 3);
    // One call without a typed way sends all of them the general one.
    const general = sessions([...TYPED, callOf('COLLECT_LIST', INPUT, 1)], 3);
    for (const batch of input) {
      typed.process(batch);
      general.process(batch);
    }
    const shared = outputLines(general).map((line) => {
      const cells = line.split(' | ');
      const [last = ''] = cells.splice(-1);
      return `${cells.join(' | ')} ${last.slice(last.lastIndexOf('@'))}`;
    });
    expect(outputLines(typed)).toEqual(shared);
  });
  fc.assert(property, { numRuns: 100 });
});

test('a batch whose rows have more output than fits is put out in several', () => {
  const rows = Array.from({ length: BATCH_ROWS_MAX }, (_, i) => ({
    values: ['a', 1n, 1],
    rowtime: i,
  }));
  const run = sessions(TYPED, 3);
  for (const batch of batchesOf(INPUT, rows)) run.process(batch);
  const lengths = run.emitted.map(({ length }) => length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(BATCH_ROWS_MAX);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(2 * BATCH_ROWS_MAX - 1);
  const last = BATCH_ROWS_MAX - 1;
  expect(outputLines(run).at(-1)).toBe(
    `+ a | 0 | ${last} | ${BATCH_ROWS_MAX} | ${BATCH_ROWS_MAX} | 4096 | 1 | 1 | 1 @${last}`,
  );
});
