// Columns taken from the record itself: its time, place and headers, and the window behind its key; knows no key's format.

import { InvariantError } from '../base/errors.ts';
import type { HeaderColumn, KeyWindow } from '../catalog/source.ts';
import type { Column } from '../data/column.ts';
import type { RecordBatch } from '../data/record.ts';
import { type SchemaColumn, WINDOWSTART } from '../data/schema.ts';
import { BIGINT, type Value } from '../data/type.ts';
import { readWindow, type WindowKind } from '../formats/windowed-key.ts';

/** Where a record batch stands. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  /** Offset of its first record. */
  readonly base: number;
}

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
        Float64Array.from(of.origin, (index) => of.place.base + index),
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

/** What is behind the keys of a source; null: nothing. */
export function windowKind(window: KeyWindow | null): WindowKind | null {
  if (window === null) return null;
  return window.type === 'SESSION' ? 'session' : 'time';
}

/** WINDOWSTART or WINDOWEND of each row, from the end of its key. */
export function windowColumn(
  column: SchemaColumn,
  window: KeyWindow | null,
  records: RecordBatch,
  origin: Uint32Array,
): Column {
  const kind = windowKind(window);
  if (kind === null) throw new InvariantError(`${column.name} needs a windowed key`);
  const values = new BigInt64Array(origin.length);
  origin.forEach((index, row) => {
    const range = { from: records.keyFrom(index), to: records.keyTo(index) };
    const { startMs, endMs } = readWindow(records.bytes, range, kind, window?.sizeMs ?? 0);
    values[row] = column.name === WINDOWSTART ? startMs : endMs;
  });
  return { type: BIGINT, validity: null, storage: 'i64', values };
}
