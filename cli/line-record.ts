// Makes records of input lines: columns from its JSON, key and value in the formats of a source; knows no file.

import { ByteWriter } from '../runtime/base/bytes.ts';
import { InvariantError, PortError, RecordError } from '../runtime/base/errors.ts';
import { BATCH_ROWS_MAX, LINE_BYTES_MAX } from '../runtime/base/limits.ts';
import type { Source } from '../runtime/catalog/source.ts';
import { columnBuilder, type ColumnBuilder } from '../runtime/data/builder.ts';
import { type Column, isNull, valueAt } from '../runtime/data/column.ts';
import { checkSizes, checkTimestamp } from '../runtime/data/record.ts';
import type { SchemaColumn } from '../runtime/data/schema.ts';
import { BIGINT } from '../runtime/data/type.ts';
import type { ProducedRecord } from '../runtime/engine/insert.ts';
import { FORMATS } from '../runtime/formats/formats.ts';
import type { Decoder, Encoder, Format } from '../runtime/formats/serde.ts';
import type { Line } from './lines.ts';

/** A line that is no record, and why. */
export interface LineProblem {
  readonly line: number;
  readonly why: string;
}

const ROWTIME: SchemaColumn = { name: 'ROWTIME', type: BIGINT, role: 'pseudo' };

/** Records of one source from lines of JSON. Names of columns are matched as they are, else in upper case; others are left out. */
export class LineRecords {
  readonly #source: Source;
  readonly #keys: readonly SchemaColumn[];
  readonly #builders: readonly ColumnBuilder[];
  readonly #decoder: Decoder;
  readonly #keyEncoder: Encoder;
  readonly #valueEncoder: Encoder;
  readonly #to = new ByteWriter(1024);

  constructor(source: Source) {
    const withRole = (role: string) => source.schema.columns.filter((one) => one.role === role);
    const values = withRole('value');
    this.#source = source;
    this.#keys = withRole('key');
    const columns = [...this.#keys, ...values, ROWTIME];
    const json = { format: 'JSON', options: [], wrap: true };
    this.#builders = columns.map((column) => columnBuilder(column.type));
    this.#decoder = format('JSON').decoder(
      columns,
      columns.map((_, index) => index),
      json,
    );
    const { keyFormat, valueFormat } = source;
    this.#keyEncoder = format(keyFormat.format).encoder(this.#keys, keyFormat);
    this.#valueEncoder = format(valueFormat.format).encoder(values, valueFormat);
  }

  /**
   * The records of lines, and what is wrong with those that are none, both in order; blank lines are passed over.
   */
  records(lines: readonly Line[]): {
    readonly records: readonly ProducedRecord[];
    readonly problems: readonly LineProblem[];
  } {
    const records: ProducedRecord[] = [];
    const problems: LineProblem[] = [];
    for (let from = 0; from < lines.length; from += BATCH_ROWS_MAX) {
      const decoded = lines
        .slice(from, from + BATCH_ROWS_MAX)
        .filter((line) => !isBlank(line))
        .filter((line) => attempt(line, problems, () => this.#decode(line)) !== null);
      const columns = this.#builders.map((builder) => builder.finish());
      decoded.forEach((line, row) => {
        const record = attempt(line, problems, () => this.#encode(columns, row));
        if (record !== null) records.push(record);
      });
    }
    // A line may be read well and prove to be no record only afterwards.
    return { records, problems: problems.sort((a, b) => a.line - b.line) };
  }

  #decode({ bytes }: Line): true {
    if (bytes === null) {
      throw new RecordError('DESERIALIZATION', `the line is longer than ${LINE_BYTES_MAX} bytes`);
    }
    const rows = this.#builders[0]?.length ?? 0;
    try {
      if (this.#decoder.decode(bytes, 0, bytes.length, this.#builders)) return true;
    } catch (thrown) {
      for (const builder of this.#builders) builder.truncate(rows);
      throw thrown;
    }
    for (const builder of this.#builders) builder.truncate(rows);
    throw new RecordError('DESERIALIZATION', 'null where an object with the columns is due');
  }

  #encode(columns: readonly Column[], row: number): ProducedRecord {
    const keys = columns.slice(0, this.#keys.length);
    const hasKey = keys.some((column) => !isNull(column, row));
    if (!hasKey && this.#source.kind === 'table') {
      const names = this.#keys.map(({ name }) => name).join(', ');
      throw new RecordError('DESERIALIZATION', `a row of ${this.#source.name} needs ${names}`);
    }
    const key = hasKey ? this.#bytes(this.#keyEncoder, keys, row) : null;
    const value = this.#bytes(this.#valueEncoder, columns.slice(keys.length, -1), row);
    checkSizes(key?.length ?? 0, value?.length ?? 0);
    return { key, value, timestamp: timestampOf(columns.at(-1), row) };
  }

  #bytes(encoder: Encoder, columns: readonly Column[], row: number): Uint8Array | null {
    const to = this.#to;
    to.truncate(0);
    return encoder.encode(columns, row, to) ? to.finish() : null;
  }
}

function isBlank({ bytes }: Line): boolean {
  return bytes !== null && bytes.every((byte) => byte === 0x20 || byte === 0x09);
}

/** What a line gives; null when that made a problem. */
function attempt<T>({ number }: Line, problems: LineProblem[], work: () => T): T | null {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof RecordError) {
      const field = thrown.field.replace(/^\$\.?/, '');
      const why = field === '' ? thrown.message : `${field}: ${thrown.message}`;
      problems.push({ line: number, why });
    } else if (thrown instanceof PortError) {
      problems.push({ line: number, why: thrown.message });
    } else {
      throw thrown;
    }
    return null;
  }
}

function format(name: string): Format {
  const found = FORMATS.get(name);
  if (found === undefined) throw new InvariantError(`there is no format ${name}`);
  return found;
}

function timestampOf(column: Column | undefined, row: number): number | undefined {
  const value = column === undefined ? null : valueAt(column, row);
  if (value === null) return undefined;
  const ms = Number(value);
  checkTimestamp(ms);
  return ms;
}
