// The DELIMITED format: a line of columns between delimiters, quoted as RFC 4180 quotes; knows no topic.

import { decodeBase64, encodeBase64 } from '../base/base64.ts';
import { type ByteWriter, decodeUtf8, isUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import { type Column, valueAt } from '../data/column.ts';
import { decimalText } from '../data/decimal-text.ts';
import { doubleText } from '../data/double-text.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { type Type, type Value, typeText } from '../data/type.ts';
import { isRefused, parseScalar, shown } from './numbers.ts';
import { scalarText } from '../data/value.ts';
import type { Decoder, Encoder, Format, FormatSpec } from './serde.ts';

const DEFAULT_DELIMITER = ',';
const NAMED: ReadonlyMap<string, string> = new Map([
  ['TAB', '\t'],
  ['SPACE', ' '],
]);

export const DELIMITED_FORMAT: Format = {
  name: 'DELIMITED',
  refuse(columns) {
    const nested = columns.find(({ type }) => isNested(type));
    return nested === undefined ? null : `DELIMITED holds no ${typeText(nested.type)}`;
  },
  decoder: delimitedDecoder,
  encoder: (_columns, spec) => delimitedEncoder(delimiterOf(spec)),
};

function isNested(type: Type): boolean {
  return type.kind === 'ARRAY' || type.kind === 'MAP' || type.kind === 'STRUCT';
}

/** What stands between the fields. */
export function delimiterOf(spec: FormatSpec): string {
  const [, value = DEFAULT_DELIMITER] = spec.options.find(([name]) => name === 'DELIMITER') ?? [];
  return NAMED.get(value) ?? value;
}

function delimitedDecoder(
  columns: readonly SchemaColumn[],
  wanted: readonly number[],
  spec: FormatSpec,
): Decoder {
  const delimiter = delimiterOf(spec);
  return {
    decode(bytes, from, to, into) {
      if (!isUtf8(bytes, from, to)) {
        throw new RecordError('DESERIALIZATION', 'text that is not UTF-8');
      }
      const fields = splitLine(decodeUtf8(bytes, from, to), delimiter);
      if (fields.length !== columns.length) {
        const text = `${fields.length} fields where ${columns.length} columns are due`;
        throw new RecordError('DESERIALIZATION', text);
      }
      wanted.forEach((index, i) => {
        const column = columns[index];
        if (column !== undefined) into[i]?.append(parseField(column, fields[index] ?? ''));
      });
      return true;
    },
  };
}

/**
 * The fields of the only line of a text. A field that begins with a quote ends with one, and holds `""` for each quote within; any
 * other is taken as it is. @throws {RecordError} DESERIALIZATION
 */
function splitLine(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  // Lines without text do not count.
  let at = /^[\r\n]*/u.exec(text)?.[0].length ?? 0;
  if (at === text.length) throw new RecordError('DESERIALIZATION', 'no fields');
  for (;;) {
    let field = '';
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1);
      field = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    } else {
      const start = at;
      while (at < text.length && !text.startsWith(delimiter, at) && !isBreak(text, at)) at++;
      field = text.slice(start, at);
    }
    fields.push(field);
    if (at < text.length && text.startsWith(delimiter, at)) {
      at += delimiter.length;
      continue;
    }
    if (at < text.length && !isBreak(text, at)) {
      throw new RecordError('DESERIALIZATION', `text behind a closing quote at character ${at}`);
    }
    if (/[^\r\n]/u.test(text.slice(at))) {
      throw new RecordError('DESERIALIZATION', 'more than one line');
    }
    return fields;
  }
}

function isBreak(text: string, at: number): boolean {
  return text[at] === '\n' || text[at] === '\r';
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  if (at < 0) throw new RecordError('DESERIALIZATION', 'a quoted field without its closing quote');
  return at;
}

/** An empty field is null, as in ksqlDB, quoted or not. */
function parseField({ name, type }: SchemaColumn, text: string): Value {
  if (text === '') return null;
  const refused = () =>
    new RecordError('DESERIALIZATION', `"${shown(text)}" is no ${typeText(type)}`, name);
  switch (type.kind) {
    case 'STRING':
      return text;
    case 'BOOLEAN':
      if (!/^(?:true|false)$/iu.test(text.trim())) throw refused();
      return text.trim().toLowerCase() === 'true';
    case 'BYTES': {
      const bytes = decodeBase64(text);
      if (bytes === null) throw refused();
      return bytes;
    }
    default: {
      const value = parseScalar(type, text.trim());
      if (isRefused(value)) throw new RecordError('DESERIALIZATION', value.refused, name);
      return value;
    }
  }
}

function delimitedEncoder(delimiter: string): Encoder {
  return {
    encode(columns, position, to) {
      for (let i = 0; i < columns.length; i++) {
        if (i > 0) to.utf8(delimiter);
        const column = columns[i] as Column;
        writeField(to, fieldText(column.type, valueAt(column, position)), i === 0, delimiter);
      }
      return true;
    },
  };
}

/** null: nothing is written. */
function fieldText(type: Type, value: Value): string | null {
  if (value === null) return null;
  switch (type.kind) {
    case 'DOUBLE':
      return typeof value === 'number' ? doubleText(value) : null;
    case 'DECIMAL':
      return typeof value === 'bigint' ? decimalText(value, type.scale) : null;
    case 'BYTES':
      return value instanceof Uint8Array ? encodeBase64(value) : null;
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      throw new RecordError('SERIALIZATION', `DELIMITED holds no ${typeText(type)}`);
    default:
      return scalarText(value);
  }
}

/**
 * Quotes a field only where a reader needs it: when it holds the delimiter, a quote or a line break, begins with a character up
 * to `#`, ends with one up to space; the first field of a line also when it is empty or begins with neither a letter nor a digit.
 */
function writeField(
  to: ByteWriter,
  text: string | null,
  isFirst: boolean,
  delimiter: string,
): void {
  if (text === null) return;
  const needsQuotes =
    (isFirst && !/^[0-9A-Za-z]/u.test(text)) ||
    (text !== '' && (text.charCodeAt(0) <= 0x23 || text.charCodeAt(text.length - 1) <= 0x20)) ||
    /["\r\n]/u.test(text) ||
    text.includes(delimiter);
  to.utf8(needsQuotes ? `"${text.replaceAll('"', '""')}"` : text);
}
