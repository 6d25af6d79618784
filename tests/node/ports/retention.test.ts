// What retention lets go, as a function of sizes and times alone; a turn is bounded by its named limit.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UPKEEP_BATCHES_MAX } from '../../../runtime/base/limits.ts';
import { type BatchSize, expired } from '../../../runtime/ports/retention.ts';

function batches(given: readonly { readonly ms: number; readonly bytes: number }[]): BatchSize[] {
  return given.map(({ ms, bytes }, base) => {
    return { base, count: 1, maxTimestamp: ms, lengthBytes: bytes };
  });
}

const totalOf = (sizes: readonly BatchSize[]) =>
  sizes.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);

test('a turn takes UPKEEP_BATCHES_MAX batches and says that there are more', () => {
  const all = batches(Array.from({ length: UPKEEP_BATCHES_MAX + 5 }, () => ({ ms: 0, bytes: 1 })));
  const policy = { retentionMs: 1, retentionBytes: null };
  const of = { policy, highWatermark: all.length, lengthBytes: all.length, nowMs: 10 };
  expect(expired(all, of)).toEqual({
    before: UPKEEP_BATCHES_MAX,
    batches: UPKEEP_BATCHES_MAX,
    lengthBytes: UPKEEP_BATCHES_MAX,
    isMore: true,
  });
  expect(expired(all.slice(UPKEEP_BATCHES_MAX), { ...of, lengthBytes: 5 })).toMatchObject({
    before: UPKEEP_BATCHES_MAX + 4,
    isMore: false,
  });
});

test('the newest batch stays, and whatever goes had to; nothing that stays at the front had to go', () => {
  const seed = Date.now();
  console.info(`retention seed ${seed}`);
  const given = fc.array(fc.record({ ms: fc.nat(20), bytes: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 30,
  });
  const bound = fc.option(fc.nat(40));
  fc.assert(
    fc.property(given, bound, bound, (sizes, retentionMs, retentionBytes) => {
      const all = batches(sizes);
      const policy = { retentionMs, retentionBytes };
      const nowMs = 20;
      const lengthBytes = totalOf(all);
      const gone = expired(all, { policy, highWatermark: all.length, lengthBytes, nowMs });
      const kept = all.slice(gone?.batches ?? 0);
      expect(kept.length).toBeGreaterThan(0);
      expect(totalOf(all) - totalOf(kept)).toBe(gone?.lengthBytes ?? 0);
      expect(gone?.before ?? 0).toBe(kept[0]?.base);
      const mustGo = (batch: BatchSize, total: number) =>
        (retentionMs !== null && batch.maxTimestamp < nowMs - retentionMs) ||
        (retentionBytes !== null && total - batch.lengthBytes >= retentionBytes);
      let total = lengthBytes;
      for (const batch of all.slice(0, gone?.batches ?? 0)) {
        expect(mustGo(batch, total)).toBe(true);
        total -= batch.lengthBytes;
      }
      expect(kept.length > 1 && mustGo(kept[0] as BatchSize, total)).toBe(false);
    }),
    { seed },
  );
});
