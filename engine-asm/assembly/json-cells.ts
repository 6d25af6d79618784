// Writes the values of one record into the columns: nulls, booleans and numbers, each within its type; knows no record.

import {
  JSON_DECLINED_KIND,
  JSON_DECLINED_NUMBER,
  JSON_DECLINED_SYNTAX,
  JSON_TYPE_BIGINT,
  JSON_TYPE_BOOLEAN,
  JSON_TYPE_DOUBLE,
  JSON_TYPE_STRUCT,
  JSON_TYPE_TIME,
  JSON_TYPE_TIMESTAMP,
} from './json-abi';
import {
  COLUMN_BYTES,
  COLUMN_NULLS,
  COLUMN_VALIDITY,
  COLUMN_VALUES,
  columnCount,
  columns,
} from './json-buffers';
import { beyond, digits, double, MINUS, nearest, negative, scanNumber, whole } from './json-number';

const TRUE_WORD: u32 = 0x65757274;
const FALSE_WORD: u32 = 0x736c6166;
const INTEGER_MAX: u64 = 2147483647;
const BIGINT_MAX: u64 = 9223372036854775807;
const SAFE_INTEGER_MAX: u64 = 9007199254740991;
const DAY_MS: u64 = 86400000;

/** Why `decodeValue` gave 0. */
export let valueRefusal: u32 = 0;

/** Makes a row of nulls. */
export function nullRow(row: u32): void {
  for (let i: u32 = 0; i < columnCount; i++) setNullApart(columns + i * COLUMN_BYTES, row);
}

/** Writes a null, whose value is 0; a STRUCT has none. */
export function setNull(column: usize, row: u32): void {
  const type = load<u32>(column);
  if (type == JSON_TYPE_STRUCT) return;
  const at: usize = load<u32>(column, COLUMN_VALIDITY) + (row >> 3);
  store<u8>(at, <u32>load<u8>(at) & ~((<u32>1) << (row & 7)));
  store<u32>(column, load<u32>(column, COLUMN_NULLS) + 1, COLUMN_NULLS);
  const values: usize = load<u32>(column, COLUMN_VALUES);
  if (type == JSON_TYPE_BOOLEAN) store<u8>(values + row, 0);
  else if (type <= <u32>JSON_TYPE_BIGINT || type == JSON_TYPE_TIMESTAMP)
    store<u64>(values + (row << 3), 0);
  else store<u32>(values + (row << 2), 0);
}

/** As `setNull`, where a call costs little beside the walk: records that match a template have copies of that one. */
export function setNullApart(column: usize, row: u32): void {
  setNull(column, row);
}

/** Decodes a value that is neither a string nor null into its column; 0 with a `valueRefusal`. */
export function decodeValue(column: usize, from: usize, byte: u32, row: u32): usize {
  valueRefusal = JSON_DECLINED_KIND;
  const type = load<u32>(column);
  const values: usize = load<u32>(column, COLUMN_VALUES);
  if (type == JSON_TYPE_BOOLEAN) {
    const word = load<u32>(from);
    const isTrue = word == TRUE_WORD;
    if (!isTrue && (word != FALSE_WORD || load<u8>(from, 4) != 0x65)) return 0;
    store<u8>(values + row, <u32>isTrue);
    return isTrue ? from + 4 : from + 5;
  }
  if (type >= <u32>JSON_TYPE_STRUCT || (byte - 0x30 > 9 && byte != MINUS)) return 0;
  const at = scanNumber(from);
  if (at == 0) {
    valueRefusal = JSON_DECLINED_SYNTAX;
    return 0;
  }
  valueRefusal = JSON_DECLINED_NUMBER;
  if (type == JSON_TYPE_DOUBLE) {
    if (!nearest()) return 0;
    store<f64>(values + (row << 3), double);
    return at;
  }
  if (!whole || beyond) return 0;
  const value = negative ? 0 - <i64>digits : <i64>digits;
  if (type == JSON_TYPE_BIGINT) {
    if (digits > BIGINT_MAX + <u64>negative) return 0;
    store<i64>(values + (row << 3), value);
  } else if (type == JSON_TYPE_TIMESTAMP) {
    // Minus zero is a double of its own.
    if (digits > SAFE_INTEGER_MAX || (negative && digits == 0)) return 0;
    store<f64>(values + (row << 3), <f64>value);
  } else {
    if (type == JSON_TYPE_TIME) {
      if (digits >= DAY_MS || (negative && digits != 0)) return 0;
    } else if (digits > INTEGER_MAX + <u64>negative) return 0;
    store<i32>(values + (row << 2), <i32>value);
  }
  return at;
}
