// One JSON value as a value of a SQL type, with ksqlDB's coercions; knows the cursor, and no record.

import { decodeBase64 } from '../base/base64.ts';
import { RecordError } from '../base/errors.ts';
import type { ColumnBuilder } from '../data/builder.ts';
import { parseDecimal } from '../data/decimal-text.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { type Field, type Type, type Value, typeText } from '../data/type.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  JsonScanner,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  ZERO,
} from '../data/json-scanner.ts';
import { beginsNumber, doubleOf, isInRange } from './json-common.ts';
import { appendJson, open } from './json-decoder.ts';
import type { Decoder } from './serde.ts';
import { isRefused, parseScalar, shown, truncateNumber } from './numbers.ts';

// What few values need of other layers comes with it.
export * from '../data/rarer-values.ts';
export { FieldsDecoder } from './json-fields.ts';
export * from './rarer-formats.ts';

const POINT = 0x2e;
/** Digits that a double holds exactly whatever they are. */
const DOUBLE_DIGITS = 15;

/** A single column that stands bare. */
export class BareDecoder implements Decoder {
  readonly #columns: readonly SchemaColumn[];
  readonly #scanner = new JsonScanner();

  constructor(columns: readonly SchemaColumn[]) {
    this.#columns = columns;
  }

  decode(bytes: Uint8Array, from: number, to: number, into: readonly ColumnBuilder[]): boolean {
    const scanner = this.#scanner;
    open(scanner, bytes, from, to);
    const isNull = scanner.peek() === 0x6e;
    const [column] = this.#columns;
    const [builder] = into;
    try {
      if (column === undefined || builder === undefined) scanner.skip();
      else appendJson(scanner, column.type, builder);
      scanner.close();
    } catch (thrown) {
      throw within(thrown, '$');
    }
    return !isNull;
  }
}

/** The kind of JSON value that begins with a byte, for messages. */
function kindOf(byte: number): string {
  switch (byte) {
    case QUOTE:
      return 'a string';
    case OPEN_BRACE:
      return 'an object';
    case OPEN_BRACKET:
      return 'an array';
    case 0x74:
    case 0x66:
      return 'a boolean';
    default:
      return 'a number';
  }
}

/** A record whose value is no object, told by its first byte; what is not even JSON is said first. */
export function refuseRecord(from: JsonScanner, byte: number): never {
  const at = from.position;
  from.skip();
  from.close();
  return from.fail(`${kindOf(byte)} where an object with the columns is due`, at);
}

/** The same fault, one step further out; two where there is a name. */
export function within(thrown: unknown, step: string, name?: string): unknown {
  if (!(thrown instanceof RecordError)) return thrown;
  const field = (name === undefined ? step : `${step}.${name}`) + thrown.field;
  return new RecordError(thrown.code, thrown.message, field, { cause: thrown.cause });
}

/**
 * Reads the value that comes next. Numbers in quotes are taken for numeric types, everything for STRING, base64 for BYTES.
 * @throws {RecordError} DESERIALIZATION, its field the path from this value on, e.g. `.ADDRESS.ZIP` or `[3]`
 */
export function readJson(from: JsonScanner, type: Type): Value {
  const byte = from.peek();
  if (byte === 0x6e) return readNull(from);
  const at = from.position;
  switch (type.kind) {
    case 'BOOLEAN':
      if (byte !== 0x74 && byte !== 0x66) return refuse(from, type, byte, at);
      return from.word();
    case 'STRING':
      if (byte !== QUOTE) return readAsText(from);
      from.string();
      return from.text();
    case 'BYTES': {
      if (byte !== QUOTE) return refuse(from, type, byte, at);
      from.string();
      return decodeBase64(from.text()) ?? from.fail('a string that is not base64', at);
    }
    case 'ARRAY':
      if (byte !== OPEN_BRACKET) return refuse(from, type, byte, at);
      return readArray(from, type.item);
    case 'MAP':
      if (byte !== OPEN_BRACE) return refuse(from, type, byte, at);
      return readMap(from, type.value);
    case 'STRUCT':
      if (byte !== OPEN_BRACE) return refuse(from, type, byte, at);
      return readStruct(from, type.fields);
    default:
      if (byte === QUOTE) return readQuoted(from, type, at);
      if (!beginsNumber(byte)) return refuse(from, type, byte, at);
      from.scanNumber();
      return numberOf(from, type, at);
  }
}

function readNull(from: JsonScanner): null {
  from.word();
  return null;
}

/** A well-formed value of the wrong kind; what is not even JSON is said first. */
export function refuse(from: JsonScanner, type: Type, byte: number, at: number): never {
  from.skip();
  return from.fail(`${kindOf(byte)} is no ${typeText(type)}`, at);
}

function readQuoted(from: JsonScanner, type: Type, at: number): Value {
  from.string();
  const value = parseScalar(type, from.text());
  return isRefused(value) ? from.fail(value.refused, at) : value;
}

/** The number last scanned as a value of a numeric or time type. A fraction is cut off for whole types, as in ksqlDB. */
export function numberOf(from: JsonScanner, type: Type, at: number): Value {
  if (type.kind === 'DOUBLE') return doubleOf(from);
  if (type.kind === 'DECIMAL') {
    const short = shortDecimal(from, type);
    if (short !== null) return short;
    const value = parseDecimal(from.numberText(), type.precision, type.scale);
    if (typeof value === 'bigint') return value;
    return from.fail(
      `${shown(from.numberText())} does not fit in ${typeText(type)} without rounding`,
      at,
    );
  }
  if (from.integer && from.exact && type.kind !== 'BIGINT') {
    if (isInRange(type.kind, from.number)) return from.number === 0 ? 0 : from.number;
  } else {
    const value =
      from.integer && from.exact ? BigInt(from.number) : truncateNumber(from.numberText());
    if (value !== null && type.kind === 'BIGINT') return value;
    if (value !== null && isInRange(type.kind, Number(value))) return Number(value);
  }
  return from.fail(`${shown(from.numberText())} is out of range for ${typeText(type)}`, at);
}

/** The number last scanned where a double holds all digits of its unscaled value; null: elsewhere. */
function shortDecimal(
  { bytes, start, stop, exact }: JsonScanner,
  { precision, scale }: Extract<Type, { readonly kind: 'DECIMAL' }>,
): bigint | null {
  if (!exact) return null;
  const first = bytes[start] === MINUS ? start + 1 : start;
  let unscaled = 0;
  let point = stop;
  for (let at = first; at < stop; at++) {
    const byte = bytes[at] as number;
    if (byte === POINT) point = at;
    else unscaled = unscaled * 10 + (byte - ZERO);
  }
  const isFraction = point < stop;
  const zeros = scale - (isFraction ? stop - point - 1 : 0);
  const digits = stop - first - (isFraction ? 1 : 0) + zeros;
  if (zeros < 0 || digits > Math.min(precision, DOUBLE_DIGITS)) return null;
  for (let i = 0; i < zeros; i++) unscaled *= 10;
  return BigInt(first > start ? -unscaled : unscaled);
}

function readArray(from: JsonScanner, item: Type): Value[] {
  const items: Value[] = [];
  from.enter();
  if (from.peek() === CLOSE_BRACKET) {
    from.leave();
    return items;
  }
  do {
    try {
      items.push(readJson(from, item));
    } catch (thrown) {
      throw within(thrown, `[${items.length}]`);
    }
  } while (!from.ended(CLOSE_BRACKET));
  return items;
}

function readMap(from: JsonScanner, item: Type): Map<Value, Value> {
  const entries = new Map<Value, Value>();
  from.enter();
  if (from.peek() === CLOSE_BRACE) {
    from.leave();
    return entries;
  }
  do {
    const key = readName(from);
    try {
      entries.set(key, readJson(from, item));
    } catch (thrown) {
      throw within(thrown, `.${key}`);
    }
  } while (!from.ended(CLOSE_BRACE));
  return entries;
}

/** Steps over a member's name and its colon, and gives the name. */
function readName(from: JsonScanner): string {
  from.peek();
  from.string();
  const name = from.text();
  from.expect(COLON);
  return name;
}

function readStruct(from: JsonScanner, fields: readonly Field[]): Value[] {
  const values: Value[] = fields.map(() => null);
  // How each value was found: 0 not yet, 1 by its name in other case, 2 by its very name.
  const found = new Uint8Array(fields.length);
  from.enter();
  if (from.peek() === CLOSE_BRACE) {
    from.leave();
    return values;
  }
  do {
    const name = readName(from);
    const index = fieldIndex(fields, name);
    const field = fields[index];
    const rank = field?.name === name ? 2 : 1;
    if (field === undefined || rank < (found[index] ?? 0)) {
      from.skip();
      continue;
    }
    found[index] = rank;
    try {
      values[index] = readJson(from, field.type);
    } catch (thrown) {
      throw within(thrown, `.${field.name}`);
    }
  } while (!from.ended(CLOSE_BRACE));
  return values;
}

/** The field of that very name, else the one whose name is the upper-cased name; -1 when there is none. */
function fieldIndex(fields: readonly Field[], name: string): number {
  const exact = fields.findIndex((field) => field.name === name);
  if (exact >= 0) return exact;
  const upper = name.toUpperCase();
  return fields.findIndex((field) => field.name === upper);
}

/**
 * The value that comes next as text, for a STRING column: a number as it is written, an object as JSON with its keys sorted,
 * an array as `[a, b]` with its strings bare.
 */
export function readAsText(from: JsonScanner): string {
  const byte = from.peek();
  if (byte === OPEN_BRACE) return readCanonical(from);
  if (byte !== OPEN_BRACKET) return readScalarText(from, byte);
  const items: string[] = [];
  from.enter();
  if (from.peek() === CLOSE_BRACKET) {
    from.leave();
    return '[]';
  }
  do items.push(readAsText(from));
  while (!from.ended(CLOSE_BRACKET));
  return `[${items.join(', ')}]`;
}

function readScalarText(from: JsonScanner, byte: number): string {
  if (byte === QUOTE) {
    from.string();
    return from.text();
  }
  if (beginsNumber(byte)) {
    from.scanNumber();
    return from.numberText();
  }
  return `${from.word()}`;
}

/** JSON text without white space, the members of objects sorted by name, the last of one name kept. */
function readCanonical(from: JsonScanner): string {
  const byte = from.peek();
  if (byte === QUOTE) {
    from.string();
    return JSON.stringify(from.text());
  }
  if (byte === OPEN_BRACKET) {
    const items: string[] = [];
    from.enter();
    if (from.peek() === CLOSE_BRACKET) {
      from.leave();
      return '[]';
    }
    do items.push(readCanonical(from));
    while (!from.ended(CLOSE_BRACKET));
    return `[${items.join(',')}]`;
  }
  if (byte !== OPEN_BRACE) return readScalarText(from, byte);
  const members = new Map<string, string>();
  from.enter();
  if (from.peek() === CLOSE_BRACE) {
    from.leave();
    return '{}';
  }
  do {
    const name = readName(from);
    members.set(name, readCanonical(from));
  } while (!from.ended(CLOSE_BRACE));
  const sorted = [...members.keys()].sort();
  return `{${sorted.map((name) => `${JSON.stringify(name)}:${members.get(name)}`).join(',')}}`;
}
