// Columns taken from the record itself, its time, place and headers, times row by row, and whole batches as they were encoded; knows no format.

import { assert } from '../base/assert.ts';
import { InvariantError, RecordError } from '../base/errors.ts';
import { type Batch, IDENTITY, slice } from '../data/batch.ts';
import type { HeaderColumn, TimestampColumn } from '../catalog/source.ts';
import { type Column, valueAt } from '../data/column.ts';
import type { DecodedColumns } from '../data/codec.ts';
import { CODEC } from '../data/parts.ts';
import { offsetAt, type RecordBatch } from '../data/record.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import { DATETIME_TEXT } from '../functions/parts.ts';
import type { SourceStep } from '../plan/step.ts';
import { Kept, type OnProblem, type Reader } from './input.ts';
import type { RecordPlace } from './record-columns.ts';

interface Rows {
  readonly records: RecordBatch;
  readonly place: RecordPlace;
  /** Index in the record batch of each row's record. */
  readonly origin: Uint32Array;
  readonly rowtime: Float64Array;
}

/** ROWTIME, ROWPARTITION, ROWOFFSET, or a column that the source fills from headers. */
export function pseudoColumn(
  column: SchemaColumn,
  headers: readonly HeaderColumn[],
  of: Rows,
): Column {
  const header = headers.find((candidate) => candidate.column === column.name);
  if (header !== undefined) return headerColumn(column, header, of);
  switch (column.name) {
    case 'ROWTIME':
      return numbers(column, of.rowtime);
    case 'ROWPARTITION':
      return numbers(column, new Float64Array(of.origin.length).fill(of.place.partition));
    case 'ROWOFFSET':
      return numbers(
        column,
        Float64Array.from(of.origin, (index) => offsetAt(of.records, of.place.base, index)),
      );
    default:
      throw new InvariantError(`a record has no ${column.name}`);
  }
}

/** Whole numbers as a column of whichever numeric type was declared. */
function numbers({ type }: SchemaColumn, values: Float64Array): Column {
  switch (type.kind) {
    case 'BIGINT':
      return { type, validity: null, storage: 'i64', values: BigInt64Array.from(values, BigInt) };
    case 'INTEGER':
      return { type, validity: null, storage: 'i32', values: Int32Array.from(values) };
    case 'TIMESTAMP':
    case 'DOUBLE':
      return { type, validity: null, storage: 'f64', values };
    default:
      throw new InvariantError(`a ${type.kind} holds no ROWTIME`);
  }
}

/** All headers as an ARRAY of STRUCT(KEY, VALUE), or the bytes of the last header of one key. */
function headerColumn({ type }: SchemaColumn, header: HeaderColumn, of: Rows): Column {
  const values: Value[] = [];
  for (const index of of.origin) {
    const headers = of.records.headers(index);
    if (header.key === null) values.push(headers.map(({ name, value }): Value => [name, value]));
    else values.push(headers.findLast(({ name }) => name === header.key)?.value ?? null);
  }
  return { type, validity: null, storage: 'objects', values };
}

/** Milliseconds since the epoch; null where the column is. @throws {RecordError} TIMESTAMP for a text that is not as the pattern says */
export type EventTime = (column: Column, row: number) => number | null;

/** @throws {PartMissing} for a pattern, until its code is fetched */
export function eventTime(timestamp: TimestampColumn | null): EventTime {
  const read =
    timestamp === null || timestamp.format === null
      ? null
      : DATETIME_TEXT.code.timestampReader(timestamp.format, timestamp.column);
  return (column, row) => {
    const value = valueAt(column, row);
    if (value === null) return null;
    if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
    if (typeof value === 'string' && read !== null) return read(value);
    throw new InvariantError('the planner admits BIGINT, TIMESTAMP and patterned STRING columns');
  };
}

/** As `EventTime`, where there must be one. @throws {RecordError} TIMESTAMP where the column is null */
export function timeAt(time: EventTime, column: Column, row: number, name: string): number {
  const ms = time(column, row);
  if (ms !== null) return ms;
  throw new RecordError('TIMESTAMP', 'the timestamp column is null', name);
}

/** Event times row by row: of the column, or of the record where there is none; rows without a usable one are dropped. */
export function rowtimesOf(
  of: {
    readonly records: RecordBatch;
    readonly origin: Uint32Array;
    readonly kept: Pick<Kept, 'rows' | 'isValueNull'>;
    /** Of the column; null: there is none. */
    readonly name: string | null;
    readonly column: Column | null;
    readonly time: EventTime;
  },
  onProblem: OnProblem,
): { readonly rowtime: Float64Array; readonly dropped: ReadonlySet<number> } {
  const { records, origin, kept, name, column, time } = of;
  const rowtime = new Float64Array(kept.rows);
  const dropped = new Set<number>();
  for (let row = 0; row < kept.rows; row++) {
    const index = origin[row] ?? 0;
    try {
      const isGiven = column !== null && !kept.isValueNull(row);
      const field = name ?? 'ROWTIME';
      const ms = isGiven ? timeAt(time, column, row, field) : (records.timestamps[index] ?? 0);
      rowtime[row] = usable(ms, field);
    } catch (thrown) {
      if (!(thrown instanceof RecordError)) throw thrown;
      dropped.add(row);
      onProblem(index, thrown);
    }
  }
  return { rowtime, dropped };
}

/** @throws {RecordError} TIMESTAMP for a time that no record can have */
function usable(ms: number, field: string): number {
  if (ms >= 0 && ms < 2 ** 53) return ms;
  throw new RecordError('TIMESTAMP', `${ms} is no time of a row`, field);
}

/**
 * A source with FORMAT='COLUMNAR': the encoded batch is the rows; key and value columns are picked by name.
 * @param built makes the batch of all rows
 */
export function readColumnar(
  step: SourceStep,
  records: RecordBatch,
  [from, to]: readonly [number, number],
  built: (kept: Kept, columns: ReadonlyMap<string, Column>) => Batch | null,
): Batch | null {
  const { whole, columns } = columnarValues(step, records);
  const kept = new Kept(whole.length, IDENTITY.subarray(0, whole.length));
  kept.rows = whole.length;
  const batch = built(kept, columns);
  if (batch === null) return null;
  const { op, keyNull, valueNull } = whole;
  return slice({ ...batch, op: op ?? batch.op, keyNull, valueNull }, from, to);
}

/** The batch of a source with FORMAT='COLUMNAR', and by role and name those of its columns that the step reads. */
function columnarValues(
  { schema, sourceSchema, timestamp }: SourceStep,
  { encoded }: RecordBatch,
): { readonly whole: DecodedColumns; readonly columns: ReadonlyMap<string, Column> } {
  assert(encoded !== null, 'a columnar record batch has an encoded batch');
  const names = sourceSchema.columns.map(({ role, name }) => `${role} ${name}`);
  const touched = new Set(schema.columns.map(({ role, name }) => `${role} ${name}`));
  const whole = CODEC.code.decodeColumns(
    sourceSchema,
    encoded,
    (index) =>
      touched.has(names[index] as string) ||
      sourceSchema.columns[index]?.name === timestamp?.column,
  );
  const columns = new Map<string, Column>();
  whole.columns.forEach((column, index) => {
    if (column !== null) columns.set(names[index] as string, column);
  });
  return { whole, columns };
}

/** Reads encoded batches as they are. */
export class ColumnarReader implements Reader {
  readonly #schema: Schema;
  readonly #isTrusted: boolean;

  constructor(schema: Schema, isTrusted: boolean) {
    this.#schema = schema;
    this.#isTrusted = isTrusted;
  }

  read(records: RecordBatch, _place: RecordPlace, from: number, to: number): Batch | null {
    const whole = records.rows ?? this.#decoded(records);
    return slice({ ...whole, origin: IDENTITY.subarray(0, whole.length) }, from, to);
  }

  #decoded({ encoded }: RecordBatch): Batch {
    assert(encoded !== null, 'an internal topic holds encoded batches');
    return CODEC.code.decodeBatch(this.#schema, encoded, this.#isTrusted);
  }
}
