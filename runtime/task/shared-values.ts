// Values of JSON decoded once for all tasks that read them at the same place; knows no task and no error.

import { JSON_COLUMNS_MAX, JSON_NAMES_BYTES_MAX, SHARED_VALUES_BYTES_MAX } from '../base/limits.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import { LimitError } from '../base/errors.ts';
import type { WasmModule } from '../base/host-types.ts';
import type { Column } from '../data/column.ts';
import type { RecordBatch } from '../data/record.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { JSON_OK } from '../kernel/json-abi.ts';
import { JsonKernel } from '../kernel/json-instance.ts';
import { nodesOf } from '../kernel/json-nodes.ts';
import type { SourceStep } from '../plan/step.ts';
import type { RecordPlace } from './record-columns.ts';
import type { Sharing } from './sharing.ts';

/** Chunks that are kept, with those of which there is nothing to share. */
const CHUNKS_MAX = 4096;
/** Length of a value that is null. */
const NO_VALUE = -1;

/** Records `from .. to` of a record batch, which are taken together. */
export interface ValueChunk {
  readonly records: Pick<RecordBatch, 'bytes' | 'valueLengths' | 'valueFrom' | 'valueTo'>;
  readonly place: RecordPlace;
  readonly from: number;
  readonly to: number;
}

/** Values of one partition, declared alike by all who read them. */
export interface SharedSource {
  readers: number;
  readonly values: SharedValues;
}

/** One of several readers of a partition. */
export class SharedReader {
  readonly #sharing: Sharing;
  readonly #columns: readonly SchemaColumn[];
  /** null: what a member means hangs on which columns are read, and it reads alone. */
  readonly #name: string | null;
  readonly #source: SharedSource;

  /** @param of the columns that it wants */
  constructor(
    sharing: Sharing,
    step: SourceStep,
    { partition }: RecordPlace,
    of: { readonly module: WasmModule; readonly columns: readonly SchemaColumn[] },
  ) {
    this.#sharing = sharing;
    sharing.remember();
    this.#columns = of.columns;
    const name = sharedName(step);
    this.#name = name === null ? null : `${partition} ${name}`;
    this.#source = sharing.sources.get(this.#name ?? '') ?? {
      readers: 0,
      values: new SharedValues(of.module),
    };
    this.#source.readers++;
    if (this.#name !== null) sharing.sources.set(this.#name, this.#source);
  }

  /** The columns of a chunk, not to be written to; null: it is decoded alone. */
  columns(chunk: ValueChunk): Column[] | null {
    const { readers, values } = this.#source;
    return readers < 2 ? null : values.columns(this.#columns, chunk, readers);
  }

  /** Leaves the others: the last one takes along what is shared. */
  close(): void {
    if (--this.#source.readers === 0 && this.#name !== null)
      this.#sharing.sources.delete(this.#name);
  }
}

/** What readers of the values have in common; null where a member means another column when others are read. */
function sharedName({ topic, valueFormat, sourceSchema }: SourceStep): string | null {
  // Whose fields are read is each reader's own.
  const columns = sourceSchema.columns.filter(({ role, path }) => role === 'value' && !path);
  const names = new Set(columns.map(({ name }) => name.toUpperCase()));
  if (names.size < columns.length) return null;
  return JSON.stringify([topic, valueFormat, columns.map(({ name, type }) => [name, type])]);
}

/** One chunk, until all who read it have. */
interface Decoded {
  /** By name; null: a record of it was declined or has no value, and everybody decodes it alone. */
  readonly columns: ReadonlyMap<string, Column> | null;
  readonly bytes: number;
  /** Readers that have not been here. */
  left: number;
}

/**
 * Of one partition. Decodes the columns that any of the readers wants. Only a chunk of which every record is decided and has a value is shared: then each
 * column is what it is without the others. What is behind the foremost reader and not held any more is decoded by each alone.
 */
export class SharedValues {
  readonly #module: WasmModule;
  #wanted: readonly SchemaColumn[] = [];
  /** For `#wanted`; null: they have become more. */
  #kernel: JsonKernel | null = null;
  readonly #chunks = new Map<string, Decoded>();
  #bytes = 0;
  #incarnation = '';
  /** Offset behind the last chunk that was decoded. */
  #front = 0;

  constructor(module: WasmModule) {
    this.#module = module;
  }

  /** Bytes of columns that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The columns of a chunk, not to be written to; null: the reader decodes it alone.
   * @param readers how many there are; each asks once
   */
  columns(wanted: readonly SchemaColumn[], chunk: ValueChunk, readers: number): Column[] | null {
    if (!this.#admits(wanted)) return null;
    const { place, from, to } = chunk;
    if (place.incarnation !== this.#incarnation) this.#begin(place.incarnation);
    const name = `${place.base} ${from} ${to}`;
    let decoded = this.#chunks.get(name);
    if (decoded === undefined || !holds(decoded, wanted)) {
      const end = place.base + to;
      if (decoded !== undefined) this.#forget(name, decoded);
      else if (end <= this.#front) return null;
      decoded = this.#decode(chunk, readers);
      this.#front = end;
      this.#keep(name, decoded);
    }
    const { columns } = decoded;
    if (--decoded.left <= 0) this.#forget(name, decoded);
    return columns === null ? null : wanted.map((column) => columns.get(column.name) as Column);
  }

  /** Of another topic of that name nothing is known. */
  #begin(incarnation: string): void {
    this.#incarnation = incarnation;
    this.#front = 0;
    this.#chunks.clear();
    this.#bytes = 0;
  }

  /** Adds columns to those that are decoded; false when there is no room for them. */
  #admits(wanted: readonly SchemaColumn[]): boolean {
    const names = new Set(this.#wanted.map(({ name }) => name));
    const more = wanted.filter(({ name }) => !names.has(name));
    if (more.length === 0) return true;
    const all = [...this.#wanted, ...more];
    const bytes = all.reduce((sum, { name }) => sum + encodeUtf8(name).length, 0);
    if (nodesOf(all).nodes.length > JSON_COLUMNS_MAX || bytes > JSON_NAMES_BYTES_MAX) return false;
    this.#wanted = all;
    this.#kernel = null;
    return true;
  }

  #decode({ records, from, to }: ValueChunk, readers: number): Decoded {
    const lengths = records.valueLengths.subarray(from, to);
    const columns = lengths.includes(NO_VALUE)
      ? null
      : this.#columnsOf(records.bytes, records.valueFrom(from), lengths);
    if (columns === null) return { columns, bytes: 0, left: readers };
    return {
      columns: new Map(columns.map((column, i) => [this.#wanted[i]?.name ?? '', column])),
      bytes: columns.reduce((sum, column) => sum + bytesOf(column), 0),
      left: readers,
    };
  }

  /** null: not all of them can be shared. */
  #columnsOf(bytes: Uint8Array, at: number, lengths: Int32Array): Column[] | null {
    const kernel = (this.#kernel ??= new JsonKernel(this.#module, this.#wanted));
    try {
      kernel.decode(bytes, at, lengths);
      return kernel.counts()[JSON_OK] === lengths.length ? kernel.columns() : null;
    } catch (thrown) {
      if (!(thrown instanceof LimitError)) throw thrown;
      // What all of them want does not fit; what each wants alone may.
      this.#kernel = null;
      return null;
    }
  }

  #keep(name: string, decoded: Decoded): void {
    this.#chunks.set(name, decoded);
    this.#bytes += decoded.bytes;
    for (const [oldest, held] of this.#chunks) {
      if (this.#bytes <= SHARED_VALUES_BYTES_MAX && this.#chunks.size <= CHUNKS_MAX) return;
      this.#forget(oldest, held);
    }
  }

  #forget(name: string, decoded: Decoded): void {
    if (this.#chunks.delete(name)) this.#bytes -= decoded.bytes;
  }
}

function holds({ columns }: Decoded, wanted: readonly SchemaColumn[]): boolean {
  return columns === null || wanted.every(({ name }) => columns.has(name));
}

function bytesOf(column: Column): number {
  const texts = column.storage === 'dictionary' ? column.dictionary.bytes.length : 0;
  // The kernel makes no objects.
  const { byteLength } = column.values as Uint8Array;
  return byteLength + texts + (column.validity?.length ?? 0);
}
