// What a sink writes: every row that can be written, in order, in batches that are full before the next one begins.

import { expect, test } from 'vitest';
import { RECORD_BATCH_BYTES_MAX, VALUE_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import type { RowProblem } from '../../../runtime/operators/operator.ts';
import type { SinkStep } from '../../../runtime/plan/step.ts';
import { SinkWriter } from '../../../runtime/task/sink.ts';
import { batchesOf } from '../../support/operator-contract.ts';

const SCHEMA = prettySchema('K:STRING key | V:STRING | N:INTEGER');
const format = (name: string) => ({ format: name, options: [], wrap: true });
const STEP: SinkStep = {
  step: 'sink',
  id: '2',
  input: '1',
  schema: SCHEMA,
  sink: 'OUT',
  kind: 'stream',
  topic: 'out',
  partitions: 2,
  keyFormat: format('KAFKA'),
  valueFormat: format('JSON'),
  window: null,
  timestamp: null,
};

interface Written {
  readonly problems: readonly RowProblem[];
  /** By partition its records, key and value, of each batch. */
  readonly batches: readonly { readonly partition: number; readonly rows: readonly string[] }[];
  readonly waitingBytes: number;
  readonly bytes: number;
}

function written(values: readonly string[]): Written {
  const problems: RowProblem[] = [];
  const sink = new SinkWriter(STEP, FORMATS, {
    fallbackPartition: 0,
    headers: null,
    report: (problem) => problems.push(problem),
    count: () => undefined,
  });
  const rows = values.map((value, i) => ({ values: [`k${i % 5}`, value, i], rowtime: i }));
  for (const batch of batchesOf(SCHEMA, rows)) sink.write(batch);
  const { waitingBytes } = sink;
  const batches: Written['batches'][number][] = [];
  let bytes = 0;
  sink.drain(({ to, bytes: of, count }) => {
    expect(of.length).toBeLessThanOrEqual(RECORD_BATCH_BYTES_MAX);
    const records = parseRecordBatch(of);
    const text = (from: number, end: number): string =>
      Buffer.from(records.bytes.subarray(from, end)).toString();
    bytes += of.length;
    batches.push({
      partition: to.partition,
      rows: Array.from(
        { length: count },
        (_, i) =>
          `${text(records.keyFrom(i), records.keyTo(i))} ${text(records.valueFrom(i), records.valueTo(i))}`,
      ),
    });
  });
  return { problems, batches, waitingBytes, bytes };
}

test('a row that no longer fits begins the next batch, whole', () => {
  const values = Array.from({ length: 300 }, (_, i) => `${i % 10}`.repeat(10_000));
  const { problems, batches, waitingBytes, bytes } = written(values);
  expect(problems).toEqual([]);
  expect(batches.length).toBeGreaterThan(3);
  const rows = batches.flatMap((batch) => batch.rows);
  const due = values.map((value, i) => `k${i % 5} {"V":"${value}","N":${i}}`);
  expect(rows.toSorted()).toEqual(due.toSorted());
  for (const partition of [0, 1]) {
    const own = batches.filter((batch) => batch.partition === partition);
    const numbers = own.flatMap((batch) => batch.rows.map((row) => due.indexOf(row)));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
  // But for the batches' headers.
  expect(bytes - waitingBytes).toBeLessThan(batches.length * 200);
  expect(bytes).toBeGreaterThan(waitingBytes);
});

test('a row that cannot be written leaves nothing behind, and is told', () => {
  const { problems, batches } = written(['a', 'x'.repeat(VALUE_BYTES_MAX), 'b', 'c']);
  expect(problems.map(({ code, origin }) => [code, origin])).toEqual([['SERIALIZATION', 1]]);
  expect(batches.flatMap(({ rows }) => rows).toSorted()).toEqual([
    'k0 {"V":"a","N":0}',
    'k2 {"V":"b","N":2}',
    'k3 {"V":"c","N":3}',
  ]);
});
