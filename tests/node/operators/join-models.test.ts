// Joins against plain models that look through all rows they have seen. A failure prints its seed.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamStreamJoin } from '../../../runtime/operators/stream-stream-join.ts';
import { StreamTableJoin } from '../../../runtime/operators/stream-table-join.ts';
import { TableTableJoin } from '../../../runtime/operators/table-table-join.ts';
import {
  foreignKeyJoin,
  FOREIGN_RIGHTS,
  wholeForeignKeyJoin,
} from '../../support/foreign-key-operator.ts';
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
  type SideRow,
} from '../../support/join-inputs.ts';
import {
  foreignKeyModel,
  type Line,
  streamStreamModel,
  streamTableModel,
  tableTableModel,
} from '../../support/join-models.ts';
import { outputLines } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import { keepShortColumns } from '../../support/kept-columns.ts';

keepShortColumns();

const OPTIONS = { session: false };
/** Hours, so that rows come later than a day's grace. */
const leaps = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 4 }) },
  fc.constantFrom(-90_000_000, 90_000_000, 86_400_009, 86_400_010, -86_400_010),
);

function lines(make: MakeOperator, rows: readonly SideRow[], tables: readonly boolean[]): Line[] {
  const run = new OperatorRun(make);
  for (const { to, batch } of given(rows, tables)) run.process(batch, to);
  return outputLines(run);
}

describe('a join of streams', () => {
  const streams = [false, false];
  const windows = [
    { beforeMs: 5, afterMs: 5, graceMs: null },
    { beforeMs: 5, afterMs: 5, graceMs: 3 },
    { beforeMs: 0, afterMs: 7, graceMs: 0 },
    { beforeMs: 9, afterMs: 2, graceMs: 20 },
  ];
  for (const type of JOIN_TYPES) {
    test.each(windows)(`${type} within %j`, (times) => {
      const step = streamStreamStep(type, times);
      const property = fc.property(
        sideRows({
          steps: times.graceMs === null ? fc.oneof(rowtimeSteps, leaps) : rowtimeSteps,
          tables: streams,
        }),
        (rows) => {
          const make: MakeOperator = (context) =>
            new StreamStreamJoin(step, [LEFT, RIGHT], context, OPTIONS);
          expect(lines(make, rows, streams)).toEqual(streamStreamModel(step, rows));
        },
      );
      fc.assert(property, { numRuns: 200 });
    });
  }
});

test.each(['INNER', 'LEFT'] as const)('%s of a stream and a table', (type) => {
  const tables = [false, true];
  const property = fc.property(sideRows({ steps: rowtimeSteps, tables }), (rows) => {
    const make: MakeOperator = (context) =>
      new StreamTableJoin(streamTableStep(type), [LEFT, RIGHT], context, OPTIONS);
    expect(lines(make, rows, tables)).toEqual(streamTableModel(type, rows));
  });
  fc.assert(property, { numRuns: 200 });
});

test.each(JOIN_TYPES)('%s of two tables', (type) => {
  const tables = [true, true];
  const property = fc.property(sideRows({ steps: rowtimeSteps, tables }), (rows) => {
    const make: MakeOperator = (context) =>
      new TableTableJoin(tableTableStep(type), [LEFT, RIGHT], context, OPTIONS);
    expect(lines(make, rows, tables)).toEqual(tableTableModel(type, rows));
  });
  fc.assert(property, { numRuns: 300 });
});

test.each(['INNER', 'LEFT'] as const)('%s by foreign key', (type) => {
  const tables = [true, true];
  const property = fc.property(sideRows({ steps: rowtimeSteps, tables }), (all) => {
    const rows = all.map((row) => ({
      ...row,
      key: row.side === 1 ? (FOREIGN_RIGHTS.get(row.key ?? '') ?? 'x') : row.key,
    }));
    const model = foreignKeyModel(type, rows);
    expect(lines(foreignKeyJoin(type), rows, tables)).toEqual(model);
    expect(lines(wholeForeignKeyJoin(type), rows, tables)).toEqual(model);
    expect(lines(wholeForeignKeyJoin(type, true), rows, tables)).toEqual(model);
  });
  fc.assert(property, { numRuns: 300 });
});
