// EARLIEST_BY_OFFSET and LATEST_BY_OFFSET: a group's first or last value, and the offset of its record; knows neither time nor groups.

import { FUNCTION_LATEST, RESULT_NULLS } from './abi';
import { allocate } from './arena';
import { argumentColumn, argumentValidity, isSet, outValidity, outValue, result } from './buffers';
import {
  aggregateCount,
  argumentOf,
  functionOf,
  isByOffset,
  isOther,
  otherOf,
  rowsMax,
  widthOf,
} from './program';

/** In a block, see program.ts. */
const BLOCK_OFFSET: u32 = 8;

/** Origin of each row by its position, where the host has written them; 0 where no aggregate asks for offsets. */
let origins: usize = 0;
/** Offset of the record that rows of origin 0 came from, plus one. */
let base: i64 = 1;
/** Whether the origins stand there; else each row's position is its own. */
let isGiven: bool = false;

/** Once, at init; false when memory does not suffice. */
export function openOrigins(): bool {
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const called = functionOf(g);
    if (isOther(called) && isByOffset(called) && origins == 0) {
      origins = allocate(rowsMax << 2);
      if (origins == 0) return false;
    }
  }
  return true;
}

/** As `offsets` of offsets.ts, of what is an offset. */
export function setOrigins(first: i64, given: bool): usize {
  base = first + 1;
  isGiven = given;
  return origins;
}

/** Brings the origins of the selected rows to the front, as gatherArguments does with arguments. */
export function gatherOrigins(rows: usize, count: u32): void {
  if (origins == 0) return;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(rows + (i << 2));
    store<u32>(origins + (i << 2), isGiven ? load<u32>(origins + (row << 2)) : row);
  }
  isGiven = true;
}

/**
 * Goes over `count` slots from address `slots` on, in order. With `adds` their rows come to them: their positions stand at `positions`, or (0) follow
 * one another from `first` on. With `reads` the results go to the places from `at` on.
 */
export function foldByOffset(
  aggregate: u32,
  slots: usize,
  count: u32,
  positions: usize,
  first: u32,
  at: u32,
  adds: bool,
  hasNulls: bool,
  reads: bool,
): void {
  const block = otherOf(aggregate);
  const argument = argumentOf(aggregate);
  const column = argumentColumn(argument);
  const validity = hasNulls ? argumentValidity(argument) : 0;
  const isLatest = functionOf(aggregate) == FUNCTION_LATEST;
  // Values are kept as they are, a double as its bits. Integers of 32 bits are the low halves of theirs, as in aggregate.ts.
  const narrow = widthOf(argument) == 4;
  const shift: u32 = narrow ? 2 : 3;
  const originsAt = isGiven ? origins : 0;
  const from = base;
  const values = outValue(aggregate);
  // Where each row brings a value none of the results is null.
  const marks = reads && (hasNulls || !adds);
  const bitmap = outValidity(aggregate);
  let bits: u32 = 0;
  let nulls: u32 = 0;
  // The rows before are of the same word, and have been read.
  if (marks && (at & 31) != 0) bits = load<u32>(bitmap + ((at >> 5) << 2));
  for (let k: u32 = 0; k < count; k++) {
    const slot: usize = <usize>load<u32>(slots + (k << 2)) + block;
    if (adds) {
      const row: usize = positions != 0 ? load<u32>(positions + (k << 2)) : first + k;
      if (
        (validity == 0 || isSet(validity, row)) &&
        (isLatest || load<i64>(slot, BLOCK_OFFSET) == 0)
      ) {
        const value = column + (row << shift);
        store<i64>(slot, narrow ? <i64>load<i32>(value) : load<i64>(value));
        const origin = originsAt != 0 ? load<u32>(originsAt + (row << 2)) : <u32>row;
        store<i64>(slot, from + <i64>origin, BLOCK_OFFSET);
      }
    }
    if (!reads) continue;
    const to = at + k;
    store<i64>(values + (to << shift), load<i64>(slot));
    if (!marks) continue;
    const has = <u32>(load<i64>(slot, BLOCK_OFFSET) != 0);
    nulls += 1 - has;
    bits |= has << (to & 31);
    if ((to & 31) == 31 || k + 1 == count) {
      store<u32>(bitmap + ((to >> 5) << 2), bits);
      bits = 0;
    }
  }
  const total = result + RESULT_NULLS + (aggregate << 2);
  store<u32>(total, load<u32>(total) + nulls);
}
