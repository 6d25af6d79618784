// Writes a cell of state bytes, slot by slot; knows no aggregate.

import { stateBytes } from './program';

/** The bits of a double, every NaN as the same: which ones arithmetic makes is the processor's whim. */
function bitsOf(value: f64): i64 {
  return value == value ? reinterpret<i64>(value) : 0x7ff8000000000000;
}

// How 8 bytes of a slot become a cell.
export const CELL_PLAIN: u32 = 0; // as they are
export const CELL_INT: u32 = 1; // the low half alone
export const CELL_DOUBLE: u32 = 2; // a double
export const CELL_COUNT: u32 = 3; // a whole number as a double

/** Writes one cell of `count` slots, from the 8 bytes at an offset of each. */
export function writeCell(kind: u32, offset: u32, slots: usize, count: u32, to: usize): void {
  const stride = stateBytes;
  for (const end = slots + (count << 2); slots < end; slots += 4, to += stride) {
    const from: usize = <usize>load<u32>(slots) + offset;
    let bits = load<i64>(from);
    if (kind == CELL_DOUBLE) bits = bitsOf(load<f64>(from));
    else if (kind == CELL_COUNT) bits = <i64>load<f64>(from);
    else if (kind == CELL_INT) bits = <i64>(<i32>bits);
    store<i64>(to, bits);
  }
}
