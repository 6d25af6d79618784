// Sessions in the kernel under the operator contract: the row path beside the kernel path.

import fc from 'fast-check';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { type Batch, IDENTITY } from '../../../runtime/data/batch.ts';
import type { Schema } from '../../../runtime/data/schema.ts';
import { sessionAggregate } from '../../../runtime/operators/session-aggregate.ts';
import type { AggregateCall, WindowSpec } from '../../../runtime/plan/step.ts';
import { batchesOf, describeOperator } from '../../support/operator-contract.ts';
import type { MakeOperator } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  onKernel,
  registry,
  sessionOf,
  streamArbitrary,
} from '../../support/operator-inputs.ts';

const NUMBERS = prettySchema('K:STRING key | I:INTEGER | L:BIGINT | D:DOUBLE @rowtime');
const module = kernelModule();

function bothPaths(
  window: WindowSpec,
  calls: readonly AggregateCall[],
  input: Schema = NUMBERS,
): { name: string; make: MakeOperator }[] {
  const step = aggregateStep(input, calls, { window });
  return [
    { name: 'row path', make: (context) => sessionAggregate(step, input, context, registry) },
    {
      name: 'kernel path',
      make: (context) => sessionAggregate(onKernel(step), input, context, registry, module),
    },
  ];
}

const callsOf = (...names: readonly string[]): AggregateCall[] =>
  names.flatMap((name) => [1, 2, 3].map((position) => callOf(name, NUMBERS, position)));

const CALLS = {
  'what every kernel has': [
    callOf('COUNT', NUMBERS),
    ...callsOf('COUNT', 'SUM', 'MIN', 'MAX', 'AVG'),
  ],
  'by offset and deviation': callsOf(
    'EARLIEST_BY_OFFSET',
    'LATEST_BY_OFFSET',
    'STDDEV_SAMP',
    'STDDEV_SAMPLE',
  ),
  'a few of both': [
    callOf('LATEST_BY_OFFSET', NUMBERS, 3),
    callOf('SUM', NUMBERS, 3),
    callOf('STDDEV_SAMP', NUMBERS, 1),
    callOf('LATEST_BY_OFFSET', NUMBERS, 3),
    callOf('MAX', NUMBERS, 2),
    callOf('MAX', NUMBERS, 2),
    callOf('COUNT', NUMBERS),
    callOf('COUNT', NUMBERS),
  ],
};

/** Rows whose records stand elsewhere than they do, at their own positions, or are none. */
const origins = (input: fc.Arbitrary<readonly Batch[]>): fc.Arbitrary<readonly Batch[]> =>
  fc.tuple(input, fc.nat(2)).map(([batches, kind]) =>
    batches.map((batch) => ({
      ...batch,
      origin: [batch.origin, IDENTITY.subarray(0, batch.rowtime.length), null][kind] ?? null,
    })),
  );

for (const window of [sessionOf(4, 10), sessionOf(2, 0), sessionOf(9, 30, 100)]) {
  for (const [name, calls] of Object.entries(CALLS))
    describeOperator(
      `sessions, ${name}, a gap of ${window.sizeMs} ms and ${window.graceMs} ms of grace`,
      {
        paths: bothPaths(window, calls),
        input: origins(streamArbitrary(NUMBERS)),
        changelog: { old: false },
      },
    );
}

const BUSY = prettySchema('K:STRING key | L:BIGINT | D:DOUBLE @rowtime');
const busyRow = fc.record({
  key: fc.constantFrom('a', 'a', 'a', 'b'),
  at: fc.nat({ max: 400 }),
  value: fc.option(fc.bigInt({ min: -9n, max: 9n }), { freq: 5 }),
  double: fc.option(fc.constantFrom(0.1, -0, 1e300, -1e300, NaN, 2.5), { freq: 5 }),
});

// Of few keys, so that they have more sessions than stay in memory, and late rows come to some that were let go, or merge two.
for (const [gapMs, retentionMs] of [
  [2, 1002],
  [2, 2000],
  [12, 1012],
] as const)
  describeOperator(
    `sessions, few keys with many, a gap of ${gapMs} ms, kept for ${retentionMs} ms`,
    {
      paths: bothPaths(
        sessionOf(gapMs, 1000, retentionMs),
        [
          callOf('COUNT', BUSY),
          callOf('SUM', BUSY, 1),
          callOf('AVG', BUSY, 2),
          callOf('MIN', BUSY, 2),
          callOf('STDDEV_SAMP', BUSY, 1),
        ],
        BUSY,
      ),
      input: fc.array(busyRow, { minLength: 30, maxLength: 120 }).map((rows) =>
        batchesOf(
          BUSY,
          rows.map(({ key, at, value, double }) => ({
            values: [key, value, double],
            rowtime: 1000 + at,
          })),
        ),
      ),
      changelog: { old: false },
    },
  );

// A row that merges two sessions and brings no value shows which of theirs is the first or the last.
describeOperator('sessions that rows without a value merge', {
  paths: bothPaths(
    sessionOf(12, 1000),
    ['EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET', 'MIN', 'MAX', 'AVG', 'STDDEV_SAMPLE'].map((name) =>
      callOf(name, BUSY, 1),
    ),
    BUSY,
  ),
  input: fc
    .array(fc.record({ at: fc.nat({ max: 200 }), value: fc.option(fc.nat(9), { freq: 2 }) }), {
      minLength: 10,
      maxLength: 40,
    })
    .map((rows) =>
      batchesOf(
        BUSY,
        rows.map(({ at, value }) => ({
          values: ['a', value === null ? null : BigInt(value), null],
          rowtime: 1000 + at,
        })),
      ),
    ),
  changelog: { old: false },
});

for (const columns of [
  'A:BIGINT key',
  'A:DOUBLE key',
  'A:INTEGER key | B:BOOLEAN key',
  'A:STRING key | B:BIGINT key | C:DOUBLE key',
  'A:STRING key | B:STRING key',
]) {
  const input = prettySchema(`${columns} | L:BIGINT @rowtime`);
  const position = input.columns.length - 1;
  describeOperator(`sessions by ${columns}`, {
    paths: bothPaths(
      sessionOf(5, 5),
      [callOf('COUNT', input), callOf('SUM', input, position)],
      input,
    ),
    input: streamArbitrary(input),
    changelog: { old: false },
    runs: 60,
  });
}

// As a client's query has them: with the same output, and without state of sessions that are over.
for (const window of [sessionOf(4, 10), sessionOf(2, 0)]) {
  const [row, kernel] = bothPaths({ ...window, expires: true }, CALLS['what every kernel has']);
  const isPrivate = ({ name, make }: { name: string; make: MakeOperator }) => ({
    name: `${name}, private`,
    make: (context: Parameters<MakeOperator>[0]) => make({ ...context, isPrivate: true }),
  });
  if (row === undefined || kernel === undefined) throw new Error('there are two paths');
  describeOperator(`private sessions, ${window.graceMs} ms of grace`, {
    paths: [row, isPrivate(kernel), isPrivate(row)],
    input: streamArbitrary(NUMBERS),
    changelog: { old: false },
    isPrivate: true,
    runs: 40,
  });
}
