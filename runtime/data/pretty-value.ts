// One value as the text of a table cell and back; knows no table.

import { InvariantError } from '../base/errors.ts';
import { decimalText, parseDecimal } from './decimal-text.ts';
import { jsonText } from './json-text.ts';
import { type Type, type Value, typeText } from './type.ts';
import { scalarText } from './value.ts';

/** Text that needs no quotes in a cell. */
const BARE = /^(?!null$|~$)[^\s"|@#](?:[^|"@#\n]*[^\s"|@#])?$/u;

/** The text of a value; text in JSON quotes where it would be misread. */
export function prettyValue(type: Type, value: Value): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'STRING': {
      const text = scalarText(value);
      return BARE.test(text) ? text : JSON.stringify(text);
    }
    case 'BYTES':
      return value instanceof Uint8Array ? `0x${hex(value)}` : scalarText(value);
    case 'DECIMAL':
      return typeof value === 'bigint' ? decimalText(value, type.scale) : scalarText(value);
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return jsonText(type, value);
    default:
      return Object.is(value, -0) ? '-0' : scalarText(value);
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The value of a cell. @throws {InvariantError} when the text is no value of the type */
export function readPrettyValue(type: Type, text: string): Value {
  if (text === 'null') return null;
  const refuse = () => new InvariantError(`"${text}" is no ${typeText(type)}`);
  switch (type.kind) {
    case 'STRING':
      return text.startsWith('"') ? `${JSON.parse(text)}` : text;
    case 'BIGINT':
      return BigInt(text);
    case 'BOOLEAN':
      if (text !== 'true' && text !== 'false') throw refuse();
      return text === 'true';
    case 'DECIMAL': {
      const value = parseDecimal(text, type.precision, type.scale);
      if (typeof value !== 'bigint') throw refuse();
      return value;
    }
    case 'BYTES':
      if (!/^0x(?:[0-9a-f]{2})*$/u.test(text)) throw refuse();
      return Uint8Array.from(text.slice(2).match(/../gu) ?? [], (pair) =>
        Number.parseInt(pair, 16),
      );
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return fromJson(type, JSON.parse(text), refuse);
    default: {
      const value = Number(text);
      if (Number.isNaN(value) && text !== 'NaN') throw refuse();
      return value;
    }
  }
}

/** What JSON.parse made, as a value of the type. */
function fromJson(type: Type, json: unknown, refuse: () => InvariantError): Value {
  if (json === null) return null;
  switch (type.kind) {
    case 'ARRAY':
      if (!Array.isArray(json)) throw refuse();
      return json.map((item: unknown) => fromJson(type.item, item, refuse));
    case 'MAP': {
      if (typeof json !== 'object') throw refuse();
      const entries = new Map<Value, Value>();
      for (const [key, value] of Object.entries(json)) {
        entries.set(readPrettyValue(type.key, key), fromJson(type.value, value, refuse));
      }
      return entries;
    }
    case 'STRUCT': {
      if (typeof json !== 'object') throw refuse();
      const fields = new Map<string, unknown>(Object.entries(json));
      return type.fields.map((field) =>
        fromJson(field.type, fields.get(field.name) ?? null, refuse),
      );
    }
    case 'STRING':
      if (typeof json !== 'string') throw refuse();
      return json;
    default:
      return readPrettyValue(
        type,
        typeof json === 'number' || typeof json === 'boolean' ? `${json}` : JSON.stringify(json),
      );
  }
}
