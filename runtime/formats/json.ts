// The JSON format: what it holds and how it is written; reading is in json-decoder.ts. Knows no topic.

import { ByteWriter, encodeUtf8 } from '../base/bytes.ts';
import { type Column, isNull, valueAt } from '../data/column.ts';
import { doubleText } from '../data/double-text.ts';
import { writeJsonString, writeJsonUtf8 } from '../data/json-string.ts';
import { JSON_TEXT } from '../data/parts.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { jsonDecoder } from './json-decoder.ts';
import { RARER_FORMATS } from './parts.ts';
import type { Encoder, Format, FormatSpec } from './serde.ts';

const NULL = encodeUtf8('null');
const TRUE = encodeUtf8('true');
const FALSE = encodeUtf8('false');
const OPEN = 0x7b;
const CLOSE = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;

export const JSON_FORMAT: Format = {
  name: 'JSON',
  refuse: (columns) =>
    columns.some(({ type }) => /^(ARRAY|MAP|STRUCT)$/.test(type.kind))
      ? RARER_FORMATS.code.jsonRefuses(columns)
      : null,
  decoder: (columns, wanted, spec) => jsonDecoder(columns, wanted, spec.wrap),
  encoder: jsonEncoder,
};

/** All columns in order, nulls too; or a single column bare, whose null is a null record. */
function jsonEncoder(columns: readonly SchemaColumn[], spec: FormatSpec): Encoder {
  if (!spec.wrap && columns.length === 1) {
    return {
      encode([column], position, to) {
        if (column === undefined || isNull(column, position)) return false;
        writeColumn(to, column, position);
        return true;
      },
    };
  }
  // What stands before each value: `{"A":`, then `,"B":` and so on.
  const prefixes = columns.map((column, index) => {
    const to = new ByteWriter(64);
    to.u8(index === 0 ? OPEN : COMMA);
    writeJsonString(to, column.name);
    to.u8(COLON);
    return to.finish();
  });
  return {
    encode(values, position, to) {
      if (prefixes.length === 0) to.u8(OPEN);
      for (let i = 0; i < prefixes.length; i++) {
        to.bytes(prefixes[i] as Uint8Array);
        writeColumn(to, values[i] as Column, position);
      }
      to.u8(CLOSE);
      return true;
    },
  };
}

function writeColumn(to: ByteWriter, column: Column, position: number): void {
  if (isNull(column, position)) {
    to.bytes(NULL);
    return;
  }
  switch (column.storage) {
    case 'dictionary': {
      const { bytes, offsets } = column.dictionary;
      const code = column.values[position] as number;
      writeJsonUtf8(to, bytes, offsets[code] as number, offsets[code + 1] as number);
      return;
    }
    case 'i32':
    case 'i64':
      to.utf8(`${column.values[position] as number | bigint}`);
      return;
    case 'u8':
      to.bytes(column.values[position] === 1 ? TRUE : FALSE);
      return;
    case 'f64': {
      const value = column.values[position] as number;
      if (column.type.kind === 'DOUBLE' && Number.isFinite(value)) to.utf8(doubleText(value));
      else JSON_TEXT.code.writeJson(to, column.type, value);
      return;
    }
    default:
      JSON_TEXT.code.writeJson(to, column.type, valueAt(column, position));
  }
}
