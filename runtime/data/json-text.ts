// A value as JSON text with exact digits: what the JSON format writes and the command line prints; knows no schema.

import { encodeBase64 } from '../base/base64.ts';
import { ByteWriter, decodeUtf8 } from '../base/bytes.ts';
import { InvariantError } from '../base/errors.ts';
import { decimalText } from './decimal-text.ts';
import { doubleText } from './double-text.ts';
import { writeJsonString } from './json-string.ts';
import { type Type, type Value, typeText } from './type.ts';
import { isItems, scalarText } from './value.ts';

const COMMA = 0x2c;
const COLON = 0x3a;

/** The JSON text of a value; see `writeJson`. */
export function jsonText(type: Type, value: Value): string {
  const to = new ByteWriter(64);
  writeJson(to, type, value);
  return decodeUtf8(to.buffer, 0, to.position);
}

/**
 * Appends the JSON text of a value, as UTF-8. BIGINT and DECIMAL with all their digits (a DECIMAL with its full scale), DOUBLE as
 * Java spells it ("NaN", "Infinity" and "-Infinity" as text), BYTES in base64, TIME in milliseconds, DATE in days, TIMESTAMP
 * in milliseconds; a STRUCT as an object of all its fields; a MAP as an object whose keys are text.
 */
export function writeJson(to: ByteWriter, type: Type, value: Value): void {
  if (value === null) {
    to.utf8('null');
    return;
  }
  switch (type.kind) {
    case 'BOOLEAN':
    case 'INTEGER':
    case 'BIGINT':
    case 'TIME':
    case 'DATE':
    case 'TIMESTAMP':
      to.utf8(scalarText(value));
      return;
    case 'DOUBLE':
      if (typeof value !== 'number') throw mismatch(type, value);
      to.utf8(Number.isFinite(value) ? doubleText(value) : `"${value}"`);
      return;
    case 'DECIMAL':
      if (typeof value !== 'bigint') throw mismatch(type, value);
      to.utf8(decimalText(value, type.scale));
      return;
    case 'STRING':
      if (typeof value !== 'string') throw mismatch(type, value);
      writeJsonString(to, value);
      return;
    case 'BYTES':
      if (!(value instanceof Uint8Array)) throw mismatch(type, value);
      to.utf8(`"${encodeBase64(value)}"`);
      return;
    case 'ARRAY':
      if (!isItems(value)) throw mismatch(type, value);
      to.utf8('[');
      value.forEach((item, index) => {
        if (index > 0) to.u8(COMMA);
        writeJson(to, type.item, item);
      });
      to.utf8(']');
      return;
    case 'MAP':
      writeMap(to, type, value);
      return;
    case 'STRUCT':
      if (!isItems(value)) throw mismatch(type, value);
      to.utf8('{');
      type.fields.forEach((field, index) => {
        if (index > 0) to.u8(COMMA);
        writeJsonString(to, field.name);
        to.u8(COLON);
        writeJson(to, field.type, value[index] ?? null);
      });
      to.utf8('}');
      return;
  }
}

function writeMap(to: ByteWriter, type: Type & { readonly kind: 'MAP' }, value: Value): void {
  if (!(value instanceof Map)) throw mismatch(type, value);
  const entries = value as ReadonlyMap<Value, Value>;
  to.utf8('{');
  let first = true;
  for (const [key, item] of entries) {
    if (!first) to.u8(COMMA);
    first = false;
    writeJsonString(to, typeof key === 'string' ? key : jsonText(type.key, key));
    to.u8(COLON);
    writeJson(to, type.value, item);
  }
  to.utf8('}');
}

function mismatch(type: Type, value: Value): InvariantError {
  return new InvariantError(`a ${typeof value} is no ${typeText(type)}`);
}
