// The queue between a query's tasks and its reader: back-pressure, limit, ends.

import { expect, test } from 'vitest';
import { LimitError } from '../../../runtime/base/errors.ts';
import { PUSH_ROWS_MAX } from '../../../runtime/base/limits.ts';
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
  await queue.put([batchOf(6)]);
  let isThrough = false;
  const second = queue.put([batchOf(5)]).then(() => (isThrough = true));
  await Promise.resolve();
  expect(isThrough).toBe(false);
  expect((await queue.next())?.length).toBe(6);
  await second;
  expect((await queue.next())?.length).toBe(5);
});

test('takes PUSH_ROWS_MAX rows at once and ends with an error at one more', async () => {
  const whole = Array.from({ length: PUSH_ROWS_MAX / 4096 }, () => batchOf(4096));
  const fits = queueOf();
  await fits.queue.put(whole);
  expect(fits.ends()).toBe(0);
  const over = queueOf();
  await over.queue.put([...whole, batchOf(1)]);
  expect(over.ends()).toBe(1);
  await expect(over.queue.next()).rejects.toBeInstanceOf(LimitError);
});

test('ends after exactly as many rows as the limit says', async () => {
  const { queue, ends } = queueOf({ limit: 7 });
  await queue.put([batchOf(5)]);
  await queue.put([batchOf(5)]);
  expect(ends()).toBe(1);
  expect((await queue.next())?.length).toBe(5);
  expect((await queue.next())?.length).toBe(2);
  expect(await queue.next()).toBeNull();
});

test('gives the rows before an error, then the error', async () => {
  const { queue } = queueOf();
  await queue.put([batchOf(1)]);
  queue.end(new Error('the task has ended'));
  expect((await queue.next())?.length).toBe(1);
  await expect(queue.next()).rejects.toThrow('the task has ended');
});

test('lets waiting writers go when the reader leaves', async () => {
  const { queue, ends } = queueOf({ rowsMax: 1 });
  await queue.put([batchOf(1)]);
  const waiting = queue.put([batchOf(1)]);
  queue.cancel();
  await waiting;
  expect(ends()).toBe(1);
  expect(await queue.next()).toBeNull();
});
