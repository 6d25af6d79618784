// The rows of a pull query from many partitions: short answers come with one call each, and of long ones no more is on its way than may answer.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pulledFrom } from '../../../edge/routes/pulled.ts';
import { mergedRows, type PulledRows } from '../../../edge/rows.ts';
import { compareBytes } from '../../../runtime/base/byte-arrays.ts';
import { PULL_BYTES_MAX } from '../../../runtime/base/limits.ts';

const refused = expect.objectContaining({ name: 'LimitError', limit: 'PULL_BYTES_MAX' });

/** A partition of so many rows of that length; with an order of its rows, where one is given. */
function answer(rows: number, length: number, order: readonly number[] | null = null): PulledRows {
  const row = `["${'x'.repeat(Math.max(0, length - 4))}"]`;
  const lines = new TextEncoder().encode(Array.from({ length: rows }, () => row).join('\n'));
  return { lines, order: order && order.map((at) => Uint8Array.of(at >> 8, at & 255)) };
}

/** Quicker than a comparison that could show where they differ. */
function isSame(a: PulledRows, b: PulledRows): boolean {
  const [these, those] = [a.order?.map(String).join(), b.order?.map(String).join()];
  return these === those && compareBytes(a.lines, b.lines) === 0;
}

/** Partitions that are asked, with what came of it. */
class Asked {
  readonly calls: number[] = [];
  /** Bytes of rows on their way, now and at most. */
  #bytes = 0;
  most = 0;
  readonly #all: readonly PulledRows[];

  constructor(all: readonly PulledRows[]) {
    this.#all = all;
  }

  readonly ask = async (partition: number, bytesMax: number): Promise<PulledRows> => {
    this.calls.push(partition);
    const rows = this.#all[partition] as PulledRows;
    const { length } = rows.lines;
    if (length > bytesMax)
      return { ...rows, lines: new Uint8Array(0), order: null, needed: length };
    this.most = Math.max(this.most, (this.#bytes += length));
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.#bytes -= length;
    return rows;
  };

  from(limit: number | null): Promise<PulledRows> {
    return pulledFrom([...this.#all.keys()], limit, this.ask);
  }
}

test('short answers come with one call each', async () => {
  const all = Array.from({ length: 64 }, () => answer(10, 100));
  const asked = new Asked(all);
  expect(isSame(await asked.from(null), mergedRows(all, null))).toBe(true);
  expect(asked.calls).toEqual([...all.keys()]);
  const one = new Asked([answer(16, PULL_BYTES_MAX / 16 - 1)]);
  expect((await one.from(null)).lines).toHaveLength(PULL_BYTES_MAX - 1);
  expect(one.calls).toHaveLength(1);
});

test('one that is longer than its share is asked again, and what is too long in all is refused before', async () => {
  const all = [answer(10, 100), answer(12, 1_000_000), answer(10, 100), answer(3, 1_000_000)];
  const asked = new Asked(all);
  expect(isSame(await asked.from(null), mergedRows(all, null))).toBe(true);
  expect(asked.calls).toEqual([0, 1, 2, 3, 1]);
  const long = new Asked([...all, answer(5, 1_000_000)]);
  await expect(long.from(null)).rejects.toThrow(refused);
  expect(long.calls).toEqual([0, 1, 2, 3, 4]);
});

test('of answers that are left out in part no more comes at once than may answer', async () => {
  const all = Array.from({ length: 24 }, () => answer(12, 1_000_000));
  const asked = new Asked(all);
  expect(isSame(await asked.from(14), mergedRows(all.slice(0, 2), 14))).toBe(true);
  expect(asked.most).toBeLessThanOrEqual(PULL_BYTES_MAX);
  // Each once for its share, and the first two for all that they have.
  expect(asked.calls.slice(all.length)).toEqual([0, 1]);
});

const seed = Date.now();
test(`what is merged piece by piece is what is merged at once (seed ${seed})`, async () => {
  const partition = fc.record({
    length: fc.constantFrom(50, 1_200_000),
    order: fc.array(fc.integer({ min: 0, max: 4_000 }), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(partition, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 6 }),
      async (partitions, isSorted, limit) => {
        const all = partitions.map(({ length, order }, i) => {
          const sorted = order.toSorted((a, b) => a - b).map((at) => at * 16 + i);
          return answer(order.length, length + i, isSorted ? sorted : null);
        });
        expect(isSame(await new Asked(all).from(limit), mergedRows(all, limit))).toBe(true);
      },
    ),
    { seed, numRuns: 15 },
  );
});
