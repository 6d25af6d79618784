// Decodes one record in the KAFKA format: the bytes of one value, big endian; knows no chunk.

import {
  JSON_DECLINED_KIND,
  JSON_DECLINED_LONG,
  JSON_DECLINED_SYNTAX,
  JSON_OK,
  JSON_STRING_BYTES_MAX,
  JSON_TYPE_BIGINT,
  JSON_TYPE_DOUBLE,
  JSON_TYPE_INTEGER,
  JSON_TYPE_STRING,
} from './json-abi';
import { COLUMN_VALUES, columnCount, columns } from './json-buffers';
import { isUtf8 } from './delimited-record';
import { setText } from './json-record';

/** Decodes the value at `start`; its status. */
export function decodeKafka(start: usize, length: i32, row: u32): u32 {
  if (columnCount == 0) return JSON_OK;
  const column: usize = columns;
  const type = load<u32>(column);
  const values: usize = load<u32>(column, COLUMN_VALUES);
  if (type == JSON_TYPE_STRING) {
    if (length > JSON_STRING_BYTES_MAX) return JSON_DECLINED_LONG;
    if (!isUtf8(start, start + length)) return JSON_DECLINED_SYNTAX;
    setText(column, start, length, row);
    return JSON_OK;
  }
  if (type == JSON_TYPE_INTEGER) {
    if (length != 4) return JSON_DECLINED_KIND;
    store<u32>(values + (row << 2), bswap<u32>(load<u32>(start)));
    return JSON_OK;
  }
  const isLong = type == JSON_TYPE_BIGINT || type == JSON_TYPE_DOUBLE;
  if (!isLong || length != 8) return JSON_DECLINED_KIND;
  store<u64>(values + (row << 3), bswap<u64>(load<u64>(start)));
  return JSON_OK;
}
