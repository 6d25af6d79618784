// Folds argument columns into the slots of their rows; knows neither time nor groups.

import { TYPE_F64, TYPE_I64 } from './abi';
import { argumentColumn, argumentValidity, copies, outRow, rowSlots } from './buffers';
import { argumentCount, boundsOf, slotBytes, sumsOf, typeOf } from './program';

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
function fold<T extends number, Sums, Bounds>(
  argument: u32,
  from: u32,
  to: u32,
  hasNulls: bool,
): void {
  const column = argumentColumn(argument);
  const validity = hasNulls ? argumentValidity(argument) : 0;
  const first = isInteger<Sums>() ? sumsOf(argument) : boundsOf(argument);
  const slots = rowSlots;
  const positions = outRow;
  const stride = slotBytes;
  let copy: usize = copies == 0 ? 0 : copies + first;
  for (let j = from; j < to; j++) {
    const row: usize = load<u32>(positions + (j << 2));
    const at: usize = <usize>load<u32>(slots + (j << 2)) + first;
    const isValid =
      validity == 0 || (<u32>load<u8>(validity + (row >> 3)) & ((<u32>1) << (<u32>row & 7))) != 0;
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

function foldTyped<T extends number>(argument: u32, from: u32, to: u32, hasNulls: bool): void {
  if (sumsOf(argument) != 0) {
    if (boundsOf(argument) != 0) fold<T, With, With>(argument, from, to, hasNulls);
    else fold<T, With, Without>(argument, from, to, hasNulls);
  } else if (boundsOf(argument) != 0) fold<T, Without, With>(argument, from, to, hasNulls);
}

/** Folds all argument columns of the accepted rows `from` to `to`; bit `a` of `withNulls` says that argument `a` has a validity bitmap. */
export function foldArguments(from: u32, to: u32, withNulls: u32): void {
  for (let a: u32 = 0; a < argumentCount; a++) {
    const hasNulls = (withNulls & ((<u32>1) << a)) != 0;
    const type = typeOf(a);
    if (type == TYPE_F64) foldTyped<f64>(a, from, to, hasNulls);
    else if (type == TYPE_I64) foldTyped<i64>(a, from, to, hasNulls);
    else foldTyped<i32>(a, from, to, hasNulls);
  }
}
