// Folds argument columns into the slots of their rows and reads results out of slots; knows neither time nor groups.

import { RESULT_NULLS, TYPE_F64, TYPE_I64 } from './abi';
import {
  argumentColumn,
  argumentValidity,
  isSet,
  outRow,
  outValidity,
  result,
  rowSlots,
  sources,
} from './buffers';
import { foldOthers, readOthers } from './others';
import { argumentCount, boundsOf, rowOutput, sumsOf, typeOf } from './program';
import { IS_WHOLE } from './whole';
import {
  columnOf,
  READER_AVG,
  READER_COUNT,
  READER_MAX,
  READER_MIN,
  READER_SUM,
  readerOf,
} from './results';

// MIN and MAX compare 64-bit order keys. An integer is its own; a double's is its bits, those of negative ones with all
// but the sign turned round, every NaN the same: so -0.0 < 0.0, and NaN is above Infinity, as Java's Double.compareTo has
// it. The block holds the least key and the complement of the greatest, so that one vector compare serves both, and
// both begin at the greatest 64-bit number: a block whose least is above its greatest has seen no value.
export const NAN_BITS: i64 = 0x7ff8000000000000;

export function orderKey<T extends number>(value: T): i64 {
  if (isFloat<T>()) {
    const bits = value == value ? reinterpret<i64>(<f64>value) : NAN_BITS;
    return bits ^ ((bits >> 63) & i64.MAX_VALUE);
  }
  return <i64>value;
}

export function fromOrderKey(key: i64): f64 {
  return reinterpret<f64>(key ^ ((key >> 63) & i64.MAX_VALUE));
}

/** Keeps bits of rows up to `j` where an aggregate says which of its results are null. */
function mark(reader: u32, j: u32, bits: u32): void {
  if (reader != 0) store<u32>(outValidity(reader - 1) + ((j >> 5) << 2), bits);
}

function addNulls(reader: u32, nulls: u32): void {
  const at = result + RESULT_NULLS + ((reader - 1) << 2);
  if (reader != 0) store<u32>(at, load<u32>(at) + nulls);
}

/**
 * Goes over the slots of rows `from` to `to`, in order. With `adds` it folds the values of their rows into the blocks: sums and their count are
 * one vector add; least and greatest one vector compare. With `reads` it writes what the blocks hold then, rows in their order;
 * RESULT_NULLS must start at 0. `narrow`: the integers of the column are of 32 bits. What is the same for all rows is asked for each: the branches cost less than a loop for each case would weigh.
 */
function fold<T extends number>(
  argument: u32,
  narrow: bool,
  from: u32,
  to: u32,
  adds: bool,
  hasNulls: bool,
  reads: bool,
): void {
  const column = argumentColumn(argument);
  const validity = hasNulls ? argumentValidity(argument) : 0;
  const sums = sumsOf(argument);
  const bounds = boundsOf(argument);
  const slots = adds ? rowSlots : sources;
  const positions = outRow;
  const reader = readerOf(argument);
  const minReader = load<u32>(reader, READER_MIN);
  const maxReader = load<u32>(reader, READER_MAX);
  const countsAt = reads ? columnOf(load<u32>(reader, READER_COUNT)) : 0;
  const sumsAt = reads ? columnOf(load<u32>(reader, READER_SUM)) : 0;
  const averagesAt = reads ? columnOf(load<u32>(reader, READER_AVG)) : 0;
  const leastsAt = reads ? columnOf(minReader) : 0;
  const greatestsAt = reads ? columnOf(maxReader) : 0;
  // Integers of 32 bits are the low halves of theirs: what comes with them lies where the next row's goes, or in room behind the last.
  const shift: u32 = narrow ? 2 : 3;
  // Where each row brings a value none of the results is null.
  const marks = reads && bounds != 0 && (hasNulls || !adds);
  let bits: u32 = 0;
  let nulls: u32 = 0;
  // The rows before are of the same word, and have been read.
  if (marks && (from & 31) != 0)
    bits = load<u32>(outValidity((minReader || maxReader) - 1) + ((from >> 5) << 2));
  for (let j = from; j < to; j++) {
    const slot: usize = load<u32>(slots + (j << 2));
    let isValid = adds;
    let value: T = 0;
    if (adds) {
      const row: usize = load<u32>(positions + (j << 2));
      if (validity != 0) isValid = isSet(validity, row);
      if (narrow) value = <T>load<i32>(column + (row << 2));
      else value = load<T>(column + (row << 3));
    }
    if (sums != 0) {
      let block = v128.load(slot + sums);
      if (isValid) {
        if (isFloat<T>()) block = f64x2.add(block, f64x2.replace_lane(f64x2(0, 1), 0, <f64>value));
        else block = i64x2.add(block, i64x2.replace_lane(i64x2(0, 1), 0, <i64>value));
        v128.store(slot + sums, block);
      }
      if (sumsAt) v128.store_lane<T>(sumsAt + (j << shift), block, 0);
      if (isFloat<T>()) {
        if (countsAt) store<i64>(countsAt + (j << 3), <i64>f64x2.extract_lane(block, 1));
        // Without a value it is the sum, which is 0.
        block = f64x2.pmax(block, f64x2(-Infinity, 1));
        if (averagesAt)
          store<f64>(
            averagesAt + (j << 3),
            f64x2.extract_lane(block, 0) / f64x2.extract_lane(block, 1),
          );
      } else {
        if (countsAt) v128.store_lane<i64>(countsAt + (j << 3), block, 1);
        if (averagesAt) {
          const count = <f64>max(i64x2.extract_lane(block, 1), 1);
          store<f64>(averagesAt + (j << 3), <f64>i64x2.extract_lane(block, 0) / count);
        }
      }
    }
    if (bounds != 0) {
      let block = v128.load(slot + bounds);
      if (isValid) {
        const keys = v128.xor(i64x2.splat(orderKey<T>(value)), i64x2(0, -1));
        block = v128.bitselect(keys, block, v128.gt<i64>(block, keys));
        v128.store(slot + bounds, block);
      }
      let found = v128.xor(block, i64x2(0, -1));
      const has = <u32>(i64x2.extract_lane(found, 0) <= i64x2.extract_lane(found, 1));
      if (isFloat<T>()) {
        const below = v128.gt<i64>(i64x2.splat(0), found);
        found = v128.xor(found, v128.and(below, i64x2.splat(i64.MAX_VALUE)));
      }
      if (leastsAt) v128.store_lane<T>(leastsAt + (j << shift), found, 0);
      if (greatestsAt) v128.store_lane<T>(greatestsAt + (j << shift), found, 1);
      if (marks) {
        nulls += 1 - has;
        bits |= has << (j & 31);
        if ((j & 31) == 31 || j + 1 == to) {
          mark(minReader, j, bits);
          mark(maxReader, j, bits);
          bits = 0;
        }
      }
    }
  }
  addNulls(minReader, nulls);
  addNulls(maxReader, nulls);
}

function foldAll(from: u32, to: u32, adds: bool, withNulls: u32, reads: bool): void {
  for (let a: u32 = 0; a < argumentCount; a++) {
    if (IS_WHOLE) {
      if ((sumsOf(a) | boundsOf(a)) == 0) continue;
    }
    const hasNulls = (withNulls & ((<u32>1) << a)) != 0;
    const type = typeOf(a);
    if (type == TYPE_F64) fold<f64>(a, false, from, to, adds, hasNulls, reads);
    else fold<i64>(a, type != TYPE_I64, from, to, adds, hasNulls, reads);
  }
}

/**
 * Folds all argument columns of the accepted rows `from` to `to` and, for output per row, reads the results after each. Bit `a` of `withNulls`
 * says that argument `a` has a validity bitmap.
 */
export function foldRows(from: u32, to: u32, withNulls: u32): void {
  foldAll(from, to, true, withNulls, rowOutput);
  if (IS_WHOLE) {
    const slots = rowSlots + (from << 2);
    foldOthers(slots, to - from, outRow + (from << 2), 0, from, withNulls);
  }
}

/** Reads what depends on an argument out of the touched slots `from` to `to`. */
export function readResults(from: u32, to: u32): void {
  foldAll(from, to, false, 0, true);
  if (IS_WHOLE) readOthers(sources + (from << 2), to - from, from);
}
