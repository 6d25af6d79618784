// What a query that waits no longer holds: the batch of which it computed, the one that its reader had, the records of its last chunk.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Batch } from '../../../runtime/data/batch.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import type { RecordBatch } from '../../../runtime/data/record.ts';
import { QueryRows, type QueryRowsOptions } from '../../../runtime/engine/query-rows.ts';
import { RowEvaluation } from '../../../runtime/operators/evaluation.ts';
import { Current } from '../../../runtime/task/current.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** A batch and whether it is still held, once garbage was collected. */
function watched(): { readonly rows: Batch; readonly isHeld: () => Promise<boolean> } {
  const rows = batch('K:STRING key | V:INTEGER @rowtime', 'a | 1 @1');
  const held = new WeakRef(rows);
  const isHeld = async (): Promise<boolean> => {
    // A WeakRef holds what was looked at until its turn is over.
    await new Promise((resolve) => setTimeout(resolve, 0));
    gc();
    return held.deref() !== undefined;
  };
  return { rows, isHeld };
}

test('an evaluation holds no batch once its column is computed', async () => {
  const context = { time: () => ({ now: 7, seed: '' }) };
  const evaluation = new RowEvaluation(context as never, 'V', '1.0');
  const isHeld = ((): (() => Promise<boolean>) => {
    const { rows, ...seen } = watched();
    expect(evaluation.over(rows, ({ columns }) => columns.length)).toBe(2);
    return seen.isHeld;
  })();
  expect(await isHeld()).toBe(false);
  expect(evaluation.now).toBe(7);
});

test('rows that wait for the next batch do not hold the last one', async () => {
  const coming: Batch[] = [];
  const options = {
    kind: 'push',
    queryId: 'q',
    schema: { columns: [] },
    columns: [],
    next: () => {
      const next = coming.pop();
      return next === undefined ? new Promise(() => undefined) : Promise.resolve(next);
    },
    close: async () => undefined,
  };
  const batches = new QueryRows(options as unknown as QueryRowsOptions).batches();
  const isHeld = await (async (): Promise<() => Promise<boolean>> => {
    const { rows, ...seen } = watched();
    coming.push(rows);
    expect((await batches.next()).value).toBe(rows);
    return seen.isHeld;
  })();
  void batches.next();
  expect(await isHeld()).toBe(false);
});

test('a task between two turns holds no records, and tells of its place and time as before', () => {
  const current = new Current('q/0/0', ['x']);
  const headers = [{ key: 'h', value: new Uint8Array(1) }];
  const records = { timestamps: Float64Array.of(5, 9), headers: () => headers, count: 2 };
  const place = { topic: 't', partition: 3, base: 100, incarnation: 'x' };
  const chunk = records as unknown as RecordBatch;
  current.begin(chunk, place, 0, 2);
  expect(current.headers(1)).toBe(headers);
  const { time } = current;
  current.letGo();
  expect([current.moment.records, current.place]).toEqual([null, { ...place, moment: undefined }]);
  expect(current.time).toBe(time);
  // Of a chunk that is taken in two turns the second goes on where and when the first was.
  current.begin(chunk, place, 0, 2);
  expect([current.headers(1), current.time]).toEqual([headers, time]);
});
