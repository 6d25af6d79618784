// What two sessions of a group hold, or a window and a partial, made one: as the row path's functions merge their cells, to the last bit. Knows neither of them.

import { FUNCTION_EARLIEST, TYPE_F64 } from './abi';
import {
  aggregateCount,
  argumentCount,
  argumentOf,
  boundsOf,
  functionOf,
  isByOffset,
  isOther,
  otherCount,
  otherOf,
  SLOT_ROWS,
  sumsOf,
  typeOf,
} from './program';

/** Merges a slot into one that began earlier; the rowtimes are not looked at. */
export function mergeSlot(into: usize, from: usize): void {
  for (let a: u32 = 0; a < argumentCount; a++) {
    const sums = sumsOf(a);
    const bounds = boundsOf(a);
    if (sums != 0) {
      const own = v128.load(into + sums);
      const other = v128.load(from + sums);
      v128.store(
        into + sums,
        typeOf(a) == TYPE_F64 ? f64x2.add(own, other) : i64x2.add(own, other),
      );
    }
    if (bounds != 0) {
      const own = v128.load(into + bounds);
      const other = v128.load(from + bounds);
      v128.store(into + bounds, v128.bitselect(other, own, v128.gt<i64>(own, other)));
    }
  }
  store<i64>(into, load<i64>(into, SLOT_ROWS) + load<i64>(from, SLOT_ROWS), SLOT_ROWS);
  if (otherCount == 0) return;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const called = functionOf(g);
    if (!isOther(called)) continue;
    const own = into + otherOf(g);
    const other = from + otherOf(g);
    if (isByOffset(called)) mergeByOffset(own, other, called == FUNCTION_EARLIEST);
    else mergeDeviation(own, other, typeOf(argumentOf(g)) == TYPE_F64);
  }
}

/** By the offsets, which stand behind the values with 1 added; 0: there is none. */
function mergeByOffset(into: usize, from: usize, isEarliest: bool): void {
  const own = load<i64>(into, 8);
  const other = load<i64>(from, 8);
  if (other == 0 || (own != 0 && own < other == isEarliest)) return;
  v128.store(into, v128.load(from));
}

function mergeDeviation(into: usize, from: usize, isDouble: bool): void {
  const ownCount = load<i64>(into, 8);
  const otherCount = load<i64>(from, 8);
  const a = <f64>ownCount;
  const b = <f64>otherCount;
  let means: f64 = 0;
  if (isDouble) {
    const own = load<f64>(into);
    const other = load<f64>(from);
    if (a != 0 && b != 0) means = own / a - other / b;
    store<f64>(into, own + other);
  } else {
    const own = load<i64>(into);
    const other = load<i64>(from);
    if (a != 0 && b != 0) means = <f64>own / a - <f64>other / b;
    store<i64>(into, own + other);
  }
  const between = a + b == 0 ? 0 : (a * b * means * means) / (a + b);
  store<i64>(into, ownCount + otherCount, 8);
  store<f64>(into, load<f64>(into, 16) + load<f64>(from, 16) + between, 16);
}
