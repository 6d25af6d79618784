// Decodes fetched record batches into the rows of a source step, skipping and naming what cannot be used; knows no operator and no log.

import { existing } from '../base/assert.ts';
import { RecordError } from '../base/errors.ts';
import { KERNEL_BATCH_BYTES_MIN } from '../base/limits.ts';
import { type Batch, IDENTITY, Op, select } from '../data/batch.ts';
import { columnBuilder, type ColumnBuilder } from '../data/builder.ts';
import { bitAt, type Bitmap, bitmap, type Column, setBit } from '../data/column.ts';
import type { RecordBatch } from '../data/record.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Decoder, Formats } from '../formats/serde.ts';
import type { InternalSourceStep, SourceStep, Step } from '../plan/step.ts';
import { windowBytes } from '../formats/windowed-key.ts';
import { wholeTimes } from './event-time.ts';
import { isDecodable } from '../formats/json-kernel.ts';
import type { JsonValues, ValueSource } from './json-values.ts';
import { decodesJson, type JsonInKernel, LateJson } from './late-json.ts';
import { JSON_VALUES, KERNEL_DECODERS, PSEUDO_COLUMNS } from './parts.ts';
import type { EventTime } from './pseudo-columns.ts';
import type { Sharing } from './sharing.ts';
import { windowColumn, windowKind, type RecordPlace } from './record-columns.ts';

/** Names a record that was skipped: its index in the record batch, and why. */
export type OnProblem = (index: number, error: RecordError) => void;

/** Decodes records `from .. to` (indexes) of one record batch; at most BATCH_ROWS_MAX of them. Null when no row is left. */
export interface Reader {
  read(
    records: RecordBatch,
    place: RecordPlace,
    from: number,
    to: number,
    onProblem: OnProblem,
  ): Batch | null;
  /** Lets go of what it shares with others. */
  close?(): void;
}

const NONE: ReadonlySet<number> = new Set();

export interface ReaderOptions {
  /** null: values in JSON are decoded without it. */
  readonly kernel?: WebAssembly.Module | null;
  /** false: what is in internal topics was encoded in this process. */
  readonly internalChecksums?: boolean;
  /** null or absent: values are decoded for this reader alone. */
  readonly sharing?: Sharing | null;
  /** Of the sub-topology, to know for how long rows are looked at; absent: nobody says. */
  readonly steps?: readonly Step[];
}

/**
 * The reader of a source step.
 * @throws {InvariantError} when a format is missing that the planner admitted
 */
export function readerOf(
  step: SourceStep | InternalSourceStep,
  formats: Formats,
  { kernel = null, internalChecksums = true, sharing = null, steps }: ReaderOptions = {},
): Reader {
  if (step.step === 'internalSource')
    return new PSEUDO_COLUMNS.code.ColumnarReader(step.schema, !internalChecksums);
  const source = { step, sharing, steps };
  return new SourceReader(source, formats, step.run?.path === 'row' ? null : kernel);
}

/** A wanted part of the record, decoded by one format. */
export interface Part {
  readonly decoder: Decoder;
  readonly builders: readonly ColumnBuilder[];
  readonly columns: readonly SchemaColumn[];
  /** Of the columns, with their role: no two of a source are alike. */
  readonly names: readonly string[];
}

const nameOf = ({ role, name }: SchemaColumn): string => `${role} ${name}`;

/** Reads user records: the columns that the plan touches, through the formats of key and value. */
class SourceReader implements Reader {
  readonly #key: Part | null;
  readonly #value: Part | null;
  /** Decodes the keys instead of `#key`; null: the kernel does not. */
  #keys: JsonValues | null = null;
  /** Decodes the values instead of `#value`; null: the kernel does not, or not yet. */
  #values: JsonValues | null = null;
  /** The same for the chunk that is being read. */
  #chosen: JsonValues | null = null;
  /** Where the kernel's decoder comes late, if at all. */
  #late: LateJson | null = null;
  readonly #step: SourceStep;
  /** Of the columns of the step. */
  readonly #names: readonly string[];
  readonly #source: ValueSource;
  readonly #windowBytes: number;
  readonly #needsKey: boolean;
  #eventTime: EventTime | null = null;

  constructor(source: ValueSource, formats: Formats, kernel: WebAssembly.Module | null) {
    const { step } = source;
    this.#source = source;
    this.#step = step;
    this.#names = step.schema.columns.map(nameOf);
    const kind = windowKind(step.window);
    this.#windowBytes = kind === null ? 0 : windowBytes(kind);
    this.#needsKey = step.kind === 'table' || kind !== null;
    this.#key = this.#part('key', formats);
    this.#value = this.#part('value', formats);
    if (kernel === null) return;
    const columns = step.sourceSchema.columns.filter((column) => column.role === 'value');
    if (this.#value !== null && isDecodable(step.valueFormat, columns, this.#value.columns)) {
      if (decodesJson(kernel))
        this.#decodeIn(this.#value, { code: JSON_VALUES.code, module: kernel });
      else this.#late = new LateJson();
    }
    const left = this.#values === null ? this.#value : null;
    const others = KERNEL_DECODERS.fetched?.kernelDecoders(source, kernel, this.#key, left);
    this.#keys = others?.keys ?? null;
    this.#values ??= others?.values ?? null;
  }

  /** From now on the kernel decodes the values. */
  #decodeIn(value: Part, { code, module }: JsonInKernel): void {
    const { columns, decoder } = value;
    this.#values = new code.JsonValues(module, columns, decoder, this.#source);
  }

  close(): void {
    this.#keys?.close();
    this.#values?.close();
  }

  #part(role: 'key' | 'value', formats: Formats): Part | null {
    const step = this.#step;
    const spec = role === 'key' ? step.keyFormat : step.valueFormat;
    if (spec.format === 'COLUMNAR') return null;
    const columns = step.sourceSchema.columns.filter((column) => column.role === role);
    const wanted: number[] = [];
    const builders: ColumnBuilder[] = [];
    columns.forEach((column, index) => {
      const touched = step.schema.columns.some(
        (other) => other.role === role && other.name === column.name,
      );
      if (!touched && step.timestamp?.column !== column.name) return;
      wanted.push(index);
      builders.push(columnBuilder(column.type));
    });
    // A part of which no column is touched is still checked: a record is bad or good whatever the query reads.
    if (columns.length === 0) return null;
    const format = existing(formats.get(spec.format), 'format');
    const touched = wanted.map((index) => columns[index] as SchemaColumn);
    const decoder = format.decoder(columns, wanted, spec);
    return { decoder, builders, columns: touched, names: touched.map(nameOf) };
  }

  read(
    records: RecordBatch,
    place: RecordPlace,
    from: number,
    to: number,
    onProblem: OnProblem,
  ): Batch | null {
    if (records.isColumnar) {
      return PSEUDO_COLUMNS.code.readColumnar(this.#step, records, [from, to], (kept, columns) =>
        this.#batch(records, place, kept, columns, onProblem),
      );
    }
    const late = this.#late;
    // In pages: to bring a few short values to the kernel takes longer than to decode them here.
    const isShort = late !== null && records.bytes.length < KERNEL_BATCH_BYTES_MIN;
    const inKernel = isShort || this.#values ? null : late?.before(to - from);
    if (inKernel && this.#value) this.#decodeIn(this.#value, inKernel);
    this.#chosen = isShort ? null : this.#values;
    const chunk = { records, place, from, to };
    const areValues = this.#chosen?.begin(chunk) ?? false;
    // Without a format, or with one that looks at nothing, a record is good or bad whatever its key is.
    const areKeys =
      this.#keys?.begin(chunk) ??
      (!this.#needsKey && (this.#key === null || this.#key.decoder.isIdle === true));
    const isPlain = areValues && areKeys;
    const kept = isPlain && !records.hasKeys ? Kept.keyless(from, to) : new Kept(to - from);
    if (isPlain && records.hasKeys) {
      for (let index = from; index < to; index++)
        kept.add(index, records.keyFrom(index) < 0, false);
    } else if (!isPlain) this.#decodeAll(records, from, to, kept, onProblem);
    if (kept.rows === 0) return null;
    const columns = new Map<string, Column>();
    const positions = kept.rows === to - from ? null : kept.positions(from);
    const finish = (part: Part | null, decoded: JsonValues | null): void => {
      const made = decoded?.finish(positions) ?? part?.builders.map((builder) => builder.finish());
      made?.forEach((column, index) => columns.set(part?.names[index] ?? '', column));
    };
    finish(this.#key, this.#keys);
    finish(this.#value, this.#chosen);
    return this.#batch(records, place, kept, columns, onProblem);
  }

  #decodeAll(
    records: RecordBatch,
    from: number,
    to: number,
    kept: Kept,
    onProblem: OnProblem,
  ): void {
    for (let index = from; index < to; index++) {
      try {
        this.#decode(records, index, from, kept);
      } catch (thrown) {
        const isBad = thrown instanceof RecordError;
        // What else is thrown ends the call, which may be made again: nothing of it stays.
        const rows = isBad ? kept.rows : 0;
        if (this.#keys === null) truncate(this.#key, rows);
        if (this.#chosen === null) truncate(this.#value, rows);
        if (!isBad) throw thrown;
        onProblem(index, thrown);
      }
    }
  }

  #decode(records: RecordBatch, index: number, first: number, kept: Kept): void {
    const keyFrom = records.keyFrom(index);
    const keyTo = records.keyTo(index) - this.#windowBytes;
    if (keyFrom >= 0 && keyTo < keyFrom) {
      throw new RecordError('DESERIALIZATION', 'the key is too short to hold its window');
    }
    const hasKey =
      this.#keys === null
        ? decodePart(this.#key, records.bytes, keyFrom, keyTo)
        : this.#keys.take(index - first);
    if (!hasKey && this.#needsKey) {
      throw new RecordError('DESERIALIZATION', 'the record needs a key');
    }
    const hasValue =
      this.#chosen === null
        ? decodePart(this.#value, records.bytes, records.valueFrom(index), records.valueTo(index))
        : this.#chosen.take(index - first);
    kept.add(index, !hasKey, !hasValue);
  }

  #batch(
    records: RecordBatch,
    place: RecordPlace,
    kept: Kept,
    columns: ReadonlyMap<string, Column>,
    onProblem: OnProblem,
  ): Batch | null {
    const step = this.#step;
    const { rows } = kept;
    const origin = kept.origin.subarray(0, rows);
    const { rowtime, dropped } = this.#rowtimes(records, origin, kept, columns, onProblem);
    const of = { records, place, origin, rowtime };
    const built: Batch = {
      schema: step.schema,
      length: rows,
      selection: null,
      columns: step.schema.columns.map(
        (column, index) => columns.get(this.#names[index] as string) ?? this.#column(column, of),
      ),
      valueNull: kept.valueNull,
      keyNull: kept.keyNull,
      rowtime,
      op: step.kind === 'table' ? kept.operations() : null,
      origin,
    };
    if (dropped.size === 0) return built;
    return select(
      built,
      IDENTITY.subarray(0, rows).filter((row) => !dropped.has(row)),
    );
  }

  #column(
    column: SchemaColumn,
    of: { records: RecordBatch; place: RecordPlace; origin: Uint32Array; rowtime: Float64Array },
  ): Column {
    if (column.role === 'window')
      return windowColumn(column, this.#step.window, of.records, of.origin);
    return PSEUDO_COLUMNS.code.pseudoColumn(column, this.#step.headers, of);
  }

  /** Event times from the declared column or the records; rows without a usable one are dropped. */
  #rowtimes(
    records: RecordBatch,
    origin: Uint32Array,
    kept: Kept,
    columns: ReadonlyMap<string, Column>,
    onProblem: OnProblem,
  ): { rowtime: Float64Array; dropped: ReadonlySet<number> } {
    const name = this.#step.timestamp?.column ?? null;
    const column =
      name === null ? undefined : (columns.get(`value ${name}`) ?? columns.get(`key ${name}`));
    const [first = 0] = origin;
    if (column === undefined && origin[kept.rows - 1] === first + kept.rows - 1) {
      // Nothing was skipped in between, and the log has refused records without a usable time.
      return { rowtime: records.timestamps.subarray(first, first + kept.rows), dropped: NONE };
    }
    if (column !== undefined && kept.valueNull === null) {
      const times = wholeTimes(column, kept.rows);
      if (times !== null) return { rowtime: times, dropped: NONE };
    }
    const time = (this.#eventTime ??= PSEUDO_COLUMNS.code.eventTime(this.#step.timestamp));
    return PSEUDO_COLUMNS.code.rowtimesOf(
      { records, origin, kept, name, time, column: column ?? null },
      onProblem,
    );
  }
}

function truncate(part: Part | null, rows: number): void {
  for (const builder of part?.builders ?? []) builder.truncate(rows);
}

/** Decodes the key or the value; nulls stand for one that is absent. @returns false when it is null as a whole */
function decodePart(part: Part | null, bytes: Uint8Array, from: number, to: number): boolean {
  if (from >= 0) return part === null || part.decoder.decode(bytes, from, to, part.builders);
  for (const builder of part?.builders ?? []) builder.appendNull();
  return false;
}

/** The records that became rows. */
export class Kept {
  readonly origin: Uint32Array;
  rows = 0;
  keyNull: Bitmap | null = null;
  valueNull: Bitmap | null = null;
  readonly #rowsMax: number;

  constructor(rowsMax: number, origin = new Uint32Array(rowsMax)) {
    this.#rowsMax = rowsMax;
    this.origin = origin;
  }

  /** All records `from .. to`, which have values and no keys. */
  static keyless(from: number, to: number): Kept {
    const rows = to - from;
    const whole = IDENTITY.subarray(0, rows);
    const kept = new Kept(rows, from === 0 ? whole : whole.map((row) => from + row));
    kept.rows = rows;
    const keyNull = bitmap(rows).fill(0xff);
    // Of whole bytes there is none behind the last one, and nothing is written.
    keyNull[rows >> 3] = (1 << (rows & 7)) - 1;
    kept.keyNull = keyNull;
    return kept;
  }

  add(index: number, keyNull: boolean, valueNull: boolean): void {
    const row = this.rows++;
    this.origin[row] = index;
    if (keyNull) setBit((this.keyNull ??= bitmap(this.#rowsMax)), row);
    if (valueNull) setBit((this.valueNull ??= bitmap(this.#rowsMax)), row);
  }

  /** Where the rows' records stand from the record `first` on. */
  positions(first: number): Uint32Array {
    return this.origin.subarray(0, this.rows).map((index) => index - first);
  }

  isValueNull(row: number): boolean {
    return this.valueNull !== null && bitAt(this.valueNull, row);
  }

  /** A table's record sets its key's row, or removes it when its value is null. */
  operations(): Uint8Array {
    // All are 0, which is Op.Insert.
    const inserts = new Uint8Array(this.rows);
    if (this.valueNull === null) return inserts;
    return inserts.map((op, row) => (this.isValueNull(row) ? Op.Delete : op));
  }
}
