// Filter, project, rekey, materialize and tableFilter under the operator contract.

import { expect, test } from 'vitest';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { type Batch, Op } from '../../../runtime/data/batch.ts';
import { bitAt } from '../../../runtime/data/column.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { BIGINT, BOOLEAN, DOUBLE, INTEGER, STRING, type Type } from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { filter } from '../../../runtime/operators/filter.ts';
import { materialize } from '../../../runtime/operators/materialize.ts';
import type { OperatorContext } from '../../../runtime/operators/operator.ts';
import { project } from '../../../runtime/operators/project.ts';
import { rekey } from '../../../runtime/operators/rekey.ts';
import { tableFilter } from '../../../runtime/operators/table-filter.ts';
import { keepShortColumns } from '../../support/kept-columns.ts';
import { batchesOf, describeOperator } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import {
  registry,
  sourceStep,
  streamArbitrary,
  tableArbitrary,
} from '../../support/operator-inputs.ts';

const STREAM = prettySchema('K:STRING key | I:INTEGER | L:BIGINT | D:DOUBLE @rowtime');
const column = (index: number, type: Type): Expr => ({ expr: 'column', index, type });
const integer = (value: number): Expr => ({ expr: 'literal', value, type: INTEGER });
const compare = (op: '=' | '>' | '<', left: Expr, right: Expr): Expr => ({
  expr: 'compare',
  op,
  left,
  right,
  type: BOOLEAN,
});
const divided: Expr = {
  expr: 'arithmetic',
  op: '/',
  left: integer(6),
  right: column(1, INTEGER),
  type: INTEGER,
};
const random: Expr = {
  expr: 'call',
  function: 'RANDOM',
  signature: 'RANDOM()',
  arguments: [],
  type: DOUBLE,
};
const text: Expr = { expr: 'cast', argument: column(2, BIGINT), type: STRING };

describeOperator('filter, with a predicate that fails on some rows', {
  paths: [
    {
      name: 'row path',
      make: (context) =>
        filter(
          {
            step: 'filter',
            id: '2',
            input: '1',
            schema: STREAM,
            predicate: compare('>', divided, integer(1)),
          },
          STREAM,
          context,
          registry,
        ),
    },
  ],
  input: streamArbitrary(STREAM),
  changelog: null,
});

const PROJECTED = prettySchema(
  'K:STRING key | Q:INTEGER | R:DOUBLE | T:STRING | C:BOOLEAN @rowtime',
);
describeOperator('project, with expressions that fail and draw random numbers', {
  paths: [
    {
      name: 'row path',
      make: (context) =>
        project(
          {
            step: 'project',
            id: '2',
            input: '1',
            schema: PROJECTED,
            expressions: [
              column(0, STRING),
              divided,
              random,
              text,
              compare('<', column(3, DOUBLE), column(3, DOUBLE)),
            ],
          },
          STREAM,
          context,
          registry,
        ),
    },
  ],
  input: streamArbitrary(STREAM),
  changelog: null,
});

const REKEYED = prettySchema('T:STRING key | I:INTEGER | K:STRING @rowtime');
for (const dropNullKeys of [true, false]) {
  describeOperator(`rekey${dropNullKeys ? ', null keys dropped' : ''}`, {
    paths: [
      {
        name: 'row path',
        make: (context) =>
          rekey(
            {
              step: 'rekey',
              id: '2',
              input: '1',
              schema: REKEYED,
              key: [text],
              carried: [1, 0],
              dropNullKeys,
            },
            STREAM,
            context,
            registry,
          ),
      },
    ],
    input: streamArbitrary(STREAM),
    changelog: null,
  });
}

const TABLE = prettySchema('K:STRING key | I:INTEGER | L:BIGINT @rowtime');
const ROWS = prettySchema(
  'K:STRING key | I:INTEGER | L:BIGINT | D:DOUBLE | B:BOOLEAN | S:STRING @rowtime',
);
/** An operator whose rows are kept as columns or, if they are few, as bytes. */
const keptAsEither = (make: MakeOperator) =>
  [true, false].map((isKept) => ({
    name: `rows kept as ${isKept ? 'columns' : 'bytes'}`,
    make: (context: OperatorContext) => {
      keepShortColumns(() => isKept);
      return make(context);
    },
  }));

describeOperator('materialize', {
  paths: keptAsEither((context) => materialize(sourceStep(ROWS), ROWS, context, registry)),
  input: tableArbitrary(ROWS),
  changelog: { old: true },
});

test('rows of keys that were forgotten are old rows yet, and output that is more than a batch keeps them with their new ones', () => {
  const run = new OperatorRun((context) =>
    materialize(sourceStep(TABLE), TABLE, context, registry),
  );
  const names = Array.from({ length: 20 * BATCH_ROWS_MAX }, (_, i) => `k${i}`);
  const put = (from: number, add: number): void => {
    const rows = Array.from({ length: BATCH_ROWS_MAX }, (_, i) => ({
      values: [names[from + i] ?? '', from + i + add, null],
      rowtime: add,
    }));
    for (const batch of batchesOf(TABLE, rows)) run.process(batch);
    run.commit();
  };
  // They are more keys than KeptTable knows, and leave more rows than it keeps without a key.
  for (let add = 0; add < 3; add++)
    for (let from = 0; from < names.length; from += BATCH_ROWS_MAX) put(from, add);
  const last = run.emitted.at(-1);
  expect(run.emitted).toHaveLength(20 + 2 * 20 * 2);
  expect([...(last?.op ?? [])].slice(-2)).toEqual([Op.UpdateBefore, Op.UpdateAfter]);
  expect([...(last?.columns[1]?.values ?? [])].slice(-2)).toEqual([
    names.length - 1 + 1,
    names.length - 1 + 2,
  ]);
});

const changelogOf = (batches: readonly Batch[]): readonly Batch[] => {
  const run = new OperatorRun((context) =>
    materialize(sourceStep(TABLE), TABLE, context, registry),
  );
  for (const batch of batches) run.process(batch);
  return run.emitted;
};

const positive = (isSession: boolean) => (context: OperatorContext) =>
  tableFilter(
    {
      step: 'tableFilter',
      id: '2',
      input: '1',
      schema: TABLE,
      predicate: compare('>', column(1, INTEGER), integer(0)),
    },
    TABLE,
    context,
    registry,
    isSession,
  );

describeOperator('tableFilter over a changelog with old rows', {
  paths: keptAsEither(positive(false)),
  input: tableArbitrary(TABLE).map(changelogOf),
  changelog: { old: true },
});

/** A row without a value is a Delete without an old one. */
const withoutOld = (batches: readonly Batch[]): readonly Batch[] =>
  batches.map((batch) => {
    const op = Uint8Array.from(batch.rowtime, (_, at) =>
      batch.valueNull !== null && bitAt(batch.valueNull, at) ? Op.Delete : Op.UpdateAfter,
    );
    return { ...batch, op };
  });

// Where windows might be sessions no row is held as it came.
describeOperator('tableFilter over a changelog without old rows', {
  paths: [...keptAsEither(positive(false)), { name: 'row by row', make: positive(true) }],
  input: tableArbitrary(TABLE).map(withoutOld),
  changelog: { old: false },
});
