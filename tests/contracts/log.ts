// What every log adapter must do, as one suite that runs in each adapter's own runtime; knows no adapter.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeUtf8, decodeUtf8 } from '../../runtime/base/bytes.ts';
import { PortError, type PortCode } from '../../runtime/base/errors.ts';
import {
  PRODUCER_BATCHES_MAX,
  PRODUCER_IDLE_MS_MAX,
  RECORD_BATCH_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import type { Log, TopicPartition, TopicSpec } from '../../runtime/ports/log.ts';
import { producerId } from '../../runtime/ports/plain-append.ts';

/** One log to be tested. */
export interface LogUnderTest {
  readonly log: Log;
  /** The adapter's clock. */
  readonly now: () => number;
  /** Turns the adapter's clock; absent where it cannot be turned: what needs it is then not tested here. */
  readonly advance?: ((ms: number) => void) | undefined;
  /** One turn of the partition's upkeep, as if `aheadMs` more had passed. Gives true when another turn has something to do. */
  readonly upkeep: (at: TopicPartition, aheadMs: number) => Promise<boolean>;
  /** As after a restart; absent: nothing outlives the log. @param of the topic whose partitions forget what they have in memory */
  readonly reopenLog?: ((of: Pick<TopicSpec, 'name' | 'partitions'>) => Promise<Log>) | undefined;
  readonly dispose?: (() => Promise<void>) | undefined;
}

export const topicSpec = (name: string, partitions = 1): TopicSpec => ({
  name,
  partitions,
  retentionMs: null,
  compacted: false,
  internal: false,
});

/** A record batch of these values, with timestamps 0, 1, 2 ... from `fromMs`. */
export function recordBatch(values: readonly string[], fromMs = 0): Uint8Array {
  const builder = new RecordBatchBuilder();
  values.forEach((value, i) => {
    builder.append(encodeUtf8(`key ${value}`), encodeUtf8(value), fromMs + i);
  });
  const bytes = builder.finish();
  if (bytes === null) throw new Error('a record batch has records');
  return bytes;
}

/** The values of a partition from an offset on, in order, checked to lie without a gap. */
export async function valuesFrom(
  log: Log,
  topic: string,
  partition = 0,
  from = 0,
): Promise<string[]> {
  const values: string[] = [];
  let offset = from;
  for (;;) {
    const { batches, highWatermark } = await log.read({ topic, partition }, offset, 1 << 20);
    for (const { base, count, bytes } of batches) {
      const records = parseRecordBatch(bytes);
      expect(records.count).toBe(count);
      for (let i = Math.max(0, offset - base); i < count; i++) {
        expect(base + i).toBe(offset);
        values.push(decodeUtf8(records.value(i) ?? new Uint8Array()));
        offset += 1;
      }
    }
    if (offset >= highWatermark) return values;
    expect(batches.length).toBeGreaterThan(0);
  }
}

/** Expects the promise to be refused with that code; gives the error. */
export async function refused(promise: Promise<unknown>, code: PortCode): Promise<PortError> {
  const outcome = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(outcome).toBeInstanceOf(PortError);
  expect((outcome as PortError).code).toBe(code);
  return outcome as PortError;
}

/** Turn after turn until nothing is left to do. */
export async function tidied(under: LogUnderTest, at: TopicPartition, aheadMs = 0): Promise<void> {
  for (let turns = 0; await under.upkeep(at, turns === 0 ? aheadMs : 0); turns++) {
    expect(turns).toBeLessThan(1000);
  }
}

/** @param make a new, empty log each time */
export function describeLog(name: string, make: () => Promise<LogUnderTest>): void {
  describe(`${name} is a log`, () => {
    let under: LogUnderTest;
    let log: Log;
    const at = { topic: 't', partition: 0 };
    const stamp = (sequence: number, epoch = 1, id = producerId(under.now(), 'writer')) => ({
      id,
      epoch,
      sequence,
    });

    beforeEach(async () => {
      under = await make();
      log = under.log;
      await log.create(topicSpec('t', 2));
    });
    afterEach(async () => {
      await under.dispose?.();
    });

    test('describes, lists and removes topics', async () => {
      expect(await log.describe('t')).toMatchObject(topicSpec('t', 2));
      expect(await log.describe('absent')).toBeNull();
      await refused(log.create(topicSpec('t')), 'TOPIC_EXISTS');
      expect((await log.list()).map((topic) => topic.name)).toEqual(['t']);
      await log.remove('t');
      expect(await log.list()).toEqual([]);
      await refused(log.remove('t'), 'UNKNOWN_TOPIC');
      await refused(log.append(at, recordBatch(['a'])), 'UNKNOWN_TOPIC');
    });

    test('gives records dense offsets in order of arrival, for each partition by itself', async () => {
      const first = await log.append(at, recordBatch(['a', 'b']));
      const second = await log.append(at, recordBatch(['c']));
      const other = await log.append({ topic: 't', partition: 1 }, recordBatch(['z']));
      expect(first).toMatchObject({ base: 0, count: 2, duplicate: false, highWatermark: 2 });
      expect(second).toMatchObject({ base: 2, count: 1, duplicate: false, highWatermark: 3 });
      expect(other.base).toBe(0);
      expect(await valuesFrom(log, 't')).toEqual(['a', 'b', 'c']);
      expect(await valuesFrom(log, 't', 1)).toEqual(['z']);
    });

    test('reads from within a batch, and nothing at the end', async () => {
      await log.append(at, recordBatch(['a', 'b', 'c']));
      const { batches } = await log.read(at, 1, 1 << 20);
      expect(batches.map(({ base, count }) => [base, count])).toEqual([[0, 3]]);
      expect((await log.read(at, 3, 1 << 20)).batches).toEqual([]);
    });

    test('stops before the bytes asked for, but gives one batch at least', async () => {
      for (const value of ['a', 'b', 'c']) await log.append(at, recordBatch([value]));
      expect((await log.read(at, 0, 1)).batches.length).toBe(1);
      const size = recordBatch(['a']).length;
      expect((await log.read(at, 0, 2 * size)).batches.length).toBe(2);
    });

    test('refuses offsets outside of what it has, and says what that is', async () => {
      await log.append(at, recordBatch(['a', 'b']));
      const error = await refused(log.read(at, 3, 1), 'OFFSET_OUT_OF_RANGE');
      expect(error.detail).toMatchObject({ start: 0, highWatermark: 2 });
      await refused(log.read({ topic: 't', partition: 2 }, 0, 1), 'UNKNOWN_PARTITION');
      await refused(
        log.append({ topic: 't', partition: 2 }, recordBatch(['a'])),
        'UNKNOWN_PARTITION',
      );
    });

    test('trims whole batches below an offset and keeps counting', async () => {
      await log.append(at, recordBatch(['a', 'b']));
      await log.append(at, recordBatch(['c']));
      await log.trim(at, 1);
      expect((await log.bounds(at)).start).toBe(0);
      await log.trim(at, 2);
      expect(await log.bounds(at)).toMatchObject({ start: 2, highWatermark: 3 });
      await refused(log.read(at, 1, 1), 'OFFSET_OUT_OF_RANGE');
      await log.trim(at, 3);
      expect(await log.bounds(at)).toMatchObject({ start: 3, highWatermark: 3 });
      expect((await log.append(at, recordBatch(['d']))).base).toBe(3);
      expect(await valuesFrom(log, 't', 0, 3)).toEqual(['d']);
    });

    test('finds the first offset at or after a time', async () => {
      await log.append(at, recordBatch(['a', 'b'], 100));
      await log.append(at, recordBatch(['c'], 50));
      await log.append(at, recordBatch(['d'], 300));
      expect(await log.offsetForTime(at, 0)).toBe(0);
      expect(await log.offsetForTime(at, 101)).toBe(1);
      expect(await log.offsetForTime(at, 102)).toBe(3);
      expect(await log.offsetForTime(at, 301)).toBe(4);
    });

    test('refuses damaged and oversized batches and keeps nothing of them', async () => {
      const damaged = recordBatch(['a']);
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
      await refused(log.append(at, damaged), 'INVALID_BATCH');
      await refused(log.append(at, new Uint8Array(3)), 'INVALID_BATCH');
      await refused(log.append(at, new Uint8Array(RECORD_BATCH_BYTES_MAX + 1)), 'RECORD_TOO_LARGE');
      expect((await log.bounds(at)).highWatermark).toBe(0);
    });

    test('holds a batch of the largest size', async () => {
      const builder = new RecordBatchBuilder();
      const value = new Uint8Array(104_000);
      while (builder.append(null, value, 1)) expect(builder.count).toBeLessThan(100);
      const left = RECORD_BATCH_BYTES_MAX - builder.lengthBytes - 20;
      builder.append(null, new Uint8Array(left), 1);
      const bytes = builder.finish() ?? new Uint8Array();
      expect(bytes.length).toBe(RECORD_BATCH_BYTES_MAX);
      await log.append(at, bytes);
      expect((await log.read(at, 0, 1)).batches[0]?.bytes).toEqual(bytes);
    });

    test('gives a topic that was dropped and created again another incarnation', async () => {
      const before = await log.describe('t');
      await log.append(at, recordBatch(['a']), undefined, before?.incarnation);
      await log.remove('t');
      const after = await log.create(topicSpec('t', 2));
      expect(after.incarnation).not.toBe(before?.incarnation);
      await refused(
        log.append(at, recordBatch(['a']), undefined, before?.incarnation),
        'INCARNATION_CHANGED',
      );
      expect((await log.bounds(at)).incarnation).toBe(after.incarnation);
      expect((await log.read(at, 0, 1)).incarnation).toBe(after.incarnation);
      const fresh = await log.append(at, recordBatch(['b']), stamp(0), after.incarnation);
      expect(fresh.base).toBe(0);
    });

    test('wakes readers after an append, until they have enough', async () => {
      let wakes = 0;
      const woken = new Promise<void>((resolve) => {
        const unsubscribe = log.subscribe(at, () => {
          wakes += 1;
          unsubscribe();
          resolve();
        });
      });
      await log.append(at, recordBatch(['a']));
      await woken;
      await log.append(at, recordBatch(['b']));
      expect(wakes).toBeGreaterThanOrEqual(1);
    });

    test('appends a stamped batch once, and answers a repeat with the original offset', async () => {
      await log.append(at, recordBatch(['before']));
      const bytes = recordBatch(['a', 'b']);
      const first = await log.append(at, bytes, stamp(0));
      await log.append(at, recordBatch(['between']));
      const repeat = await log.append(at, bytes, stamp(0));
      expect(first).toMatchObject({ base: 1, count: 2, duplicate: false });
      expect(repeat).toMatchObject({ base: 1, count: 2, duplicate: true, highWatermark: 4 });
      expect((await log.append(at, recordBatch(['c']), stamp(2))).base).toBe(4);
      expect(await valuesFrom(log, 't')).toEqual(['before', 'a', 'b', 'between', 'c']);
    });

    test('counts the sequences of each producer at each partition by themselves', async () => {
      await log.append(at, recordBatch(['a', 'b']), stamp(0));
      await log.append({ topic: 't', partition: 1 }, recordBatch(['c']), stamp(0));
      await log.append(at, recordBatch(['d']), stamp(0, 1, producerId(under.now(), 'other')));
      expect(await valuesFrom(log, 't')).toEqual(['a', 'b', 'd']);
    });

    test('refuses a gap and says which sequence is expected', async () => {
      expect(
        (await refused(log.append(at, recordBatch(['a']), stamp(1)), 'OUT_OF_ORDER_SEQUENCE'))
          .detail,
      ).toEqual({
        expected: 0,
      });
      await log.append(at, recordBatch(['a', 'b']), stamp(0));
      expect(
        (await refused(log.append(at, recordBatch(['c']), stamp(3)), 'OUT_OF_ORDER_SEQUENCE'))
          .detail,
      ).toEqual({
        expected: 2,
      });
      expect(await valuesFrom(log, 't')).toEqual(['a', 'b']);
    });

    test('refuses another body under a sequence that was used', async () => {
      await log.append(at, recordBatch(['a', 'b']), stamp(0));
      await refused(log.append(at, recordBatch(['a', 'x']), stamp(0)), 'SEQUENCE_REUSED');
      await refused(log.append(at, recordBatch(['a']), stamp(0)), 'SEQUENCE_REUSED');
      await refused(log.append(at, recordBatch(['b', 'c']), stamp(1)), 'SEQUENCE_REUSED');
      expect(await valuesFrom(log, 't')).toEqual(['a', 'b']);
    });

    test('fences older epochs, and lets the sequence go on across epochs', async () => {
      await log.append(at, recordBatch(['a']), stamp(0, 1));
      await log.append(at, recordBatch(['b']), stamp(1, 2));
      const error = await refused(log.append(at, recordBatch(['c']), stamp(2, 1)), 'FENCED');
      expect(error.detail).toEqual({ epoch: 2 });
      await refused(log.append(at, recordBatch(['a']), stamp(0, 1)), 'FENCED');
      expect((await log.append(at, recordBatch(['a']), stamp(0, 3))).duplicate).toBe(true);
      await refused(log.append(at, recordBatch(['c']), stamp(2, 2)), 'FENCED');
      expect(await valuesFrom(log, 't')).toEqual(['a', 'b']);
    });

    test('takes records cut otherwise under a raised epoch for repeats, as far as it has them', async () => {
      await log.append(at, recordBatch(['a', 'b']), stamp(0));
      await log.append(at, recordBatch(['c', 'd']), stamp(2));
      const middle = await log.append(at, recordBatch(['b', 'c'], 1), stamp(1, 2));
      expect(middle).toMatchObject({ base: 1, duplicate: true });
      const over = await refused(
        log.append(at, recordBatch(['d', 'e'], 1), stamp(3, 3)),
        'OUT_OF_ORDER_SEQUENCE',
      );
      expect(over.detail).toEqual({ expected: 4 });
      await log.append(at, recordBatch(['e']), stamp(4, 3));
      expect(await valuesFrom(log, 't')).toEqual(['a', 'b', 'c', 'd', 'e']);
    });

    test('remembers the offsets of the newest batches, and older repeats without their offset', async () => {
      const bytes = (i: number) => recordBatch([`value ${i}`]);
      for (let i = 0; i <= PRODUCER_BATCHES_MAX; i++) await log.append(at, bytes(i), stamp(i));
      expect(await log.append(at, bytes(0), stamp(0))).toMatchObject({
        base: null,
        duplicate: true,
      });
      expect(await log.append(at, bytes(1), stamp(1))).toMatchObject({ base: 1, duplicate: true });
      expect((await log.bounds(at)).highWatermark).toBe(PRODUCER_BATCHES_MAX + 1);
    });

    test('refuses ids that do not say when the producer was made', async () => {
      const nameless = { id: 'writer', epoch: 1, sequence: 0 };
      await refused(log.append(at, recordBatch(['a']), nameless), 'UNKNOWN_PRODUCER');
      expect((await log.bounds(at)).highWatermark).toBe(0);
    });

    test('never takes a repeat of a producer it has forgotten for a new one', async () => {
      const { advance } = under;
      if (advance === undefined) return;
      const old = producerId(under.now(), 'old');
      await log.append(at, recordBatch(['a']), stamp(0, 1, old));
      advance(PRODUCER_IDLE_MS_MAX + 1);
      const young = producerId(under.now(), 'young');
      await log.append(at, recordBatch(['b']), stamp(0, 1, young));
      // Whether it still remembers is the adapter's choice; to append again is not.
      const outcome = await log.append(at, recordBatch(['a']), stamp(0, 1, old)).then(
        (result) => result.duplicate,
        (thrown: unknown) => thrown instanceof PortError && thrown.code === 'UNKNOWN_PRODUCER',
      );
      expect(outcome).toBe(true);
      expect(await valuesFrom(log, 't')).toEqual(['a', 'b']);
    });
  });
}
