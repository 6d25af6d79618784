// The areas that the host and the kernel exchange columns through, allocated once at init; knows no meaning of them.

import {
  AGGREGATES_MAX,
  ARGUMENT_NONE,
  ARGUMENTS_MAX,
  BUFFER_ARGUMENT,
  BUFFER_CONFIG,
  BUFFER_ENTRY_IDS,
  BUFFER_IDS,
  BUFFER_KEY_OFFSETS,
  BUFFER_KEYS,
  BUFFER_OPERATIONS,
  BUFFER_OUT_BOUNDS,
  BUFFER_OUT_ID,
  BUFFER_OUT_LATE,
  BUFFER_OUT_LATE_WINDOWS,
  BUFFER_OUT_OP,
  BUFFER_OUT_ROW,
  BUFFER_OUT_ROWTIME,
  BUFFER_OUT_VALIDITY,
  BUFFER_OUT_VALUE,
  BUFFER_OUT_WINDOW,
  BUFFER_RESULT,
  BUFFER_ROWTIME,
  BUFFER_SELECTION,
  BUFFER_STATES,
  BUFFER_VALIDITY,
  RESULT_BYTES,
  STATE_ROWS_MAX,
} from './abi';
import { allocate, release, roundUp } from './arena';
import {
  aggregateCount,
  argumentCount,
  argumentOf,
  config,
  nullable,
  overTable,
  rowOutput,
  rowsMax,
  stateBytes,
  widthOf,
  windowsMax,
} from './program';
import { IS_WHOLE } from './whole';

export const result: usize = memory.data(RESULT_BYTES, 16);
/** Addresses by index, four to an argument or aggregate: [u32 argument][u32 validity][u32 value][u32 validity]. */
const columns: usize = memory.data(ARGUMENTS_MAX * 16, 16);

export let ids: usize = 0;
/** Ids of the keys that were interned last, or that the host has put there. */
export let entryIds: usize = 0;
export let selection: usize = 0;
export let rowtimes: usize = 0;
export let outRow: usize = 0;
export let outId: usize = 0;
export let outWindow: usize = 0;
export let outRowtime: usize = 0;
export let outOp: usize = 0;
export let outLate: usize = 0;
/** How many windows each late row missed; hopping windows alone. */
export let outLateWindows: usize = 0;
/** Panes of the windows that a row falls in, 0 until one is asked for. */
export let panes: usize = 0;
export let states: usize = 0;
export let keyOffsets: usize = 0;
export let keys: usize = 0;
export let keysBytes: u32 = 0;
/** A row of each touched group; only for output by groups. */
export let touchedRows: usize = 0;
/** Slot address per accepted row. */
export let rowSlots: usize = 0;
/** The output column of the first COUNT(*), 0 where there is none. */
export let outCounts: usize = 0;
/** The touched slots; only for output by groups. */
export let sources: usize = 0;
/** Of rows of a table what each does (u8, an OP_), by position; else 0. */
export let operations: usize = 0;
/** Of sessions, by row: starts (i64), then ends (i64). */
export let outBounds: usize = 0;
/** Rows that are looked at, and groups that are read, together: what is read and written of them stays near. */
export const PART_ROWS: u32 = 256;
/** Keys are read so many bytes at a time. */
const KEY_PADDING_BYTES: u32 = IS_WHOLE ? 16 : 8;
let failed: bool = false;

function take(bytes: u32): u32 {
  const block = allocate(bytes);
  if (block == 0) failed = true;
  return block;
}

function bitmapBytes(): u32 {
  return ((rowsMax + 31) >> 5) << 2;
}

/** Allocates all buffers of the program; false when memory does not suffice. */
export function openBuffers(): bool {
  ids = take(rowsMax << 2);
  entryIds = take(rowsMax << 2);
  selection = take(rowsMax << 2);
  rowtimes = take(rowsMax << 3);
  outRow = take(rowsMax << 2);
  outId = take(rowsMax << 2);
  outWindow = take(rowsMax << 3);
  outLate = take(rowsMax << 2);
  if (windowsMax > 1) outLateWindows = take(rowsMax << 2);
  panes = take(windowsMax << 2);
  states = take(STATE_ROWS_MAX * stateBytes);
  keyOffsets = take((rowsMax + 1) << 2);
  rowSlots = take(rowsMax << 2);
  if (IS_WHOLE) {
    if (overTable) operations = take(rowsMax);
  }
  if (!rowOutput) sources = take(rowsMax << 2);
  if (!rowOutput) touchedRows = take(rowsMax << 2);
  for (let a: u32 = 0; a < argumentCount; a++) {
    store<u32>(columns + (a << 4), take(rowsMax * widthOf(a)));
    store<u32>(columns + (a << 4), take(bitmapBytes()), 4);
  }
  if (failed) return false;
  // What is put out stands together, so that a host copies it as one: rowtimes, values, operations and validity.
  const wide = rowsMax << 3;
  let at = take((aggregateCount + 2) * wide + aggregateCount * bitmapBytes());
  if (failed) return false;
  outRowtime = at;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    at += wide;
    store<u32>(columns + (g << 4), at, 8);
    if (argumentOf(g) == <u32>ARGUMENT_NONE && outCounts == 0) outCounts = at;
  }
  at += wide;
  outOp = at;
  at += rowsMax;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    if (!nullable(g)) continue;
    at = (at + 3) & ~3;
    store<u32>(columns + (g << 4), at, 12);
    at += bitmapBytes();
  }
  return true;
}

/** Allocates what only sessions have; false when memory does not suffice. */
export function openBounds(): bool {
  outBounds = take(rowsMax << 4);
  return !failed;
}

/** Makes room for `bytes` of keys, and KEY_PADDING_BYTES that can be read behind them; what stood there is lost. False when memory does not suffice. */
export function reserveKeyBytes(bytes: u32): bool {
  if (bytes <= keysBytes && keys != 0) return true;
  if (keys != 0) release(<u32>keys, keysBytes + KEY_PADDING_BYTES);
  keysBytes = 0;
  keys = allocate(bytes + KEY_PADDING_BYTES);
  if (keys == 0) return false;
  keysBytes = roundUp(bytes + KEY_PADDING_BYTES) - KEY_PADDING_BYTES;
  return true;
}

export function argumentColumn(argument: u32): usize {
  return load<u32>(columns + (argument << 4));
}

export function argumentValidity(argument: u32): usize {
  return load<u32>(columns + (argument << 4), 4);
}

export function outValue(aggregate: u32): usize {
  return load<u32>(columns + (aggregate << 4), 8);
}

export function outValidity(aggregate: u32): usize {
  return load<u32>(columns + (aggregate << 4), 12);
}

/** Address of a buffer by its kind, 0 where there is none. */
export function addressOf(kind: u32, index: u32): usize {
  if (kind == BUFFER_CONFIG) return config;
  if (kind == BUFFER_RESULT) return result;
  if (kind == BUFFER_KEYS) return keys;
  if (kind == BUFFER_KEY_OFFSETS) return keyOffsets;
  if (kind == BUFFER_IDS) return ids;
  if (kind == BUFFER_ENTRY_IDS) return entryIds;
  if (kind == BUFFER_SELECTION) return selection;
  if (kind == BUFFER_ROWTIME) return rowtimes;
  if (kind == BUFFER_ARGUMENT) return index < <u32>ARGUMENTS_MAX ? argumentColumn(index) : 0;
  if (kind == BUFFER_VALIDITY) return index < <u32>ARGUMENTS_MAX ? argumentValidity(index) : 0;
  if (kind == BUFFER_OUT_ROW) return rowOutput ? outRow : touchedRows;
  if (kind == BUFFER_OUT_ID) return outId;
  if (kind == BUFFER_OUT_WINDOW) return outWindow;
  if (kind == BUFFER_OUT_ROWTIME) return outRowtime;
  if (kind == BUFFER_OUT_OP) return outOp;
  if (kind == BUFFER_OUT_VALUE) return index < <u32>AGGREGATES_MAX ? outValue(index) : 0;
  if (kind == BUFFER_OUT_VALIDITY) return index < <u32>AGGREGATES_MAX ? outValidity(index) : 0;
  if (kind == BUFFER_OUT_LATE) return outLate;
  if (kind == BUFFER_STATES) return states;
  if (kind == BUFFER_OUT_LATE_WINDOWS) return outLateWindows;
  if (IS_WHOLE) {
    if (kind == BUFFER_OUT_BOUNDS) return outBounds;
    if (kind == BUFFER_OPERATIONS) return operations;
  }
  return 0;
}

/** Whether the bit of a row is set. */
export function isSet(bits: usize, row: usize): bool {
  return (<u32>load<u8>(bits + (row >> 3)) & ((<u32>1) << (<u32>row & 7))) != 0;
}
