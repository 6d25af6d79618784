// What every log adapter admits of timestamps, and which times it gives, as one suite for each adapter's own runtime; knows no adapter.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32c } from '../../runtime/base/crc32c.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import { columnarRecordBatch } from '../../runtime/data/columnar-records.ts';
import { batch } from '../../runtime/data/pretty.ts';
import type { Log } from '../../runtime/ports/log.ts';
import { producerId } from '../../runtime/ports/plain-append.ts';
import { type LogUnderTest, recordBatch, refused, topicSpec } from './log.ts';

const HOUR_MS = 3_600_000;
/** By how much an adapter's clock may go on within a test. */
const SLACK_MS = 60_000;

/** @param make a new, empty log each time */
export function describeAdmission(name: string, make: () => Promise<LogUnderTest>): void {
  describe(`${name} judges timestamps`, () => {
    let under: LogUnderTest;
    let log: Log;
    const at = { topic: 't', partition: 0 };

    beforeEach(async () => {
      under = await make();
      log = under.log;
    });
    afterEach(async () => {
      await under.dispose?.();
    });

    test('a topic says all that it was told, and what it was not as Kafka has it', async () => {
      const spec = {
        ...topicSpec('t'),
        retentionMs: HOUR_MS,
        retentionBytes: 1000,
        compacted: true,
        deleteRetentionMs: 5,
        timestampType: 'LogAppendTime' as const,
        timestampAfterMaxMs: 7,
      };
      expect(await log.create(spec)).toMatchObject(spec);
      expect(await log.describe('t')).toMatchObject(spec);
      await log.create(topicSpec('plain'));
      expect(await log.describe('plain')).toMatchObject({
        retentionBytes: null,
        deleteRetentionMs: 86_400_000,
        timestampType: 'CreateTime',
        timestampAfterMaxMs: null,
      });
    });

    test('refuses what lies too far ahead, and nothing of its batch is kept', async () => {
      await log.create({ ...topicSpec('t'), timestampAfterMaxMs: HOUR_MS });
      const latest = under.now() + HOUR_MS;
      await log.append(at, recordBatch(['a'], latest));
      const ahead = recordBatch(['b', 'c'], latest + SLACK_MS);
      const error = await refused(log.append(at, ahead), 'INVALID_TIMESTAMP');
      expect(error.detail['timestamp']).toBe(latest + SLACK_MS + 1);
      expect(error.detail['timestampMax']).toBeGreaterThanOrEqual(latest);
      const id = producerId(under.now(), 'ahead');
      await refused(log.append(at, ahead, { id, epoch: 1, sequence: 0 }), 'INVALID_TIMESTAMP');
      expect((await log.bounds(at)).highWatermark).toBe(1);
      // The producer's sequence was not taken.
      await log.append(at, recordBatch(['b']), { id, epoch: 1, sequence: 0 });
    });

    test('takes timestamps of any time where the topic has no bound', async () => {
      await log.create({ ...topicSpec('t'), timestampAfterMaxMs: null });
      await log.append(at, recordBatch(['a'], 8.64e15));
      expect(await log.offsetForTime(at, 8.64e15)).toBe(0);
    });

    test('writes its own time over the producer’s where the topic says so; a repeat is a repeat', async () => {
      await log.create({ ...topicSpec('t'), timestampType: 'LogAppendTime' });
      const bytes = recordBatch(['a', 'b'], 5);
      const stamp = { id: producerId(under.now(), 'writer'), epoch: 1, sequence: 0 };
      const beforeMs = under.now();
      await log.append(at, bytes, stamp);
      expect(await log.append(at, bytes, stamp)).toMatchObject({ base: 0, duplicate: true });
      await refused(log.append(at, recordBatch(['a', 'c'], 5), stamp), 'SEQUENCE_REUSED');
      const [stored] = (await log.read(at, 0, 1)).batches;
      const records = parseRecordBatch(stored?.bytes ?? new Uint8Array());
      expect(records.timestamps[0]).toBe(records.timestamps[1]);
      expect(records.timestamps[0]).toBeGreaterThanOrEqual(beforeMs);
      expect(records.timestamps[0]).toBeLessThan(beforeMs + SLACK_MS);
      expect(records.value(1)).toEqual(parseRecordBatch(bytes).value(1));
      expect(await log.offsetForTime(at, beforeMs)).toBe(0);
      expect(await log.offsetForTime(at, beforeMs + SLACK_MS)).toBe(2);
      // What the sender holds is its own.
      expect(parseRecordBatch(bytes).timestamps[0]).toBe(5);
    });

    test('writes it into columns, too', async () => {
      await log.create({ ...topicSpec('t'), timestampType: 'LogAppendTime' });
      const rows = batch('K:STRING | N:INTEGER @rowtime', 'a | 1 @5', 'b | 2 @6');
      const beforeMs = under.now();
      await log.append(at, columnarRecordBatch(rows));
      const [stored] = (await log.read(at, 0, 1)).batches;
      const { timestamps } = parseRecordBatch(stored?.bytes ?? new Uint8Array());
      expect(Math.min(...timestamps)).toBeGreaterThanOrEqual(beforeMs);
    });

    test('refuses what is no timestamp', async () => {
      await log.create(topicSpec('t'));
      for (const ms of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
        const bytes = recordBatch(['a'], 0);
        const damaged = withTimestamp(bytes, ms);
        await refused(log.append(at, damaged), 'INVALID_TIMESTAMP');
      }
      expect((await log.bounds(at)).highWatermark).toBe(0);
    });
  });
}

/** The batch of one record with another timestamp, its checksum made right. */
function withTimestamp(bytes: Uint8Array, ms: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  view.setFloat64(32, ms, true);
  view.setUint32(4, crc32c(copy, 8), true);
  return copy;
}
