// EMIT FINAL at its limit of rows that are held as they came; knows no aggregate.

import { expect, test } from 'vitest';

import { BATCH_ROWS_MAX, HELD_ROWS_MAX } from '../../../runtime/base/limits.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import type { OperatorContext } from '../../../runtime/operators/operator.ts';
import { suppress } from '../../../runtime/operators/suppress.ts';
import { outputLines } from '../../support/operator-contract.ts';
import { OperatorRun } from '../../support/operator-harness.ts';
import { registry, windowOf } from '../../support/operator-inputs.ts';

const SIZE_MS = 1000;
const KEYS = 3;
const schema = prettySchema(
  'K:STRING key | WINDOWSTART:BIGINT window | WINDOWEND:BIGINT window | N:BIGINT @rowtime',
);
const make = (context: OperatorContext) =>
  suppress(
    { step: 'suppress', id: '4', input: '3', schema, window: windowOf(SIZE_MS, 0) },
    schema,
    context,
    registry,
  );

/** Rows of the window that begins there: the counts of the keys by turns, from a number on. */
function counts(startMs: number, from: number, length: number): Batch {
  const builder = new BatchBuilder(schema);
  for (let i = from; i < from + length; i += 1) {
    const bounds = [BigInt(startMs), BigInt(startMs + SIZE_MS)];
    builder.append([`k${i % KEYS}`, ...bounds, BigInt(i)], startMs, 2, null);
  }
  const batch = builder.finish();
  if (batch === null) throw new Error('there are rows');
  return batch;
}

test('rows are held as they came up to HELD_ROWS_MAX, and beyond as entries of the state, and give the same', () => {
  for (const beyond of [0, 1]) {
    const run = new OperatorRun(make);
    let scans = 0;
    const scan = run.state.scan.bind(run.state);
    run.state.scan = (...of) => {
      scans += 1;
      return scan(...of);
    };
    for (let from = 0; from < HELD_ROWS_MAX; from += BATCH_ROWS_MAX)
      run.process(counts(0, from, BATCH_ROWS_MAX));
    if (beyond > 0) run.process(counts(0, HELD_ROWS_MAX, beyond));
    run.process(counts(SIZE_MS, 0, 1));
    expect(scans > 0).toBe(beyond > 0);
    const last = HELD_ROWS_MAX + beyond - 1;
    const lines = [0, 1, 2].map((key) => {
      const n = last - ((last - key) % KEYS);
      return `+ k${key} | 0 | ${SIZE_MS} | ${n} @0`;
    });
    expect(outputLines(run)).toEqual(lines);
  }
});
