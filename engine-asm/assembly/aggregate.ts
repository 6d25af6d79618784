// Folds argument columns into the slots of their rows, and reads results out of slots; knows neither time nor groups.

import {
  ARGUMENT_NONE,
  FUNCTION_AVG,
  FUNCTION_COUNT,
  FUNCTION_MAX,
  FUNCTION_MIN,
  FUNCTION_SUM,
  RESULT_NULLS,
  TYPE_F64,
  TYPE_I32,
  TYPE_I64,
} from './abi';
import {
  argumentColumn,
  argumentValidity,
  copies,
  outRow,
  outValidity,
  outValue,
  result,
  rowSlots,
  sources,
} from './buffers';
import {
  aggregateCount,
  argumentCount,
  argumentOf,
  boundsOf,
  functionOf,
  rowsOffset,
  slotBytes,
  sumsOf,
  typeOf,
} from './program';

// MIN and MAX compare 64-bit order keys. An integer is its own; a double's is its bits, those of negative ones with all
// but the sign turned round, every NaN the same: so -0.0 < 0.0, and NaN is above Infinity, as Java's Double.compareTo has
// it. The block holds the least key and the complement of the greatest, so that one vector compare serves both, and
// both begin at the greatest 64-bit number: a block whose least is above its greatest has seen no value.
const NAN_BITS: i64 = 0x7ff8000000000000;

// Whether a fold has a block is a type argument, so that the compiler makes a loop for each case.
type With = i32;
type Without = f32;

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

/**
 * Folds one column into the blocks of the accepted rows, in row order. Sums and their count are one vector add; least and
 * greatest one vector compare. For output per row the blocks after each row are copied.
 */
function fold<T extends number, Sums, Bounds>(argument: u32, rows: u32, hasNulls: bool): void {
  const column = argumentColumn(argument);
  const validity = hasNulls ? argumentValidity(argument) : 0;
  const first = isInteger<Sums>() ? sumsOf(argument) : boundsOf(argument);
  const slots = rowSlots;
  const positions = outRow;
  const stride = slotBytes;
  let copy: usize = copies == 0 ? 0 : copies + first;
  for (let j: u32 = 0; j < rows; j++) {
    const row: usize = load<u32>(positions + (j << 2));
    const at: usize = (<usize>load<u32>(slots + (j << 2))) + first;
    const isValid = validity == 0 || ((<u32>load<u8>(validity + (row >> 3))) & (<u32>1 << (<u32>row & 7))) != 0;
    if (isValid) {
      const value = load<T>(column + row * sizeof<T>());
      if (isInteger<Sums>()) {
        if (isFloat<T>()) {
          v128.store(at, f64x2.add(v128.load(at), f64x2.replace_lane(f64x2(0, 1), 0, <f64>value)));
        } else {
          v128.store(at, i64x2.add(v128.load(at), i64x2.replace_lane(i64x2(0, 1), 0, <i64>value)));
        }
      }
      if (isInteger<Bounds>()) {
        const block = at + (isInteger<Sums>() ? 16 : 0);
        const keys = v128.xor(i64x2.splat(orderKey<T>(value)), i64x2(0, -1));
        const kept = v128.load(block);
        v128.store(block, v128.bitselect(keys, kept, v128.gt<i64>(kept, keys)));
      }
    }
    if (copy != 0) {
      v128.store(copy, v128.load(at));
      if (isInteger<Sums>() && isInteger<Bounds>()) v128.store(copy, v128.load(at, 16), 16);
      copy += stride;
    }
  }
}

function foldTyped<T extends number>(argument: u32, rows: u32, hasNulls: bool): void {
  if (sumsOf(argument) != 0) {
    if (boundsOf(argument) != 0) fold<T, With, With>(argument, rows, hasNulls);
    else fold<T, With, Without>(argument, rows, hasNulls);
  } else if (boundsOf(argument) != 0) fold<T, Without, With>(argument, rows, hasNulls);
}

/** Folds all argument columns; bit `a` of `withNulls` says that argument `a` has a validity bitmap. */
export function foldArguments(rows: u32, withNulls: u32): void {
  for (let a: u32 = 0; a < argumentCount; a++) {
    const hasNulls = (withNulls & (<u32>1 << a)) != 0;
    const type = typeOf(a);
    if (type == TYPE_F64) foldTyped<f64>(a, rows, hasNulls);
    else if (type == TYPE_I64) foldTyped<i64>(a, rows, hasNulls);
    else foldTyped<i32>(a, rows, hasNulls);
  }
}

/** Copies a lane of every source's block; `T` decides how much of it. */
function readLane<T extends number>(offset: u32, out: usize, rows: u32): void {
  const from = sources;
  for (let j: u32 = 0; j < rows; j++) {
    store<T>(out + j * sizeof<T>(), load<T>((<usize>load<u32>(from + (j << 2))) + offset));
  }
}

function readCountOfDoubles(offset: u32, out: usize, rows: u32): void {
  for (let j: u32 = 0; j < rows; j++) {
    store<i64>(out + (j << 3), <i64>load<f64>((<usize>load<u32>(sources + (j << 2))) + offset));
  }
}

/** Sum by count; 0 where no value has come. An exact 64-bit sum is divided as a double. */
function readAverage<T extends number>(offset: u32, out: usize, rows: u32): void {
  const from = sources;
  for (let j: u32 = 0; j < rows; j++) {
    const at: usize = (<usize>load<u32>(from + (j << 2))) + offset;
    const count = <f64>load<T>(at, 8);
    const average = <f64>load<T>(at) / count;
    store<f64>(out + (j << 3), count == 0 ? 0 : average);
  }
}

/** Least or greatest (`flip` -1) value and its validity; the number of nulls. */
function readBound<T extends number>(aggregate: u32, offset: u32, flip: i64, rows: u32): u32 {
  const from = sources;
  const lane: u32 = flip != 0 ? 8 : 0;
  const out = outValue(aggregate);
  const validity = outValidity(aggregate);
  let nulls: u32 = 0;
  let bits: u32 = 0;
  for (let j: u32 = 0; j < rows; j++) {
    const at: usize = (<usize>load<u32>(from + (j << 2))) + offset;
    const empty = load<i64>(at) > ~load<i64>(at, 8);
    const key = load<i64>(at + lane) ^ flip;
    if (isFloat<T>()) store<f64>(out + (j << 3), fromOrderKey(key));
    else store<T>(out + j * sizeof<T>(), <T>key);
    nulls += <u32>empty;
    bits |= (<u32>!empty) << (j & 31);
    if ((j & 31) == 31) {
      store<u32>(validity + ((j >> 5) << 2), bits);
      bits = 0;
    }
  }
  if (rows & 31) store<u32>(validity + ((rows >> 5) << 2), bits);
  return nulls;
}

function readSum(argument: u32, out: usize, rows: u32): void {
  const at = sumsOf(argument);
  // The low half of an exact 64-bit sum is the sum that wraps at 32 bits.
  if (typeOf(argument) == TYPE_I32) readLane<i32>(at, out, rows);
  else readLane<i64>(at, out, rows);
}

/** Writes the result columns of `rows` sources. */
export function readResults(rows: u32): void {
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const called = functionOf(g);
    const argument = argumentOf(g);
    const out = outValue(g);
    let nulls: u32 = 0;
    if (argument == <u32>ARGUMENT_NONE) readLane<i64>(rowsOffset, out, rows);
    else {
      const type = typeOf(argument);
      if (called == FUNCTION_COUNT) {
        if (type == TYPE_F64) readCountOfDoubles(sumsOf(argument) + 8, out, rows);
        else readLane<i64>(sumsOf(argument) + 8, out, rows);
      } else if (called == FUNCTION_SUM) readSum(argument, out, rows);
      else if (called == FUNCTION_AVG) {
        if (type == TYPE_F64) readAverage<f64>(sumsOf(argument), out, rows);
        else readAverage<i64>(sumsOf(argument), out, rows);
      } else {
        const flip: i64 = called == FUNCTION_MAX ? -1 : 0;
        if (type == TYPE_F64) nulls = readBound<f64>(g, boundsOf(argument), flip, rows);
        else if (type == TYPE_I64) nulls = readBound<i64>(g, boundsOf(argument), flip, rows);
        else nulls = readBound<i32>(g, boundsOf(argument), flip, rows);
      }
    }
    store<u32>(result + (g << 2), nulls, RESULT_NULLS);
  }
}
