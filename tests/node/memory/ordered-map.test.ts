// The sorted map against a plain model: any keys, any order of sets, removals and scans.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes } from '../../../runtime/base/byte-arrays.ts';
import { MARK, OrderedMap } from '../../../runtime/data/ordered-map.ts';

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

test('is what a model is while most of what it held goes and changes, before and after scans', () => {
  const step = fc.record({
    from: fc.nat(1500),
    count: fc.integer({ min: 1, max: 1500 }),
    length: fc.option(fc.nat(80), { nil: null }),
    scans: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const map = new OrderedMap();
      const model = new Map<number, number>();
      const key = (i: number) => Uint8Array.of(i & 255, i >> 8);
      for (const { from, count, length, scans } of steps) {
        for (let i = from; i < from + count; i++) {
          map.set(key(i), length === null ? null : new Uint8Array(length).fill(i));
          if (length === null) model.delete(i);
          else model.set(i, length);
        }
        if (!scans) continue;
        const wanted = [...model].map(([i, size]) => `${[...key(i)].join()} ${size}`);
        const found = [...map.scan({ from: null, to: null })];
        expect(
          found.map(({ key: bytes, value }) => `${bytes.join()} ${value.length}`).sort(),
        ).toEqual(wanted.sort());
        expect(
          found.every(
            (entry, i) => compareBytes((found[i - 1] ?? entry).key, entry.key) < 0 || i === 0,
          ),
        ).toBe(true);
      }
      const wrong = [...model].filter(([i, size]) => {
        const value = map.get(key(i));
        return value?.length !== size || value.some((byte) => byte !== (i & 255));
      });
      expect(wrong).toEqual([]);
      expect(map.size).toBe(model.size);
    }),
    { numRuns: 15 },
  );
});

test('tells the mark from a value without bytes', () => {
  const map = new OrderedMap();
  map.set(Uint8Array.of(1), MARK);
  map.set(Uint8Array.of(2), new Uint8Array(0));
  expect(map.get(Uint8Array.of(1))).toBe(MARK);
  expect(map.get(Uint8Array.of(2))).not.toBe(MARK);
  const found = [...map.scan({ from: null, to: null })];
  expect(found.map(({ value }) => value === MARK)).toEqual([true, false]);
});
