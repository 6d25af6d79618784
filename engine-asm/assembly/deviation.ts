// STDDEV_SAMP and STDDEV_SAMPLE: sum, count and squared differences from the mean, as Youngs and Cramer carry them on; knows neither time nor groups.

import { FUNCTION_STDDEV_SAMP } from './abi';
import { argumentColumn, argumentValidity, isSet, outValue } from './buffers';
import { argumentOf, functionOf, otherOf, widthOf } from './program';

// In a block, see program.ts.
const BLOCK_COUNT: u32 = 8;
const BLOCK_SQUARES: u32 = 16;

/** The high half of the product of two numbers of 64 bits without sign. */
function highOf(a: u64, b: u64): u64 {
  const low = <u64>(<u32>a);
  const high = a >> 32;
  const lowB = <u64>(<u32>b);
  const highB = b >> 32;
  const middle = high * lowB + ((low * lowB) >> 32);
  return high * highB + (middle >> 32) + ((low * highB + <u64>(<u32>middle)) >> 32);
}

/** value * count - sum, exactly, and then rounded once, as Number(bigint) does; `count` is not negative. */
function wideDifference(value: i64, count: i64, sum: i64): f64 {
  const size = <u64>(value < 0 ? 0 - value : value);
  let low = size * <u64>count;
  let high = <i64>highOf(size, <u64>count);
  if (value < 0) {
    low = 0 - low;
    high = ~high + <i64>(low == 0);
  }
  high -= (sum >> 63) + <i64>(low < <u64>sum);
  low -= <u64>sum;
  const isNegative = high < 0;
  if (isNegative) {
    low = 0 - low;
    high = ~high + <i64>(low == 0);
  }
  let found: f64;
  if (high == 0) found = <f64>low;
  else {
    // The first 64 bits, the last of them set if any behind it is: it takes part in no more than the rounding.
    const shift = <u64>clz<i64>(high);
    const top = shift == 0 ? <u64>high : ((<u64>high) << shift) | (low >> (64 - shift));
    found = <f64>(top | <u64>(low << shift != 0)) * reinterpret<f64>((1023 + 64 - shift) << 52);
  }
  return isNegative ? -found : found;
}

/** As `wideDifference`, which is slow. */
function difference(value: i64, count: i64, sum: i64): f64 {
  const fits =
    <u64>(value + 0x80000000) < 0x100000000 &&
    <u64>count < 0x80000000 &&
    <u64>(sum + 0x4000000000000000) < 0x8000000000000000;
  return fits ? <f64>(value * count - sum) : wideDifference(value, count, sum);
}

/** As `foldByOffset`. None of the results is null. */
export function foldDeviation<T extends number>(
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
  const narrow = !isFloat<T>() && widthOf(argument) == 4;
  const shift: u32 = narrow ? 2 : 3;
  const isRoot = functionOf(aggregate) != FUNCTION_STDDEV_SAMP;
  const values = outValue(aggregate);
  for (let k: u32 = 0; k < count; k++) {
    const slot: usize = <usize>load<u32>(slots + (k << 2)) + block;
    let n = load<i64>(slot, BLOCK_COUNT);
    let squares = load<f64>(slot, BLOCK_SQUARES);
    if (adds) {
      const row: usize = positions != 0 ? load<u32>(positions + (k << 2)) : first + k;
      if (validity == 0 || isSet(validity, row)) {
        const from = column + (row << shift);
        const value = narrow ? <T>load<i32>(from) : load<T>(from);
        n += 1;
        let delta: f64;
        if (isFloat<T>()) {
          const sum = load<f64>(slot) + <f64>value;
          store<f64>(slot, sum);
          delta = <f64>value * <f64>n - sum;
        } else {
          const sum = load<i64>(slot) + <i64>value;
          store<i64>(slot, sum);
          delta = difference(<i64>value, n, sum);
        }
        store<i64>(slot, n, BLOCK_COUNT);
        if (n > 1) {
          squares += (delta * delta) / (<f64>n * (<f64>n - 1));
          store<f64>(slot, squares, BLOCK_SQUARES);
        }
      }
    }
    if (!reads) continue;
    const variance = n < 2 ? 0 : squares / (<f64>n - 1);
    store<f64>(values + ((at + k) << 3), isRoot ? Math.sqrt(variance) : variance);
  }
}
