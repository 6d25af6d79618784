// The values of a chunk of JSON records, decoded in the kernel, and by the format's own decoder where the kernel declines; knows no log.

import { type ColumnBuilder, columnBuilder } from '../data/builder.ts';
import type { Column } from '../data/column.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Decoder } from '../formats/serde.ts';
import { JSON_NULL, JSON_OK } from '../kernel/json-abi.ts';
import type { KernelExports } from '../kernel/exports.ts';
import { JsonKernel } from '../kernel/json-instance.ts';
import type { SourceStep, Step } from '../plan/step.ts';
import { chosen, patched } from './json-patches.ts';
import { KERNEL_DECODERS } from './parts.ts';
import type { RecordPlace } from './record-columns.ts';
import { SharedReader, type ValueChunk } from './shared-values.ts';
import type { Sharing } from './sharing.ts';

/** Whose values are decoded. */
export interface ValueSource {
  readonly step: SourceStep;
  /** With whom the work is shared; null: with nobody. */
  readonly sharing: Sharing | null;
  /** Of its sub-topology, which say for how long rows are looked at; absent: nobody says. */
  readonly steps?: readonly Step[] | undefined;
}

/** Of a chunk: `begin`, then `take` for each record that has a usable key, then `finish`. */
export class JsonValues {
  readonly #module: WebAssembly.Module;
  readonly #columns: readonly SchemaColumn[];
  /** Made when it is first needed: not where others decode for it. */
  #own: JsonKernel | null = null;
  readonly #decoder: Decoder;
  readonly #begun: ((calls: KernelExports) => void) | undefined;
  readonly #source: ValueSource;
  /** The partition that it reads; null: it has not read anything. */
  #place: RecordPlace | null = null;
  /** null: nobody else has been met who reads it. */
  #peers: SharedReader | null = null;
  /** Columns of the chunk that were decoded for several readers; null: it is decoded here. */
  #shared: Column[] | null = null;
  /** What the decoder made of the records that the kernel declined. */
  readonly #builders: readonly ColumnBuilder[];
  #records: ValueChunk['records'] | null = null;
  #from = 0;
  #statuses: Uint8Array | null = null;
  /** Rows of the chunk whose values are in the builders. */
  #patched: number[] = [];

  /**
   * @param decoder decodes the same columns, in the same order
   * @param begun as of the kernel
   */
  constructor(
    module: WebAssembly.Module,
    columns: readonly SchemaColumn[],
    decoder: Decoder,
    source: ValueSource,
    begun?: (calls: KernelExports) => void,
  ) {
    this.#module = module;
    this.#columns = columns;
    this.#decoder = decoder;
    this.#source = source;
    this.#begun = begun;
    this.#builders = columns.map(({ type }) => columnBuilder(type));
  }

  get #kernel(): JsonKernel {
    const begun = this.#begun;
    const columns = this.#columns;
    return (this.#own ??= new JsonKernel(
      this.#module,
      KERNEL_DECODERS.fetched?.decodedColumns(columns, this.#source, begun) ?? columns,
      undefined,
      begun,
    ));
  }

  /**
   * @returns true when every record is decided and has a value: none need be taken
   */
  begin(chunk: ValueChunk): boolean {
    const { records, from, to } = chunk;
    this.#records = records;
    this.#from = from;
    this.#patched = [];
    this.#shared = this.#sharedColumns(chunk);
    if (this.#shared !== null) return true;
    // A chunk that was given up has left its rows behind.
    for (const builder of this.#builders) builder.truncate(0);
    let first = from;
    while (first < to && records.valueFrom(first) < 0) first++;
    const at = first < to ? records.valueFrom(first) : 0;
    this.#statuses = this.#kernel.decode(
      records.bytes,
      at,
      records.valueLengths.subarray(from, to),
    );
    return this.#kernel.counts()[JSON_OK] === to - from;
  }

  #sharedColumns(chunk: ValueChunk): Column[] | null {
    const { step, sharing } = this.#source;
    if (sharing === null) return null;
    const { place } = chunk;
    const readers = sharing.count(place, this.#place === null ? 1 : 0);
    this.#place = place;
    if (readers === 1) return null;
    this.#peers ??= new SharedReader(sharing, step, place, {
      module: this.#module,
      columns: this.#columns,
    });
    return this.#peers.columns(chunk);
  }

  /** Begins anew with the next chunk: what its decoder has grown by is free. */
  letGo(): void {
    this.#own = null;
    this.#statuses = null;
  }

  close(): void {
    KERNEL_DECODERS.fetched?.grownDecoders.note(this, 0);
    if (this.#place !== null) this.#source.sharing?.count(this.#place, -1);
    this.#place = null;
    this.#peers?.close();
    this.#peers = null;
  }

  /**
   * @param row its record's place in the chunk
   * @returns false when the value is null as a whole
   * @throws {RecordError} DESERIALIZATION
   */
  take(row: number): boolean {
    if (this.#shared !== null) return true;
    const status = this.#statuses?.[row];
    if (status === JSON_OK) return true;
    if (status === JSON_NULL) return false;
    const records = this.#records as ValueChunk['records'];
    const index = this.#from + row;
    const count = this.#patched.length;
    try {
      const hasValue = this.#decoder.decode(
        records.bytes,
        records.valueFrom(index),
        records.valueTo(index),
        this.#builders,
      );
      this.#patched.push(row);
      return hasValue;
    } catch (thrown) {
      for (const builder of this.#builders) builder.truncate(count);
      throw thrown;
    }
  }

  /** The columns of the rows at these positions of the chunk, ascending; null: of all. */
  finish(positions: Uint32Array | null): Column[] {
    this.#records = null;
    if (this.#shared !== null) {
      const shared = this.#shared;
      this.#shared = null;
      return positions === null ? shared : chosen(shared, positions);
    }
    const columns = this.#decoded(positions);
    KERNEL_DECODERS.fetched?.grownDecoders.note(this, this.#kernel.grownBytes);
    return columns;
  }

  #decoded(positions: Uint32Array | null): Column[] {
    const rows = this.#patched;
    if (rows.length === 0 && positions === null) return this.#kernel.columns();
    const patches = { columns: this.#builders.map((builder) => builder.finish()), rows };
    return patched(this.#kernel, patches, positions);
  }
}
