// The layout of records, learnt from those that were walked: between which bounds each of their bytes lies; decodes nothing.

import { allocate } from './arena';
import { COLUMN_BYTES, COLUMN_PARENT, columnCount, columns } from './json-buffers';
import { JSON_COLUMNS_MAX, JSON_TYPE_ANY, JSON_TYPE_STRUCT } from './json-abi';
import { openDigits } from './json-digits';
import { memberAt, memberColumn, NO_MEMBER } from './json-names';
import { MINUS, skipNumber } from './json-number';
import { FIRST_MEMBER } from './json-record';
import {
  CLOSE_BRACE,
  escaped,
  NULL_WORD,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  space,
  stringEnd,
  valueEnd,
} from './json-text';

// A record is a sequence of segments: what has been the same in all records of this layout, and between them values that have
// not. Within a segment stand values too, of one kind and length each time: of plain strings and numbers only the kind is the same.
//
//   segment  [u32 block][u32 end of blocks][u32 operation][u32 end of operations][u32 bytes][u32 column, or 0][u32 depth][u32 0]
//   block    [32 least bytes][32 spans: the greatest less the least][32 masks: ones where neither a quote nor a backslash may stand]
//   operation [u32 kind][u32 column][u32 where in the segment][u32 bytes of the text, or of the whole number]
//
// Column, depth: of the value behind the segment. Bytes behind a segment's last one have the bounds 0 and 255.
export const SEGMENT_BYTES: u32 = 32;
export const SEGMENT_BLOCK: usize = 0;
export const SEGMENT_BLOCKS_END: usize = 4;
export const SEGMENT_OP: usize = 8;
export const SEGMENT_OPS_END: usize = 12;
export const SEGMENT_SIZE: usize = 16;
export const SEGMENT_COLUMN: usize = 20;
export const SEGMENT_DEPTH: usize = 24;
export const BLOCK_BYTES: u32 = 96;
export const OP_BYTES: u32 = 16;
/** A string without its quotes, or a value as it is written. */
export const OP_TEXT: u32 = 0;
export const OP_NULL: u32 = 1;
/** A number of digits alone. */
export const OP_WHOLE: u32 = 2;
const OP_VALUE: u32 = 3;

const RECORD_BYTES_MAX: u32 = 2048;
const SLOTS_MAX: u32 = 128;
/** Of more digits a number is read as any other. */
const WHOLE_DIGITS_MAX: u32 = 15;
const SEGMENTS_MAX: u32 = SLOTS_MAX + 1;
/** Each segment's last block may be but begun. */
const BLOCKS_MAX: u32 = RECORD_BYTES_MAX / 32 + SEGMENTS_MAX;

// A value of the record: [u32 where][u32 bytes][u32 column + 1][u32 depth][u32 class]
const SLOT_BYTES: u32 = 20;
const SLOT_LENGTH: usize = 4;
const SLOT_COLUMN: usize = 8;
const SLOT_DEPTH: usize = 12;
const SLOT_CLASS: usize = 16;
/** Of any kind and length. */
const VARYING: u32 = 0;
const STRING: u32 = 1;
const NUMBER: u32 = 2;
const WORD: u32 = 3;

/** Whether there is a template. */
export let isReady: bool = false;
export let segments: usize = 0;
export let segmentsEnd: usize = 0;
/** Columns that no record of this layout has. */
export let missing: usize = 0;
export let missingCount: u32 = 0;
let blocks: usize = 0;
let ops: usize = 0;
/** The record that the template was made of last, and its values; those of the record at hand. */
let text: usize = 0;
let textBytes: u32 = 0;
let slots: usize = 0;
let slotCount: u32 = 0;
let fresh: usize = 0;
let freshCount: u32 = 0;

function open(): bool {
  if (text != 0) return true;
  if (!openDigits()) return false;
  const sizes: u32 = RECORD_BYTES_MAX + SLOTS_MAX * (SLOT_BYTES * 2 + OP_BYTES);
  const block = allocate(
    sizes + SEGMENTS_MAX * SEGMENT_BYTES + BLOCKS_MAX * BLOCK_BYTES + (JSON_COLUMNS_MAX << 2),
  );
  if (block == 0) return false;
  blocks = block;
  segments = blocks + BLOCKS_MAX * BLOCK_BYTES;
  ops = segments + SEGMENTS_MAX * SEGMENT_BYTES;
  slots = ops + SLOTS_MAX * OP_BYTES;
  fresh = slots + SLOTS_MAX * SLOT_BYTES;
  missing = fresh + SLOTS_MAX * SLOT_BYTES;
  text = missing + (JSON_COLUMNS_MAX << 2);
  return true;
}

/**
 * Makes the template fit a record, which has been found good. Values that are not as those before them were vary from now on.
 * @returns whether the record is laid out otherwise, or is too large, so that nothing is left of the template
 */
export function learn(start: usize, end: usize): bool {
  const bytes = <u32>(end - start);
  const isTold = bytes <= RECORD_BYTES_MAX && open() && readSlots(start, end);
  const isSame = isTold && isReady && isAlike(start, bytes);
  isReady = isTold;
  if (!isTold) return true;
  const compared: u32 = isSame ? freshCount : 0;
  for (let i: u32 = 0; i < compared; i++) compare(start, i * SLOT_BYTES);
  memory.copy(text, start, bytes);
  textBytes = bytes;
  const old = slots;
  slots = fresh;
  slotCount = freshCount;
  fresh = old;
  build();
  return !isSame;
}

/** What stands between the values is the same. */
function isAlike(start: usize, bytes: u32): bool {
  if (slotCount != freshCount) return false;
  let before = text;
  let now = start;
  for (let i: u32 = 0; i < slotCount; i++) {
    const slot = slots + i * SLOT_BYTES;
    const next = fresh + i * SLOT_BYTES;
    const length = text + load<u32>(slot) - before;
    if (
      start + load<u32>(next) - now != length ||
      memory.compare(before, now, length) != 0 ||
      load<u64>(slot, SLOT_COLUMN) != load<u64>(next, SLOT_COLUMN)
    )
      return false;
    before += length + load<u32>(slot, SLOT_LENGTH);
    now += length + load<u32>(next, SLOT_LENGTH);
  }
  const left = text + textBytes - before;
  return start + bytes - now == left && memory.compare(before, now, left) == 0;
}

/** A value that is not of the class and form that it was of varies. */
function compare(start: usize, at: u32): void {
  const slot = slots + at;
  const next = fresh + at;
  const kind = load<u32>(slot, SLOT_CLASS);
  const length = load<u32>(slot, SLOT_LENGTH);
  let isSame = kind == load<u32>(next, SLOT_CLASS) && length == load<u32>(next, SLOT_LENGTH);
  const compared: u32 = kind == STRING ? 0 : length;
  for (let i: u32 = 0; isSame && i < compared; i++) {
    const byte = <u32>load<u8>(text + load<u32>(slot) + i);
    const other = <u32>load<u8>(start + load<u32>(next) + i);
    isSame = byte == other || (kind == NUMBER && byte - 0x30 <= 9 && other - 0x30 <= 9);
  }
  if (!isSame) store<u32>(next, VARYING, SLOT_CLASS);
}

/** Lists the values of a record as it was walked: its own members, and those of STRUCT columns. */
function readSlots(start: usize, end: usize): bool {
  let at = start;
  let member: u32 = 0;
  let where: u32 = FIRST_MEMBER;
  let depth: u32 = 1;
  freshCount = 0;
  while (depth != 0) {
    at = memberAt(at, member, where);
    if (at == 0) return false;
    const column = memberColumn;
    let isClosed = column == NO_MEMBER;
    if (!isClosed) {
      member++;
      const byte = <u32>load<u8>(at);
      if (
        byte == OPEN_BRACE &&
        column >= 0 &&
        load<u32>(columns + column * COLUMN_BYTES) == JSON_TYPE_STRUCT
      ) {
        depth++;
        where = ((<u32>column + 1) << 1) | FIRST_MEMBER;
        continue;
      }
      if (freshCount == SLOTS_MAX) return false;
      const behind = addSlot(start, at, byte, column, depth);
      if (behind == 0) return false;
      at = behind;
    }
    where &= ~FIRST_MEMBER;
    while (true) {
      if (!isClosed) {
        const next = space(at);
        if (<u32>load<u8>(next) != CLOSE_BRACE) break;
        at = next + 1;
      }
      isClosed = false;
      if (--depth == 0) break;
      where = load<u32>(columns + ((where >> 1) - 1) * COLUMN_BYTES, COLUMN_PARENT) << 1;
    }
  }
  return at <= end;
}

/** Where the value ends; 0: it is none. */
function addSlot(start: usize, at: usize, byte: u32, column: i32, depth: u32): usize {
  let kind = VARYING;
  let behind: usize = 0;
  if (byte == QUOTE) {
    behind = stringEnd(at + 1);
    if (behind == 0) return 0;
    kind = escaped || !isPlain(at + 1, behind) ? VARYING : STRING;
    behind++;
  } else if (byte - 0x30 <= 9 || byte == MINUS) {
    behind = skipNumber(at);
    kind = NUMBER;
  } else {
    behind = valueEnd(at, depth);
    kind = byte == OPEN_BRACE || byte == OPEN_BRACKET ? VARYING : WORD;
  }
  const slot = fresh + freshCount++ * SLOT_BYTES;
  store<u32>(slot, <u32>(at - start));
  store<u32>(slot, <u32>(behind - at), SLOT_LENGTH);
  store<u32>(slot, column < 0 ? 0 : column + 1, SLOT_COLUMN);
  store<u32>(slot, depth, SLOT_DEPTH);
  store<u32>(slot, kind, SLOT_CLASS);
  return behind;
}

function isPlain(from: usize, to: usize): bool {
  for (let at = from; at < to; at++) if (load<u8>(at) >= 0x80) return false;
  return true;
}

/** Makes the template of the text and its values. */
function build(): void {
  let segment = segments;
  let block = blocks;
  let op = ops;
  let from: u32 = 0;
  let found: u64 = 0;
  let first: u32 = 0;
  for (let i: u32 = 0; i <= slotCount; i++) {
    const isLast = i == slotCount;
    const slot = slots + i * SLOT_BYTES;
    const column = isLast ? 0 : load<u32>(slot, SLOT_COLUMN);
    if (column != 0) found |= (<u64>1) << (column - 1);
    if (!isLast && load<u32>(slot, SLOT_CLASS) != VARYING) continue;
    const to = isLast ? textBytes : load<u32>(slot);
    store<u32>(segment, <u32>block, SEGMENT_BLOCK);
    bound(block, from, to);
    const begin = block;
    block += ((to - from + 31) >> 5) * BLOCK_BYTES;
    store<u32>(segment, <u32>block, SEGMENT_BLOCKS_END);
    store<u32>(segment, <u32>op, SEGMENT_OP);
    for (; first < i; first++) op = addOp(begin, op, slots + first * SLOT_BYTES, from);
    first++;
    store<u32>(segment, <u32>op, SEGMENT_OPS_END);
    store<u32>(segment, to - from, SEGMENT_SIZE);
    store<u32>(segment, columnAt(column), SEGMENT_COLUMN);
    store<u32>(segment, isLast ? 0 : load<u32>(slot, SLOT_DEPTH), SEGMENT_DEPTH);
    segment += SEGMENT_BYTES;
    if (!isLast) from = to + load<u32>(slot, SLOT_LENGTH);
  }
  segmentsEnd = segment;
  missingCount = 0;
  for (let i: u32 = 0; i < columnCount; i++) {
    if ((found & ((<u64>1) << i)) != 0) continue;
    store<u32>(missing + (missingCount++ << 2), columnAt(i + 1));
  }
}

function columnAt(number: u32): u32 {
  return number == 0 ? 0 : <u32>columns + (number - 1) * COLUMN_BYTES;
}

/** Bounds of the bytes `from .. to` of the text as such. */
function bound(block: usize, from: u32, to: u32): void {
  for (let i: u32 = 0; i < ((to - from + 31) & ~31); i++) {
    const byte = <u32>load<u8>(text + from + i);
    const isIn = from + i < to;
    setBound(block, i, isIn ? byte : 0, isIn ? byte : 0xff, 0);
  }
}

function setBound(block: usize, i: u32, least: u32, greatest: u32, mask: u32): void {
  const at = block + (i >> 5) * BLOCK_BYTES + (i & 31);
  store<u8>(at, least);
  store<u8>(at, greatest - least, 32);
  store<u8>(at, mask, 64);
}

/** Widens the bounds of a value within a segment, and says what is done with it; where the next operation stands. */
function addOp(block: usize, op: usize, slot: usize, from: u32): usize {
  const at = load<u32>(slot) - from;
  const length = load<u32>(slot, SLOT_LENGTH);
  const kind = load<u32>(slot, SLOT_CLASS);
  let digits: u32 = 0;
  if (kind == STRING) {
    for (let i: u32 = 1; i < length - 1; i++) setBound(block, at + i, 0x20, 0x7f, 0xff);
  } else if (kind == NUMBER) {
    const value = text + load<u32>(slot);
    const sign = <u32>(load<u8>(value) == MINUS);
    for (let i = sign; i < length; i++) {
      if (load<u8>(value + i) - 0x30 > 9) continue;
      digits++;
      // The first digit of several is no 0; here of an exponent's one, neither, which does no harm.
      const isLeading = i == sign && i + 1 < length && load<u8>(value + i + 1) != 0x2e;
      setBound(block, at + i, isLeading ? 0x31 : 0x30, 0x39, 0);
    }
  }
  const column = load<u32>(slot, SLOT_COLUMN);
  if (column == 0) return op;
  const isNull = kind == WORD && load<u32>(text + load<u32>(slot)) == NULL_WORD;
  const isWhole = digits == length && length <= WHOLE_DIGITS_MAX;
  const isAny = load<u32>(columnAt(column)) == JSON_TYPE_ANY;
  const quotes = <u32>(kind == STRING && !isAny);
  const isText = kind == STRING || isAny;
  store<u32>(op, isNull ? OP_NULL : isText ? OP_TEXT : isWhole ? OP_WHOLE : OP_VALUE);
  store<u32>(op, columnAt(column), 4);
  store<u32>(op, at + quotes, 8);
  store<u32>(op, length - 2 * quotes, 12);
  return op + OP_BYTES;
}
