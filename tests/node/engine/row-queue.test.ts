// The queue between a query's tasks and its reader: back-pressure, limit, ends.

import { expect, test } from 'vitest';
import { BATCH_ROWS_MAX, PUSH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import { schema } from '../../../runtime/data/schema.ts';
import { INTEGER } from '../../../runtime/data/type.ts';
import { RowQueue } from '../../../runtime/engine/row-queue.ts';

const one = schema([{ name: 'N', type: INTEGER, role: 'value' }]);

function batchOf(rows: number): Batch {
  const builder = new BatchBuilder(one);
  for (let i = 0; i < rows; i++) builder.append([i], i);
  const batch = builder.finish();
  if (batch === null) throw new Error('a batch has rows');
  return batch;
}

function queueOf(options: { limit?: number; rowsMax?: number } = {}) {
  let ends = 0;
  const queue = new RowQueue({
    limit: options.limit ?? null,
    onEnd: () => (ends += 1),
    rowsMax: options.rowsMax,
  });
  return { queue, ends: () => ends };
}

test('makes a writer wait while the reader is behind, and holds no more than its bound', async () => {
  const { queue } = queueOf({ rowsMax: 10 });
  await queue.put(batchOf(6));
  let isThrough = false;
  const second = queue.put(batchOf(5)).then(() => (isThrough = true));
  await Promise.resolve();
  expect(isThrough).toBe(false);
  expect((await queue.next())?.length).toBe(6);
  await second;
  expect((await queue.next())?.length).toBe(5);
});

test('takes PUSH_ROWS_MAX rows, and one more only once some were read', async () => {
  const { queue } = queueOf();
  for (let rows = 0; rows < PUSH_ROWS_MAX; rows += BATCH_ROWS_MAX)
    await queue.put(batchOf(BATCH_ROWS_MAX));
  let isThrough = false;
  const more = queue.put(batchOf(1)).then(() => (isThrough = true));
  await Promise.resolve();
  expect(isThrough).toBe(false);
  expect((await queue.next())?.length).toBe(BATCH_ROWS_MAX);
  await more;
});

test('a large batch comes in though small ones of others come without end', async () => {
  const { queue } = queueOf({ rowsMax: 10 });
  const wanted = { is: true };
  const small = async (): Promise<void> => {
    while (wanted.is) await queue.put(batchOf(1));
  };
  const writers = [small(), small()];
  const large = queue.put(batchOf(9));
  const read: (number | undefined)[] = [];
  for (let reads = 0; reads < 30; reads++) read.push((await queue.next())?.length);
  wanted.is = false;
  queue.cancel();
  await Promise.all([large, ...writers]);
  expect(read).toContain(9);
});

test('gives batches in their order, those that came while it was read too', async () => {
  const { queue } = queueOf();
  const read: (number | undefined)[] = [];
  for (const rows of [1, 2, 3]) await queue.put(batchOf(rows));
  read.push((await queue.next())?.length);
  for (const rows of [4, 5]) await queue.put(batchOf(rows));
  for (let i = 0; i < 4; i++) read.push((await queue.next())?.length);
  expect(read).toEqual([1, 2, 3, 4, 5]);
});

test('ends after exactly as many rows as the limit says', async () => {
  const { queue, ends } = queueOf({ limit: 7 });
  await queue.put(batchOf(5));
  await queue.put(batchOf(5));
  expect(ends()).toBe(1);
  expect((await queue.next())?.length).toBe(5);
  expect((await queue.next())?.length).toBe(2);
  expect(await queue.next()).toBeNull();
});

test('gives the rows before an error, then the error', async () => {
  const { queue } = queueOf();
  await queue.put(batchOf(1));
  queue.end(new Error('the task has ended'));
  expect((await queue.next())?.length).toBe(1);
  await expect(queue.next()).rejects.toThrow('the task has ended');
});

test('lets waiting writers go when the reader leaves', async () => {
  const { queue, ends } = queueOf({ rowsMax: 1 });
  await queue.put(batchOf(1));
  const waiting = queue.put(batchOf(1));
  queue.cancel();
  await waiting;
  expect(ends()).toBe(1);
  expect(await queue.next()).toBeNull();
});
