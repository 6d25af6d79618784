// The newest batches of a partition in memory: they give what a read of all would, or nothing, and are no more than may be.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Tail } from '../../../edge/objects/tail.ts';
import { HINT_BYTES_MAX } from '../../../runtime/base/limits.ts';
import type { FetchedBatch } from '../../../runtime/ports/log.ts';

/** Batches one behind the other from offset 0 on. */
function batchesOf(lengths: readonly number[]): FetchedBatch[] {
  let base = 0;
  return lengths.map((length, i) => {
    const batch = { base, count: 1 + (i % 3), bytes: new Uint8Array(length) };
    base += batch.count;
    return batch;
  });
}

test('a read gives what it would of all batches, wherever it begins and whatever it has room for', () => {
  const length = fc.oneof(fc.integer({ min: 1, max: 500 }), fc.nat(HINT_BYTES_MAX + 10));
  fc.assert(
    fc.property(
      fc.array(length, { minLength: 1, maxLength: 12 }),
      fc.nat(HINT_BYTES_MAX * 2),
      (lengths, bytesMax) => {
        const all = batchesOf(lengths);
        const end = all.reduce((_, { base, count }) => base + count, 0);
        const tail = new Tail();
        for (const batch of all) tail.add([batch]);
        let kept = 0;
        const oldest = all.findLastIndex(({ bytes }) => (kept += bytes.length) > HINT_BYTES_MAX);
        for (let from = 0; from <= end; from++) {
          const first = all.findIndex(({ base }) => base === from);
          let bytes = 0;
          const wanted = all.slice(first).filter(({ bytes: { length } }, i) => {
            bytes += length;
            return i === 0 || bytes <= bytesMax;
          });
          const given = tail.read(from, end, bytesMax)?.map(({ base }) => base);
          expect(given).toEqual(first <= oldest ? undefined : wanted.map(({ base }) => base));
        }
        // There is more than it knows of.
        expect(tail.read(0, end + 1, bytesMax)).toBeNull();
        tail.clear();
        expect(tail.read(0, end, bytesMax)).toBeNull();
      },
    ),
    { numRuns: 100 },
  );
});

test('HINT_BYTES_MAX are kept; beyond it the oldest go', () => {
  const tail = new Tail();
  const [first, second, third] = batchesOf([HINT_BYTES_MAX / 2, HINT_BYTES_MAX / 2, 1]);
  tail.add([first, second] as FetchedBatch[]);
  expect(tail.read(0, 3, 1)).toEqual([first]);
  tail.add([third as FetchedBatch]);
  expect(tail.read(0, 6, 1)).toBeNull();
  expect(tail.read(1, 6, HINT_BYTES_MAX / 2)).toEqual([second]);
  expect(tail.read(1, 6, HINT_BYTES_MAX * 2)).toEqual([second, third]);
  expect(tail.read(3, 6, 1)).toEqual([third]);
});
