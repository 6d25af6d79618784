// Which aggregates are read out of a slot where, and what depends on no argument; knows neither windows nor groups.

import {
  ARGUMENT_NONE,
  ARGUMENTS_MAX,
  FUNCTION_AVG,
  FUNCTION_MAX,
  FUNCTION_MIN,
  FUNCTION_SUM,
  RESULT_NULLS,
} from './abi';
import { outCounts, outRowtime, outValidity, outValue, result, sources } from './buffers';
import {
  aggregateCount,
  argumentOf,
  functionOf,
  isOther,
  SLOT_ROWS,
  SLOT_ROWTIME,
} from './program';
import { IS_WHOLE } from './whole';

// A slot is read once an argument, for all its aggregates together. Where each of them goes:
//
//   reader  [u32 count][u32 sum][u32 avg][u32 min][u32 max]...   one plus the aggregate that is read, 0 for none
//
// A second aggregate of the same function and argument, or a second COUNT(*), is copied from the first.
export const READER_COUNT: u32 = 0;
export const READER_SUM: u32 = 4;
export const READER_AVG: u32 = 8;
export const READER_MIN: u32 = 12;
export const READER_MAX: u32 = 16;
const READER_BYTES: u32 = 20;
const readers: usize = memory.data(ARGUMENTS_MAX * 20, 16);
/** One plus the aggregate that is the first COUNT(*), 0 where there is none. */
let firstRows: u32 = 0;

export function readerOf(argument: u32): usize {
  return readers + argument * READER_BYTES;
}

function placeOf(aggregate: u32): usize {
  const called = functionOf(aggregate);
  let at = READER_COUNT;
  if (called == FUNCTION_SUM) at = READER_SUM;
  else if (called == FUNCTION_AVG) at = READER_AVG;
  else if (called == FUNCTION_MIN) at = READER_MIN;
  else if (called == FUNCTION_MAX) at = READER_MAX;
  return readerOf(argumentOf(aggregate)) + at;
}

/** Once, after the program and the buffers are there. */
export function openReaders(): void {
  for (let g = aggregateCount; g > 0; g--) {
    if (IS_WHOLE) {
      if (isOther(functionOf(g - 1))) continue;
    }
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
export function columnOf(reader: u32): usize {
  return reader == 0 ? 0 : outValue(reader - 1);
}

/** Writes rowtime and COUNT(*) of the touched groups `from` to `to`; for output per row they stand there already. */
export function readTouched(from: u32, to: u32): void {
  for (let j = from; j < to; j++) {
    const slot = load<u32>(sources + (j << 2));
    store<f64>(outRowtime + (j << 3), load<f64>(slot, SLOT_ROWTIME));
    if (outCounts) store<i64>(outCounts + (j << 3), load<i64>(slot, SLOT_ROWS));
  }
}

/** Copies the results of repeated aggregates from the first of their kind, once all rows are read. */
export function copyRepeated(rows: u32): void {
  for (let g: u32 = 0; g < aggregateCount; g++) {
    if (IS_WHOLE) {
      if (isOther(functionOf(g))) continue;
    }
    const origin = originOf(g);
    if (origin == g) continue;
    memory.copy(outValue(g), outValue(origin), rows << 3);
    const validity = outValidity(g);
    if (validity == 0) continue;
    memory.copy(validity, outValidity(origin), ((rows + 31) >> 5) << 2);
    store<u32>(result + RESULT_NULLS + (g << 2), load<u32>(result + RESULT_NULLS + (origin << 2)));
  }
}
