// Rows that joins keep as the columns in which they came; knows no key and no table.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, IDENTITY } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import { compactDictionary, gather, gatherColumn } from '../data/dense.ts';
import { WholeDictionary } from '../data/dictionary.ts';
import { gatherAcross, type Places } from '../data/gather-across.ts';
import { RowCells, tailAtOf } from '../data/row-cells.ts';
import { storageOf } from '../data/storage.ts';
import { StoredRows } from '../data/stored-rows.ts';
import type { Type } from '../data/type.ts';
import {
  NO_ROW,
  type PackedRows,
  ROW_BITS,
  ROW_MASK,
  type Segment,
  storeRow,
} from './kept-rows.ts';

/** A batch with fewer rows is kept row by row, as bytes: columns of their own would cost more. */
const COLUMN_ROWS_MIN = 32;

/** Of a buffer of which they are a smaller part, such as of many batches that were read at once, columns are copied. */
const BUFFER_PART_MIN = 1 / 3;

/** Segments that are found again without a look-up: a power of two. */
const LATELY = 64;

/** With fewer rows for each segment only those are looked at that have one. */
const SEGMENT_ROWS_MIN = 16;

/** For what `gathered` does: often it is of a few rows, for which new arrays would cost most. */
const scratch = {
  batches: new Uint32Array(BATCH_ROWS_MAX),
  positions: new Uint32Array(BATCH_ROWS_MAX),
  lately: new Int32Array(LATELY),
  latelySource: new Int32Array(LATELY),
};

/** Rows of one batch. */
class Columns implements Segment {
  readonly columns: readonly Column[];
  readonly size: number;
  readonly times: Float64Array;

  readonly bytesHeld: number;

  constructor(given: readonly Column[], rowtime: Float64Array) {
    const columns = given.map((column) =>
      column.storage === 'dictionary' && column.dictionary.size > rowtime.length
        ? compactDictionary(column)
        : column,
    );
    const parts = new Map<ArrayBufferLike, number>();
    for (const { buffer, byteLength } of [rowtime, ...columns.flatMap(arraysOf)])
      parts.set(buffer, (parts.get(buffer) ?? 0) + byteLength);
    let bytesHeld = 0;
    for (const [buffer, bytes] of parts) {
      const isKept = bytes >= buffer.byteLength * BUFFER_PART_MIN;
      if (!isKept) parts.delete(buffer);
      bytesHeld += isKept ? buffer.byteLength : bytes;
    }
    const own: Own = (array) => (parts.has(array.buffer) ? array : (array.slice() as typeof array));
    this.columns = columns.map((column) => owned(column, own));
    this.size = rowtime.length;
    this.times = own(rowtime);
    this.bytesHeld = bytesHeld;
  }

  /** As RowCells writes them. */
  valueBytes(from: number, to: number): number {
    let bytes = (to - from) * tailAtOf(this.columns.length);
    for (const column of this.columns) {
      if (column.storage !== 'dictionary') continue;
      const { validity, values, dictionary } = column;
      const { offsets } = dictionary;
      for (let row = from; row < to; row++) {
        if (validity !== null && !bitAt(validity, row)) continue;
        const code = values[row] as number;
        bytes += 4 + (offsets[code + 1] as number) - (offsets[code] as number);
      }
    }
    return bytes;
  }

  rowtime(i: number): number {
    return this.times[i] as number;
  }

  row(i: number, cells: RowCells): Uint8Array {
    const length = cells.write(this.columns, i, this.times[i] as number);
    return cells.written.subarray(0, length);
  }
}

/**
 * The rows of a batch from `from` on; null: they are to be kept as bytes. Cost: nothing, but for a copy of what is a small part of a larger
 * buffer or is not used whole.
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

/**
 * Those rows as they are, in the segments that they share with others; null: these hold more than twice as many rows.
 * Cost: a look at each row.
 */
export function packed(
  rows: Int32Array,
  segments: readonly Segment[],
  types: readonly Type[],
): PackedRows | null {
  const own = new Map<number, Segment>();
  let held = 0;
  let valueBytes = 0;
  for (let i = 0; i < rows.length;) {
    const row = rows[i] as number;
    const at = row >> ROW_BITS;
    let segment = own.get(at);
    if (segment === undefined) {
      segment = segments[at] as Segment;
      own.set(at, segment);
      held += segment.size;
      if (held > 2 * rows.length) return null;
    }
    // Mostly they stand one after the other.
    const first = row & ROW_MASK;
    const most = Math.min(rows.length - i, segment.size - first);
    let count = 1;
    while (count < most && rows[i + count] === row + count) count++;
    valueBytes += segment.valueBytes(first, first + count);
    i += count;
  }
  const cells = new RowCells(types);
  return {
    valueBytes,
    bytes(i) {
      const row = rows[i] as number;
      return (own.get(row >> ROW_BITS) as Segment).row(row & ROW_MASK, cells);
    },
  };
}

/** Those rows, at most BATCH_ROWS_MAX, as a segment; null: they are to be kept as bytes. */
export function chosen(
  rows: Int32Array,
  segments: readonly Segment[],
  types: readonly Type[],
): Segment | null {
  const whole = wholeOf(rows, segments);
  if (whole !== null) return whole;
  // Nobody knows how much memory nested values take: they are kept as bytes.
  if (types.some((type) => type.kind !== 'STRING' && storageOf(type) === 'objects')) return null;
  const rowtime = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    rowtime[i] = (segments[row >> ROW_BITS] as Segment).rowtime(row & ROW_MASK);
  }
  const stored = new StoredRows(types, 0);
  return new Columns(
    gathered(rows, segments, types, 0, () => stored),
    rowtime,
  );
}

/** The segment that those rows are, all and in their order, to which no more are added. */
function wholeOf(rows: Int32Array, segments: readonly Segment[]): Segment | null {
  const first = rows[0] as number;
  const segment = segments[first >> ROW_BITS] as Segment;
  const isFull = segment.columns !== undefined || segment.size > ROW_MASK;
  if (!isFull || (first & ROW_MASK) !== 0 || segment.size !== rows.length) return null;
  for (let i = 0; i < rows.length; i++) if (rows[i] !== first + i) return null;
  return segment;
}

/**
 * The columns of rows, but for those at the front; NO_ROW: nulls.
 * @param stored an empty one of these, asked for only where a row is bytes
 * @throws {TaskCorrupted}
 */
export function gathered(
  rows: Int32Array,
  segments: readonly Segment[],
  types: readonly Type[],
  skipped: number,
  stored: () => StoredRows,
): readonly Column[] {
  const batches = scratch.batches.subarray(0, rows.length);
  const positions = scratch.positions.subarray(0, rows.length);
  const cells = types.length - skipped;
  const all = allColumns(segments, rows.length);
  if (all !== null && isSpread(rows, batches, positions))
    return cellsOf(all, skipped, cells, { batches, positions });
  /** Of each segment that has rows; of all rows that have no columns yet. */
  const sources: (readonly Column[])[] = [];
  const sourceOf = new Map<number, number>();
  // Rows of one key after the other are of any segments: those met lately, by the low bits of their numbers.
  const { lately, latelySource } = scratch;
  lately.fill(NO_ROW - 1);
  let storedRows = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const at = row >> ROW_BITS;
    const place = at & (LATELY - 1);
    if (lately[place] !== at) {
      const columns = segments[at]?.columns;
      const name = columns === undefined ? NO_ROW : at;
      const source = sourceOf.get(name) ?? sources.push(columns?.slice(skipped) ?? []) - 1;
      sourceOf.set(name, source);
      lately[place] = at;
      latelySource[place] = columns === undefined ? ~source : source;
    }
    const source = latelySource[place] as number;
    if (source >= 0) {
      batches[i] = source;
      positions[i] = row & ROW_MASK;
      continue;
    }
    batches[i] = ~source;
    storeRow(segments, row, stored());
    positions[i] = storedRows++;
  }
  const bare = sourceOf.get(NO_ROW);
  if (bare !== undefined) {
    sources[bare] = stored().finish();
    if (sources.length === 1) return sources[bare];
  }
  return cellsOf(sources, 0, cells, { batches, positions });
}

/** By segment its columns, where all have some and it costs less to look at each than at each row; else null. */
function allColumns(
  segments: readonly Segment[],
  rows: number,
): readonly (readonly Column[])[] | null {
  if (segments.length * SEGMENT_ROWS_MIN > rows) return null;
  const all: (readonly Column[])[] = [];
  for (const { columns } of segments) {
    if (columns === undefined) return null;
    all.push(columns);
  }
  return all;
}

/** Writes the segment of each row, and its place there. @returns false where one is NO_ROW */
function isSpread(rows: Int32Array, batches: Uint32Array, positions: Uint32Array): boolean {
  const { length } = rows;
  let signs = 0;
  for (let i = 0; i < length; i++) {
    const row = rows[i] as number;
    signs |= row;
    batches[i] = row >> ROW_BITS;
    positions[i] = row & ROW_MASK;
  }
  return signs >= 0;
}

/** @param first the cell that stands first in what is given back */
function cellsOf(
  sources: readonly (readonly Column[])[],
  first: number,
  count: number,
  places: Places,
): readonly Column[] {
  return Array.from({ length: count }, (_, cell) => {
    const of = sources.map((columns) => columns[first + cell] as Column);
    return of.length === 1
      ? gatherColumn(of[0] as Column, places.positions)
      : gatherAcross(of, places);
  });
}

/** The array, or a copy of it where it is not to hold on to its buffer. */
type Own = <N extends Uint8Array | Uint32Array | Float64Array>(array: N) => N;

function owned(column: Column, own: Own): Column {
  if (column.storage === 'objects') return column;
  const validity = column.validity && own(column.validity);
  if (column.storage !== 'dictionary')
    return { ...column, validity, values: own(column.values as Uint8Array) } as Column;
  // One of its own, that holds no texts of other chunks.
  const { bytes, offsets } = column.dictionary;
  const dictionary = new WholeDictionary(own(bytes), own(offsets));
  return { ...column, validity, values: own(column.values), dictionary };
}

function arraysOf(column: Column): readonly ArrayBufferView[] {
  if (column.storage === 'objects') return [];
  const { validity, values } = column;
  const own: ArrayBufferView[] = validity === null ? [values] : [values, validity];
  if (column.storage === 'dictionary') own.push(column.dictionary.bytes, column.dictionary.offsets);
  return own;
}
