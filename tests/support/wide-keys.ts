// Keys of every type, in every format that can hold them, as records have them; knows no query.

import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import type { Draw } from './draws.ts';
import { type Kind, oneOfMany, picked } from './wide-expressions.ts';

export type KeyFormat = 'KAFKA' | 'JSON' | 'DELIMITED';

/** The key of all sources of a query. */
export interface WideKey {
  readonly format: KeyFormat;
  /** Of the column `k`. */
  readonly kind: Kind;
  /** Beside it a column `k2` of INTEGER. */
  readonly isPair: boolean;
}

/** Values in JSON, few enough that records meet. */
const KEYS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  INT: ['0', '1', '-1', '2147483647'],
  BIGINT: ['0', '7', '9007199254740993', '-9223372036854775808'],
  DOUBLE: ['0.25', '0.0', '-0.0', '"NaN"', '1e300'],
  STRING: ['"a"', '"ab"', '"B"', '""'],
  BOOLEAN: ['true', 'false'],
  DECIMAL: ['0.50', '-12.25', '9999.99', '0.00'],
  TIMESTAMP: ['0', '1700000000000', '-1'],
  DATE: ['0', '19000', '-1'],
  TIME: ['0', '3600000', '86399999'],
  BYTES: ['""', '"AAE="', '"/w=="'],
  INTS: ['[]', '[1]', '[1,null]', '[1,2]'],
  STRUCT: ['{"X":1,"Y":"q"}', '{"X":null,"Y":"q"}', '{"X":1,"Y":null}'],
};
const NESTED: readonly Kind[] = ['INTS', 'STRUCT'];
/** What the format KAFKA holds. */
const KAFKA: readonly Kind[] = ['INT', 'BIGINT', 'DOUBLE', 'STRING', 'BYTES'];

export const STRING_KEY: WideKey = {
  format: 'KAFKA',
  kind: 'STRING',
  isPair: false,
};

export function wideKey(draw: Draw): WideKey {
  if (draw(3) === 0) return STRING_KEY;
  const kind = picked(draw, Object.keys(KEYS) as Kind[]);
  const formats: KeyFormat[] = ['JSON'];
  const isPair = draw(6) === 0;
  if (!NESTED.includes(kind)) formats.push('DELIMITED');
  if (!isPair && KAFKA.includes(kind)) formats.push('KAFKA');
  return { format: picked(draw, formats), kind, isPair };
}

/** Bytes of other values, or of none. */
const ODD = '1|1.0| 1 |"1"|5e-1|0.5|-0|1e400|null|true|"x"|{|[]|'.split('|');

export interface KeyOptions {
  /** How many more keys there may be. */
  readonly spread: number;
  /** Whether few are of no value of the type, or not as the format itself writes it. */
  readonly isOdd: boolean;
}

/** The bytes of a key. */
export function keyBytes(draw: Draw, key: WideKey, { spread, isOdd }: KeyOptions): Uint8Array {
  const { format, kind, isPair } = key;
  if (isOdd && draw(30) === 0) return encodeUtf8(picked(draw, ODD));
  const isOther = spread > 0 && draw(4) > 0;
  const json = isOther ? oneOfMany(draw, kind, spread) : picked(draw, KEYS[kind] ?? []);
  if (format === 'KAFKA') return kafkaBytes(kind, json);
  const other = picked(draw, ['1', '2', 'null']);
  if (format === 'JSON') return encodeUtf8(isPair ? `{"K":${json},"K2":${other}}` : json);
  const plain = json.startsWith('"') ? (JSON.parse(json) as string) : json;
  // As the format itself writes what begins with a sign.
  const text = /^[\dA-Za-z]/.test(plain) ? plain : `"${plain}"`;
  return encodeUtf8(isPair ? `${text},${other === 'null' ? '' : other}` : text);
}

function kafkaBytes(kind: Kind, json: string): Uint8Array {
  const value: unknown = JSON.parse(json);
  if (kind === 'STRING') return encodeUtf8(String(value));
  if (kind === 'BYTES') return Uint8Array.from(atob(String(value)), (char) => char.charCodeAt(0));
  const bytes = new DataView(new ArrayBuffer(kind === 'INT' ? 4 : 8));
  if (kind === 'INT') bytes.setInt32(0, Number(value));
  else if (kind === 'BIGINT') bytes.setBigInt64(0, BigInt(json));
  else bytes.setFloat64(0, Number(value));
  return new Uint8Array(bytes.buffer);
}
