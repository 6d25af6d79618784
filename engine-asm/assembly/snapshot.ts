// State bytes: one slot as bytes that outlive dictionary ids, and back; knows neither keys nor stores.

import {
  ARGUMENT_NONE,
  FUNCTION_AVG,
  FUNCTION_COUNT,
  FUNCTION_MIN,
  FUNCTION_SUM,
  STATE_CELLS,
  STATE_PRESENT,
  STATE_ROWTIME,
  STATE_ROWS_MAX,
  STATUS_BAD_ARGUMENT,
  STATUS_BAD_STATE,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
  TYPE_F64,
  TYPE_I32,
  RESULT_CONSUMED,
  RESULT_EMITTED,
  ROWTIME_MAX,
} from './abi';
import { fromOrderKey, orderKey } from './aggregate';
import { CELL_COUNT, CELL_DOUBLE, CELL_INT, CELL_PLAIN, writeCell } from './cells';
import { ids, outId, outWindow, result, rowtimes, states } from './buffers';
import { changedPane, taken, takeChanges } from './changes';
import { entryCount } from './dictionary';
import { isOtherState, readOther, writeOther } from './other-states';
import { findSlot, makeSlot } from './pane';
import { PANE_START, SLOT_CHANGED, SLOT_FRESH } from './pane-layout';
import {
  aggregateCount,
  always,
  argumentOf,
  boundsOf,
  cellsOf,
  emptyFrom,
  functionOf,
  isOther,
  nullable,
  rowsMax,
  SLOT_ID,
  SLOT_FLAGS,
  SLOT_ROWTIME,
  SLOT_ROWS,
  stateBytes,
  sumsOf,
  typeOf,
} from './program';
import { IS_WHOLE } from './whole';
import { demandPane, windowStartOf } from './window';

//   0        8               16
//   [rowtime][present       ][cell 0][cell 1]...      little endian
//    f64      u64, bit i:     8 bytes each, in the order of the aggregates:
//             cell i is       COUNT i64 | SUM i64 or f64 | MIN, MAX i64 or f64 | AVG sum (i64 or f64), count i64
//             not null        an INT sum is sign-extended from 32 bits

/** Slots whose states are written together, cell by cell: so many stay near. */
const PART_SLOTS: u32 = 64;

/** As `writeCell`, of MIN or MAX, and bit `cell` of what is present. */
function writeBound(g: u32, cell: u32, slots: usize, count: u32, to: usize): void {
  const argument = argumentOf(g);
  const isMin = functionOf(g) == FUNCTION_MIN;
  const isDouble = typeOf(argument) == TYPE_F64;
  const offset = boundsOf(argument);
  const stride = stateBytes;
  for (const end = slots + (count << 2); slots < end; slots += 4, to += stride) {
    const block: usize = <usize>load<u32>(slots) + offset;
    const least = load<i64>(block);
    const greatest = ~load<i64>(block, 8);
    let bits = isMin ? least : greatest;
    if (isDouble) bits = reinterpret<i64>(fromOrderKey(bits));
    const valid = least <= greatest;
    store<i64>(to + STATE_CELLS + (cell << 3), valid ? bits : 0);
    store<u64>(to, load<u64>(to, STATE_PRESENT) | ((<u64>valid) << cell), STATE_PRESENT);
  }
}

/** Writes the states of `count` slots. */
export function writeStates(slots: usize, count: u32, to: usize): void {
  writeCell(CELL_PLAIN, SLOT_ROWTIME, slots, count, to + STATE_ROWTIME);
  for (let j: u32 = 0; j < count; j++) store<u64>(to + j * stateBytes, always, STATE_PRESENT);
  let cell: u32 = 0;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const at = to + STATE_CELLS + (cell << 3);
    const called = functionOf(g);
    const argument = argumentOf(g);
    if (IS_WHOLE) {
      if (isOther(called)) {
        writeOther(g, cell, slots, count, to);
        cell += cellsOf(g);
        continue;
      }
    }
    if (argument == <u32>ARGUMENT_NONE) writeCell(CELL_PLAIN, SLOT_ROWS, slots, count, at);
    else if (nullable(g)) writeBound(g, cell, slots, count, to);
    else {
      const type = typeOf(argument);
      const sums = sumsOf(argument);
      const counted = type == TYPE_F64 ? CELL_COUNT : CELL_PLAIN;
      if (called == FUNCTION_COUNT) writeCell(counted, sums + 8, slots, count, at);
      else {
        const isInt = called == FUNCTION_SUM && type == TYPE_I32;
        const kind = type == TYPE_F64 ? CELL_DOUBLE : isInt ? CELL_INT : CELL_PLAIN;
        writeCell(kind, sums, slots, count, at);
        if (called == FUNCTION_AVG) writeCell(counted, sums + 8, slots, count, at + 8);
      }
    }
    cell += cellsOf(g);
  }
}

/** True when the bytes can be a state of this program. */
export function isState(from: usize): bool {
  const rowtime = load<f64>(from, STATE_ROWTIME);
  if (!(rowtime >= 0 && rowtime <= <f64>ROWTIME_MAX)) return false;
  const present = load<u64>(from, STATE_PRESENT);
  const cells = (stateBytes - STATE_CELLS) >> 3;
  if (IS_WHOLE) {
    let cell: u32 = 0;
    for (let g: u32 = 0; g < aggregateCount; g++) {
      const at = from + STATE_CELLS + (cell << 3);
      const isPresent = ((present >> cell) & 1) != 0;
      if (isOther(functionOf(g)) && !isOtherState(g, at, isPresent)) return false;
      cell += cellsOf(g);
    }
  }
  return (present & always) == always && (cells == 64 || present >> cells == 0);
}

/** Sets a slot from state bytes that are a state. */
export function readState(from: usize, slot: usize): void {
  const present = load<u64>(from, STATE_PRESENT);
  let cell: u32 = 0;
  // What several aggregates of one argument share is taken from the one that knows it exactly: AVG comes last.
  emptyFrom(SLOT_ROWS, slot);
  for (let pass: u32 = 0; pass < 2; pass++) {
    cell = 0;
    for (let g: u32 = 0; g < aggregateCount; g++) {
      const called = functionOf(g);
      const at = from + STATE_CELLS + (cell << 3);
      const isPresent = ((present >> cell) & 1) != 0;
      cell += cellsOf(g);
      if ((called == FUNCTION_AVG) != (pass == 1)) continue;
      if (IS_WHOLE) {
        if (isOther(called)) {
          readOther(g, at, slot);
          continue;
        }
      }
      const argument = argumentOf(g);
      if (argument == <u32>ARGUMENT_NONE) {
        store<i64>(slot, load<i64>(at), SLOT_ROWS);
        continue;
      }
      const isDouble = typeOf(argument) == TYPE_F64;
      if (nullable(g)) {
        if (!isPresent) continue;
        const key = isDouble ? orderKey<f64>(load<f64>(at)) : load<i64>(at);
        const block = slot + boundsOf(argument);
        store<i64>(block, min(load<i64>(block), key));
        store<i64>(block, min(load<i64>(block, 8), ~key), 8);
        continue;
      }
      const block = slot + sumsOf(argument);
      if (called != FUNCTION_COUNT) store<i64>(block, load<i64>(at));
      if (called != FUNCTION_SUM) {
        const count = called == FUNCTION_AVG ? load<i64>(at, 8) : load<i64>(at);
        if (isDouble) store<f64>(block, <f64>count, 8);
        else store<i64>(block, count, 8);
      }
    }
  }
  store<f64>(slot, load<f64>(from, STATE_ROWTIME), SLOT_ROWTIME);
  store<u32>(slot, load<u32>(slot, SLOT_FLAGS) & ~SLOT_FRESH, SLOT_FLAGS);
}

/** Takes changes, at most STATE_ROWS_MAX or the rows of a batch, off the lists, as id, window and state bytes. */
export function collectChanges(): i32 {
  let out: u32 = 0;
  const most = min<u32>(STATE_ROWS_MAX, rowsMax);
  while (out < most) {
    const pane = changedPane();
    if (pane == 0) break;
    const slots = takeChanges(min(most - out, PART_SLOTS));
    const start = load<f64>(pane, PANE_START);
    for (let j: u32 = 0; j < taken; j++) {
      const slot = load<u32>(slots + (j << 2));
      store<u32>(outId + ((out + j) << 2), load<u32>(slot, SLOT_ID));
      store<f64>(outWindow + ((out + j) << 3), start);
      store<u32>(slot, load<u32>(slot, SLOT_FLAGS) & ~SLOT_CHANGED, SLOT_FLAGS);
    }
    writeStates(slots, taken, states + out * stateBytes);
    out += taken;
  }
  store<u32>(result, out, RESULT_EMITTED);
  return STATUS_OK;
}

/** Sets `count` groups from ids, window starts (in the rowtime column) and state bytes; RESULT_CONSUMED tells how many. */
export function restoreStates(count: u32): i32 {
  let status = STATUS_OK;
  let i: u32 = 0;
  for (; i < count; i++) {
    const id = load<u32>(ids + (i << 2));
    const start = load<f64>(rowtimes + (i << 3));
    const from = states + i * stateBytes;
    if (
      id >= entryCount() ||
      !(start >= 0 && start <= <f64>ROWTIME_MAX) ||
      windowStartOf(start) != start
    ) {
      status = STATUS_BAD_ARGUMENT;
    } else if (!isState(from)) status = STATUS_BAD_STATE;
    else {
      const pane = demandPane(start);
      let slot: u32 = pane == 0 ? 0 : findSlot(pane, id);
      if (pane != 0 && slot == 0) slot = makeSlot(pane, id);
      if (slot == 0) status = STATUS_OUT_OF_MEMORY;
      else readState(from, slot);
    }
    if (status != STATUS_OK) break;
  }
  store<u32>(result, i, RESULT_CONSUMED);
  return status;
}
