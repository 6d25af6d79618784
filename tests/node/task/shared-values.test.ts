// Values decoded once for several readers: the same rows and faults as alone, and bounded memory.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { SHARED_VALUES_BYTES_MAX } from '../../../runtime/base/limits.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import { batchesEqual } from '../../../runtime/data/batches.ts';
import { parseRecordBatch, type RecordBatch } from '../../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { schema, type SchemaColumn } from '../../../runtime/data/schema.ts';
import { BIGINT, STRING } from '../../../runtime/data/type.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import type { SourceStep } from '../../../runtime/plan/step.ts';
import { readerOf, type Reader } from '../../../runtime/task/input.ts';
import { SharedValues } from '../../../runtime/task/shared-values.ts';
import { Sharing } from '../../../runtime/task/sharing.ts';
import { jsonSource } from '../../support/json-readers.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const SOURCE = jsonSource(
  'KEY:STRING key | S:STRING | I:INTEGER | D:DOUBLE | T:BOOLEAN | O:STRUCT<A STRING, B BIGINT>',
);
const FIELDS: readonly SchemaColumn[] = [
  { name: 'O->A', type: STRING, role: 'value', path: ['O', 'A'] },
  { name: 'O->B', type: BIGINT, role: 'value', path: ['O', 'B'] },
];
const NAMES = ['KEY', 'S', 'I', 'D', 'T', 'O->A', 'O->B'];
const kernel = kernelModule();

function reading(names: readonly string[]): SourceStep {
  const isRead = ({ name }: SchemaColumn): boolean => names.includes(name);
  const { columns } = SOURCE.sourceSchema;
  const fields = FIELDS.filter(isRead);
  return {
    ...SOURCE,
    sourceSchema: schema([...columns, ...fields]),
    schema: schema([...columns.filter(isRead), ...fields]),
  };
}

function recordsOf(values: readonly (string | null)[]): RecordBatch {
  const builder = new RecordBatchBuilder();
  values.forEach((value, i) =>
    builder.append(encodeUtf8(`key ${i % 3}`), value === null ? null : encodeUtf8(value), i),
  );
  return parseRecordBatch(builder.finish() ?? new Uint8Array(0));
}

function read(reader: Reader, records: RecordBatch, base: number) {
  const skipped: string[] = [];
  const place = { topic: 's', partition: 0, base, incarnation: '1' };
  const batch = reader.read(records, place, 0, records.count, (index, error) =>
    skipped.push(`${index} ${error.code} ${error.field} ${error.message}`),
  );
  return { batch, skipped };
}

function isSame(a: Batch | null, b: Batch | null): boolean {
  return a === null || b === null ? a === b : batchesEqual(a, b);
}

const good = fc
  .record({
    S: fc.constantFrom('a', 'b', 'é'),
    I: fc.integer(),
    D: fc.double(),
    T: fc.boolean(),
    O: fc.constantFrom(null, {}, { B: 1, A: 'x' }, { a: 'y', other: { B: 2 } }),
  })
  .map((value) => JSON.stringify(value));
const rare = fc.constantFrom(
  '{"S":"a","I":"seven"}',
  '{"I":1,"I":2}',
  '{"O":7}',
  '{"O":{"B":"2"}}',
  '{"O":{"A":"x","A":"y"}}',
  '{"s":"lower","D":1}',
  '{"S":"\\u00e9","T":0}',
  'no JSON',
  'null',
  null,
);
const values = fc.array(fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: rare }), {
  minLength: 1,
  maxLength: 20,
});

test('a reader makes of a record what it does alone, whoever reads beside it and however far', () => {
  fc.assert(
    fc.property(
      fc.array(fc.subarray(NAMES, { minLength: 1 }), { minLength: 2, maxLength: 4 }),
      fc.array(values, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(3), { maxLength: 40 }),
      (wanted, batches, turns) => {
        const records = batches.map(recordsOf);
        const sharing = new Sharing();
        const shared = wanted.map((names) =>
          readerOf(reading(names), FORMATS, { kernel, sharing }),
        );
        const alone = wanted.map((names) => readerOf(reading(names), FORMATS, { kernel }));
        const next = wanted.map(() => 0);
        // In any order, one ahead of the other; at the end all have read all.
        const order = [...turns, ...records.flatMap(() => wanted.map((_, reader) => reader))];
        for (const turn of order) {
          const reader = turn % wanted.length;
          const at = next[reader] as number;
          if (at === records.length) continue;
          next[reader] = at + 1;
          const batch = records[at] as RecordBatch;
          const expected = read(alone[reader] as Reader, batch, at * 100);
          const actual = read(shared[reader] as Reader, batch, at * 100);
          expect(actual.skipped).toEqual(expected.skipped);
          expect(isSame(actual.batch, expected.batch)).toBe(true);
        }
        for (const reader of shared) reader.close?.();
        expect(sharing.sources.size).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});

const WANTED = SOURCE.sourceSchema.columns.filter(({ name }) => name === 'I' || name === 'D');
const placed = (base: number) => ({ topic: 's', partition: 0, base, incarnation: '1' });

test('is decoded once for all and held until the last of them has it; who lags decodes alone', () => {
  const shared = new SharedValues(kernel);
  const records = recordsOf(['{"I":1,"D":2}', '{"I":2,"D":3}']);
  const chunk = { records, place: placed(0), from: 0, to: 2 };
  const first = shared.columns(WANTED, chunk, 3);
  expect(shared.bytes).toBeGreaterThan(0);
  expect(shared.columns(WANTED, chunk, 3)).toEqual(first);
  expect(shared.columns(WANTED.slice(0, 1), chunk, 3)?.[0]).toBe(first?.[0]);
  expect(shared.bytes).toBe(0);
  expect(shared.columns(WANTED, chunk, 3)).toBeNull();
  // Of a new topic of the name nothing has been read.
  const renewed = { ...chunk, place: { ...placed(0), incarnation: '2' } };
  expect(shared.columns(WANTED, renewed, 3)).toEqual(first);
});

test('holds SHARED_VALUES_BYTES_MAX for those who have not come so far, and then lets the oldest go', () => {
  const shared = new SharedValues(kernel);
  const records = recordsOf(Array.from({ length: 4096 }, (_, i) => `{"I":${i},"D":${i}.5}`));
  const chunkAt = (n: number) => ({ records, place: placed(n * 4096), from: 0, to: 4096 });
  shared.columns(WANTED, chunkAt(0), 2);
  const each = shared.bytes;
  const room = Math.floor(SHARED_VALUES_BYTES_MAX / each);
  for (let n = 1; n < room; n++) shared.columns(WANTED, chunkAt(n), 2);
  expect(shared.bytes).toBe(room * each);
  shared.columns(WANTED, chunkAt(room), 2);
  expect(shared.bytes).toBe(room * each);
  expect(shared.columns(WANTED, chunkAt(0), 2)).toBeNull();
  expect(shared.columns(WANTED, chunkAt(1), 2)).not.toBeNull();
});
