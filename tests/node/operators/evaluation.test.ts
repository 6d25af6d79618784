// Random numbers of rows: what decides them, and that they are spread over all their bits.

import { expect, test } from 'vitest';
import type { Batch } from '../../../runtime/data/batch.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import type { RecordBatch } from '../../../runtime/data/record.ts';
import { TEXTS } from '../../../runtime/functions/texts.ts';
import type { OperatorContext } from '../../../runtime/operators/operator.ts';
import { RowEvaluation } from '../../../runtime/operators/evaluation.ts';
import { Current } from '../../../runtime/task/current.ts';

const RECORDS = {
  timestamps: Float64Array.of(5, 5, 5, 5),
  headers: () => [],
} as unknown as RecordBatch;
const ROWS = batch('K:STRING key | V:INTEGER @rowtime', 'a | 1 @1', 'b | 2 @2', 'c | 3 @3');

interface Place {
  readonly task?: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly base?: number;
  readonly incarnation?: string;
  /** Of the expression. */
  readonly place?: string;
}

/** An evaluation within a task that is at a place of its input. */
function evaluationAt(at: Place): RowEvaluation {
  const { task = 'q/0/0', topic = 's', partition = 0, base = 100, incarnation = 'x' } = at;
  const current = new Current(task, [incarnation]);
  current.begin(RECORDS, { topic, partition, base, incarnation }, 0, 4);
  const context: OperatorContext = {
    state: { get: () => null, scan: () => [] },
    streamTime: { ms: 0 },
    report: () => undefined,
    count: () => undefined,
    time: () => current.time,
  };
  return new RowEvaluation(context, '', at.place ?? '1.0');
}

function drawn(at: Place, rows: Batch = ROWS, count = 1): number[] {
  const evaluation = evaluationAt(at).of(rows);
  return Array.from({ length: rows.length }, (_, position) =>
    Array.from({ length: count }, () => evaluation.at(position).random()),
  ).flat();
}

const origins = (...origin: readonly number[]): Batch => ({
  ...ROWS,
  origin: Uint32Array.from(origin),
});

test('the same place gives the same numbers, however the input is cut', () => {
  expect(drawn({}, origins(0, 1, 2))).toEqual(drawn({}, origins(0, 1, 2)));
  expect(drawn({ base: 100 }, origins(1, 2, 3))).toEqual(drawn({ base: 101 }, origins(0, 1, 2)));
});

test.each<[string, Place]>([
  ['task', { task: 'q/0/1' }],
  ['topic', { topic: 't' }],
  ['partition', { partition: 1 }],
  ['offset', { base: 200 }],
  ['offset beyond 32 bits', { base: 100 + 2 ** 32 }],
  ['incarnation', { incarnation: 'y' }],
  ['expression', { place: '2.0' }],
])('another %s gives others', (_, at) => {
  const numbers = [...drawn({}, origins(0, 1, 2)), ...drawn(at, origins(0, 1, 2))];
  expect(new Set(numbers).size).toBe(6);
});

test('rows of one record have numbers of their own, in batches of their own too', () => {
  const numbers = drawn({}, origins(1, 1, 1), 2);
  expect(new Set(numbers).size).toBe(6);
  const evaluation = evaluationAt({});
  const apart = [0, 1, 2].flatMap(() => {
    const one = evaluation.of({ ...origins(1, 1, 1), length: 1 }).at(0);
    return [one.random(), one.random()];
  });
  expect(apart).toEqual(numbers);
});

test('rows that no record triggered have numbers by their rowtime, of the task and not of its last input', () => {
  const free: Batch = { ...ROWS, origin: null };
  const numbers = drawn({}, free);
  expect(new Set(numbers).size).toBe(3);
  expect(drawn({ base: 7, topic: 't' }, free)).toEqual(numbers);
  expect(drawn({ incarnation: 'y' }, free)).not.toEqual(numbers);
});

test('UUIDs are of version 4, all different, and each of their other bits is as often set as not', () => {
  const overload = TEXTS.find(({ name, parameters }) => name === 'UUID' && parameters.length === 0);
  if (overload?.body === undefined || overload.body === null) throw new Error('UUID is a function');
  const body = overload.body([]);
  const evaluation = evaluationAt({});
  const counts = Array.from({ length: 128 }, () => 0);
  const seen = new Set<string>();
  const rows = 20_000;
  for (let row = 0; row < rows; row++) {
    const asked = evaluation.of({ ...origins(row, 0, 0), length: 1 }).at(0);
    const uuid = body([], asked, []) as string;
    expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    seen.add(uuid);
    const bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
    for (let bit = 0; bit < 128; bit++)
      counts[bit] = (counts[bit] ?? 0) + Number((bits >> BigInt(bit)) & 1n);
  }
  expect(seen.size).toBe(rows);
  // Five standard deviations of a fair coin: these numbers are the same in every run.
  const far = counts.flatMap((count, bit) =>
    Math.abs(count - rows / 2) > 2.5 * Math.sqrt(rows) ? [bit] : [],
  );
  // Six bits are fixed by the version and the variant.
  expect(far).toEqual([62, 63, 76, 77, 78, 79]);
});
