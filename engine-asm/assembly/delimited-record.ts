// Decodes one DELIMITED line into the columns: fields between delimiters, quoted or not; knows no chunk and no JSON.

import {
  JSON_DECLINED_KIND,
  JSON_DECLINED_LONG,
  JSON_DECLINED_SYNTAX,
  JSON_OK,
  JSON_STRING_BYTES_MAX,
  JSON_TYPE_BOOLEAN,
  JSON_TYPE_STRING,
} from './json-abi';
import { COLUMN_BYTES, COLUMN_PLACE, COLUMN_VALUES, columnCount, columns } from './json-buffers';
import { decodeValue, setNullApart, valueRefusal } from './json-cells';
import { setText } from './json-record';
import { QUOTE, sequenceEnd } from './json-text';

const LINE_FEED: u32 = 0x0a;
const CARRIAGE_RETURN: u32 = 0x0d;
const TRUE_WORD: u32 = 0x65757274;
const FALSE_WORD: u32 = 0x736c6166;
/** In each letter of a word, whatever its case. */
const LOWER_WORD: u32 = 0x20202020;

let fields: u32 = 0;
let delimiter: u32 = 0;
/** The field last ended by `closingQuote` holds quotes, each twice. */
let hasQuotes: bool = false;

export function setLine(count: u32, byte: u32): void {
  fields = count;
  delimiter = byte;
}

/** Decodes the line at `start`; its status. Quotes within quoted fields are undoubled where they stand. */
export function decodeLine(start: usize, length: i32, row: u32): u32 {
  const end = start + length;
  // Numbers are read up to what is none: what follows the line is put back.
  const behind = load<u8>(end);
  store<u8>(end, 0);
  const status = lineAt(start, end, row);
  store<u8>(end, behind);
  return status;
}

function isBreak(at: usize): bool {
  const byte = <u32>load<u8>(at);
  return byte == LINE_FEED || byte == CARRIAGE_RETURN;
}

function lineAt(start: usize, end: usize, row: u32): u32 {
  let at = start;
  while (at < end && isBreak(at)) at++;
  if (at == end) return JSON_DECLINED_SYNTAX;
  let field: u32 = 0;
  let index: u32 = 0;
  for (;;) {
    let begin = at;
    let size: u32 = 0;
    if (at < end && <u32>load<u8>(at) == QUOTE) {
      begin++;
      at = closingQuote(begin, end);
      if (at == 0) return JSON_DECLINED_SYNTAX;
      size = <u32>(at - begin);
      if (hasQuotes) size = undoubled(begin, size);
      at++;
    } else {
      at = fieldEnd(at, end);
      if (at == 0) return JSON_DECLINED_SYNTAX;
      size = <u32>(at - begin);
    }
    if (index < columnCount) {
      const column = columns + index * COLUMN_BYTES;
      if (load<u32>(column, COLUMN_PLACE) == field) {
        const status = cell(column, begin, size, row);
        if (status != JSON_OK) return status;
        index++;
      }
    }
    field++;
    if (at >= end || <u32>load<u8>(at) != delimiter) break;
    at++;
  }
  for (; at < end; at++) if (!isBreak(at)) return JSON_DECLINED_SYNTAX;
  // Fields that are not there would leave their columns unsaid.
  return field == fields && index == columnCount ? JSON_OK : JSON_DECLINED_SYNTAX;
}

/** Each byte that is the one looked for, or no ASCII. */
function among(bytes: v128, byte: u32): v128 {
  return v128.or(v128.eq<u8>(bytes, i8x16.splat(<i8>byte)), v128.lt<i8>(bytes, i8x16.splat(0)));
}

/** Where a field without quotes ends; 0 when it is not UTF-8. */
function fieldEnd(from: usize, end: usize): usize {
  let at = from;
  while (at < end) {
    const bytes = v128.load(at);
    const breaks = v128.or(
      v128.eq<u8>(bytes, i8x16.splat(<i8>LINE_FEED)),
      v128.eq<u8>(bytes, i8x16.splat(<i8>CARRIAGE_RETURN)),
    );
    const found = <u32>i8x16.bitmask(v128.or(among(bytes, delimiter), breaks));
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (at >= end) return end;
    if (load<u8>(at) < 0x80) return at;
    at = sequenceEnd(at);
    if (at == 0 || at > end) return 0;
  }
  return end;
}

/** Where the quote stands that ends a field; 0 when there is none, or it is not UTF-8. */
function closingQuote(from: usize, end: usize): usize {
  let at = from;
  hasQuotes = false;
  while (at < end) {
    const found = <u32>i8x16.bitmask(among(v128.load(at), QUOTE));
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (at >= end) return 0;
    if (load<u8>(at) < 0x80) {
      if (at + 1 >= end || <u32>load<u8>(at, 1) != QUOTE) return at;
      hasQuotes = true;
      at += 2;
    } else {
      at = sequenceEnd(at);
      if (at == 0 || at > end) return 0;
    }
  }
  return 0;
}

/** Leaves one of each two quotes; how many bytes are left. */
function undoubled(from: usize, size: u32): u32 {
  const end = from + size;
  let to = from;
  for (let at = from; at < end; at++) {
    const byte = <u32>load<u8>(at);
    store<u8>(to, byte);
    to++;
    if (byte == QUOTE) at++;
  }
  return <u32>(to - from);
}

/** Decodes a field into its column; an empty one is null. */
function cell(column: usize, begin: usize, size: u32, row: u32): u32 {
  if (size == 0) {
    setNullApart(column, row);
    return JSON_OK;
  }
  const type = load<u32>(column);
  const values: usize = load<u32>(column, COLUMN_VALUES);
  if (type == JSON_TYPE_STRING) {
    if (size > <u32>JSON_STRING_BYTES_MAX) return JSON_DECLINED_LONG;
    setText(column, begin, size, row);
    return JSON_OK;
  }
  if (type == JSON_TYPE_BOOLEAN) {
    const word = load<u32>(begin) | LOWER_WORD;
    const isTrue = size == 4 && word == TRUE_WORD;
    const isFalse = size == 5 && word == FALSE_WORD && (load<u8>(begin, 4) | 0x20) == 0x65;
    if (!isTrue && !isFalse) return JSON_DECLINED_KIND;
    store<u8>(values + row, <u32>isTrue);
    return JSON_OK;
  }
  const at = decodeValue(column, begin, load<u8>(begin), row);
  if (at == 0) return valueRefusal;
  return at == begin + size ? JSON_OK : JSON_DECLINED_KIND;
}

/** Whether all of a text is UTF-8. */
export function isUtf8(from: usize, end: usize): bool {
  let at = from;
  while (at < end) {
    const found = <u32>i8x16.bitmask(v128.load(at));
    if (found == 0) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (at >= end) return true;
    at = sequenceEnd(at);
    if (at == 0 || at > end) return false;
  }
  return true;
}
