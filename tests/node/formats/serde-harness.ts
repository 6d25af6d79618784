// Drives one format in tests: texts or bytes in, values out, and back; knows no single format.

import { ByteWriter, decodeUtf8, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { columnBuilder } from '../../../runtime/data/builder.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import type { Value } from '../../../runtime/data/type.ts';
import type { Format, FormatSpec } from '../../../runtime/formats/serde.ts';

/** A format's options as plans carry them. */
export function spec(format: string, wrap = true, options: FormatSpec['options'] = []): FormatSpec {
  return { format, options, wrap };
}

/** What a decoder made of one record: a value per wanted column, and whether the record as a whole was null. */
export interface Decoded {
  readonly values: Value[];
  readonly present: boolean;
}

/** A function that decodes one record into the columns of a header such as `A:BIGINT | B:STRING`. */
export function decoding(
  format: Format,
  header: string,
  how: FormatSpec,
  wanted?: readonly number[],
) {
  const { columns } = prettySchema(header);
  const positions = wanted ?? columns.map((_, index) => index);
  const decoder = format.decoder(columns, positions, how);
  const builders = positions.map((index) =>
    columnBuilder(columns[index]?.type ?? { kind: 'STRING' }),
  );
  return (record: string | Uint8Array): Decoded => {
    const bytes = typeof record === 'string' ? encodeUtf8(record) : record;
    try {
      // The record stands between other bytes, as it does in a record batch.
      const region = new Uint8Array(bytes.length + 2).fill(0x22);
      region.set(bytes, 1);
      const present = decoder.decode(region, 1, bytes.length + 1, builders);
      return { present, values: builders.map((builder) => valueAt(builder.finish(), 0)) };
    } catch (thrown) {
      for (const builder of builders) builder.truncate(0);
      throw thrown;
    }
  };
}

/** A function that encodes one row of the columns of a header; null for a null record. */
export function encoding(format: Format, header: string, how: FormatSpec) {
  const { columns } = prettySchema(header);
  const encoder = format.encoder(columns, how);
  return (...values: readonly Value[]): Uint8Array | null => {
    const to = new ByteWriter();
    const made = columns.map((column, index) => {
      const builder = columnBuilder(column.type);
      builder.append(values[index] ?? null);
      return builder.finish();
    });
    return encoder.encode(made, 0, to) ? to.finish() : null;
  };
}

/** The text of what an encoder wrote. */
export function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decodeUtf8(bytes);
}
