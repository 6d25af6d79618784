// Has rows folded and reads results out of slots into the output columns; knows neither windows nor groups.

import {
  ARGUMENT_NONE,
  ARGUMENTS_MAX,
  FUNCTION_AVG,
  FUNCTION_MAX,
  FUNCTION_MIN,
  FUNCTION_SUM,
  RESULT_NULLS,
  TYPE_F64,
  TYPE_I64,
} from './abi';
import { foldArguments, fromOrderKey } from './aggregate';
import {
  outCounts,
  outRowtime,
  outValidity,
  outValue,
  PART_ROWS,
  result,
  sources,
} from './buffers';
import {
  aggregateCount,
  argumentCount,
  argumentOf,
  boundsOf,
  functionOf,
  rowOutput,
  SLOT_ROWTIME,
  sumsOf,
  tailOffset,
  typeOf,
} from './program';

// A slot is read once an argument, for all its aggregates together. Where each of them goes:
//
//   reader  [u32 count][u32 sum][u32 avg][u32 min][u32 max]...   one plus the aggregate that is read, 0 for none
//
// A second aggregate of the same function and argument, or a second COUNT(*), is copied from the first.
const READER_BYTES: u32 = 20;
const readers: usize = memory.data(ARGUMENTS_MAX * 20, 16);
/** One plus the aggregate that is the first COUNT(*), 0 where there is none. */
let firstRows: u32 = 0;

function placeOf(aggregate: u32): usize {
  const called = functionOf(aggregate);
  let at: u32 = 0;
  if (called == FUNCTION_SUM) at = 4;
  else if (called == FUNCTION_AVG) at = 8;
  else if (called == FUNCTION_MIN) at = 12;
  else if (called == FUNCTION_MAX) at = 16;
  return readers + argumentOf(aggregate) * READER_BYTES + at;
}

/** Once, after the program and the buffers are there. */
export function openReaders(): void {
  for (let g = aggregateCount; g > 0; g--) {
    if (argumentOf(g - 1) == <u32>ARGUMENT_NONE) firstRows = g;
    else store<u32>(placeOf(g - 1), g);
  }
}

/** The aggregate that this one's results are copied from: itself when it is read. */
function originOf(aggregate: u32): u32 {
  return (
    (argumentOf(aggregate) == <u32>ARGUMENT_NONE ? firstRows : load<u32>(placeOf(aggregate))) - 1
  );
}

/** Address of the output column of one plus an aggregate; 0 for none. */
function columnOf(reader: u32): usize {
  return reader == 0 ? 0 : outValue(reader - 1);
}

/** `slots`: of rows `from` to `to`. */
function readSums<T extends number>(argument: u32, from: u32, to: u32, slots: usize): void {
  const reader = readers + argument * READER_BYTES;
  const counts = columnOf(load<u32>(reader));
  const sums = columnOf(load<u32>(reader, 4));
  const averages = columnOf(load<u32>(reader, 8));
  const first = sumsOf(argument);
  for (let j = from; j < to; j++, slots += 4) {
    const at: usize = <usize>load<u32>(slots) + first;
    if (isFloat<T>()) {
      const sum = load<f64>(at);
      const count = load<f64>(at, 8);
      if (sums) store<f64>(sums + (j << 3), sum);
      if (counts) store<i64>(counts + (j << 3), <i64>count);
      if (averages) store<f64>(averages + (j << 3), count == 0 ? 0 : sum / count);
    } else {
      const sum = load<i64>(at);
      const count = load<i64>(at, 8);
      // The low half of an exact 64-bit sum is the sum that wraps at 32 bits.
      if (sums) store<T>(sums + j * sizeof<T>(), <T>sum);
      if (counts) store<i64>(counts + (j << 3), count);
      if (averages) store<f64>(averages + (j << 3), count == 0 ? 0 : <f64>sum / <f64>count);
    }
  }
}

function storeKey<T extends number>(to: usize, key: i64): void {
  if (isFloat<T>()) store<f64>(to, fromOrderKey(key));
  else store<T>(to, <T>key);
}

function addNulls(reader: u32, nulls: u32): void {
  const at = result + RESULT_NULLS + ((reader - 1) << 2);
  if (reader != 0) store<u32>(at, load<u32>(at) + nulls);
}

function readBounds<T extends number>(argument: u32, from: u32, to: u32, slots: usize): void {
  const reader = readers + argument * READER_BYTES;
  const minReader = load<u32>(reader, 12);
  const maxReader = load<u32>(reader, 16);
  const leasts = columnOf(minReader);
  const greatests = columnOf(maxReader);
  const first = boundsOf(argument);
  let nulls = to - from;
  let j = from;
  while (j < to) {
    const word = (j >> 5) << 2;
    const end = min((j | 31) + 1, to);
    let bits: u32 = 0;
    // The rows before are of the same word, and have been read.
    if ((j & 31) != 0) bits = load<u32>(outValidity((minReader || maxReader) - 1) + word);
    nulls += popcnt<u32>(bits);
    for (; j < end; j++, slots += 4) {
      const at: usize = <usize>load<u32>(slots) + first;
      const least = load<i64>(at);
      const greatest = ~load<i64>(at, 8);
      if (leasts) storeKey<T>(leasts + j * sizeof<T>(), least);
      if (greatests) storeKey<T>(greatests + j * sizeof<T>(), greatest);
      bits |= (<u32>(least <= greatest)) << (j & 31);
    }
    nulls -= popcnt<u32>(bits);
    if (leasts) store<u32>(outValidity(minReader - 1) + word, bits);
    if (greatests) store<u32>(outValidity(maxReader - 1) + word, bits);
  }
  addNulls(minReader, nulls);
  addNulls(maxReader, nulls);
}

/**
 * Writes rows `from` to `to` of what depends on an argument: for output per row out of the copies of their slots, of which the first is
 * that of row `from`, else out of the touched slots. Rows come in their order; RESULT_NULLS must start at 0.
 */
export function readResults(from: u32, to: u32): void {
  const slots = rowOutput ? sources : sources + (from << 2);
  for (let a: u32 = 0; a < argumentCount; a++) {
    const type = typeOf(a);
    if (sumsOf(a) != 0) {
      if (type == TYPE_F64) readSums<f64>(a, from, to, slots);
      else if (type == TYPE_I64) readSums<i64>(a, from, to, slots);
      else readSums<i32>(a, from, to, slots);
    }
    if (boundsOf(a) != 0) {
      if (type == TYPE_F64) readBounds<f64>(a, from, to, slots);
      else if (type == TYPE_I64) readBounds<i64>(a, from, to, slots);
      else readBounds<i32>(a, from, to, slots);
    }
  }
}

/** Folds the accepted rows `from` to `to` and, for output per row, reads the results after each, while what they are read from is near. */
export function foldRows(from: u32, to: u32, withNulls: u32): void {
  for (let part = from; part < to; part += PART_ROWS) {
    const end = min(part + PART_ROWS, to);
    foldArguments(part, end, withNulls);
    if (rowOutput) readResults(part, end);
  }
}

/** Writes rowtime and COUNT(*) of the touched groups `from` to `to`; for output per row they stand there already. */
export function readTouched(from: u32, to: u32): void {
  const tailAt = tailOffset;
  for (let j = from; j < to; j++) {
    const slot = load<u32>(sources + (j << 2));
    store<f64>(outRowtime + (j << 3), load<f64>(slot, SLOT_ROWTIME));
    if (outCounts) store<i64>(outCounts + (j << 3), load<i64>(slot + tailAt));
  }
}

/** Copies the results of repeated aggregates from the first of their kind, once all rows are read. */
export function copyRepeated(rows: u32): void {
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const origin = originOf(g);
    if (origin == g) continue;
    memory.copy(outValue(g), outValue(origin), rows << 3);
    const validity = outValidity(g);
    if (validity == 0) continue;
    memory.copy(validity, outValidity(origin), ((rows + 31) >> 5) << 2);
    store<u32>(result + RESULT_NULLS + (g << 2), load<u32>(result + RESULT_NULLS + (origin << 2)));
  }
}
