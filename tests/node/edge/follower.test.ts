// A follower tells its reader of every record, also of one that another reader of the partition has read before.

import { expect, test } from 'vitest';
import { Follower } from '../../../edge/adapters/follower.ts';
import type { FetchedWithin } from '../../../edge/fetched-within.ts';

const fetched = (base: number, count: number): FetchedWithin => ({
  batches: count === 0 ? [] : [{ base, count, bytes: new Uint8Array() }],
  start: 0,
  highWatermark: base + count,
  incarnation: '1',
  needed: 0,
});

test('a reader is woken for a record that another one has read while it was on its way', async () => {
  let wakes = 0;
  const reads: { readonly from: number; readonly answer: (fetched: FetchedWithin) => void }[] = [];
  const follower = new Follower({
    follow: async () => 0,
    read: (from) => new Promise((answer) => reads.push({ from, answer })),
    wake: () => (wakes += 1),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  // Its own reader has come to the end, and it waits there.
  follower.hasRead(0, fetched(0, 0));
  await settled();
  expect(reads.map(({ from }) => from)).toEqual([0]);
  const before = wakes;
  follower.hasRead(0, fetched(0, 1));
  reads[0]?.answer(fetched(0, 1));
  await settled();
  expect(wakes).toBe(before + 1);
  expect(reads.map(({ from }) => from)).toEqual([0, 1]);
  follower.stop();
});
