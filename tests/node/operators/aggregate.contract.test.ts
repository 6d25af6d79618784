// Aggregation under the operator contract: row path, kernel path, windows, old rows and tables.

import fc from 'fast-check';
import { existing } from '../../../runtime/base/assert.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { type Batch, IDENTITY } from '../../../runtime/data/batch.ts';
import type { Schema, SchemaColumn } from '../../../runtime/data/schema.ts';
import { INTEGER } from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import { kernelAggregate } from '../../../runtime/operators/kernel-aggregate.ts';
import { materialize } from '../../../runtime/operators/materialize.ts';
import { rekey } from '../../../runtime/operators/rekey.ts';
import type { AggregateCall, AggregateStep } from '../../../runtime/plan/step.ts';
import { inPages } from '../../support/in-pages.ts';
import { describeOperator } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  registry,
  sourceStep,
  streamArbitrary,
  tableArbitrary,
  windowOf,
} from '../../support/operator-inputs.ts';

const NUMBERS = prettySchema('K:STRING key | I:INTEGER | L:BIGINT | D:DOUBLE @rowtime');
const module = kernelModule();

const kernelCalls = [
  callOf('COUNT', NUMBERS),
  ...['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'].flatMap((name) =>
    [1, 2, 3].map((position) => callOf(name, NUMBERS, position)),
  ),
];

/** What only whole kernels have. */
const otherCalls = [
  'EARLIEST_BY_OFFSET',
  'LATEST_BY_OFFSET',
  'STDDEV_SAMP',
  'STDDEV_SAMPLE',
].flatMap((name) => [1, 2, 3].map((position) => callOf(name, NUMBERS, position)));

/** Rows whose records stand elsewhere than they do, at their own positions, or are none. */
const origins = (input: fc.Arbitrary<readonly Batch[]>): fc.Arbitrary<readonly Batch[]> =>
  fc.tuple(input, fc.nat(3)).map(([batches, kind]) =>
    batches.map((batch) => {
      const rows = batch.rowtime.length;
      const steps = Uint32Array.from({ length: rows }, (_, i) => 7 * rows - 3 * (i >> 1));
      return {
        ...batch,
        origin: [batch.origin, IDENTITY.subarray(0, rows), null, steps][kind] ?? null,
      };
    }),
  );

/** The rows without a null anywhere, which the kernel folds in other loops. */
const withoutNulls = (input: fc.Arbitrary<readonly Batch[]>): fc.Arbitrary<readonly Batch[]> =>
  input.map((batches) =>
    batches.map((batch) => ({
      ...batch,
      valueNull: null,
      keyNull: null,
      columns: batch.columns.map((column, i) => (i === 0 ? column : { ...column, validity: null })),
    })),
  );

function bothPaths(step: AggregateStep, input = NUMBERS) {
  return [
    { name: 'row path', make: (context) => aggregate(step, input, context, registry) },
    {
      name: 'kernel path',
      make: (context) => kernelAggregate(step, input, context, registry, module),
    },
  ] satisfies Parameters<typeof describeOperator>[1]['paths'];
}

for (const [name, window] of [
  ['tumbling windows', windowOf(10, 15)],
  ['tumbling windows without grace', windowOf(7, 0)],
  ['hopping windows', windowOf(10, 5, 4)],
  ['hopping windows without grace', windowOf(9, 0, 3)],
  ['no windows', null],
] as const) {
  describeOperator(`aggregate, ${name}`, {
    paths: bothPaths(aggregateStep(NUMBERS, kernelCalls, { window })),
    input: streamArbitrary(NUMBERS),
    changelog: { old: false },
  });
}

for (const [name, window] of [
  ['tumbling windows', windowOf(10, 15)],
  ['wide windows', windowOf(10_000, 0)],
  ['hopping windows', windowOf(10, 5, 4)],
  ['no windows', null],
] as const) {
  for (const [rows, input] of [
    ['with nulls', streamArbitrary(NUMBERS)],
    ['without nulls', withoutNulls(streamArbitrary(NUMBERS))],
  ] as const)
    describeOperator(`aggregate by offset and deviation, ${name}, ${rows}`, {
      paths: bothPaths(aggregateStep(NUMBERS, otherCalls, { window })),
      input: origins(input),
      changelog: { old: false },
    });
}

const mixedCalls = [
  callOf('LATEST_BY_OFFSET', NUMBERS, 3),
  callOf('SUM', NUMBERS, 3),
  callOf('COUNT', NUMBERS),
  callOf('STDDEV_SAMP', NUMBERS, 1),
  callOf('AVG', NUMBERS, 1),
  callOf('LATEST_BY_OFFSET', NUMBERS, 3),
  callOf('MAX', NUMBERS, 2),
];
describeOperator('aggregate by offset and deviation among others', {
  paths: bothPaths(aggregateStep(NUMBERS, mixedCalls, { window: windowOf(10, 15) })),
  input: origins(streamArbitrary(NUMBERS)),
  changelog: { old: false },
});

const TWO_KEYS = prettySchema('A:INTEGER key | B:BOOLEAN key | L:BIGINT @rowtime');
describeOperator('aggregate by two key columns', {
  paths: bothPaths(
    aggregateStep(TWO_KEYS, [callOf('COUNT', TWO_KEYS), callOf('MAX', TWO_KEYS, 2)], {
      window: windowOf(20, 5),
    }),
    TWO_KEYS,
  ),
  input: streamArbitrary(TWO_KEYS),
  changelog: { old: false },
});

for (const columns of [
  'A:BIGINT key',
  'A:DOUBLE key',
  'A:INTEGER key',
  'A:STRING key | B:BIGINT key | C:DOUBLE key',
  'A:STRING key | B:STRING key',
]) {
  const input = prettySchema(`${columns} | L:BIGINT @rowtime`);
  const position = input.columns.length - 1;
  describeOperator(`aggregate by ${columns}`, {
    paths: bothPaths(
      aggregateStep(input, [callOf('COUNT', input), callOf('SUM', input, position)], {
        window: windowOf(20, 5, 10),
      }),
      input,
    ),
    input: streamArbitrary(input),
    changelog: { old: false },
    runs: 60,
  });
}

const rowPath = (step: AggregateStep, input = NUMBERS) => [
  {
    name: 'row path',
    make: (context) => aggregate(step, input, context, registry),
  } satisfies Parameters<typeof describeOperator>[1]['paths'][number],
];

describeOperator('aggregate, tumbling windows, with old rows', {
  paths: rowPath(aggregateStep(NUMBERS, kernelCalls, { window: windowOf(10, 15), old: true })),
  input: streamArbitrary(NUMBERS),
  changelog: { old: true },
});

const anyCalls = [
  callOf('LATEST_BY_OFFSET', NUMBERS, 3),
  callOf('EARLIEST_BY_OFFSET', NUMBERS, 1),
  callOf('COLLECT_LIST', NUMBERS, 2),
  callOf('COUNT', NUMBERS),
  callOf('AVG', NUMBERS, 1),
];
describeOperator('aggregate, any functions, with old rows', {
  paths: rowPath(aggregateStep(NUMBERS, anyCalls, { window: windowOf(10, 15), old: true })),
  input: streamArbitrary(NUMBERS),
  changelog: { old: true },
});

const topOf = (name: string, k: number, position: number): AggregateCall => {
  const { type } = NUMBERS.columns[position] as SchemaColumn;
  const { signature, type: result } = existing(
    registry.resolve(name, [type, INTEGER]) ?? undefined,
    name,
  );
  const constants = [{ value: k, type: INTEGER }];
  return { function: name, signature, arguments: [position], constants, type: result };
};
const greatestCalls = [
  ...[1, 2, 3].flatMap((at) => [topOf('TOPK', 2, at), topOf('TOPKDISTINCT', 3, at)]),
  callOf('COUNT', NUMBERS),
  ...[1, 2, 3].map((at) => callOf('COUNT_DISTINCT', NUMBERS, at)),
  callOf('COLLECT_LIST', NUMBERS, 1),
  callOf('MAX', NUMBERS, 3),
];
for (const [name, window, old] of [
  ['tumbling windows', windowOf(10, 15), false],
  ['tumbling windows, with old rows', windowOf(10, 15), true],
  ['hopping windows', windowOf(10, 5, 4), false],
  ['no windows', null, false],
] as const) {
  const step = aggregateStep(NUMBERS, greatestCalls, { window, old });
  describeOperator(`aggregate of greatest and of different values, ${name}`, {
    paths: [
      ...rowPath(step),
      {
        name: 'in pages',
        make: inPages((context) => aggregate(step, NUMBERS, context, registry)),
      },
    ],
    input: streamArbitrary(NUMBERS),
    changelog: { old },
  });
}

/** A table, and its changelog by another key, as a GROUP BY makes it. */
const TABLE = prettySchema(
  'K:STRING key | G:STRING | N:INTEGER | I:INTEGER | L:BIGINT | D:DOUBLE @rowtime',
);
const through = (make: MakeOperator, batches: readonly Batch[]): readonly Batch[] => {
  const run = new OperatorRun(make);
  for (const batch of batches) run.process(batch);
  return run.emitted;
};
const changelogOf = (batches: readonly Batch[], schema: Schema): readonly Batch[] => {
  const step = { step: 'rekey', id: '2', input: '1', schema, dropNullKeys: true } as const;
  const at = TABLE.columns.findIndex(({ name }) => name === schema.columns[0]?.name);
  const type = TABLE.columns[at]?.type ?? { kind: 'STRING' };
  const key: Expr[] = [{ expr: 'column', index: at, type }];
  return through(
    (context) => rekey({ ...step, key, carried: [3, 4, 5] }, TABLE, context, registry),
    through((context) => materialize(sourceStep(TABLE), TABLE, context, registry), batches),
  );
};

/** Rows that add or take back as it comes, in any order, old ones in front of new ones or alone. */
const anyOps = (input: fc.Arbitrary<readonly Batch[]>): fc.Arbitrary<readonly Batch[]> =>
  fc.tuple(input, fc.infiniteStream(fc.nat(3))).map(([batches, ops]) =>
    batches.map((batch) => ({
      ...batch,
      op: Uint8Array.from(batch.rowtime, () => ops.next().value ?? 0),
    })),
  );

const undoable = (input: Schema, first = 1) => [
  callOf('COUNT', input),
  ...['COUNT', 'SUM', 'AVG'].flatMap((name) =>
    [0, 1, 2].map((i) => callOf(name, input, first + i)),
  ),
];

for (const key of ['G:STRING', 'N:INTEGER']) {
  const input = prettySchema(`${key} key | I:INTEGER | L:BIGINT | D:DOUBLE @rowtime`);
  describeOperator(`aggregate over a table by ${key}`, {
    paths: bothPaths(aggregateStep(input, undoable(input), { over: 'table' }), input),
    input: tableArbitrary(TABLE)
      .map((batches) => changelogOf(batches, input))
      .filter((batches) => batches.length > 0),
    changelog: { old: false },
  });
}

for (const [rows, input] of [
  ['with nulls', streamArbitrary(NUMBERS)],
  ['without nulls', withoutNulls(streamArbitrary(NUMBERS))],
] as const)
  describeOperator(`aggregate over a table, any operations, ${rows}`, {
    paths: bothPaths(aggregateStep(NUMBERS, undoable(NUMBERS), { over: 'table' })),
    input: anyOps(input),
    changelog: null,
  });

describeOperator('aggregate over a table, with old rows', {
  paths: rowPath(aggregateStep(TABLE, undoable(TABLE, 3), { over: 'table', old: true }), TABLE),
  input: tableArbitrary(TABLE)
    .map((batches) =>
      through((context) => materialize(sourceStep(TABLE), TABLE, context, registry), batches),
    )
    .filter((batches) => batches.length > 0),
  changelog: { old: true },
});
