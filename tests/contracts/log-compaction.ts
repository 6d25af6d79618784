// What compaction may take from a log and what it never does (Kafka's guarantees), as one suite for each adapter's own runtime; knows no adapter.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../runtime/base/bytes.ts';
import { indexAt, offsetAt, parseRecordBatch } from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import type { Log, TopicPartition } from '../../runtime/ports/log.ts';
import { producerId } from '../../runtime/ports/plain-append.ts';
import { type LogUnderTest, recordBatch, refused, tidied, topicSpec } from './log.ts';

const HOUR_MS = 3_600_000;
const AT: TopicPartition = { topic: 'c', partition: 0 };
const SPEC = { ...topicSpec('c'), compacted: true, deleteRetentionMs: HOUR_MS };

interface Written {
  readonly offset: number;
  readonly key: string;
  /** null: a tombstone. */
  readonly value: string | null;
  readonly timestamp: number;
}

type Given = readonly (readonly [key: string, value: string | null])[];

function batchOf(records: Given, fromMs = 0): Uint8Array {
  const builder = new RecordBatchBuilder();
  records.forEach(([key, value], i) => {
    const headers = [{ name: 'h', value: encodeUtf8(key) }];
    const bytes = value === null ? null : encodeUtf8(value);
    builder.append(encodeUtf8(key), bytes, fromMs + i, i % 2 === 0 ? headers : []);
  });
  return builder.finish() ?? new Uint8Array();
}

/** All records from an offset on, as a reader meets them, and where it goes on. */
async function recordsFrom(log: Log, from: number): Promise<Written[]> {
  const found: Written[] = [];
  let next = from;
  for (;;) {
    const { batches, highWatermark } = await log.read(AT, next, 1000);
    for (const { base, count, bytes } of batches) {
      const records = parseRecordBatch(bytes);
      expect(records.span).toBe(count);
      for (let i = indexAt(records, base, next); i < records.count; i++) {
        const value = records.value(i);
        const key = decodeUtf8(records.key(i) ?? new Uint8Array());
        for (const header of records.headers(i)) expect(header.value).toEqual(encodeUtf8(key));
        found.push({
          offset: offsetAt(records, base, i),
          key,
          value: value === null ? null : decodeUtf8(value),
          timestamp: records.timestamps[i] ?? -1,
        });
      }
      expect(base + count).toBeGreaterThan(next);
      next = base + count;
    }
    if (next >= highWatermark) return found;
  }
}

/** What was written, in order, and since when upkeep may have met each tombstone. */
interface Model {
  readonly written: Written[];
  readonly metMs: Map<number, number>;
  newest: number;
  nowMs: number;
}

interface Real {
  readonly under: LogUnderTest;
}

async function appended(model: Model, { under }: Real, records: Given): Promise<void> {
  const base = model.written.length;
  const result = await under.log.append(AT, batchOf(records, base));
  expect(result.base).toBe(base);
  // Upkeep may come with the append, and all that is older may be met.
  for (const { offset, value } of model.written) {
    if (value === null && !model.metMs.has(offset)) model.metMs.set(offset, model.nowMs);
  }
  model.newest = base;
  records.forEach(([key, value], i) => {
    model.written.push({ offset: base + i, key, value, timestamp: base + i });
  });
}

async function tidiedAndJudged(model: Model, { under }: Real, aheadMs: number): Promise<void> {
  model.nowMs += aheadMs;
  await tidied(under, AT, aheadMs);
  const last = new Map(model.written.map(({ key, offset }) => [key, offset]));
  const found = await recordsFrom(under.log, 0);
  // Offsets and order never change, and neither do records.
  for (const record of found) expect(record).toEqual(model.written[record.offset]);
  const offsets = found.map(({ offset }) => offset);
  expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
  const kept = new Set(offsets);
  for (const { offset, key, value } of model.written) {
    const metMs = model.metMs.get(offset) ?? Infinity;
    const mayGo =
      offset < model.newest &&
      (last.get(key) !== offset || (value === null && model.nowMs - metMs > HOUR_MS));
    expect(mayGo || kept.has(offset)).toBe(true);
  }
  // From wherever a reader goes on, it finds the same.
  for (const from of [1, 2, Math.floor(model.written.length / 2), model.written.length]) {
    if (from > model.written.length) continue;
    expect(await recordsFrom(under.log, from)).toEqual(found.filter((r) => r.offset >= from));
  }
}

/** A command that may always run. */
function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
): fc.AsyncCommand<Model, Real> {
  return { check: () => true, run, toString: () => name };
}

const COMMANDS = [
  fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(fc.string({ maxLength: 3 }))), {
      minLength: 1,
      maxLength: 4,
    })
    .map((records) =>
      command(`append(${JSON.stringify(records)})`, (model, real) =>
        appended(model, real, records),
      ),
    ),
  fc
    .constantFrom(0, HOUR_MS / 2, HOUR_MS + 1)
    .map((aheadMs) =>
      command(`tidy(${aheadMs})`, (model, real) => tidiedAndJudged(model, real, aheadMs)),
    ),
];

/** @param make a new, empty log each time. @param runs of the model */
export function describeCompaction(
  name: string,
  make: () => Promise<LogUnderTest>,
  runs: number,
): void {
  describe(`${name} compacts by key`, () => {
    let under: LogUnderTest;
    let log: Log;

    beforeEach(async () => {
      under = await make();
      log = under.log;
      await log.create(SPEC);
    });
    afterEach(async () => {
      await under.dispose?.();
    });

    const offsets = async () => (await recordsFrom(log, 0)).map(({ offset }) => offset);

    test('keeps the last record of each key at its offset, and the newest batch whole', async () => {
      await log.append(AT, batchOf([['a', '1'], ['b', '1'], ['a', '2']])); // prettier-ignore
      await log.append(AT, batchOf([['a', '3'], ['c', '1']])); // prettier-ignore
      await log.append(AT, batchOf([['c', '2'], ['c', '3'], ['b', '2']])); // prettier-ignore
      await tidied(under, AT);
      expect(await offsets()).toEqual([1, 3, 4, 5, 6, 7]);
      expect(await log.bounds(AT)).toMatchObject({ start: 0, highWatermark: 8 });
      // What comes then is worth a pass once it is half as much as was left.
      for (const value of ['1', '2', '3', '4', '5']) await log.append(AT, batchOf([['z', value]]));
      await tidied(under, AT);
      expect(await offsets()).toEqual([3, 6, 7, 11, 12]);
      const values = (await recordsFrom(log, 0)).map(({ value }) => value);
      expect(values).toEqual(['3', '3', '2', '4', '5']);
    });

    test('a tombstone stays for its time after it was first met, then goes; offsets go on over what is empty', async () => {
      await log.append(AT, batchOf([['a', '1'], ['b', '1']])); // prettier-ignore
      await log.append(AT, batchOf([['a', null]]));
      await log.append(AT, batchOf([['b', null]]));
      await log.append(AT, batchOf([['c', '1']]));
      await tidied(under, AT);
      expect(await offsets()).toEqual([2, 3, 4]);
      await tidied(under, AT, HOUR_MS);
      expect(await offsets()).toEqual([2, 3, 4]);
      await tidied(under, AT, 2000);
      expect(await offsets()).toEqual([4]);
      expect(await log.bounds(AT)).toMatchObject({ start: 0, highWatermark: 5 });
      expect((await log.append(AT, batchOf([['d', '1']]))).base).toBe(5);
      expect(await log.offsetForTime(AT, 0)).toBe(4);
    });

    test('refuses records without a key, and columns; nothing of the batch is kept', async () => {
      const builder = new RecordBatchBuilder();
      builder.append(encodeUtf8('a'), null, 1);
      builder.append(null, encodeUtf8('1'), 1);
      const bytes = builder.finish() ?? new Uint8Array();
      const error = await refused(log.append(AT, bytes), 'INVALID_RECORD');
      expect(error.detail).toEqual({ record: 1 });
      expect((await log.bounds(AT)).highWatermark).toBe(0);
    });

    test('a repeat is known after its records were compacted away', async () => {
      const id = producerId(under.now(), 'writer');
      const bytes = batchOf([['a', '1'], ['b', '1']]); // prettier-ignore
      await log.append(AT, bytes, { id, epoch: 1, sequence: 0 });
      await log.append(AT, batchOf([['a', '2'], ['b', '2']])); // prettier-ignore
      await log.append(AT, batchOf([['c', '1']]));
      await tidied(under, AT);
      expect(await offsets()).toEqual([2, 3, 4]);
      const repeat = await log.append(AT, bytes, { id, epoch: 1, sequence: 0 });
      expect(repeat).toMatchObject({ base: 0, duplicate: true });
      await refused(
        log.append(AT, batchOf([['x', '1'], ['y', '1']]), { id, epoch: 1, sequence: 0 }), // prettier-ignore
        'SEQUENCE_REUSED',
      );
    });

    test('a batch that compaction wrote is no batch that can be appended', async () => {
      await log.append(AT, batchOf([['a', '1'], ['b', '1']])); // prettier-ignore
      for (const value of ['2', '3']) await log.append(AT, batchOf([['a', value]]));
      await tidied(under, AT);
      const [batch] = (await log.read(AT, 0, 1)).batches;
      expect(parseRecordBatch(batch?.bytes ?? new Uint8Array()).offsets).not.toBeNull();
      await refused(log.append(AT, batch?.bytes ?? new Uint8Array()), 'INVALID_BATCH');
    });

    test('a topic that is not compacted keeps what is superseded', async () => {
      await log.create(topicSpec('plain'));
      const at = { topic: 'plain', partition: 0 };
      for (const value of ['a', 'a', 'a']) await log.append(at, recordBatch([value]));
      await tidied(under, at);
      const { batches } = await log.read(at, 0, 1 << 20);
      expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    });

    test('keeps its guarantees whatever comes, and whenever it runs', async () => {
      const seed = Date.now();
      console.info(`${name} compaction seed ${seed}`);
      const property = fc.asyncProperty(
        fc.commands(COMMANDS, { maxCommands: 25 }),
        async (commands) => {
          await log.remove('c');
          await log.create(SPEC);
          const model = { written: [], metMs: new Map(), newest: 0, nowMs: 0 };
          await fc.asyncModelRun(() => ({ model, real: { under } }), commands);
        },
      );
      const outcome = await fc.check(property, { seed, numRuns: runs });
      expect(fc.defaultReportMessage(outcome) ?? '').toBe('');
    });
  });
}
