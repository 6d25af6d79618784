// What is decided plainly is what the whole rules decide; the rules are asked for the rest.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Arrival, KnownProducer } from '../../../runtime/ports/producers.ts';
import { judge } from '../../../runtime/ports/producers.ts';
import { admit } from '../../../runtime/ports/admission.ts';
import { plainlyAdmitted, plainVerdict, producerId } from '../../../runtime/ports/plain-append.ts';
import { policyOf } from '../../../runtime/ports/topic-policy.ts';
import { recordBatch, topicSpec } from '../../contracts/log.ts';

const SEED = 20_261_126;
const small = fc.integer({ min: -1, max: 2 });
const odd = fc.constantFrom(0.5, NaN, Infinity, 2 ** 53 - 1, 2 ** 53);
const number = fc.oneof({ weight: 8, arbitrary: small }, { weight: 1, arbitrary: odd });

const arrival: fc.Arbitrary<Arrival> = fc.record({
  stamp: fc.record({
    id: fc.constantFrom(
      producerId(5, 'a'),
      producerId(7, 'b'),
      'a',
      '12.',
      '.a',
      `${'1'.repeat(16)}.a`,
    ),
    epoch: number,
    sequence: number,
  }),
  count: fc.integer({ min: 1, max: 3 }),
  crc: fc.integer({ min: 0, max: 2 }),
  highWatermark: fc.integer({ min: 0, max: 9 }),
  forgottenMs: fc.constantFrom(-Infinity, 5, 6),
  nowMs: fc.integer({ min: 0, max: 99 }),
});

/** What a partition may remember: only what `judge` has accepted. */
const known: fc.Arbitrary<KnownProducer | null> = fc.option(
  fc.record({
    epoch: fc.integer({ min: 0, max: 1 }),
    next: fc.integer({ min: 0, max: 2 }),
    lastMs: fc.integer({ min: 0, max: 99 }),
    batches: fc.array(
      fc.record({
        sequence: fc.integer({ min: 0, max: 4 }),
        count: fc.integer({ min: 1, max: 3 }),
        crc: fc.integer({ min: 0, max: 2 }),
        base: fc.integer({ min: 0, max: 9 }),
        epoch: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 6 },
    ),
  }),
);

test('a plain verdict is the one that the rules give', () => {
  let plain = 0;
  fc.assert(
    fc.property(known, arrival, (before, of) => {
      const verdict = plainVerdict(before, of);
      if (verdict === null) return;
      // An id that is known has been judged when it became so.
      if (before !== null && !/^\d{1,15}\../.test(of.stamp.id)) return;
      plain += 1;
      expect(judge(before, of)).toEqual(verdict);
    }),
    { seed: SEED, numRuns: 6_000 },
  );
  expect(plain).toBeGreaterThan(50);
});

test('the next batch of a known producer and the first of a new one are plain', () => {
  const of = { count: 2, crc: 1, highWatermark: 9, forgottenMs: -Infinity, nowMs: 3 };
  const first = plainVerdict(null, {
    ...of,
    stamp: { id: producerId(1, 'p'), epoch: 4, sequence: 0 },
  });
  expect(first?.producer).toMatchObject({ epoch: 4, next: 2 });
  const next = { id: producerId(1, 'p'), epoch: 4, sequence: 2 };
  expect(plainVerdict(first?.producer ?? null, { ...of, stamp: next })?.producer.next).toBe(4);
  expect(plainVerdict(first?.producer ?? null, { ...of, stamp: { ...next, epoch: 5 } })).toBeNull();
});

test('a batch is admitted plainly as it is by the rules, where its topic asks for no more', () => {
  const bytes = recordBatch(['a', 'b']);
  const spec = topicSpec('t');
  expect(plainlyAdmitted(bytes, policyOf(spec))).toEqual(admit(bytes, policyOf(spec), 0));
  for (const more of [
    { compacted: true },
    { timestampType: 'LogAppendTime' as const },
    { timestampAfterMaxMs: 5 },
  ]) {
    expect(plainlyAdmitted(bytes, policyOf({ ...spec, ...more }))).toBeNull();
  }
});
