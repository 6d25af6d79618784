// Joins under the operator contract: any cut of either side, any restart, the balance of changelogs.

import fc from 'fast-check';
import { StreamStreamJoin } from '../../../runtime/operators/stream-stream-join.ts';
import { StreamTableJoin } from '../../../runtime/operators/stream-table-join.ts';
import { TableTableJoin } from '../../../runtime/operators/table-table-join.ts';
import { BY_KEY, BY_VALUE, foreignKeyCase } from '../../support/foreign-key-operator.ts';
import {
  given,
  JOIN_TYPES,
  LEFT,
  RIGHT,
  rowtimeSteps,
  sideRows,
  streamStreamStep,
  streamTableStep,
  tableTableStep,
} from '../../support/join-inputs.ts';
import { describeOperator, type OperatorCase } from '../../support/operator-contract.ts';
import { heldBack, type MakeOperator } from '../../support/operator-harness.ts';
import { keepShortColumns } from '../../support/kept-columns.ts';

keepShortColumns();

const OPTIONS = { session: false };
/** Over the segments of a state table, which are a minute long or more. */
const minutes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  fc.integer({ min: -60_000, max: 180_000 }),
);

const paths = (make: MakeOperator): Pick<OperatorCase, 'paths' | 'runs'> => ({
  paths: [
    { name: 'row path', make },
    { name: 'rows held back', make: heldBack(make) },
    { name: 'rows of several moments held back', make: heldBack(make, true) },
  ],
  runs: 75,
});
const input = (tables: readonly boolean[], step = rowtimeSteps): OperatorCase['input'] =>
  sideRows({ steps: step, tables }).map((rows) => given(rows, tables));

for (const type of JOIN_TYPES) {
  const streamStream = (times: Parameters<typeof streamStreamStep>[1]): MakeOperator => {
    const step = streamStreamStep(type, times);
    return (context) => new StreamStreamJoin(step, [LEFT, RIGHT], context, OPTIONS);
  };
  describeOperator(`streamStreamJoin, ${type} without grace`, {
    ...paths(streamStream({ beforeMs: 10, afterMs: 10, graceMs: null })),
    input: input([false, false]),
    changelog: null,
  });
  describeOperator(`streamStreamJoin, ${type} with grace`, {
    ...paths(streamStream({ beforeMs: 9, afterMs: 4, graceMs: 6 })),
    input: input([false, false]),
    changelog: null,
  });
  const short = streamStream({ beforeMs: 9_000, afterMs: 4_000, graceMs: 6_000 });
  describeOperator(`streamStreamJoin, ${type} whose state nobody else reads`, {
    paths: [
      { name: 'row path', make: short },
      { name: 'private', make: (context) => short({ ...context, isPrivate: true }) },
    ],
    input: input([false, false], minutes),
    changelog: null,
    isPrivate: true,
  });
  describeOperator(`streamStreamJoin, ${type} over many segments`, {
    ...paths(streamStream({ beforeMs: 50_000, afterMs: 70_000, graceMs: 30_000 })),
    input: input([false, false], minutes),
    changelog: null,
  });
  describeOperator(`tableTableJoin, ${type}`, {
    ...paths(
      (context) => new TableTableJoin(tableTableStep(type), [LEFT, RIGHT], context, OPTIONS),
    ),
    input: input([true, true]),
    changelog: { old: false },
  });
}

for (const type of ['INNER', 'LEFT'] as const) {
  describeOperator(`streamTableJoin, ${type}`, {
    ...paths(
      (context) => new StreamTableJoin(streamTableStep(type), [LEFT, RIGHT], context, OPTIONS),
    ),
    input: input([false, true]),
    changelog: null,
  });
  describeOperator(`a foreign-key join, ${type}`, foreignKeyCase(type, { referring: BY_VALUE }));
  describeOperator(
    `a foreign-key join by a part of the key, ${type}`,
    foreignKeyCase(type, { referring: BY_KEY }),
  );
}
