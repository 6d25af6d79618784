// Literals of plans as values, and columns that hold one value; knows no expressions but literals.

import { decodeBase64 } from '../base/base64.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import { assert } from '../base/assert.ts';
import { InvariantError } from '../base/errors.ts';
import { bitmap, type Column } from '../data/column.ts';
import { WholeDictionary } from '../data/dictionary.ts';
import { type Type, typeText, type Value } from '../data/type.ts';
import { roundDecimal } from './decimal.ts';
import type { LiteralJson } from './expr.ts';

/** The value of a literal. @throws {InvariantError} when the JSON is not of that type (a plan that we did not write) */
export function literalValue(json: LiteralJson, type: Type): Value {
  if (json === null) return null;
  switch (type.kind) {
    case 'BOOLEAN':
      assert(typeof json === 'boolean', 'a BOOLEAN literal is true or false');
      return json;
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
    case 'TIMESTAMP':
      assert(typeof json === 'number', `a ${type.kind} literal is a number`);
      return json;
    case 'DOUBLE':
      assert(typeof json === 'number' || typeof json === 'string', 'a DOUBLE literal is a number');
      return Number(json);
    case 'BIGINT':
      assert(typeof json === 'string', 'a BIGINT literal is its digits as text');
      return BigInt.asIntN(64, BigInt(json));
    case 'DECIMAL': {
      const unscaled = typeof json === 'string' ? roundDecimal(json, type.scale) : null;
      assert(unscaled !== null, 'a DECIMAL literal is its text');
      return unscaled;
    }
    case 'STRING':
      assert(typeof json === 'string', 'a STRING literal is text');
      return json;
    case 'BYTES': {
      const bytes = typeof json === 'string' ? decodeBase64(json) : null;
      assert(bytes !== null, 'a BYTES literal is base64');
      return bytes;
    }
    default:
      throw new InvariantError(`there is no literal of ${typeText(type)}`);
  }
}

/** A column of `rows` times the same value. */
export function constantColumn(value: Value, type: Type, rows: number): Column {
  const validity = value === null ? bitmap(rows) : null;
  switch (type.kind) {
    case 'DOUBLE':
    case 'TIMESTAMP':
      return {
        type,
        validity,
        storage: 'f64',
        values: new Float64Array(rows).fill(Number(value ?? 0)),
      };
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      return {
        type,
        validity,
        storage: 'i32',
        values: new Int32Array(rows).fill(Number(value ?? 0)),
      };
    case 'BIGINT':
      return {
        type,
        validity,
        storage: 'i64',
        values: new BigInt64Array(rows).fill(typeof value === 'bigint' ? value : 0n),
      };
    case 'BOOLEAN':
      return {
        type,
        validity,
        storage: 'u8',
        values: new Uint8Array(rows).fill(value === true ? 1 : 0),
      };
    case 'STRING': {
      const bytes = encodeUtf8(typeof value === 'string' ? value : '');
      const dictionary = new WholeDictionary(bytes, Uint32Array.of(0, bytes.length));
      return { type, validity, storage: 'dictionary', values: new Uint32Array(rows), dictionary };
    }
    default:
      return {
        type,
        validity,
        storage: 'objects',
        values: Array.from({ length: rows }, () => value),
      };
  }
}
