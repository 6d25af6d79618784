// Decodes one record in JSON into the columns, its objects walked as deep as there are columns in them; knows no chunk.

import {
  JSON_DECLINED_DUPLICATE,
  JSON_DECLINED_KIND,
  JSON_DECLINED_LONG,
  JSON_DECLINED_SYNTAX,
  JSON_NESTING_MAX,
  JSON_NULL,
  JSON_OK,
  JSON_STRING_BYTES_MAX,
  JSON_TYPE_ANY,
  JSON_TYPE_STRING,
  JSON_TYPE_STRUCT,
} from './json-abi';
import {
  COLUMN_BYTES,
  COLUMN_LENGTHS,
  COLUMN_MARK,
  COLUMN_PARENT,
  COLUMN_VALUES,
  columnCount,
  columns,
} from './json-buffers';
import { decodeValue, setNullApart, valueRefusal } from './json-cells';
import {
  memberAt,
  memberColumn,
  NO_MEMBER,
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
import { MINUS, skipNumber } from './json-number';
import { ESCAPED } from './json-strings';
import {
  CLOSE_BRACE,
  COMMA,
  escaped,
  NULL_WORD,
  OPEN_BRACE,
  QUOTE,
  space,
  specials,
  stringEnd,
  valueEnd,
} from './json-text';

const LETTER_N: u32 = 0x6e;
/** Bytes before JSON that was written with a schema registry: a zero and the schema's number, which are stepped over. */
export const REGISTRY_PREFIX_BYTES: i32 = 5;
/** In `where`: the next member is the first of its object. */
export const FIRST_MEMBER: u32 = 1;

/** Records seen, by which columns found in one are told from those found before. */
let record: u32 = 0;

/** How the records of the instance are decoded: in JSON, unless it is told another format. */
export let decoded: (start: usize, length: i32, row: u32) => u32 = decodeRecord;

/** Says how records are decoded. */
export function decodeBy(decoder: (start: usize, length: i32, row: u32) => u32): void {
  decoded = decoder;
}

/** Decodes the record at `start`; its status. */
export function decodeRecord(start: usize, length: i32, row: u32): u32 {
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
      let byte = <u32>load<u8>(at);
      if (byte <= 0x20) {
        // The last record had no white space here.
        at = space(at);
        byte = load<u8>(at);
      }
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
          const type = load<u32>(into);
          if (type < <u32>JSON_TYPE_STRING) return JSON_DECLINED_KIND;
          // Its code comes when the whole record has turned out good.
          store<u32>(into, record, COLUMN_MARK);
          if (<u32>(at - begin) > <u32>JSON_STRING_BYTES_MAX) return JSON_DECLINED_LONG;
          if (type == JSON_TYPE_ANY) setText(into, begin - 1, <u32>(at + 2 - begin), row);
          else setText(into, begin, <u32>(at - begin) | hasEscapes, row);
          found++;
        }
        at++;
      } else if (column < 0) {
        at = otherEnd(at, byte, depth);
        if (at == 0) return JSON_DECLINED_SYNTAX;
      } else {
        const into = columns + column * COLUMN_BYTES;
        if (load<u32>(into, COLUMN_MARK) == record) return JSON_DECLINED_DUPLICATE;
        store<u32>(into, record, COLUMN_MARK);
        found++;
        if (byte == LETTER_N) {
          if (load<u32>(at) != NULL_WORD) return JSON_DECLINED_SYNTAX;
          at += 4;
          setNullApart(into, row);
        } else if (byte == OPEN_BRACE && load<u32>(into) == JSON_TYPE_STRUCT) {
          if (depth == <u32>JSON_NESTING_MAX) return JSON_DECLINED_SYNTAX;
          depth++;
          where = ((<u32>column + 1) << 1) | FIRST_MEMBER;
          continue;
        } else if (load<u32>(into) == JSON_TYPE_ANY) {
          const begin = at;
          at = otherEnd(begin, byte, depth);
          if (at == 0) return JSON_DECLINED_SYNTAX;
          if (<u32>(at - begin) > <u32>JSON_STRING_BYTES_MAX) return JSON_DECLINED_LONG;
          setText(into, begin, <u32>(at - begin), row);
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
      if (load<u32>(column, COLUMN_MARK) != record) setNullApart(column, row);
    }
  }
  return JSON_OK;
}

/** Where a value ends that is no string; 0: it is none, or too deep. */
function otherEnd(at: usize, byte: u32, depth: u32): usize {
  return byte - 0x30 <= 9 || byte == MINUS ? skipNumber(at) : valueEnd(at, depth);
}

/** Says where the row's text stands. @param length with ESCAPED where a string has escapes */
export function setText(column: usize, at: usize, length: u32, row: u32): void {
  store<u32>(load<u32>(column, COLUMN_VALUES) + (row << 2), <u32>at);
  store<u32>(load<u32>(column, COLUMN_LENGTHS) + (row << 2), length);
}

/** Nothing but white space is left. */
function isEnd(from: usize, end: usize): bool {
  let at = from;
  while (at < end && space(at) != at) at++;
  return at == end;
}
