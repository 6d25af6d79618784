// Rows that joins keep in memory, as the columns in which they came: a row is a number; knows no key and no table.

import { grown } from '../base/grown.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, IDENTITY } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import { compactDictionary, gather, gatherColumn } from '../data/dense.ts';
import { Dictionary } from '../data/dictionary.ts';
import { gatherAcross } from '../data/gather-across.ts';
import { RowCells, rowtimeOf, tailAtOf } from '../data/row-cells.ts';
import { StoredRows } from '../data/stored-rows.ts';
import { storageOf } from '../data/storage.ts';
import type { Type } from '../data/type.ts';

/** In the place of a row. */
export const NO_ROW = -1;

/** A batch with fewer rows is kept row by row, as bytes: columns of their own would cost more. So are nested values, whose size nobody knows. */
const COLUMN_ROWS_MIN = 32;
const FIRST_BYTES = 4096;
/** Where a row's number has its segment, and its place in it. */
export const ROW_BITS = 12;
export const ROW_MASK = BATCH_ROWS_MAX - 1;
const NO_BASE = -1;

/** At most BATCH_ROWS_MAX rows of one batch. */
interface Columns {
  readonly columns: readonly Column[];
  readonly rowtime: Float64Array;
  readonly size: number;
}

/** At most BATCH_ROWS_MAX rows as state values, one after the other: row `i` ends at `ends[i]`. */
interface Bytes {
  readonly columns: null;
  bytes: Uint8Array;
  readonly ends: Uint32Array;
  size: number;
}

/**
 * Rows are added and never removed, nor do they change; who wants fewer makes others of those that are to stay (`of`). Row `n` is row
 * `n % BATCH_ROWS_MAX` of segment `n / BATCH_ROWS_MAX`: what came as one batch, or rows that came one by one.
 *
 * Cost: of a batch nothing, but for a copy of what is a part of a larger buffer or is not used whole.
 */
export class KeptRows {
  readonly #types: readonly Type[];
  readonly #skipped: number;
  readonly #isNested: boolean;
  readonly #cells: RowCells;
  readonly #segments: (Columns | Bytes)[] = [];
  /** What takes in rows that come one by one, and where it stands. */
  #open: Bytes | null = null;
  #openAt = 0;
  /** What came last, and the number that its row 0 would have; NO_BASE: its rows are taken one by one. */
  #batch: Batch | null = null;
  #columns: readonly Column[] = [];
  #base = NO_BASE;
  /** Rows held, whether or not somebody took them. */
  size = 0;
  /** What they take in memory, roughly. */
  bytesHeld = 0;

  /** @param skipped columns at the front that `columnsOf` leaves out */
  constructor(types: readonly Type[], skipped = 0) {
    this.#types = types;
    this.#skipped = skipped;
    this.#isNested = types.some((type) => type.kind !== 'STRING' && storageOf(type) === 'objects');
    this.#cells = new RowCells(types);
  }

  /** Those rows alone, of which row `i` is the `i`th. */
  of(rows: Int32Array): KeptRows {
    const kept = new KeptRows(this.#types, this.#skipped);
    for (let from = 0; from < rows.length; from += BATCH_ROWS_MAX) {
      const some = rows.subarray(from, from + BATCH_ROWS_MAX);
      const whole = this.#wholeOf(some);
      if (whole === null && this.#isNested)
        for (let i = 0; i < some.length; i++) kept.add(this.bytes(some[i] as number));
      else kept.#push(whole ?? this.#chosen(some));
    }
    return kept;
  }

  /** The segment that those rows are, all and in their order. */
  #wholeOf(rows: Int32Array): Columns | null {
    const first = rows[0] as number;
    const segment = this.#segments[first >> ROW_BITS] as Columns | Bytes;
    if (segment.columns === null || segment.size !== rows.length) return null;
    if ((first & ROW_MASK) !== 0) return null;
    for (let i = 0; i < rows.length; i++) if (rows[i] !== first + i) return null;
    return segment;
  }

  #chosen(rows: Int32Array): Columns {
    const columns = this.#gathered(rows, 0).map(owned);
    const rowtime = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) rowtime[i] = this.rowtime(rows[i] as number);
    return { columns, rowtime, size: rows.length };
  }

  /** Turns to a batch, of which rows from `from` on will be taken. @param columns of the types, in their order */
  begin(batch: Batch, columns: readonly Column[], from: number): void {
    if (batch === this.#batch) return;
    this.#batch = batch;
    this.#columns = columns;
    this.#base = NO_BASE;
    const size = batch.length - from;
    if (size < COLUMN_ROWS_MIN || columns.some(({ storage }) => storage === 'objects')) return;
    this.#base = this.#segments.length * BATCH_ROWS_MAX - from;
    const { selection, rowtime } = batch;
    if (selection === null && from === 0) {
      this.#push({ columns: columns.map(owned), rowtime: ownedArray(rowtime), size });
      return;
    }
    const positions = (selection ?? IDENTITY).subarray(from, batch.length);
    this.#push({
      columns: columns.map((column) => owned(gatherColumn(column, positions))),
      rowtime: gather(rowtime, new Float64Array(size), positions),
      size,
    });
  }

  /** The number of row `i` of the batch, which stands at that position. */
  take(i: number, position: number, ms: number): number {
    if (this.#base !== NO_BASE) return this.#base + i;
    const length = this.#cells.write(this.#columns, position, ms);
    return this.add(this.#cells.written, length);
  }

  /** Adds a row as a state value has it, the first `length` of the bytes, and gives its number. */
  add(row: Uint8Array, length: number = row.length): number {
    let open = this.#open;
    if (open === null || open.size === BATCH_ROWS_MAX) {
      open = {
        columns: null,
        bytes: new Uint8Array(FIRST_BYTES),
        ends: new Uint32Array(BATCH_ROWS_MAX),
        size: 0,
      };
      this.#open = open;
      this.#openAt = this.#push(open);
    }
    const from = startOf(open, open.size);
    const to = from + length;
    if (to > open.bytes.length) open.bytes = grown(open.bytes, Math.max(to, from * 2));
    const { bytes } = open;
    if (length > 128) bytes.set(row.subarray(0, length), from);
    else for (let i = 0; i < length; i++) bytes[from + i] = row[i] as number;
    open.ends[open.size] = to;
    this.size++;
    this.bytesHeld += length;
    return this.#openAt * BATCH_ROWS_MAX + open.size++;
  }

  /** @returns its number */
  #push(segment: Columns | Bytes): number {
    this.size += segment.size;
    if (segment.columns !== null) this.bytesHeld += bytesOf(segment);
    return this.#segments.push(segment) - 1;
  }

  /** Of all rows as state values. */
  get valueBytes(): number {
    return this.#segments.reduce(
      (sum, segment) =>
        sum +
        (segment.columns === null
          ? startOf(segment, segment.size)
          : valueBytesOf(segment.columns, segment.size)),
      0,
    );
  }

  /** How many rows the row's segment has so far. */
  segmentSize(row: number): number {
    return (this.#segments[row >> ROW_BITS] as Columns | Bytes).size;
  }

  rowtime(row: number): number {
    const segment = this.#segments[row >> ROW_BITS] as Columns | Bytes;
    const i = row & ROW_MASK;
    if (segment.columns !== null) return segment.rowtime[i] as number;
    return rowtimeOf(segment.bytes, startOf(segment, i));
  }

  /** The row as a state value: a view that is good until the next call. */
  bytes(row: number): Uint8Array {
    const segment = this.#segments[row >> ROW_BITS] as Columns | Bytes;
    const i = row & ROW_MASK;
    if (segment.columns === null)
      return segment.bytes.subarray(startOf(segment, i), segment.ends[i]);
    const length = this.#cells.write(segment.columns, i, segment.rowtime[i] as number);
    return this.#cells.written.subarray(0, length);
  }

  /** The columns of those rows, at most BATCH_ROWS_MAX, but for the skipped ones; NO_ROW: nulls. @throws {TaskCorrupted} */
  columnsOf(rows: Int32Array): readonly Column[] {
    return this.#gathered(rows, this.#skipped);
  }

  #gathered(rows: Int32Array, skipped: number): readonly Column[] {
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
        columns = this.#segments[at]?.columns ?? null;
        const name = columns === null ? NO_ROW : at;
        source = sourceOf.get(name) ?? sources.push(columns ?? []) - 1;
        sourceOf.set(name, source);
      }
      batches[i] = source;
      if (columns === null) {
        stored ??= new StoredRows(this.#types, skipped);
        this.#store(row, stored);
        positions[i] = storedRows++;
      } else positions[i] = row & ROW_MASK;
    }
    const bare = sourceOf.get(NO_ROW);
    const made = stored?.finish() ?? [];
    const [only] = sources;
    if (sources.length < 2 && (stored !== null || only === undefined)) return made;
    return this.#types.slice(skipped).map((_, cell) => {
      const of = sources.map((one, i) =>
        i === bare ? (made[cell] as Column) : (one[skipped + cell] as Column),
      );
      return of.length === 1
        ? gatherColumn(of[0] as Column, positions)
        : gatherAcross(of, { batches, positions });
    });
  }

  #store(row: number, to: StoredRows): void {
    if (row === NO_ROW) {
      to.add(null, 0, 0);
      return;
    }
    const segment = this.#segments[row >> ROW_BITS] as Bytes;
    const i = row & ROW_MASK;
    to.add(segment.bytes, startOf(segment, i), segment.ends[i] as number);
  }
}

function startOf({ ends }: Bytes, row: number): number {
  return row === 0 ? 0 : (ends[row - 1] as number);
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

/** Of so many rows as RowCells writes them. */
function valueBytesOf(columns: readonly Column[], rows: number): number {
  let bytes = rows * tailAtOf(columns.length);
  for (const column of columns) {
    if (column.storage !== 'dictionary') continue;
    const { validity, values, dictionary } = column;
    const { offsets } = dictionary;
    for (let row = 0; row < rows; row++) {
      if (validity !== null && !bitAt(validity, row)) continue;
      const code = values[row] as number;
      bytes += 4 + (offsets[code + 1] as number) - (offsets[code] as number);
    }
  }
  return bytes;
}

function bytesOf({ columns, rowtime }: Columns): number {
  let bytes = rowtime.byteLength;
  for (const column of columns) {
    if (column.storage === 'objects') continue;
    bytes += column.values.byteLength + (column.validity?.length ?? 0);
    if (column.storage !== 'dictionary') continue;
    bytes += column.dictionary.bytes.length + column.dictionary.offsets.byteLength;
  }
  return bytes;
}
