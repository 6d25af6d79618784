// What only whole kernels aggregate, over batches of many rows, some of which have no group: the kernel path beside the row path.

import { expect, test } from 'vitest';

import { type Batch, IDENTITY } from '../../../runtime/data/batch.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import { kernelAggregate } from '../../../runtime/operators/kernel-aggregate.ts';
import { batchesOf } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  registry,
  windowOf,
} from '../../support/operator-inputs.ts';

const INPUT = prettySchema('K:STRING key | I:INTEGER | L:BIGINT | D:DOUBLE @rowtime');
const calls = [
  callOf('COUNT', INPUT),
  ...['EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET', 'STDDEV_SAMPLE'].flatMap((name) =>
    [1, 2, 3].map((position) => callOf(name, INPUT, position)),
  ),
  callOf('MAX', INPUT, 1),
];
const module = kernelModule();
const ROWS = 3000;

function batchOf(turn: number, valueOf: (n: number) => number | null): Batch {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const value = valueOf(i);
    return {
      values: [
        i % 97 === 3 ? null : `k${(i * i) % 41}`,
        value,
        value === null ? null : BigInt(value) * 3_000_000_000n,
        value === null ? null : value / 7,
      ],
      rowtime: turn * 1000 + Math.floor(i / 10),
    };
  });
  const [batch] = batchesOf(INPUT, rows);
  if (batch === undefined) throw new Error('rows make a batch');
  return batch;
}

test.each([
  ['no windows', null],
  ['tumbling windows', windowOf(1000, 0)],
  ['hopping windows', windowOf(1000, 0, 400)],
])('batches of many rows, by %s', (_, window) => {
  const step = aggregateStep(INPUT, calls, { window });
  const paths: MakeOperator[] = [
    (context) => aggregate(step, INPUT, context, registry),
    (context) => kernelAggregate(step, INPUT, context, registry, module),
  ];
  const [row, kernel] = paths.map((make) => {
    const run = new OperatorRun(make);
    const origin = IDENTITY.subarray(0, ROWS);
    // Rows without a null are folded in other loops than those with one, and so are those that are selected.
    const plain = batchOf(1, (n) => (n * 7919) % 1000);
    const selection = Uint32Array.from({ length: ROWS / 2 }, (__, i) => i * 2 + 1);
    run.process(plain).commit();
    run.process({ ...batchOf(2, (n) => -n), selection, length: selection.length });
    run.process(batchOf(3, (n) => (n % 5 === 0 ? null : n)));
    run.restart(make);
    run.process({ ...plain, rowtime: plain.rowtime.map((ms) => ms + 3000), origin });
    run.commit();
    const seen = { output: run.output(), state: run.state.lines(), counters: run.counters };
    run.close();
    return seen;
  });
  expect(kernel).toEqual(row);
});
