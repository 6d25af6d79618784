// Records of topics as a case writes them and as bytes: inputs to bytes, outputs to values; knows no query.

import { decodeBase64 } from '../../runtime/base/base64.ts';
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '../../runtime/base/bytes.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import { columnBuilder } from '../../runtime/data/builder.ts';
import { doubleText } from '../../runtime/data/double-text.ts';
import type { RecordHeader } from '../../runtime/data/record.ts';
import type { SchemaColumn } from '../../runtime/data/schema.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { FormatSpec } from '../../runtime/formats/serde.ts';
import { readWindow, writeSession, writeTimeWindow } from '../../runtime/formats/windowed-key.ts';
import type { CaseRecord, CaseWindow } from './case.ts';
import { isObject, type Json, JsonNumber, readJson, writeJson } from './json.ts';
import type { Inserted } from './script.ts';

/** A record of a topic. */
export interface TopicRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** What a record's bytes say, in the words of a case. */
export interface ReadRecord {
  readonly key: Json;
  readonly value: Json;
  readonly window: CaseWindow | null;
}

type Part = 'key' | 'value';

/** @throws {TypeError} when the value cannot be written in the topic's format */
export function inputRecord(record: CaseRecord, source: Source): TopicRecord {
  const key = write(source, 'key', record.key);
  return {
    key: key === null ? null : windowed(key, record.window),
    value: write(source, 'value', record.value),
    timestamp: record.timestampMs ?? 0,
    headers: record.headers.map(({ name, value }) => ({
      name,
      value: value === null ? null : decodeBase64(value),
    })),
  };
}

function windowed(key: Uint8Array, window: CaseWindow | null): Uint8Array {
  if (window === null) return key;
  const to = new ByteWriter();
  to.bytes(key);
  const startMs = BigInt(window.startMs);
  if (window.type === 'TIME') writeTimeWindow(to, startMs);
  else writeSession(to, { startMs, endMs: BigInt(window.endMs) });
  return to.finish();
}

function write(source: Source, part: Part, value: Json): Uint8Array | null {
  const { format } = specOf(source, part);
  if (value === null || format === 'NONE') return null;
  if (format === 'JSON') return encodeUtf8(writeJson(value));
  if (format === 'KAFKA') return writeKafka(columnsOf(source, part), value);
  if (typeof value === 'string') return encodeUtf8(value);
  throw new TypeError(`${format} takes text, not ${writeJson(value)}`);
}

function writeKafka([column]: readonly SchemaColumn[], value: Json): Uint8Array {
  const kind = column?.type.kind;
  if (
    value instanceof JsonNumber &&
    (kind === 'INTEGER' || kind === 'BIGINT' || kind === 'DOUBLE')
  ) {
    const to = new ByteWriter();
    if (kind === 'INTEGER') to.u32BE(Number(value.truncated));
    else if (kind === 'BIGINT') to.i64BE(value.truncated);
    else to.f64BE(Number(value.text));
    return to.finish();
  }
  if (typeof value === 'string') return encodeUtf8(value);
  throw new TypeError(`KAFKA takes no ${writeJson(value)} as ${kind ?? 'no column'}`);
}

/** The record that an INSERT VALUES makes, through the engine's own encoders. */
export function insertedRecord({ source, analysis }: Inserted): TopicRecord {
  const stored = source.schema.columns.filter((column) => column.role !== 'pseudo');
  const encoded = (part: Part): Uint8Array | null => {
    const columns = columnsOf(source, part);
    const spec = specOf(source, part);
    const format = FORMATS.get(spec.format);
    if (format === undefined) throw new TypeError(`there is no format ${spec.format}`);
    const built = columns.map((column) => {
      const builder = columnBuilder(column.type);
      builder.append(analysis.values[stored.indexOf(column)] ?? null);
      return builder.finish();
    });
    const to = new ByteWriter();
    return format.encoder(columns, spec).encode(built, 0, to) ? to.finish() : null;
  };
  return {
    key: analysis.keyNull ? null : encoded('key'),
    value: encoded('value'),
    timestamp: analysis.rowtime ?? 0,
    headers: [],
  };
}

/** @throws what the bytes are not */
export function readRecord(record: TopicRecord, source: Source): ReadRecord {
  const { key, value } = record;
  const window = key === null ? null : windowOf(key, source);
  const bare = key === null || window === null ? key : key.subarray(0, window.keyTo);
  return {
    key: bare === null ? null : read(source, 'key', bare),
    value: value === null ? null : read(source, 'value', value),
    window,
  };
}

function windowOf(key: Uint8Array, source: Source): (CaseWindow & { keyTo: number }) | null {
  const { window } = source;
  if (window === null) return null;
  const type = window.type === 'SESSION' ? 'SESSION' : 'TIME';
  const range = { from: 0, to: key.length };
  const kind = type === 'SESSION' ? 'session' : 'time';
  const { startMs, endMs, keyTo } = readWindow(key, range, kind, window.sizeMs ?? 0);
  return { type, startMs: Number(startMs), endMs: Number(endMs), keyTo };
}

function read(source: Source, part: Part, bytes: Uint8Array): Json {
  const { format } = specOf(source, part);
  if (format === 'JSON') return readJson(decodeUtf8(bytes));
  if (format !== 'KAFKA') return decodeUtf8(bytes);
  const from = new ByteReader(bytes);
  switch (columnsOf(source, part)[0]?.type.kind) {
    case 'INTEGER':
      return new JsonNumber(`${from.u32BE() | 0}`);
    case 'BIGINT':
      return new JsonNumber(`${from.i64BE()}`);
    case 'DOUBLE': {
      const value = from.f64BE();
      return Number.isFinite(value) ? new JsonNumber(doubleText(value)) : `${value}`;
    }
    default:
      return decodeUtf8(bytes);
  }
}

function specOf(source: Source, part: Part): FormatSpec {
  return part === 'key' ? source.keyFormat : source.valueFormat;
}

function columnsOf(source: Source, part: Part): readonly SchemaColumn[] {
  return source.schema.columns.filter((column) => column.role === part);
}

/**
 * Where the two differ, as a sentence; null when they agree. What is expected decides how it is compared.
 * @param exact false: decimals are doubles
 */
export function difference(expected: Json, actual: Json, exact: boolean, at = ''): string | null {
  const differs = (): string =>
    `${at === '' ? '' : `${at}: `}expected ${writeJson(expected)}, got ${writeJson(actual)}`;
  if (expected instanceof JsonNumber) {
    const equal = actual instanceof JsonNumber && numbersAgree(expected, actual, exact);
    return equal ? null : differs();
  }
  if (isObject(expected)) {
    if (!isObject(actual) || actual.size !== expected.size) return differs();
    for (const [name, item] of expected) {
      const found = actual.get(name) ?? actual.get(name.toUpperCase()) ?? null;
      const different = difference(item, found, exact, `${at}.${name}`);
      if (different !== null) return different;
    }
    return null;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return differs();
    for (const [index, item] of (expected as readonly Json[]).entries()) {
      const found = (actual as readonly Json[])[index] ?? null;
      const different = difference(item, found, exact, `${at}[${index}]`);
      if (different !== null) return different;
    }
    return null;
  }
  if (typeof expected === 'string' && actual instanceof JsonNumber && !actual.isInteger) {
    return sameDecimal(expected, actual) ? null : differs();
  }
  return expected === actual ? null : differs();
}

function numbersAgree(expected: JsonNumber, actual: JsonNumber, exact: boolean): boolean {
  if (actual.isInteger) return expected.truncated === BigInt(actual.text);
  // Only a DOUBLE is written with an exponent, and two texts may mean the same double: Java before 19 has digits to spare.
  if (actual.text.includes('E')) return Number(expected.text) === Number(actual.text);
  if (!exact) return Math.abs(Number(expected.text) - Number(actual.text)) < 1e-6;
  if (!expected.isInteger) return sameDecimal(expected.text, actual);
  return actual.decimal.scale <= 0 && expected.truncated === actual.truncated;
}

function sameDecimal(text: string, actual: JsonNumber): boolean {
  if (!/^-?\d/.test(text)) return false;
  const expected = new JsonNumber(text).decimal;
  const { unscaled, scale } = actual.decimal;
  return expected.unscaled === unscaled && expected.scale === scale;
}
