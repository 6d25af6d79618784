// Decodes records that are laid out as those before them were, many members in one comparison; knows no chunk, and no rule of JSON's own.

import { JSON_OK, JSON_STRING_BYTES_MAX, JSON_TYPE_ANY, JSON_TYPE_STRING } from './json-abi';
import { decodeValue, setNull } from './json-cells';
import { decodeDigits, decodeWhole, skipDigits } from './json-digits';
import { decodeBy, decodeRecord, REGISTRY_PREFIX_BYTES, setText } from './json-record';
import { ESCAPED } from './json-strings';
import {
  BLOCK_BYTES,
  isReady,
  learn,
  missing,
  missingCount,
  OP_BYTES,
  OP_NULL,
  OP_TEXT,
  OP_WHOLE,
  SEGMENT_BLOCK,
  SEGMENT_BLOCKS_END,
  SEGMENT_BYTES,
  SEGMENT_COLUMN,
  SEGMENT_DEPTH,
  SEGMENT_OP,
  SEGMENT_OPS_END,
  SEGMENT_SIZE,
  segments,
  segmentsEnd,
} from './json-layout';
import { BOUNDS, escaped, NULL_WORD, QUOTE, specials, stringEnd, valueEnd } from './json-text';

/** A record that is laid out otherwise is paid for by so many that were not: only when they are used up the layout is looked at. */
const HITS_A_MISS: u32 = 8;
const HITS_MAX: u32 = 256;
/** Most records that are decoded without a template, where none has lasted. */
const PAUSE_MAX: u32 = 4096;

let hits: u32 = 0;
/** Records to come for which no template is tried. */
let idle: u32 = 0;
/** How many they will be when the next layout is learnt from scratch. */
let pause: u32 = 0;

decodeBy(decodeLikeLast);

/** As `decodeRecord`, which decides whatever does not match. */
function decodeLikeLast(start: usize, length: i32, row: u32): u32 {
  if (idle != 0) {
    idle--;
    return decodeRecord(start, length, row);
  }
  const prefix: i32 =
    length > REGISTRY_PREFIX_BYTES && load<u8>(start) == 0 ? REGISTRY_PREFIX_BYTES : 0;
  if (isReady && matches(start + prefix, start + length, row)) {
    hits++;
    return JSON_OK;
  }
  const status = decodeRecord(start, length, row);
  if (status != JSON_OK) return status;
  if (hits >= HITS_A_MISS) {
    // Many in a row say that what paused before is over.
    if (hits >= HITS_MAX) {
      hits = HITS_MAX;
      pause = 0;
    }
    hits -= HITS_A_MISS;
  } else if (learn(start + prefix, start + length)) {
    idle = pause;
    pause = min(pause * 2 + HITS_A_MISS, PAUSE_MAX);
  }
  return status;
}

/** Decodes a record whose text is as the template has it; false, with a row that is unspecified, when it is not. */
function matches(start: usize, end: usize, row: u32): bool {
  let at = start;
  for (let segment = segments; segment < segmentsEnd; segment += SEGMENT_BYTES) {
    // What is the same in all records, and values that are as long: all bytes within the bounds of their places.
    const last: usize = load<u32>(segment, SEGMENT_BLOCKS_END);
    let block: usize = load<u32>(segment, SEGMENT_BLOCK);
    let from = at;
    let wrong = outOf(from, block, 0);
    while (true) {
      wrong = v128.or(wrong, outOf(from, block, 16));
      block += BLOCK_BYTES;
      if (block == last) break;
      from += 32;
      wrong = v128.or(wrong, outOf(from, block, 0));
    }
    if (v128.any_true(wrong)) return false;
    const ops: usize = load<u32>(segment, SEGMENT_OPS_END);
    for (let op: usize = load<u32>(segment, SEGMENT_OP); op < ops; op += OP_BYTES) {
      const kind = load<u32>(op);
      const column: usize = load<u32>(op, 4);
      const value = at + load<u32>(op, 8);
      if (kind == OP_TEXT) setText(column, value, load<u32>(op, 12), row);
      else if (kind == OP_NULL) setNull(column, row);
      else if (kind == OP_WHOLE && decodeWhole(column, value, load<u32>(op, 12), row)) continue;
      else if (behindScalar(column, value, load<u8>(value), row) == 0) return false;
    }
    at += load<u32>(segment, SEGMENT_SIZE);
    // Behind it a value that is not as long each time; there is none behind the last one.
    if (segment + SEGMENT_BYTES == segmentsEnd) break;
    at = behindValue(
      at,
      load<u32>(segment, SEGMENT_COLUMN),
      load<u32>(segment, SEGMENT_DEPTH),
      row,
    );
    if (at == 0) return false;
  }
  if (at != end) return false;
  for (let i: u32 = 0; i < missingCount; i++) setNull(load<u32>(missing + (i << 2)), row);
  return true;
}

/** Sixteen bytes of ones, zeros where those of the text are within their bounds. */
function outOf(from: usize, block: usize, half: usize): v128 {
  const text = v128.load(from + half);
  const special = v128.or(
    v128.eq<u8>(text, v128.load(BOUNDS)),
    v128.eq<u8>(text, v128.load(BOUNDS, 16)),
  );
  return v128.or(
    v128.and(special, v128.load(block + half, 64)),
    v128.sub_sat<u8>(v128.sub<u8>(text, v128.load(block + half)), v128.load(block + half, 32)),
  );
}

/** As `decodeValue`. */
function behindScalar(column: usize, from: usize, byte: u32, row: u32): usize {
  const behind = decodeDigits(column, from, row);
  return behind == 0 ? decodeValue(column, from, byte, row) : behind;
}

/** Where a value ends that is no string; 0: somebody else must look. */
function otherEnd(from: usize, depth: u32): usize {
  const behind = skipDigits(from);
  return behind == 0 ? valueEnd(from, depth) : behind;
}

/** Decodes any value into its column (0: none); behind it, or 0 when somebody else must look. */
function behindValue(from: usize, column: usize, depth: u32, row: u32): usize {
  const byte = <u32>load<u8>(from);
  if (byte == QUOTE) {
    const begin = from + 1;
    const special = specials(begin);
    let at = begin + ctz(special);
    let hasEscapes: u32 = 0;
    if (special == 0 || <u32>load<u8>(at) != QUOTE) {
      at = stringEnd(begin);
      if (at == 0) return 0;
      hasEscapes = escaped ? ESCAPED : 0;
    }
    if (column != 0) {
      const size = <u32>(at - begin);
      const type = load<u32>(column);
      if (type < <u32>JSON_TYPE_STRING || size > <u32>JSON_STRING_BYTES_MAX) return 0;
      if (type == JSON_TYPE_ANY) setText(column, from, size + 2, row);
      else setText(column, begin, size | hasEscapes, row);
    }
    return at + 1;
  }
  if (column == 0) return otherEnd(from, depth);
  if (load<u32>(from) == NULL_WORD) {
    setNull(column, row);
    return from + 4;
  }
  if (load<u32>(column) != JSON_TYPE_ANY) return behindScalar(column, from, byte, row);
  const behind = otherEnd(from, depth);
  if (behind == 0 || <u32>(behind - from) > <u32>JSON_STRING_BYTES_MAX) return 0;
  setText(column, from, <u32>(behind - from), row);
  return behind;
}
