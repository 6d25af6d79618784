// The areas that the host and the JSON decoder exchange records and columns through; knows no JSON.

import {
  JSON_BUFFER_CONFIG,
  JSON_BUFFER_LENGTHS,
  JSON_BUFFER_REGION,
  JSON_BUFFER_RESULT,
  JSON_BUFFER_STATUS,
  JSON_BUFFER_TEXT,
  JSON_BUFFER_TEXT_ENDS,
  JSON_BUFFER_TEXT_ENTRIES,
  JSON_BUFFER_VALIDITY,
  JSON_BUFFER_VALUES,
  JSON_COLUMNS_MAX,
  JSON_CONFIG_BYTES,
  JSON_CONFIG_COLUMNS,
  JSON_CONFIG_NAME_LENGTHS,
  JSON_CONFIG_NAMES,
  JSON_CONFIG_PARENTS,
  JSON_CONFIG_TYPES,
  JSON_NAMES_BYTES_MAX,
  JSON_REGION_BYTES_MAX,
  JSON_RESULT_BYTES,
  JSON_RESULT_STATUSES,
  JSON_ROWS_MAX,
  JSON_STRING_BYTES_MAX,
  JSON_TYPE_BOOLEAN,
  JSON_TYPE_DOUBLE,
  JSON_TYPE_INTEGER,
  JSON_TYPE_ANY,
  JSON_TYPE_STRING,
  JSON_TYPE_STRUCT,
  JSON_TYPE_TIME,
} from './json-abi';
import { allocate, allocateCleared } from './arena';

// A column is 80 bytes:
//
//    0 [u32 type][u32 values][u32 validity][u32 mark]           mark: the record that it was found in last
//   16 [u32 lengths][u32 nulls][u32 name][u32 name length]      lengths: of the strings found, before they are interned
//   32 [u32 table][u32 places][u32 ends][u32 entries]           the strings known, json-strings.ts
//   48 [u32 bytes][u32 room][u32 count][u32 generation]         what they are, one after the other
//   64 [u32 used][u32 texts]                                    which of them the chunk has, and how many
//   72 [u32 parent][u32 place]                                  the STRUCT that it is a field of, plus 1; or which field of a line
export const COLUMN_BYTES: u32 = 80;
export const COLUMN_VALUES: usize = 4;
export const COLUMN_VALIDITY: usize = 8;
export const COLUMN_MARK: usize = 12;
export const COLUMN_LENGTHS: usize = 16;
export const COLUMN_NULLS: usize = 20;
export const COLUMN_NAME: usize = 24;
export const COLUMN_NAME_LENGTH: usize = 28;
export const COLUMN_TABLE: usize = 32;
export const COLUMN_TABLE_PLACES: usize = 36;
export const COLUMN_ENTRY_ENDS: usize = 40;
export const COLUMN_ENTRY_COUNT: usize = 44;
export const COLUMN_BYTES_AT: usize = 48;
export const COLUMN_BYTES_ROOM: usize = 52;
export const COLUMN_BYTES_COUNT: usize = 56;
export const COLUMN_GENERATION: usize = 60;
export const COLUMN_USED: usize = 64;
export const COLUMN_TEXT_COUNT: usize = 68;
export const COLUMN_PARENT: usize = 72;
export const COLUMN_PLACE: usize = 76;

/** Zeros behind the region: no walk goes beyond them. */
const PADDING_BYTES: u32 = 64;

/** Made when the host asks for it, so that an instance that decodes nothing has none. */
let jsonConfig: usize = 0;
export const jsonResult: usize = memory.data(JSON_RESULT_BYTES, 16);
export let columns: usize = 0;
export let columnCount: u32 = 0;
export let region: usize = 0;
export let lengths: usize = 0;
export let statuses: usize = 0;
/** Where strings lose their escapes. */
export let scratch: usize = 0;
let failed: bool = false;

function take(bytes: u32): u32 {
  const block = allocate(bytes);
  if (block == 0) failed = true;
  return block;
}

function widthOf(type: u32): u32 {
  if (type == JSON_TYPE_BOOLEAN) return 1;
  return type == JSON_TYPE_INTEGER || type == JSON_TYPE_TIME || type >= <u32>JSON_TYPE_STRING
    ? 4
    : 8;
}

/** False when the configuration is not one. */
export function readColumns(): bool {
  if (jsonConfig == 0) return false;
  columns = allocateCleared(JSON_COLUMNS_MAX * COLUMN_BYTES);
  if (columns == 0) return false;
  const count = load<u32>(jsonConfig + JSON_CONFIG_COLUMNS);
  if (count > <u32>JSON_COLUMNS_MAX) return false;
  let at: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const type = load<u32>(jsonConfig + JSON_CONFIG_TYPES + (i << 2));
    const length = load<u32>(jsonConfig + JSON_CONFIG_NAME_LENGTHS + (i << 2));
    const parent = load<u32>(jsonConfig + JSON_CONFIG_PARENTS + (i << 2));
    if (type < <u32>JSON_TYPE_DOUBLE || type > <u32>JSON_TYPE_ANY || parent > i) return false;
    if (parent != 0 && load<u32>(columns + (parent - 1) * COLUMN_BYTES) != JSON_TYPE_STRUCT)
      return false;
    if (length > <u32>JSON_NAMES_BYTES_MAX - at) return false;
    const column = columns + i * COLUMN_BYTES;
    store<u32>(column, type);
    store<u32>(column, <u32>(jsonConfig + JSON_CONFIG_NAMES + at), COLUMN_NAME);
    store<u32>(column, length, COLUMN_NAME_LENGTH);
    store<u32>(column, parent, COLUMN_PARENT);
    at += length;
  }
  columnCount = count;
  return true;
}

/** Allocates the buffers of the columns; false when memory does not suffice. */
export function openJsonBuffers(): bool {
  region = take(JSON_REGION_BYTES_MAX + PADDING_BYTES);
  lengths = take(JSON_ROWS_MAX << 2);
  statuses = take(JSON_ROWS_MAX);
  scratch = take(JSON_STRING_BYTES_MAX + PADDING_BYTES);
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    const type = load<u32>(column);
    if (type == JSON_TYPE_STRUCT) continue;
    store<u32>(column, take(JSON_ROWS_MAX * widthOf(type)), COLUMN_VALUES);
    store<u32>(column, take(JSON_ROWS_MAX >> 3), COLUMN_VALIDITY);
    if (type < <u32>JSON_TYPE_STRING) continue;
    store<u32>(column, take(JSON_ROWS_MAX << 2), COLUMN_LENGTHS);
    store<u32>(column, take(JSON_ROWS_MAX << 2), COLUMN_USED);
  }
  return !failed;
}

/** Ends the region with zeros behind its first `bytes`. */
export function endRegion(bytes: u32): void {
  memory.fill(region + bytes, 0, PADDING_BYTES);
}

/** Says what became of a row, and counts it. */
export function setStatus(row: u32, status: u32): void {
  const before = load<u8>(statuses + row);
  count(before, -1);
  count(status, 1);
  store<u8>(statuses + row, status);
}

export function count(status: u32, by: i32): void {
  const counter = jsonResult + JSON_RESULT_STATUSES + (status << 2);
  store<u32>(counter, load<u32>(counter) + by);
}

/** Address of a buffer by its kind, 0 where there is none. */
export function jsonAddressOf(kind: u32, index: u32): usize {
  if (kind == JSON_BUFFER_CONFIG) {
    if (jsonConfig == 0) jsonConfig = allocateCleared(JSON_CONFIG_BYTES);
    return jsonConfig;
  }
  if (kind == JSON_BUFFER_RESULT) return jsonResult;
  if (kind == JSON_BUFFER_REGION) return region;
  if (kind == JSON_BUFFER_LENGTHS) return lengths;
  if (kind == JSON_BUFFER_STATUS) return statuses;
  if (index >= columnCount) return 0;
  const column = columns + index * COLUMN_BYTES;
  if (kind == JSON_BUFFER_VALUES) return load<u32>(column, COLUMN_VALUES);
  if (kind == JSON_BUFFER_VALIDITY) return load<u32>(column, COLUMN_VALIDITY);
  if (kind == JSON_BUFFER_TEXT) return load<u32>(column, COLUMN_BYTES_AT);
  if (kind == JSON_BUFFER_TEXT_ENDS) return load<u32>(column, COLUMN_ENTRY_ENDS);
  if (kind == JSON_BUFFER_TEXT_ENTRIES) return load<u32>(column, COLUMN_USED);
  return 0;
}
