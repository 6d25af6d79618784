// The sorted map against a plain model: any keys, any order of sets, removals and scans.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes } from '../../../runtime/base/byte-arrays.ts';
import { OrderedMap } from '../../../runtime/data/ordered-map.ts';

const keys = fc.uint8Array({ minLength: 0, maxLength: 3 });
const range = fc.record({
  from: fc.option(keys, { nil: null }),
  to: fc.option(keys, { nil: null }),
});

test('holds what a model holds, in byte order, with its size', () => {
  const steps = fc.array(fc.tuple(keys, fc.option(fc.nat(255), { nil: null })), { maxLength: 400 });
  fc.assert(
    fc.property(steps, range, (changes, wanted) => {
      const map = new OrderedMap();
      const model = new Map<string, { key: Uint8Array; value: number }>();
      for (const [key, value] of changes) {
        map.set(key, value === null ? null : Uint8Array.of(value));
        if (value === null) model.delete(key.join());
        else model.set(key.join(), { key, value });
      }
      const sorted = [...model.values()].sort((a, b) => compareBytes(a.key, b.key));
      const inRange = sorted.filter(
        ({ key }) =>
          (wanted.from === null || compareBytes(key, wanted.from) >= 0) &&
          (wanted.to === null || compareBytes(key, wanted.to) < 0),
      );
      const scanned = [...map.scan(wanted)].map(({ key, value }) => ({ key, value: value[0] }));
      expect(scanned).toEqual(inRange);
      expect(map.size).toBe(model.size);
      const bytes = sorted.reduce((sum, { key }) => sum + 1 + OrderedMap.entryBytes(key), 0);
      expect(map.bytes).toBe(bytes);
    }),
  );
});

test('stays in order over many chunks, filled from either end', () => {
  for (const order of [(i: number) => i, (i: number) => 9999 - i]) {
    const map = new OrderedMap();
    const key = (i: number) => Uint8Array.of(i >> 8, i & 255);
    for (let i = 0; i < 10_000; i++) map.set(key(order(i)), Uint8Array.of(1));
    for (let i = 0; i < 10_000; i += 2) map.set(key(i), null);
    const left = [...map.scan({ from: key(5000), to: key(6000) })];
    expect(left.length).toBe(500);
    expect(left[0]?.key).toEqual(key(5001));
    expect(map.size).toBe(5000);
  }
});

test('keeps keys longer than an argument list may be', () => {
  const map = new OrderedMap();
  const long = new Uint8Array(65_536).fill(7);
  map.set(long, Uint8Array.of(1));
  expect(map.get(long.slice())).toEqual(Uint8Array.of(1));
});
