// The batches of a partition in memory are what a plain array of them is, whatever comes and goes, and what was read once stays as it was.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOG_CHUNK_BYTES_MAX, LOG_CHUNK_BYTES_MIN } from '../../../runtime/base/limits.ts';
import { type Stored, StoredBatches } from '../../../runtime/memory/stored-batches.ts';

/** Bytes up to which batches share a buffer. */
const SHARED_BYTES_MAX = LOG_CHUNK_BYTES_MAX / 16;

interface Held {
  readonly base: number;
  readonly count: number;
  readonly maxTimestamp: number;
  readonly bytes: Uint8Array;
}

let filled = 0;
function filledBytes(length: number): Uint8Array {
  filled += 1;
  return Uint8Array.from({ length }, (_, i) => (filled * 31 + i) & 0xff);
}

function plain({ base, count, maxTimestamp, bytes }: Held): Held {
  return { base, count, maxTimestamp, bytes: bytes.slice() };
}

const length = fc.oneof(
  fc.integer({ min: 1, max: 400 }),
  fc.constantFrom(SHARED_BYTES_MAX - 1, SHARED_BYTES_MAX, SHARED_BYTES_MAX + 1, 20_000),
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('push' as const), length }) },
  fc.record({ kind: fc.constant('pop' as const) }),
  fc.record({
    kind: fc.constant('drop' as const),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('replace' as const),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    batches: fc.integer({ min: 0, max: 6 }),
    length,
  }),
);

test('are what an array of them is, and views of them never change', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const batches = new StoredBatches();
      let model: Held[] = [];
      const seen: { readonly view: Stored; readonly was: Held }[] = [];
      let next = 0;
      for (const [i, one] of steps.entries()) {
        if (one.kind === 'push') {
          const held = {
            base: next,
            count: 1 + (i % 3),
            maxTimestamp: 1_700_000_000_000 + i,
            bytes: filledBytes(one.length),
          };
          next += held.count;
          batches.push(held, held.bytes.slice());
          model.push(held);
        } else if (one.kind === 'pop' && model.length > 0) {
          next -= model.pop()?.count ?? 0;
          batches.pop();
        } else if (one.kind === 'drop') {
          const before = Math.floor(next * one.share);
          batches.drop(before);
          model = model.filter(({ base, count }) => base + count > before);
        } else if (one.kind === 'replace') {
          const first = Math.floor(one.from * model.length);
          const gone = model.slice(first, first + one.batches);
          const [begin] = gone;
          if (begin === undefined) continue;
          const from = begin.base;
          const to = gone.reduce((_, { base, count }) => base + count, 0);
          const merged = {
            base: from,
            count: to - from,
            maxTimestamp: -Infinity,
            bytes: filledBytes(one.length),
          };
          batches.replace({ from, to, batches: [merged] });
          model.splice(first, gone.length, merged);
        }
        const offset = Math.floor((next * (i % 7)) / 6);
        const found = [...batches.from(offset)];
        expect(found.map(plain)).toEqual(
          model.filter(({ base, count }) => base + count > offset).map(plain),
        );
        expect(batches.lengthBytes).toBe(model.reduce((sum, { bytes }) => sum + bytes.length, 0));
        expect([batches.first, batches.last]).toEqual([model[0]?.base, model.at(-1)?.base]);
        // What was popped is nobody's: within a transaction nothing is read.
        if (steps[i + 1]?.kind !== 'pop')
          seen.push(...found.slice(-2).map((view) => ({ view, was: plain(view) })));
      }
      for (const { view, was } of seen) expect(plain(view)).toEqual(was);
    }),
    { numRuns: 60 },
  );
});

test('small batches share buffers of at most LOG_CHUNK_BYTES_MAX, and begin where their numbers can be read', () => {
  const batches = new StoredBatches();
  const count = 3000;
  for (let base = 0; base < count; base++)
    batches.push({ base, count: 1, maxTimestamp: base }, new Uint8Array(101));
  const found = [...batches.from(0)];
  const buffers = new Set(found.map(({ bytes }) => bytes.buffer));
  const sizes = [...buffers].map(({ byteLength }) => byteLength);
  expect(sizes[0]).toBe(LOG_CHUNK_BYTES_MIN);
  expect(Math.max(...sizes)).toBe(LOG_CHUNK_BYTES_MAX);
  expect(buffers.size).toBeLessThan(15);
  expect(found.every(({ bytes }) => bytes.byteOffset % 8 === 0)).toBe(true);
});

test('a batch that is longer has its own buffer, is the same to all readers, and makes no large buffer for the small one behind it', () => {
  const batches = new StoredBatches();
  const long = new Uint8Array(60_000);
  batches.push({ base: 0, count: 1, maxTimestamp: 0 }, long);
  batches.push({ base: 1, count: 1, maxTimestamp: 0 }, new Uint8Array(10));
  const [first, second] = [...batches.from(0)];
  expect(first?.bytes).toBe(long);
  expect(second?.bytes.buffer.byteLength).toBe(LOG_CHUNK_BYTES_MIN);
});

test('a buffer goes with the last of its batches', () => {
  const batches = new StoredBatches();
  for (let base = 0; base < 2000; base++)
    batches.push({ base, count: 1, maxTimestamp: base }, new Uint8Array(100));
  batches.drop(1990);
  const buffers = new Set([...batches.from(0)].map(({ bytes }) => bytes.buffer));
  expect(buffers.size).toBe(1);
  expect(batches.lengthBytes).toBe(1000);
});
