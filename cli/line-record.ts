// Makes the record of one input line: columns from its JSON, key and value in the formats of a source; knows no file.

import { ByteWriter } from '../runtime/base/bytes.ts';
import { InvariantError, RecordError } from '../runtime/base/errors.ts';
import type { Source } from '../runtime/catalog/source.ts';
import { columnBuilder } from '../runtime/data/builder.ts';
import { type Column, isNull, valueAt } from '../runtime/data/column.ts';
import { checkSizes, checkTimestamp } from '../runtime/data/record.ts';
import type { SchemaColumn } from '../runtime/data/schema.ts';
import { BIGINT } from '../runtime/data/type.ts';
import type { ProducedRecord } from '../runtime/engine/insert.ts';
import { FORMATS } from '../runtime/formats/formats.ts';
import type { Decoder, Encoder, Format } from '../runtime/formats/serde.ts';

const ROWTIME: SchemaColumn = { name: 'ROWTIME', type: BIGINT, role: 'pseudo' };

/** Records of one source from lines of JSON. Names of columns are matched as they are, else in upper case; others are left out. */
export class LineRecords {
  readonly #source: Source;
  readonly #keys: readonly SchemaColumn[];
  readonly #columns: readonly SchemaColumn[];
  readonly #decoder: Decoder;
  readonly #keyEncoder: Encoder;
  readonly #valueEncoder: Encoder;

  constructor(source: Source) {
    const withRole = (role: string) => source.schema.columns.filter((one) => one.role === role);
    const values = withRole('value');
    this.#source = source;
    this.#keys = withRole('key');
    this.#columns = [...this.#keys, ...values, ROWTIME];
    const all = this.#columns.map((_, index) => index);
    const json = { format: 'JSON', options: [], wrap: true };
    this.#decoder = format('JSON').decoder(this.#columns, all, json);
    const { keyFormat, valueFormat } = source;
    this.#keyEncoder = format(keyFormat.format).encoder(this.#keys, keyFormat);
    this.#valueEncoder = format(valueFormat.format).encoder(values, valueFormat);
  }

  /**
   * The record of a line.
   * @throws {RecordError} when it is no JSON object or a value is none of its column
   * @throws {PortError} RECORD_TOO_LARGE, INVALID_TIMESTAMP
   */
  record(line: Uint8Array): ProducedRecord {
    const builders = this.#columns.map((column) => columnBuilder(column.type));
    if (!this.#decoder.decode(line, 0, line.length, builders)) {
      throw new RecordError('DESERIALIZATION', 'a line is one JSON object with the columns');
    }
    const columns = builders.map((builder) => builder.finish());
    const keys = columns.slice(0, this.#keys.length);
    const hasKey = keys.some((column) => !isNull(column, 0));
    if (!hasKey && this.#source.kind === 'table') {
      const names = this.#keys.map(({ name }) => name).join(', ');
      throw new RecordError('DESERIALIZATION', `a row of ${this.#source.name} needs ${names}`);
    }
    const key = hasKey ? encoded(this.#keyEncoder, keys) : null;
    const value = encoded(this.#valueEncoder, columns.slice(keys.length, -1));
    checkSizes(key?.length ?? 0, value?.length ?? 0);
    return { key, value, timestamp: timestampOf(columns.at(-1)) };
  }
}

function format(name: string): Format {
  const found = FORMATS.get(name);
  if (found === undefined) throw new InvariantError(`there is no format ${name}`);
  return found;
}

function encoded(encoder: Encoder, columns: readonly Column[]): Uint8Array | null {
  const to = new ByteWriter();
  return encoder.encode(columns, 0, to) ? to.finish() : null;
}

function timestampOf(column: Column | undefined): number | undefined {
  const value = column === undefined ? null : valueAt(column, 0);
  if (value === null) return undefined;
  const ms = Number(value);
  checkTimestamp(ms);
  return ms;
}
