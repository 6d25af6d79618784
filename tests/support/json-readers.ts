// The same record batches read with the kernel's JSON decoder and without it, as comparable text; knows no expected value.

import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { type Batch, positionOf } from '../../runtime/data/batch.ts';
import { type Column, isNull, valueAt } from '../../runtime/data/column.ts';
import { prettySchema } from '../../runtime/data/pretty.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import type { Value } from '../../runtime/data/type.ts';
import { VALUE_CODES } from '../../runtime/data/value-codes.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { SourceStep } from '../../runtime/plan/step.ts';
import { readerOf, type Reader } from '../../runtime/task/input.ts';
import { kernelModule } from './kernel-module.ts';

/** A value as a record has it; null: none. */
export type Given = string | Uint8Array | null;

/** A step that reads all columns of a header such as `A:BIGINT | B:STRING` as JSON. */
export function jsonSource(header: string, kind: SourceStep['kind'] = 'stream'): SourceStep {
  const schema = prettySchema(header);
  const format = (name: string) => ({ format: name, options: [], wrap: true });
  return {
    step: 'source',
    id: '1',
    source: 'S',
    kind,
    topic: 's',
    keyFormat: format('KAFKA'),
    valueFormat: format('JSON'),
    window: null,
    timestamp: null,
    headers: [],
    sourceSchema: schema,
    schema,
    materialized: false,
  };
}

/** A value as comparable text. */
export function textOf(value: Value): string {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'bigint') return `${value}n`;
  return JSON.stringify(value, (_, part: unknown) => {
    // Of no bigint, which is 0n.
    if (Object.is(part, -0)) return '-0n';
    return typeof part === 'bigint' ? `${part}n` : part;
  });
}

/** @throws {Error} when rows that are said to hold the same do not */
function checkCodes(column: Column, batch: Batch): void {
  const coded = column.storage === 'objects' ? VALUE_CODES.get(column.values) : undefined;
  if (coded === undefined) return;
  const byCode = new Map<number, Value>();
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    if (isNull(column, position)) continue;
    const code = coded.codes[position] ?? NaN;
    const value = valueAt(column, position);
    if (!(code < coded.size)) throw new Error('a row has no code');
    if ((byCode.get(code) ?? value) !== value) throw new Error('rows of one code differ');
    byCode.set(code, value);
  }
}

function cells(column: Column, batch: Batch): string[] {
  checkCodes(column, batch);
  return Array.from({ length: batch.length }, (_, i) =>
    textOf(valueAt(column, positionOf(batch, i))),
  );
}

/** What a reader made of one record batch: rows by column, and what it skipped. */
function shown(reader: Reader, bytes: Uint8Array, from: number, to: number): unknown {
  const skipped: string[] = [];
  const batch = reader.read(
    parseRecordBatch(bytes),
    { topic: 's', partition: 0, base: 0, incarnation: '1' },
    from,
    to,
    (index, error) => skipped.push(`${index}: ${error.code} ${error.field} ${error.message}`),
  );
  if (batch === null) return { skipped };
  for (const { values, storage } of batch.columns)
    if (storage !== 'objects' && values.length < batch.length) throw new Error('rows are missing');
  return {
    columns: batch.columns.map((column) => cells(column, batch)),
    origin: batch.origin === null ? null : [...batch.origin],
    rowtime: [...batch.rowtime],
    valueNull:
      batch.valueNull === null ? null : [...batch.valueNull.subarray(0, (batch.length + 7) >> 3)],
    keyNull:
      batch.keyNull === null ? null : [...batch.keyNull.subarray(0, (batch.length + 7) >> 3)],
    op: batch.op === null ? null : [...batch.op],
    skipped,
  };
}

const keyOfRecord = (i: number): Given => `key ${i}`;

function bytesOf(given: Given): Uint8Array | null {
  return typeof given === 'string' ? encodeUtf8(given) : given;
}

/**
 * The readers of a step with the kernel and without it, which go on from batch to batch. `ends`: where the batch is cut; else it is read at once.
 * `keyOf`: the key of each record.
 */
export function bothReaders(
  step: SourceStep,
  module: WebAssembly.Module = kernelModule(),
): (
  values: readonly Given[],
  ends?: readonly number[],
  keyOf?: (i: number) => Given,
) => [unknown, unknown] {
  const kernel = readerOf(step, FORMATS, { kernel: module });
  const plain = readerOf(step, FORMATS);
  return (values, ends = [values.length], keyOf = keyOfRecord) => {
    const builder = new RecordBatchBuilder();
    values.forEach((value, i) => {
      builder.append(bytesOf(keyOf(i)), bytesOf(value), i);
    });
    const bytes = builder.finish();
    if (bytes === null) return [null, null];
    const pieces = ends.map((end, i) => [ends[i - 1] ?? 0, end] as const);
    const read = (reader: Reader) => pieces.map(([from, to]) => shown(reader, bytes, from, to));
    return [read(kernel), read(plain)];
  };
}
