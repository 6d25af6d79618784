// What a format is: bytes of one record's key or value to columns and back; knows no topic and no format.

import type { ByteWriter } from '../base/bytes.ts';
import type { ColumnBuilder } from '../data/builder.ts';
import type { Column } from '../data/column.ts';
import type { SchemaColumn } from '../data/schema.ts';

/** A format by name with its options, as plans and the catalog carry it. Plain JSON. */
export interface FormatSpec {
  readonly format: string;
  /** Options by upper-case name, e.g. `DELIMITER`. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** true: even a single column stands in an object; false: it stands bare. */
  readonly wrap: boolean;
}

/** Reads one record's key or value. Made once per source for the columns that the plan touches. */
export interface Decoder {
  /** true: nothing is wanted and nothing is checked, so that `decode` need not be called. */
  readonly isIdle?: boolean;
  /**
   * Appends exactly one value to each builder, in the order of the wanted columns.
   * @returns false when the key or value as a whole is null though it has bytes (JSON `null`): nulls were appended
   * @param bytes the region that holds the record; `from` inclusive, `to` exclusive
   * @throws {RecordError} DESERIALIZATION, with the column or path; the caller rolls the builders back
   */
  decode(bytes: Uint8Array, from: number, to: number, into: readonly ColumnBuilder[]): boolean;
}

/** Writes one record's key or value. */
export interface Encoder {
  /**
   * Appends the record's bytes to `to`.
   * @returns false when the record's bytes are null (nothing was written)
   * @throws {RecordError} SERIALIZATION, with the column
   */
  encode(columns: readonly Column[], position: number, to: ByteWriter): boolean;
}

export interface Format {
  readonly name: string;
  /** What this format cannot hold, as a sentence to show, or null when it can hold all these columns. */
  refuse(columns: readonly SchemaColumn[], part: 'key' | 'value', spec: FormatSpec): string | null;
  /** @param wanted positions in `columns` of those to decode, ascending */
  decoder(columns: readonly SchemaColumn[], wanted: readonly number[], spec: FormatSpec): Decoder;
  encoder(columns: readonly SchemaColumn[], spec: FormatSpec): Encoder;
}

/** Formats by upper-case name. */
export type Formats = ReadonlyMap<string, Format>;
