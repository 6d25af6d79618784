// What a transaction over the log in memory leaves when it fails: all that was there before, and nothing of its own.

import { beforeEach, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { RETENTION_SWEEP_MS } from '../../../runtime/ports/upkeep.ts';
import { recordBatch, topicSpec, valuesFrom } from '../../contracts/log.ts';

const HOUR_MS = 3_600_000;
const at = { topic: 't', partition: 0 };
const clock = new ManualClock(10 * HOUR_MS);
let log: MemoryLog;

beforeEach(() => {
  log = new MemoryLog(clock);
});

/** Appends in a transaction, which then fails unless it `holds`. */
function appended(batches: readonly Uint8Array[], holds: boolean): void {
  log.transaction(() => {
    for (const bytes of batches) log.appendNow(at, bytes);
    if (!holds) throw new Error('the commit fails');
  });
}

const SIZE = recordBatch(['a']).length;

test.each([
  ['by size', { retentionBytes: 2 * SIZE }, 0],
  ['by time', { retentionMs: HOUR_MS }, 9 * HOUR_MS],
])('lets nothing go %s for records that are taken back', async (_, policy, agoMs) => {
  await log.create({ ...topicSpec('t'), ...policy });
  const old = (value: string) => recordBatch([value], clock.now() - agoMs);
  await log.append(at, old('a'));
  clock.advance(RETENTION_SWEEP_MS);
  expect(() => appended([old('b'), old('c'), old('d')], false)).toThrow('the commit fails');
  expect(await log.bounds(at)).toMatchObject({ start: 0, highWatermark: 1 });
  expect(await valuesFrom(log, 't')).toEqual(['a']);
  appended([old('b'), old('c'), old('d')], true);
  expect((await log.bounds(at)).highWatermark).toBe(4);
  expect((await log.bounds(at)).start).toBeGreaterThanOrEqual(2);
});

test('rewrites nothing for records that are taken back, and compacts once they stay', async () => {
  await log.create({ ...topicSpec('t'), compacted: true });
  const keyed = (value: string) => singleRecord(encodeUtf8('k'), encodeUtf8(value), clock.now());
  await log.append(at, keyed('a'));
  await log.append(at, keyed('b'));
  clock.advance(RETENTION_SWEEP_MS);
  expect(() => appended([keyed('c'), keyed('d')], false)).toThrow('the commit fails');
  expect(await valuesFrom(log, 't')).toEqual(['a', 'b']);
  appended([keyed('c'), keyed('d')], true);
  while (log.upkeep(at));
  expect(await log.bounds(at)).toMatchObject({ start: 0, highWatermark: 4 });
  const { batches } = await log.read(at, 0, 1 << 20);
  const counts = batches.map(({ base, bytes }) => [base, parseRecordBatch(bytes).count]);
  expect(counts).toEqual([
    [0, 1],
    [3, 1],
  ]);
});
