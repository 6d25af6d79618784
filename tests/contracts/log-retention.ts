// What every log adapter lets go by time and by size, as one suite that runs in each adapter's own runtime; knows no adapter.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { existing } from '../../runtime/base/assert.ts';
import { UPKEEP_BATCHES_MAX } from '../../runtime/base/limits.ts';
import type { Log } from '../../runtime/ports/log.ts';
import { type LogUnderTest, recordBatch, refused, tidied, topicSpec, valuesFrom } from './log.ts';

const HOUR_MS = 3_600_000;

/** @param make a new, empty log each time */
export function describeRetention(name: string, make: () => Promise<LogUnderTest>): void {
  describe(`${name} keeps what it is told to`, () => {
    let under: LogUnderTest;
    let log: Log;
    const at = { topic: 't', partition: 0 };
    /** A batch whose one record was made so long ago. */
    const append = (value: string, agoMs = 0) =>
      log.append(at, recordBatch([value], under.now() - agoMs));

    beforeEach(async () => {
      under = await make();
      log = under.log;
    });
    afterEach(async () => {
      await under.dispose?.();
    });

    test('by time: whole batches from the oldest on, up to the first that holds a younger record', async () => {
      await log.create({ ...topicSpec('t'), retentionMs: HOUR_MS });
      await append('newest');
      const old = recordBatch(['a', 'b'], under.now() - 3 * HOUR_MS);
      await log.append(at, old);
      await append('young', HOUR_MS / 2);
      await append('old', 2 * HOUR_MS);
      await append('end');
      await tidied(under, at);
      expect(await log.bounds(at)).toMatchObject({ start: 0, highWatermark: 6 });
      await tidied(under, at, HOUR_MS / 2 + 1);
      expect(await log.bounds(at)).toMatchObject({ start: 0, highWatermark: 6 });
      await tidied(under, at, HOUR_MS / 2);
      expect(await log.bounds(at)).toMatchObject({ start: 5, highWatermark: 6 });
      expect(await valuesFrom(log, 't', 0, 5)).toEqual(['end']);
    });

    test('by time: the newest batch stays, however old, and offsets go on', async () => {
      await log.create({ ...topicSpec('t'), retentionMs: HOUR_MS });
      await append('a', 9 * HOUR_MS);
      await append('b', 9 * HOUR_MS);
      await tidied(under, at);
      expect(await log.bounds(at)).toMatchObject({ start: 1, highWatermark: 2 });
      expect((await append('c')).base).toBe(2);
      expect(await valuesFrom(log, 't', 0, 1)).toEqual(['b', 'c']);
    });

    test('by size: the oldest go while the others are as many bytes as are to stay', async () => {
      const size = recordBatch(['a']).length;
      await log.create({ ...topicSpec('t'), retentionBytes: 3 * size });
      await log.create({ ...topicSpec('kept'), retentionBytes: null });
      for (const value of ['a', 'b', 'c', 'd', 'e']) {
        await append(value);
        await log.append({ topic: 'kept', partition: 0 }, recordBatch([value]));
      }
      await tidied(under, at);
      await tidied(under, { topic: 'kept', partition: 0 });
      expect(await log.bounds(at)).toMatchObject({ start: 2, highWatermark: 5 });
      expect(await valuesFrom(log, 't', 0, 2)).toEqual(['c', 'd', 'e']);
      expect(await valuesFrom(log, 'kept')).toEqual(['a', 'b', 'c', 'd', 'e']);
      await append('f');
      await tidied(under, at);
      expect((await log.bounds(at)).start).toBe(3);
    });

    test('by size: what was trimmed by hand is not counted any more', async () => {
      const size = recordBatch(['a']).length;
      await log.create({ ...topicSpec('t'), retentionBytes: 2 * size });
      for (const value of ['a', 'b', 'c']) await append(value);
      await log.trim(at, 2);
      await append('d');
      await tidied(under, at);
      expect(await valuesFrom(log, 't', 0, 2)).toEqual(['c', 'd']);
    });

    test('a read below the start says which offsets there are', async () => {
      await log.create({ ...topicSpec('t'), retentionBytes: 1 });
      for (const value of ['a', 'b', 'c']) await append(value);
      await tidied(under, at);
      const error = await refused(log.read(at, 1, 1), 'OFFSET_OUT_OF_RANGE');
      expect(error.detail).toEqual({ start: 2, highWatermark: 3 });
      await refused(log.read(at, 4, 1), 'OFFSET_OUT_OF_RANGE');
      expect(await log.offsetForTime(at, 0)).toBe(2);
    });

    test('in as many turns as it takes', async () => {
      await log.create({ ...topicSpec('t'), retentionBytes: 1 });
      const bytes = recordBatch(['a']);
      // Those that come at once may become one batch.
      await Promise.all(Array.from({ length: 69 }, () => log.append(at, bytes)));
      await log.append(at, bytes);
      await tidied(under, at);
      expect(await log.bounds(at)).toMatchObject({ start: 69, highWatermark: 70 });
    });
  });
}

/** Of an adapter that looks for what may go when records are appended, and whose clock can be turned. */
export function describeUpkeep(name: string, make: () => Promise<LogUnderTest>): void {
  test(`${name} lets go with the next appends, where a look finds more than a turn takes`, async () => {
    const under = await make();
    const { log } = under;
    const at = { topic: 't', partition: 0 };
    const old = 2 * UPKEEP_BATCHES_MAX + 1;
    await log.create({ ...topicSpec('t'), retentionMs: HOUR_MS });
    for (let i = 0; i < old; i++) await log.append(at, recordBatch(['old'], under.now()));
    existing(under.advance, 'a clock to turn')(2 * HOUR_MS);
    for (let i = 0; i < 3; i++) await log.append(at, recordBatch(['young'], under.now()));
    expect(await log.bounds(at)).toMatchObject({ start: old, highWatermark: old + 3 });
    await under.dispose?.();
  });
}
