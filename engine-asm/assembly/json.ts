// What the JSON decoder exports: chunks of records in, columns and a status per record out; an instance of its own.

import {
  JSON_DECLINED_DUPLICATE,
  JSON_DECLINED_KIND,
  JSON_DECLINED_LONG,
  JSON_DECLINED_SYNTAX,
  JSON_LENGTH_LONG,
  JSON_LENGTH_NULL,
  JSON_NESTING_MAX,
  JSON_NULL,
  JSON_OK,
  JSON_REGION_BYTES_MAX,
  JSON_RESULT_BYTES,
  JSON_RESULT_GENERATIONS,
  JSON_RESULT_NAME_LENGTH,
  JSON_RESULT_NULLS,
  JSON_RESULT_TEXTS,
  JSON_ROWS_MAX,
  JSON_STRING_BYTES_MAX,
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
  COLUMN_GENERATION,
  COLUMN_LENGTHS,
  COLUMN_MARK,
  COLUMN_NULLS,
  COLUMN_PARENT,
  COLUMN_TEXT_COUNT,
  COLUMN_VALIDITY,
  COLUMN_VALUES,
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
import {
  learnSpelling,
  memberAt,
  memberColumn,
  NO_COLUMN,
  NO_MEMBER,
  openNames,
  refusal,
  shape,
  SHAPE_COLUMN,
  SHAPE_LENGTH,
  SHAPE_MASK,
  SHAPE_MASK_BEHIND,
  SHAPE_SHIFT,
  SHAPE_WHERE,
  shapeMembers,
} from './json-names';
import { decodeValue, nullRow, setNull, valueRefusal } from './json-cells';
import { skipNumber } from './json-number';
import { beginChunk, ESCAPED, internRows, internString, openStrings } from './json-strings';
import {
  CLOSE_BRACE,
  COMMA,
  escaped,
  OPEN_BRACE,
  QUOTE,
  space,
  specials,
  stringEnd,
  valueEnd,
} from './json-text';

const LETTER_N: u32 = 0x6e;
const NULL_WORD: u32 = 0x6c6c756e;
const MINUS: u32 = 0x2d;
/** Bytes before JSON that was written with a schema registry: a zero and the schema's number, which are stepped over. */
const REGISTRY_PREFIX_BYTES: i32 = 5;

/** In `where`: the next member is the first of its object. */
const FIRST_MEMBER: u32 = 1;

let jsonReady: bool = false;
let jsonBegun: bool = false;
/** Rows of the chunk so far; negative: no chunk is open. */
let rows: i32 = -1;
/** Records seen, by which columns found in one are told from those found before. */
let record: u32 = 0;

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

/** Begins a chunk of at most JSON_ROWS_MAX records. */
export function jsonBegin(): i32 {
  if (!jsonReady) return STATUS_NOT_READY;
  rows = -1;
  memory.fill(jsonResult, 0, JSON_RESULT_BYTES);
  const anew = beginChunk();
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    if (load<u32>(column) == JSON_TYPE_STRUCT) continue;
    store<u32>(column, 0, COLUMN_NULLS);
    memory.fill(load<u32>(column, COLUMN_VALIDITY), 0xff, JSON_ROWS_MAX >> 3);
    if (load<u32>(column) == JSON_TYPE_STRING && !openStrings(column, anew))
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
    if (length >= 0) status = decodeRecord(at, length, row);
    else if (length == JSON_LENGTH_NULL) status = JSON_NULL;
    if (status == JSON_NULL) nullRow(row);
    store<u8>(statuses + row, status);
    counted(status, 1);
    if (length > 0) at += length;
    rows++;
  }
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    if (load<u32>(column) == JSON_TYPE_STRING) internRows(column, rows - count, rows);
  }
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

/** Writes the texts of the chunk's columns and the result, and ends the chunk. */
export function jsonFinish(): i32 {
  if (!jsonReady || rows < 0) return STATUS_NOT_READY;
  rows = -1;
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    const to = jsonResult + (i << 2);
    store<u32>(to, load<u32>(column, COLUMN_NULLS), JSON_RESULT_NULLS);
    store<u32>(to, load<u32>(column, COLUMN_TEXT_COUNT), JSON_RESULT_TEXTS);
    store<u32>(to, load<u32>(column, COLUMN_GENERATION), JSON_RESULT_GENERATIONS);
  }
  return STATUS_OK;
}

/** Decodes the record at `start`; its status. */
function decodeRecord(start: usize, length: i32, row: u32): u32 {
  let at = start;
  const end = start + length;
  if (length == 0) return JSON_DECLINED_SYNTAX;
  if (load<u8>(at) == 0 && length > REGISTRY_PREFIX_BYTES) at += REGISTRY_PREFIX_BYTES;
  record++;
  let found: u32 = 0;
  let member: u32 = 0;
  // The object whose members come, as in the shape, and how many are open: the record's own, and those of STRUCT columns in it.
  let where: u32 = FIRST_MEMBER;
  let depth: u32 = 1;
  const known = shapeMembers;
  while (depth != 0) {
    // What stands before the value: as in the last record, or read anew.
    let column: i32 = 0;
    let isKnown = false;
    if (member < known) {
      const entry: usize = shape + (member << SHAPE_SHIFT);
      const before = load<u32>(entry, SHAPE_MASK);
      const behind = load<u32>(entry, SHAPE_MASK_BEHIND);
      const same = i8x16.bitmask(v128.eq<u8>(v128.load(at), v128.load(entry)));
      isKnown =
        (same & before) == before &&
        load<u32>(entry, SHAPE_WHERE) == where &&
        (behind == 0 ||
          (i8x16.bitmask(v128.eq<u8>(v128.load(at, 16), v128.load(entry, 16))) & behind) == behind);
      const size = load<u32>(entry, SHAPE_LENGTH);
      if (isKnown && size != 0) {
        at += size;
        column = load<i32>(entry, SHAPE_COLUMN);
      } else isKnown = false;
    }
    if (!isKnown) {
      if (member == 0) {
        const first = space(at);
        if (load<u32>(first) == NULL_WORD)
          return isEnd(first + 4, end) ? JSON_NULL : JSON_DECLINED_SYNTAX;
      }
      at = memberAt(at, member, where);
      if (at == 0) return refusal;
      column = memberColumn;
    }
    const isEmpty = column == NO_MEMBER;
    if (!isEmpty) {
      if (at >= end) return JSON_DECLINED_SYNTAX;
      member++;
      const byte = <u32>load<u8>(at);
      if (byte == QUOTE) {
        const begin = at + 1;
        const special = specials(begin);
        at = begin + ctz(special);
        let hasEscapes: u32 = 0;
        if (special == 0 || <u32>load<u8>(at) != QUOTE) {
          at = stringEnd(begin);
          if (at == 0) return JSON_DECLINED_SYNTAX;
          hasEscapes = escaped ? ESCAPED : 0;
        }
        if (column >= 0) {
          const into = columns + column * COLUMN_BYTES;
          if (load<u32>(into, COLUMN_MARK) == record) return JSON_DECLINED_DUPLICATE;
          if (load<u32>(into) != JSON_TYPE_STRING) return JSON_DECLINED_KIND;
          // Its code comes when the whole record has turned out good.
          store<u32>(into, record, COLUMN_MARK);
          const size = <u32>(at - begin);
          if (size > <u32>JSON_STRING_BYTES_MAX) return JSON_DECLINED_LONG;
          store<u32>(load<u32>(into, COLUMN_VALUES) + (row << 2), <u32>begin);
          store<u32>(load<u32>(into, COLUMN_LENGTHS) + (row << 2), size | hasEscapes);
          found++;
        }
        at++;
      } else if (column < 0) {
        at = byte - 0x30 <= 9 || byte == MINUS ? skipNumber(at) : valueEnd(at, depth);
        if (at == 0) return JSON_DECLINED_SYNTAX;
      } else {
        const into = columns + column * COLUMN_BYTES;
        if (load<u32>(into, COLUMN_MARK) == record) return JSON_DECLINED_DUPLICATE;
        store<u32>(into, record, COLUMN_MARK);
        found++;
        if (byte == LETTER_N) {
          if (load<u32>(at) != NULL_WORD) return JSON_DECLINED_SYNTAX;
          at += 4;
          setNull(into, row);
        } else if (byte == OPEN_BRACE && load<u32>(into) == JSON_TYPE_STRUCT) {
          if (depth == <u32>JSON_NESTING_MAX) return JSON_DECLINED_SYNTAX;
          depth++;
          where = ((<u32>column + 1) << 1) | FIRST_MEMBER;
          continue;
        } else {
          at = decodeValue(into, at, byte, row);
          if (at == 0) return valueRefusal;
        }
      }
    }
    // Behind the value, or behind the brace that ends an object without members.
    where &= ~FIRST_MEMBER;
    let isClosed = isEmpty;
    for (;;) {
      if (!isClosed) {
        const next = <u32>load<u8>(at);
        if (next == COMMA) break;
        if (next != CLOSE_BRACE) {
          const other = space(at);
          if (<u32>load<u8>(other) != CLOSE_BRACE) break;
          at = other;
        }
        at++;
      }
      isClosed = false;
      if (--depth == 0) break;
      where = load<u32>(columns + ((where >> 1) - 1) * COLUMN_BYTES, COLUMN_PARENT) << 1;
    }
  }
  if (at != end && !isEnd(at, end)) return JSON_DECLINED_SYNTAX;
  if (found != columnCount) {
    for (let i: u32 = 0; i < columnCount; i++) {
      const column = columns + i * COLUMN_BYTES;
      if (load<u32>(column, COLUMN_MARK) != record) setNull(column, row);
    }
  }
  return JSON_OK;
}

/** Nothing but white space is left. */
function isEnd(from: usize, end: usize): bool {
  let at = from;
  while (at < end && space(at) != at) at++;
  return at == end;
}
