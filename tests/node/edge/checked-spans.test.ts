// What an instance has checked: never more than was checked, all of what one reader has read, and no more spans than may be.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CheckedSpans } from '../../../edge/objects/checked-spans.ts';
import { CHECKED_SPANS_MAX } from '../../../runtime/base/limits.ts';

const OFFSETS = 60;
const span = fc
  .tuple(fc.nat(OFFSETS - 1), fc.integer({ min: 1, max: 8 }))
  .map(([from, count]) => ({ from, to: from + count }));

test('it says of a span what a list of all checked offsets says', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 30 }), fc.array(span), (checked, asked) => {
      const spans = new CheckedSpans();
      const offsets = new Set<number>();
      for (const { from, to } of checked) {
        spans.add(from, to);
        for (let offset = from; offset < to; offset++) offsets.add(offset);
      }
      for (const { from, to } of [...asked, ...checked]) {
        const all = Array.from({ length: to - from }, (_, i) => from + i);
        expect(spans.has(from, to)).toBe(all.every((offset) => offsets.has(offset)));
      }
    }),
  );
});

test('of readers at CHECKED_SPANS_MAX places all is kept, and of one more the one that nobody has gone on with for longest is forgotten', () => {
  const spans = new CheckedSpans();
  const place = (reader: number): number => reader * 1_000;
  for (let batch = 0; batch < 5; batch++) {
    for (let reader = 0; reader < CHECKED_SPANS_MAX; reader++)
      spans.add(place(reader) + batch, place(reader) + batch + 1);
  }
  for (let reader = 0; reader < CHECKED_SPANS_MAX; reader++)
    expect(spans.has(place(reader), place(reader) + 5)).toBe(true);
  // The first one is read again, so that the second is the oldest.
  expect(spans.has(0, 1)).toBe(true);
  spans.add(place(CHECKED_SPANS_MAX), place(CHECKED_SPANS_MAX) + 1);
  expect(spans.has(0, 5)).toBe(true);
  expect(spans.has(place(1), place(1) + 1)).toBe(false);
  expect(spans.has(place(2), place(2) + 5)).toBe(true);
  spans.clear();
  expect(spans.has(0, 1)).toBe(false);
});
