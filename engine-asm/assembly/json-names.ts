// The names of members: which column each means, and how the last record's members began; knows no value.

import {
  JSON_DECLINED_NAME,
  JSON_DECLINED_SYNTAX,
  JSON_RESULT_NAME,
  JSON_RESULT_NAME_LENGTH,
  JSON_RESULT_NAME_PARENT,
  JSON_SPELLINGS_BYTES_MAX,
  JSON_SPELLINGS_MAX,
} from './json-abi';
import { allocate, allocateCleared } from './arena';
import {
  COLUMN_BYTES,
  COLUMN_NAME,
  COLUMN_NAME_LENGTH,
  COLUMN_PARENT,
  columnCount,
  columns,
  jsonResult,
  region,
} from './json-buffers';
import {
  COLON,
  CLOSE_BRACE,
  COMMA,
  OPEN_BRACE,
  QUOTE,
  escaped,
  space,
  stringEnd,
} from './json-text';

// Records of one stream mostly have the same members in the same order. What stood before the value of each member of the
// last record, from the brace or comma on, white space included, is compared as a whole:
//
//   [32 bytes of text, zeros behind it][u32 mask of its first 16 bytes][u32 of its last 16][u32 length][i32 column][u32 where]
//
// where: the object that the member is in, its STRUCT column plus 1, times 2, plus 1 for the first member, which follows a brace.
export const SHAPE_SHIFT: u32 = 6;
export const SHAPE_MASK: usize = 32;
export const SHAPE_MASK_BEHIND: usize = 36;
export const SHAPE_LENGTH: usize = 40;
export const SHAPE_COLUMN: usize = 44;
export const SHAPE_WHERE: usize = 48;
const SHAPE_MEMBERS_MAX: u32 = 256;
const SHAPE_TEXT_MAX: u32 = 32;

export const NO_COLUMN: i32 = -1;
/** What `memberAt` gives for the brace that ends an object without members. */
export const NO_MEMBER: i32 = -2;

export let shape: usize = 0;
/** What the host has told: [u32 length][i32 column][u32 parent][bytes]..., each on a multiple of 4. */
let spellings: usize = 0;
let spellingsEnd: u32 = 0;
let spellingCount: u32 = 0;
/** Members whose beginnings are known. */
export let shapeMembers: u32 = 0;

/** The column that the member last read by `memberAt` means. */
export let memberColumn: i32 = 0;
/** Why `memberAt` gave 0. */
export let refusal: u32 = 0;

/** False when memory does not suffice. */
export function openNames(): bool {
  shape = allocateCleared(SHAPE_MEMBERS_MAX << SHAPE_SHIFT);
  spellings = allocate(JSON_SPELLINGS_BYTES_MAX);
  return shape != 0 && spellings != 0;
}

/** Bytes of a spelling before its text. */
const SPELLING_HEAD_BYTES: u32 = 12;

/** Says which column a name in that object means that is spelt so; when there are too many, all are forgotten. */
export function learnSpelling(from: usize, length: u32, column: i32, parent: u32): void {
  const bytes: u32 = SPELLING_HEAD_BYTES + ((length + 3) & ~3);
  if (bytes > <u32>JSON_SPELLINGS_BYTES_MAX) return;
  if (
    spellingCount >= <u32>JSON_SPELLINGS_MAX ||
    bytes > <u32>JSON_SPELLINGS_BYTES_MAX - spellingsEnd
  ) {
    spellingCount = 0;
    spellingsEnd = 0;
  }
  const to = spellings + spellingsEnd;
  store<u32>(to, length);
  store<i32>(to, column, 4);
  store<u32>(to, parent, 8);
  memory.copy(to + SPELLING_HEAD_BYTES, from, length);
  spellingsEnd += bytes;
  spellingCount++;
}

/** The column of a spelling that the host has told; NO_MEMBER when it has not. */
function spelt(name: usize, length: u32, parent: u32): i32 {
  let at = spellings;
  for (let i: u32 = 0; i < spellingCount; i++) {
    const size = load<u32>(at);
    if (
      size == length &&
      load<u32>(at, 8) == parent &&
      memory.compare(at + SPELLING_HEAD_BYTES, name, length) == 0
    )
      return load<i32>(at, 4);
    at += SPELLING_HEAD_BYTES + ((size + 3) & ~3);
  }
  return NO_MEMBER;
}

function upper(byte: u32): u32 {
  return byte - 0x61 < 26 ? byte - 0x20 : byte;
}

/** The column of that object and very name, else the one whose name is the upper-cased name. The name is ASCII. */
function columnOf(name: usize, length: u32, parent: u32): i32 {
  let other = NO_COLUMN;
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    if (load<u32>(column, COLUMN_NAME_LENGTH) != length) continue;
    if (load<u32>(column, COLUMN_PARENT) != parent) continue;
    const own: usize = load<u32>(column, COLUMN_NAME);
    let isExact = true;
    let isUpper = true;
    for (let j: u32 = 0; j < length && (isExact || isUpper); j++) {
      const byte = <u32>load<u8>(name + j);
      const due = <u32>load<u8>(own + j);
      isExact = isExact && byte == due;
      isUpper = isUpper && upper(byte) == due;
    }
    if (isExact) return i;
    if (isUpper && other == NO_COLUMN) other = i;
  }
  return other;
}

function isAscii(from: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(from + i) >= 0x80) return false;
  return true;
}

/**
 * Reads what stands before the value of a member, from the brace or comma on, and remembers it.
 * @param where in which object it is and whether it is the first, as in the shape
 * @returns where the value begins; behind the brace for NO_MEMBER; 0 with a `refusal`
 */
export function memberAt(from: usize, member: u32, where: u32): usize {
  const isFirst = (where & 1) != 0;
  refusal = JSON_DECLINED_SYNTAX;
  let at = space(from);
  if (<u32>load<u8>(at) != (isFirst ? OPEN_BRACE : COMMA)) return 0;
  at = space(at + 1);
  const first = <u32>load<u8>(at);
  if (first == CLOSE_BRACE && isFirst) {
    memberColumn = NO_MEMBER;
    return at + 1;
  }
  if (first != QUOTE) return 0;
  const name = at + 1;
  const last = stringEnd(name);
  if (last == 0) return 0;
  const isEscaped = escaped;
  at = space(last + 1);
  if (load<u8>(at) != COLON) return 0;
  at = space(at + 1);
  const length = <u32>(last - name);
  if (isEscaped || !isAscii(name, length)) {
    memberColumn = spelt(name, length, where >> 1);
    if (memberColumn == NO_MEMBER) {
      store<u32>(jsonResult, <u32>(name - region), JSON_RESULT_NAME);
      store<u32>(jsonResult, length, JSON_RESULT_NAME_LENGTH);
      store<u32>(jsonResult, where >> 1, JSON_RESULT_NAME_PARENT);
      refusal = JSON_DECLINED_NAME;
      return 0;
    }
  } else memberColumn = columnOf(name, length, where >> 1);
  remember(from, <u32>(at - from), member, where);
  return at;
}

function remember(from: usize, length: u32, member: u32, where: u32): void {
  if (member >= SHAPE_MEMBERS_MAX) return;
  const entry = shape + (member << SHAPE_SHIFT);
  if (member >= shapeMembers) {
    // Places in between were too long, and match nothing.
    for (let i = shapeMembers; i < member; i++)
      store<u32>(shape + (i << SHAPE_SHIFT), 0, SHAPE_LENGTH);
    shapeMembers = member + 1;
  }
  store<i32>(entry, memberColumn, SHAPE_COLUMN);
  store<u32>(entry, where, SHAPE_WHERE);
  if (length > SHAPE_TEXT_MAX) {
    store<u32>(entry, 0, SHAPE_LENGTH);
    return;
  }
  memory.fill(entry, 0, SHAPE_TEXT_MAX);
  memory.copy(entry, from, length);
  store<u32>(entry, length >= 16 ? 0xffff : (1 << length) - 1, SHAPE_MASK);
  store<u32>(entry, length <= 16 ? 0 : <u32>(((<u64>1) << (length - 16)) - 1), SHAPE_MASK_BEHIND);
  store<u32>(entry, length, SHAPE_LENGTH);
}
