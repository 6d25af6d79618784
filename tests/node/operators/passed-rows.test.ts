// Rows that pass a filter, at their limit of what is held as it came; knows no predicate.

import { expect, test } from 'vitest';

import { BATCH_ROWS_MAX, HELD_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { type Batch, IDENTITY, Op } from '../../../runtime/data/batch.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { StoredRows } from '../../../runtime/operators/materialize.ts';
import { PassedRows } from '../../../runtime/operators/passed-rows.ts';
import { MapState } from '../../support/operator-harness.ts';

const KEYS = 3;
const TABLE = prettySchema('K:STRING key | N:BIGINT @rowtime');

/** Counts what becomes bytes. */
class CountedRows extends StoredRows {
  written = 0;

  override set(...row: Parameters<StoredRows['set']>): void {
    this.written += 1;
    super.set(...row);
  }
}

function rowsFrom(from: number, length: number): Batch {
  const builder = new BatchBuilder(TABLE);
  for (let i = from; i < from + length; i += 1)
    builder.append([`k${i % KEYS}`, BigInt(i)], i, Op.UpdateAfter, null);
  const batch = builder.finish();
  if (batch === null) throw new Error('there are rows');
  return batch;
}

test('rows are held as they came up to HELD_ROWS_MAX, and beyond as entries of the state', () => {
  const context = {
    state: new MapState(),
    streamTime: { ms: 0 },
    report: () => undefined,
    count: () => undefined,
    time: () => ({ now: 0, seed: '', idleSeed: '', firstOffset: 0 }),
  };
  const rows = new CountedRows('2', TABLE, context);
  const passed = new PassedRows(TABLE, rows);
  const ops: number[] = [];
  for (let from = 0; from < HELD_ROWS_MAX; from += BATCH_ROWS_MAX) {
    const out = passed.take(rowsFrom(from, BATCH_ROWS_MAX), IDENTITY);
    ops.push(...(out?.op ?? []));
  }
  expect(rows.written).toBe(0);
  ops.push(...(passed.take(rowsFrom(HELD_ROWS_MAX, 1), IDENTITY)?.op ?? []));
  expect(rows.written).toBe(KEYS);
  expect(ops.length).toBe(HELD_ROWS_MAX + 1);
  expect(ops.filter((op) => op !== Op.UpdateAfter)).toEqual([Op.Insert, Op.Insert, Op.Insert]);
});
