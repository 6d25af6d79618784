// What one instance computes, read once from the configuration: slot layout, cells and outputs; knows no data.

import {
  AGGREGATES_MAX,
  ARGUMENT_NONE,
  ARGUMENTS_MAX,
  CONFIG_ADVANCE_MS,
  CONFIG_AGGREGATES,
  CONFIG_ARGUMENT_TYPES,
  CONFIG_ARGUMENTS,
  CONFIG_BYTES,
  CONFIG_CALLS,
  CONFIG_ENTRIES_MAX,
  CONFIG_GRACE_MS,
  CONFIG_OUTPUT,
  CONFIG_ROWS_MAX,
  CONFIG_SIZE_MS,
  FUNCTION_AVG,
  FUNCTION_COUNT,
  FUNCTION_EARLIEST,
  FUNCTION_LATEST,
  FUNCTION_MAX,
  FUNCTION_MIN,
  FUNCTION_STDDEV_SAMP,
  FUNCTION_STDDEV_SAMPLE,
  FUNCTION_SUM,
  OUTPUT_CHANGES,
  OUTPUT_GROUPS,
  OUTPUT_ROWS,
  ROWS_MAX,
  ROWTIME_MAX,
  STATE_CELLS,
  TYPE_F64,
  TYPE_I32,
} from './abi';
import { IS_WHOLE } from './whole';

// A slot is the state of one group in one window. Blocks stand where the program needs them:
//
//   header   [f64 rowtime][u32 id][u32 flags][i64 COUNT(*)]       SLOT_ flags
//   sums     [sum][count]                           per argument with COUNT, SUM or AVG; both f64 or both i64
//   bounds   [i64 min][i64 ~max]                    per argument with MIN or MAX; as order keys, see aggregate.ts
//   others   16 or 32 bytes                          per aggregate that only whole kernels have, below; behind all arguments
//
// So the blocks of the first argument stand in the same places whatever the program is.
export const SLOT_ROWTIME: u32 = 0;
export const SLOT_ID: u32 = 8;
export const SLOT_FLAGS: u32 = 12;
export const SLOT_ROWS: u32 = 16;
export const SLOT_BLOCKS: u32 = 24;
export const BLOCK_BYTES: u32 = 16;
/** Cells of a state that have a bit that says whether they are null. */
const CELLS_MAX: u32 = 64;

// Of whole kernels, those of 8 bytes each:
//
//   by offset    [value][i64 offset + 1]                 an INT is sign-extended; 0 and 0 until a value has come
//   deviation    [sum][i64 count][f64 squares][free]     the sum is f64, over INT and BIGINT i64, which wraps
const OFFSET_BLOCK_BYTES: u32 = 16;
const DEVIATION_BLOCK_BYTES: u32 = 32;
/** Aggregates that have one of these. */
export let otherCount: u32 = 0;

export const config: usize = memory.data(CONFIG_BYTES, 16);
/** Offset in the slot of each argument's blocks, 0 where it has none: [u32 sums][u32 bounds]. */
const blocks: usize = memory.data(ARGUMENTS_MAX * 8, 16);

export let windowed: bool = false;
export let sizeMs: f64 = Infinity;
/** From one window's start to the next one's; tumbling windows: their size. */
export let advanceMs: f64 = Infinity;
/** Windows that a row falls in at most. */
export let windowsMax: u32 = 1;
export let graceMs: f64 = Infinity;
export let rowsMax: u32 = 0;
export let rowOutput: bool = false;
/** Rows have operations, and some take others back; never but in whole kernels. */
export let overTable: bool = false;
export let argumentCount: u32 = 0;
export let aggregateCount: u32 = 0;
export let slotBytes: u32 = 0;
export let stateBytes: u32 = 0;
/** The cells of a state that are never null, a bit each. */
export let always: u64 = 0;
/** A slot to which no row has come. */
export let emptySlot: usize = 0;

export function typeOf(argument: u32): u32 {
  return load<u32>(config + CONFIG_ARGUMENT_TYPES + (argument << 2));
}

export function functionOf(aggregate: u32): u32 {
  return load<u32>(config + CONFIG_CALLS + (aggregate << 3));
}

export function argumentOf(aggregate: u32): u32 {
  return load<u32>(config + CONFIG_CALLS + (aggregate << 3), 4);
}

export function sumsOf(argument: u32): u32 {
  return load<u32>(blocks + (argument << 3));
}

export function boundsOf(argument: u32): u32 {
  return load<u32>(blocks + (argument << 3), 4);
}

/** True for a function that whole kernels alone have. */
export function isOther(called: u32): bool {
  return called > <u32>FUNCTION_AVG;
}

/** True for EARLIEST_BY_OFFSET and LATEST_BY_OFFSET, among those. */
export function isByOffset(called: u32): bool {
  return called <= <u32>FUNCTION_LATEST;
}

/** Where the offset in the slot of an aggregate's own block stands. A function's static, so that pages' halves have none of it. */
function otherAt(aggregate: u32): usize {
  return memory.data(AGGREGATES_MAX * 4, 16) + (aggregate << 2);
}

export function otherOf(aggregate: u32): u32 {
  return load<u32>(otherAt(aggregate));
}

/** Two bits for each function: how many cells it has in state bytes. */
const CELLS: u32 =
  (1 << (2 * FUNCTION_COUNT)) |
  (1 << (2 * FUNCTION_SUM)) |
  (1 << (2 * FUNCTION_MIN)) |
  (1 << (2 * FUNCTION_MAX)) |
  (2 << (2 * FUNCTION_AVG)) |
  (2 << (2 * FUNCTION_EARLIEST)) |
  (2 << (2 * FUNCTION_LATEST)) |
  (3 << (2 * FUNCTION_STDDEV_SAMP)) |
  (3 << (2 * FUNCTION_STDDEV_SAMPLE));
/** A bit for each function that is null until a value has come. */
const NULLABLE: u32 =
  (1 << FUNCTION_MIN) | (1 << FUNCTION_MAX) | (1 << FUNCTION_EARLIEST) | (1 << FUNCTION_LATEST);

/** Cells of an aggregate in state bytes. */
export function cellsOf(aggregate: u32): u32 {
  const called = functionOf(aggregate);
  if (IS_WHOLE) return (CELLS >> (2 * called)) & 3;
  return called == FUNCTION_AVG ? 2 : 1;
}

/** True where an aggregate is null until a value has come. */
export function nullable(aggregate: u32): bool {
  const called = functionOf(aggregate);
  if (IS_WHOLE) return <bool>((NULLABLE >> called) & 1);
  return called == FUNCTION_MIN || called == FUNCTION_MAX;
}

/** Bytes of one value of an argument column. */
export function widthOf(argument: u32): u32 {
  return typeOf(argument) == TYPE_I32 ? 4 : 8;
}

/** A whole number of milliseconds that a double holds exactly. */
function isMs(value: f64, from: f64): bool {
  return value >= from && value <= <f64>ROWTIME_MAX && Math.floor(value) == value;
}

function readSizes(): bool {
  const size = load<f64>(config + CONFIG_SIZE_MS);
  windowed = size != 0;
  if (windowed) {
    sizeMs = size;
    graceMs = load<f64>(config + CONFIG_GRACE_MS);
    advanceMs = load<f64>(config + CONFIG_ADVANCE_MS);
    if (!isMs(sizeMs, 1) || !isMs(graceMs, 0) || !isMs(advanceMs, 1)) return false;
    if (advanceMs > sizeMs || Math.ceil(sizeMs / advanceMs) > <f64>ROWS_MAX) return false;
    windowsMax = <u32>Math.ceil(sizeMs / advanceMs);
  }
  rowsMax = load<u32>(config + CONFIG_ROWS_MAX);
  const output = load<u32>(config + CONFIG_OUTPUT);
  rowOutput = output == OUTPUT_ROWS;
  if (IS_WHOLE) {
    overTable = output == OUTPUT_CHANGES;
    if (overTable && windowed) return false;
    rowOutput = rowOutput || overTable;
  }
  argumentCount = load<u32>(config + CONFIG_ARGUMENTS);
  aggregateCount = load<u32>(config + CONFIG_AGGREGATES);
  const entries = load<u32>(config + CONFIG_ENTRIES_MAX);
  return (
    rowsMax >= windowsMax &&
    rowsMax <= <u32>ROWS_MAX &&
    (rowOutput || output == OUTPUT_GROUPS) &&
    argumentCount <= <u32>ARGUMENTS_MAX &&
    aggregateCount <= <u32>AGGREGATES_MAX &&
    entries >= 1 &&
    entries <= 1 << 24
  );
}

/** Lays the slot out; false when the configuration is not one. Needs no memory but `template`'s, which is clear. */
export function readProgram(template: usize): bool {
  if (!readSizes()) return false;
  for (let a: u32 = 0; a < argumentCount; a++) {
    if (typeOf(a) < <u32>TYPE_I32 || typeOf(a) > <u32>TYPE_F64) return false;
  }
  stateBytes = STATE_CELLS;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const called = functionOf(g);
    const argument = argumentOf(g);
    const last = IS_WHOLE ? FUNCTION_STDDEV_SAMPLE : FUNCTION_AVG;
    if (called < <u32>FUNCTION_COUNT || called > <u32>last) return false;
    const cells = cellsOf(g);
    // Of several cells the first one is null until a value has come, where any is.
    const nulls: u32 = nullable(g) ? 1 : 0;
    always |= (<u64>((1 << cells) - 1 - nulls)) << ((stateBytes - STATE_CELLS) >> 3);
    stateBytes += cells << 3;
    if (argument == <u32>ARGUMENT_NONE) {
      if (called != FUNCTION_COUNT) return false;
      continue;
    }
    if (argument >= argumentCount) return false;
    if (IS_WHOLE) {
      // What has no inverse is not taken back.
      if (overTable && (nulls != 0 || isOther(called))) return false;
      if (isOther(called)) {
        otherCount += 1;
        continue;
      }
    }
    store<u32>(blocks + (argument << 3) + (nulls << 2), 1);
  }
  if (IS_WHOLE) {
    if (stateBytes - STATE_CELLS > CELLS_MAX << 3) return false;
  }
  slotBytes = SLOT_BLOCKS;
  // An argument's two blocks stand side by side: they are updated together.
  for (let at: u32 = 0; at < argumentCount * 2; at++) {
    if (load<u32>(blocks + (at << 2)) == 0) continue;
    store<u32>(blocks + (at << 2), slotBytes);
    if (at & 1) v128.store(template + slotBytes, i64x2.splat(i64.MAX_VALUE));
    slotBytes += BLOCK_BYTES;
  }
  if (IS_WHOLE) {
    for (let g: u32 = 0; g < aggregateCount; g++) {
      if (!isOther(functionOf(g))) continue;
      store<u32>(otherAt(g), slotBytes);
      slotBytes += isByOffset(functionOf(g)) ? OFFSET_BLOCK_BYTES : DEVIATION_BLOCK_BYTES;
    }
  }
  emptySlot = template;
  return true;
}

/** Makes a slot from an offset on what it is before a row has come. */
export function emptyFrom(offset: u32, slot: usize): void {
  for (let at = offset; at < slotBytes; at += 8) store<u64>(slot + at, load<u64>(emptySlot + at));
}

/** As `emptyFrom` behind the flags, block by block. */
export function emptyBlocks(slot: usize): void {
  store<i64>(slot, 0, SLOT_ROWS);
  for (let at = SLOT_BLOCKS; at < slotBytes; at += BLOCK_BYTES)
    v128.store(slot + at, v128.load(emptySlot + at));
}

/** The most that a slot can take. */
export const SLOT_BYTES_MAX: u32 = SLOT_BLOCKS + BLOCK_BYTES * 2 * ARGUMENTS_MAX;
