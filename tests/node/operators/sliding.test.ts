// What is particular to sliding windows and cannot be seen in few rows: the limit of a row, and windows that leave memory.

import { expect, test } from 'vitest';
import { SLIDING_WINDOWS_PER_ROW_MAX } from '../../../runtime/base/limits.ts';
import { encodeCells } from '../../../runtime/data/cells.ts';
import { encodeKey, windowKey } from '../../../runtime/data/key.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { BIGINT, INTEGER, STRING } from '../../../runtime/data/type.ts';
import { slidingAggregate } from '../../../runtime/operators/sliding-aggregate.ts';
import { batchesOf, outputLines } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import { aggregateStep, callOf, registry, slidingOf } from '../../support/operator-inputs.ts';

const INPUT = prettySchema('K:STRING key | V:INTEGER @rowtime');
const CALLS = [callOf('COUNT', INPUT), callOf('MAX', INPUT, 1)];

function sliding(sizeMs: number, graceMs: number): MakeOperator {
  const step = aggregateStep(INPUT, CALLS, { window: slidingOf(sizeMs, graceMs) });
  return (context) => slidingAggregate(step, INPUT, context, registry);
}

const rowsAt = (times: readonly number[], key = 'a') =>
  batchesOf(
    INPUT,
    times.map((ms, v) => ({ values: [key, v], rowtime: ms })),
  );

test('a row changes at most SLIDING_WINDOWS_PER_ROW_MAX windows; one that would change more is refused, and others go on', () => {
  const sizeMs = 20_000;
  const make = sliding(sizeMs, 1_000_000);
  const run = new OperatorRun(make);
  // As the left windows of rows that are a ms apart would stand in the store.
  for (let startMs = 1; startMs <= SLIDING_WINDOWS_PER_ROW_MAX + 1; startMs++) {
    const key = windowKey(encodeKey([STRING], ['a']), startMs);
    run.state.apply({ table: '3', key, value: encodeCells([BIGINT, INTEGER], startMs, [1n, 0]) });
  }
  run.restart(make);
  const emitted = (): number => run.emitted.reduce((sum, { length }) => sum + length, 0);
  for (const batch of rowsAt([sizeMs + 1])) run.process(batch);
  expect(run.problems).toEqual([
    {
      code: 'LIMIT',
      origin: 0,
      field: 'ROWTIME',
      reason:
        'the row would change more than 10000 sliding windows: make SIZE shorter, or round the timestamps',
    },
  ]);
  expect(run.counters.get('dropped')).toBe(1);
  expect(emitted()).toBe(0);
  for (const batch of rowsAt([sizeMs + 2])) run.process(batch);
  expect(run.problems).toHaveLength(1);
  expect(emitted()).toBe(SLIDING_WINDOWS_PER_ROW_MAX);
});

test('windows that left memory are read again when a late row needs them', () => {
  const make = sliding(20, 100_000);
  const times = Array.from({ length: 2600 }, (_, i) => i * 3);
  const lateTimes = [7, 3000, 7600, 60];
  const kept = new OperatorRun(make);
  const cut = new OperatorRun(make);
  for (const ms of [...times, ...lateTimes]) {
    for (const batch of rowsAt([ms])) {
      kept.process(batch);
      cut.process(batch);
      if (ms % 300 === 0) cut.commit();
    }
  }
  expect(outputLines(cut)).toEqual(outputLines(kept));
  expect(cut.commit().state.lines()).toEqual(kept.commit().state.lines());
});
