// The state bytes of the aggregates that whole kernels alone have; knows no other aggregate.

import { STATE_CELLS, STATE_PRESENT, TYPE_F64 } from './abi';
import { CELL_DOUBLE, CELL_PLAIN, writeCell } from './cells';
import { argumentOf, functionOf, isByOffset, otherOf, stateBytes, typeOf } from './program';

/** Writes the cells of an aggregate, the first of which is `cell`, of `count` slots. */
export function writeOther(aggregate: u32, cell: u32, slots: usize, count: u32, to: usize): void {
  const block = otherOf(aggregate);
  const at = to + STATE_CELLS + (cell << 3);
  const valueKind = typeOf(argumentOf(aggregate)) == TYPE_F64 ? CELL_DOUBLE : CELL_PLAIN;
  writeCell(valueKind, block, slots, count, at);
  writeCell(CELL_PLAIN, block + 8, slots, count, at + 8);
  if (!isByOffset(functionOf(aggregate))) {
    writeCell(CELL_DOUBLE, block + 16, slots, count, at + 16);
    return;
  }
  const stride = stateBytes;
  for (const end = slots + (count << 2); slots < end; slots += 4, to += stride) {
    const has = load<i64>(<usize>load<u32>(slots) + block, 8) != 0;
    store<u64>(to, load<u64>(to, STATE_PRESENT) | ((<u64>has) << cell), STATE_PRESENT);
  }
}

/** Sets the block of an aggregate from its cells, the first of which stands at `at`. */
export function readOther(aggregate: u32, at: usize, slot: usize): void {
  const block = slot + otherOf(aggregate);
  store<i64>(block, load<i64>(at));
  store<i64>(block, load<i64>(at, 8), 8);
  if (!isByOffset(functionOf(aggregate))) store<i64>(block, load<i64>(at, 16), 16);
}

/** False when cells of an aggregate, the first of which stands at `at`, contradict whether that one is null. */
export function isOtherState(aggregate: u32, at: usize, isPresent: bool): bool {
  return !isByOffset(functionOf(aggregate)) || (load<i64>(at, 8) != 0) == isPresent;
}
