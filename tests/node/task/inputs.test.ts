// The order in which a task takes its inputs: runs by rowtime, then input, whatever the fetches and the cuts.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { positionOf } from '../../../runtime/data/batch.ts';
import { columnarRecordBatch } from '../../../runtime/data/columnar-records.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { schema } from '../../../runtime/data/schema.ts';
import { INTEGER, STRING } from '../../../runtime/data/type.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { eachRow } from '../../../runtime/operators/each-row.ts';
import type { SourceStep } from '../../../runtime/plan/step.ts';
import { readerOf } from '../../../runtime/task/input.ts';
import { TaskInputs } from '../../../runtime/task/inputs.ts';
import { refused, topicSpec } from '../../contracts/log.ts';

const columns = schema([
  { name: 'K', type: STRING, role: 'key' },
  { name: 'V', type: INTEGER, role: 'value' },
]);
const format = (name: string) => ({ format: name, options: [], wrap: true });

const source = (topic: string): SourceStep => ({
  step: 'source',
  id: topic,
  source: topic,
  kind: 'stream',
  topic,
  keyFormat: format('KAFKA'),
  valueFormat: format('JSON'),
  window: null,
  timestamp: null,
  headers: [],
  sourceSchema: columns,
  schema: columns,
  materialized: false,
});

/** One record: its time, and whether it is damaged. */
interface Given {
  readonly ms: number;
  readonly isBad: boolean;
}

async function logOf(inputs: readonly (readonly (readonly Given[])[])[]): Promise<MemoryLog> {
  const log = new MemoryLog(new ManualClock(1));
  for (const [index, batches] of inputs.entries()) {
    await log.create(topicSpec(`t${index}`));
    let number = 0;
    for (const batch of batches) {
      const builder = new RecordBatchBuilder();
      for (const { ms, isBad } of batch) {
        const value = isBad ? '{' : `{"V":${number}}`;
        builder.append(encodeUtf8('k'), encodeUtf8(value), ms);
        number += 1;
      }
      const bytes = builder.finish();
      if (bytes !== null) await log.append({ topic: `t${index}`, partition: 0 }, bytes);
    }
  }
  return log;
}

/** Where reading of a topic goes on. */
async function placed(log: MemoryLog, topic: string, next = 0) {
  const at = { topic, partition: 0 };
  const { incarnation } = await log.bounds(at);
  return { at, next, incarnation };
}

/** All rows in the order taken, as `input:number`; skipped records as `input!index`; runs of at most `recordsMax`. */
async function taken(log: MemoryLog, inputs: number, recordsMax: () => number, from?: number[]) {
  const positions = await Promise.all(
    Array.from({ length: inputs }, (_, index) => placed(log, `t${index}`, from?.[index])),
  );
  const readers = positions.map(({ at }) => [readerOf(source(at.topic), FORMATS)]);
  const task = new TaskInputs(readers, positions);
  const order: string[] = [];
  while (await task.fetch(log)) {
    for (let run = task.take(recordsMax()); run !== null; run = task.take(recordsMax())) {
      for (const { index } of run.skipped) order.push(`${run.input}!${run.place.base + index}`);
      const [rows = null] = run.batches;
      if (rows === null) continue;
      for (let i = 0; i < rows.length; i++) {
        const column = rows.columns[1];
        if (column === undefined) throw new Error('there are two columns');
        const value = valueAt(column, positionOf(rows, i)) as number;
        order.push(`${run.input}:${value}`);
      }
    }
  }
  return { order, positions: task.positions.map(({ next }) => next) };
}

const given = fc.record({
  ms: fc.integer({ min: 0, max: 20 }),
  isBad: fc.boolean(),
});
const topic = fc.array(fc.array(given, { minLength: 1, maxLength: 6 }), { maxLength: 5 });

test('merges inputs by the time of their heads, the first input before the second at equal times', async () => {
  const at = (...times: number[]) => times.map((ms) => ({ ms, isBad: false }));
  const log = await logOf([
    [at(1, 5), at(3, 9)],
    [at(2, 4, 4), at(6)],
  ]);
  const { order } = await taken(log, 2, () => Infinity);
  expect(order).toEqual(['0:0', '1:0', '1:1', '1:2', '0:1', '0:2', '1:3', '0:3']);
});

test('takes the same order whatever the cuts, and every record once', async () => {
  await fc.assert(
    fc.asyncProperty(
      topic,
      topic,
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
      async (a, b, cuts) => {
        const log = await logOf([a, b]);
        const whole = await taken(log, 2, () => Infinity);
        let turn = 0;
        const cut = await taken(log, 2, () => cuts[turn++ % cuts.length] ?? 1);
        // Skipped records ride along with the run they stand in, so only their own order is theirs.
        const rows = (order: readonly string[]) => order.filter((entry) => entry.includes(':'));
        const skipped = (order: readonly string[]) =>
          order.filter((entry) => entry.includes('!')).sort();
        expect(rows(cut.order)).toEqual(rows(whole.order));
        expect(skipped(cut.order)).toEqual(skipped(whole.order));
        const counts = [a, b].map((batches) => batches.flat().length);
        expect(cut.positions).toEqual(counts);
        expect(new Set(cut.order).size).toBe(counts.reduce((sum, count) => sum + count, 0));
      },
    ),
  );
});

test('goes on in the middle of a record batch', async () => {
  const records = Array.from({ length: 10 }, (_, ms) => ({ ms, isBad: ms === 4 }));
  const log = await logOf([[records]]);
  expect((await taken(log, 1, () => Infinity, [3])).order).toEqual([
    '0!4',
    '0:3',
    '0:5',
    '0:6',
    '0:7',
    '0:8',
    '0:9',
  ]);
});

test('cuts chunks at multiples of BATCH_ROWS_MAX, wherever reading began', async () => {
  const records = Array.from({ length: BATCH_ROWS_MAX + 100 }, (_, ms) => ({ ms, isBad: false }));
  const log = await logOf([[records]]);
  const positions = [await placed(log, 't0', 4000)];
  const task = new TaskInputs([[readerOf(source('t0'), FORMATS)]], positions);
  await task.fetch(log);
  const first = task.take(Infinity);
  const second = task.take(Infinity);
  expect([first?.chunkFrom, first?.from, first?.to]).toEqual([0, 4000, BATCH_ROWS_MAX]);
  expect([second?.chunkFrom, second?.from, second?.to]).toEqual([
    BATCH_ROWS_MAX,
    BATCH_ROWS_MAX,
    BATCH_ROWS_MAX + 100,
  ]);
});

test('refuses a topic that is not the one it was', async () => {
  const log = await logOf([[[{ ms: 1, isBad: false }]]]);
  const { at, incarnation } = await placed(log, 't0');
  const task = new TaskInputs(
    [[readerOf(source('t0'), FORMATS)]],
    [{ at, next: 0, incarnation: 'another' }],
  );
  const error = await refused(
    task.fetch(log).then(() => undefined),
    'INCARNATION_CHANGED',
  );
  expect(error.detail).toEqual({ incarnation });
});

test('a topic of several sources is read once; a record goes to each before the next, and is skipped once', async () => {
  const log = await logOf([
    [Array.from({ length: 6 }, (_, i) => ({ ms: 10 - i, isBad: i === 2 }))],
  ]);
  const readers = [readerOf(source('t0'), FORMATS), readerOf(source('t0'), FORMATS)];
  const task = new TaskInputs([readers], [await placed(log, 't0')]);
  await task.fetch(log);
  const run = task.take(4);
  expect(run?.batches.map((batch) => batch?.length)).toEqual([3, 3]);
  expect(run?.skipped.map(({ index }) => index)).toEqual([2]);
  const order: string[] = [];
  eachRow(run?.batches ?? [], (reader, row) => {
    order.push(`${reader}:${row.origin?.[0]}`);
    expect(row.length).toBe(1);
  });
  expect(order).toEqual(['0:0', '1:0', '0:1', '1:1', '0:3', '1:3']);
  expect(task.take(4)?.batches.map((batch) => batch?.length)).toEqual([2, 2]);
});

test('an old row and its new one are taken together, whatever the bounds', async () => {
  const header = 'K:STRING key | N:INTEGER @rowtime';
  const rows = batch(header, '+ a | 1 @1', '< a | 1 @1', '> a | 2 @9', '- a | ~ @9');
  const log = new MemoryLog(new ManualClock(1));
  for (const name of ['t0', 't1']) await log.create(topicSpec(name));
  await log.append({ topic: 't0', partition: 0 }, columnarRecordBatch(rows));
  const other = batch(header, '+ b | 1 @5');
  await log.append({ topic: 't1', partition: 0 }, columnarRecordBatch(other));
  const positions = await Promise.all(['t0', 't1'].map((topic) => placed(log, topic)));
  const readers = positions.map(({ at }) => [
    readerOf({ step: 'internalSource', id: '1', topic: at.topic, schema: rows.schema }, FORMATS),
  ]);
  const task = new TaskInputs(readers, positions);
  await task.fetch(log);
  const lengths: (number | undefined)[] = [];
  const order: string[] = [];
  for (let run = task.take(2); run !== null; run = task.take(2)) {
    lengths.push(run.batches[0]?.length);
    eachRow(run.batches, (_, row) => order.push(`${run?.input}:${row.length}`));
  }
  expect(lengths).toEqual([3, 1, 1]);
  expect(order).toEqual(['0:1', '0:2', '1:1', '0:1']);
});
