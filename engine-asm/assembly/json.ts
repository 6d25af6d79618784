// What the JSON decoder exports: chunks of records in, columns and a status per record out; an instance of its own.

import {
  JSON_DECLINED_LONG,
  JSON_LENGTH_LONG,
  JSON_LENGTH_NULL,
  JSON_NULL,
  JSON_REGION_BYTES_MAX,
  JSON_RESULT_BYTES,
  JSON_RESULT_ENTRIES,
  JSON_RESULT_GENERATIONS,
  JSON_RESULT_NAME_LENGTH,
  JSON_RESULT_NULLS,
  JSON_RESULT_TEXTS,
  JSON_ROWS_MAX,
  JSON_TYPE_STRING,
  JSON_TYPE_STRUCT,
} from './json-abi';
import {
  ABI_VERSION,
  STATUS_BAD_ARGUMENT,
  STATUS_BAD_CONFIG,
  STATUS_NOT_READY,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import {
  COLUMN_BYTES,
  COLUMN_ENTRY_COUNT,
  COLUMN_GENERATION,
  COLUMN_NULLS,
  COLUMN_PARENT,
  COLUMN_TEXT_COUNT,
  COLUMN_VALIDITY,
  columnCount,
  columns,
  count as counted,
  endRegion,
  jsonAddressOf,
  jsonResult,
  lengths,
  openJsonBuffers,
  readColumns,
  region,
  statuses,
} from './json-buffers';
import { learnSpelling, NO_COLUMN, openNames } from './json-names';
import { nullRow } from './json-cells';
import { decoded } from './json-record';
import { beginChunk, internRows, internString, openStrings } from './json-strings';

let jsonReady: bool = false;
let jsonBegun: bool = false;
/** Rows of the chunk so far; negative: no chunk is open. */
let rows: i32 = -1;

/** As `version` of the aggregates, whose module a host may have apart from this one. */
export function jsonVersion(): i32 {
  return ABI_VERSION;
}

export function jsonBuffer(kind: u32, index: u32): usize {
  return jsonAddressOf(kind, index);
}

/** Reads the configuration and allocates the buffers. Once: an instance that refused is thrown away. */
export function jsonInit(): i32 {
  if (jsonBegun) return STATUS_BAD_CONFIG;
  jsonBegun = true;
  if (!readColumns()) return STATUS_BAD_CONFIG;
  if (!openJsonBuffers() || !openNames()) return STATUS_OUT_OF_MEMORY;
  jsonReady = true;
  return STATUS_OK;
}

/** Begins a chunk of `count` records, at most JSON_ROWS_MAX: how many they are is not held against anybody. */
export function jsonBegin(count: u32): i32 {
  if (!jsonReady) return STATUS_NOT_READY;
  rows = -1;
  memory.fill(jsonResult, 0, JSON_RESULT_BYTES);
  const anew = beginChunk(count);
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    if (load<u32>(column) == JSON_TYPE_STRUCT) continue;
    store<u32>(column, 0, COLUMN_NULLS);
    memory.fill(load<u32>(column, COLUMN_VALIDITY), 0xff, JSON_ROWS_MAX >> 3);
    if (load<u32>(column) >= <u32>JSON_TYPE_STRING && !openStrings(column, anew))
      return STATUS_OUT_OF_MEMORY;
  }
  rows = 0;
  return STATUS_OK;
}

/** Decodes the next `count` records, which stand one after the other in the region and have the lengths in JSON_BUFFER_LENGTHS. */
export function jsonDecode(count: u32): i32 {
  if (!jsonReady || rows < 0) return STATUS_NOT_READY;
  if (count > <u32>JSON_ROWS_MAX - rows) return STATUS_BAD_ARGUMENT;
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const length = load<i32>(lengths + (i << 2));
    if (length < JSON_LENGTH_LONG) return STATUS_BAD_ARGUMENT;
    if (length <= 0) continue;
    if (<u32>length > <u32>JSON_REGION_BYTES_MAX - bytes) return STATUS_BAD_ARGUMENT;
    bytes += length;
  }
  endRegion(bytes);
  store<u32>(jsonResult, 0, JSON_RESULT_NAME_LENGTH);
  let at = region;
  for (let i: u32 = 0; i < count; i++) {
    const length = load<i32>(lengths + (i << 2));
    const row: u32 = rows;
    let status: u32 = JSON_DECLINED_LONG;
    if (length >= 0) status = decoded(at, length, row);
    else if (length == JSON_LENGTH_NULL) status = JSON_NULL;
    if (status == JSON_NULL) nullRow(row);
    store<u8>(statuses + row, status);
    counted(status, 1);
    if (length > 0) at += length;
    rows++;
  }
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    if (load<u32>(column) >= <u32>JSON_TYPE_STRING) internRows(column, rows - count, rows);
  }
  writeResult();
  return STATUS_OK;
}

/**
 * Says which column (-1: none) the name means whose spelling, without its quotes, is `bytes` at the beginning of the region, among the
 * fields of a STRUCT (its column plus 1) or the members of the record (0). Only names with escapes or beyond ASCII are ever asked for.
 */
export function jsonLearn(bytes: u32, column: i32, parent: u32): i32 {
  if (!jsonReady) return STATUS_NOT_READY;
  if (bytes > <u32>JSON_REGION_BYTES_MAX || column < NO_COLUMN || column >= <i32>columnCount)
    return STATUS_BAD_ARGUMENT;
  // A field of another object would be entered as one of this.
  if (column >= 0 && load<u32>(columns + column * COLUMN_BYTES, COLUMN_PARENT) != parent)
    return STATUS_BAD_ARGUMENT;
  learnSpelling(region, bytes, column, parent);
  return STATUS_OK;
}

/** The code of a text of `bytes`, which stand at the beginning of the region, among those of the open chunk; -1: there is no room for it. */
export function jsonIntern(index: u32, bytes: u32): i32 {
  if (rows < 0 || index >= columnCount || bytes > <u32>JSON_REGION_BYTES_MAX) return -1;
  const column = columns + index * COLUMN_BYTES;
  return load<u32>(column) == JSON_TYPE_STRING ? internString(column, region, bytes) : -1;
}

/** Writes the result, and ends the chunk. */
export function jsonFinish(): i32 {
  if (!jsonReady || rows < 0) return STATUS_NOT_READY;
  rows = -1;
  writeResult();
  return STATUS_OK;
}

function writeResult(): void {
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    const to = jsonResult + (i << 2);
    store<u32>(to, load<u32>(column, COLUMN_NULLS), JSON_RESULT_NULLS);
    store<u32>(to, load<u32>(column, COLUMN_TEXT_COUNT), JSON_RESULT_TEXTS);
    store<u32>(to, load<u32>(column, COLUMN_GENERATION), JSON_RESULT_GENERATIONS);
    store<u32>(to, load<u32>(column, COLUMN_ENTRY_COUNT), JSON_RESULT_ENTRIES);
  }
}
