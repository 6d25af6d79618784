// Rows that joins keep as the columns in which they came, which hosts have and pages do not; knows no key and no table.

import { type Batch, IDENTITY } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import { compactDictionary, gather, gatherColumn } from '../data/dense.ts';
import { Dictionary } from '../data/dictionary.ts';
import { gatherAcross } from '../data/gather-across.ts';
import { type RowCells, tailAtOf } from '../data/row-cells.ts';
import { StoredRows } from '../data/stored-rows.ts';
import type { Type } from '../data/type.ts';
import { NO_ROW, ROW_BITS, ROW_MASK, type Segment, storeRow } from './kept-rows.ts';

/** A batch with fewer rows is kept row by row, as bytes: columns of their own would cost more. */
const COLUMN_ROWS_MIN = 32;

/** Rows of one batch. */
class Columns implements Segment {
  readonly columns: readonly Column[];
  readonly size: number;
  readonly #rowtime: Float64Array;

  constructor(columns: readonly Column[], rowtime: Float64Array) {
    this.columns = columns.map(owned);
    this.size = rowtime.length;
    this.#rowtime = ownedArray(rowtime);
  }

  frozen(): Segment {
    return this;
  }

  get bytesHeld(): number {
    let bytes = this.#rowtime.byteLength;
    for (const column of this.columns) {
      if (column.storage === 'objects') continue;
      bytes += column.values.byteLength + (column.validity?.length ?? 0);
      if (column.storage !== 'dictionary') continue;
      bytes += column.dictionary.bytes.length + column.dictionary.offsets.byteLength;
    }
    return bytes;
  }

  /** As RowCells writes them. */
  get valueBytes(): number {
    let bytes = this.size * tailAtOf(this.columns.length);
    for (const column of this.columns) {
      if (column.storage !== 'dictionary') continue;
      const { validity, values, dictionary } = column;
      const { offsets } = dictionary;
      for (let row = 0; row < this.size; row++) {
        if (validity !== null && !bitAt(validity, row)) continue;
        const code = values[row] as number;
        bytes += 4 + (offsets[code + 1] as number) - (offsets[code] as number);
      }
    }
    return bytes;
  }

  rowtime(i: number): number {
    return this.#rowtime[i] as number;
  }

  row(i: number, cells: RowCells): Uint8Array {
    const length = cells.write(this.columns, i, this.#rowtime[i] as number);
    return cells.written.subarray(0, length);
  }
}

/**
 * The rows of a batch from `from` on; null: they are to be kept as bytes. Cost: nothing, but for a copy of what is a part of a larger buffer
 * or is not used whole.
 */
export function keptColumns(
  { selection, rowtime, length }: Batch,
  columns: readonly Column[],
  from: number,
  rowsMin: number = COLUMN_ROWS_MIN,
): Segment | null {
  const size = length - from;
  if (size < rowsMin || columns.some(({ storage }) => storage === 'objects')) return null;
  if (selection === null && from === 0) return new Columns(columns, rowtime);
  const positions = (selection ?? IDENTITY).subarray(from, length);
  return new Columns(
    columns.map((column) => gatherColumn(column, positions)),
    gather(rowtime, new Float64Array(size), positions),
  );
}

/** Those rows, at most BATCH_ROWS_MAX, of types that are not nested, as a segment of their own. */
export function chosen(
  rows: Int32Array,
  segments: readonly Segment[],
  types: readonly Type[],
): Segment {
  const rowtime = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    rowtime[i] = (segments[row >> ROW_BITS] as Segment).rowtime(row & ROW_MASK);
  }
  return new Columns(gathered(rows, segments, types, 0), rowtime);
}

/** The columns of rows, but for those at the front; NO_ROW: nulls. @throws {TaskCorrupted} */
export function gathered(
  rows: Int32Array,
  segments: readonly Segment[],
  types: readonly Type[],
  skipped: number,
): readonly Column[] {
  const batches = new Uint32Array(rows.length);
  const positions = new Uint32Array(rows.length);
  /** Of each segment that has rows; of all rows that have no columns yet. */
  const sources: (readonly Column[])[] = [];
  const sourceOf = new Map<number, number>();
  let stored: StoredRows | null = null;
  let storedRows = 0;
  let at = NO_ROW - 1;
  let source = 0;
  let columns: readonly Column[] | null = null;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    if (row >> ROW_BITS !== at) {
      at = row >> ROW_BITS;
      columns = segments[at]?.columns ?? null;
      const name = columns === null ? NO_ROW : at;
      source = sourceOf.get(name) ?? sources.push(columns ?? []) - 1;
      sourceOf.set(name, source);
    }
    batches[i] = source;
    if (columns === null) {
      stored ??= new StoredRows(types, skipped);
      storeRow(segments, row, stored);
      positions[i] = storedRows++;
    } else positions[i] = row & ROW_MASK;
  }
  const bare = sourceOf.get(NO_ROW);
  const made = stored?.finish() ?? [];
  if (sources.length === 1 && stored !== null) return made;
  return types.slice(skipped).map((_, cell) => {
    const of = sources.map((one, i) =>
      i === bare ? (made[cell] as Column) : (one[skipped + cell] as Column),
    );
    return of.length === 1
      ? gatherColumn(of[0] as Column, positions)
      : gatherAcross(of, { batches, positions });
  });
}

/** Holds on to no more than it needs. */
function owned(column: Column): Column {
  const validity = column.validity && ownedArray(column.validity);
  switch (column.storage) {
    case 'dictionary': {
      const { dictionary } = column;
      if (dictionary.size > column.values.length) return compactDictionary({ ...column, validity });
      const { bytes, offsets } = dictionary;
      const isOwn = ownedArray(bytes) === bytes && ownedArray(offsets) === offsets;
      return {
        ...column,
        validity,
        values: ownedArray(column.values),
        dictionary: isOwn ? dictionary : new Dictionary(ownedArray(bytes), ownedArray(offsets)),
      };
    }
    case 'objects':
      return column;
    default:
      return { ...column, validity, values: ownedArray(column.values as Uint8Array) } as Column;
  }
}

function ownedArray<N extends Uint8Array | Uint32Array | Float64Array>(array: N): N {
  return array.byteLength === array.buffer.byteLength ? array : (array.slice() as N);
}
