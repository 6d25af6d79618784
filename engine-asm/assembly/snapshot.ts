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
import { ids, outId, outWindow, result, rowtimes, states } from './buffers';
import { entryCount } from './dictionary';
import { changedPane, findSlot, makeSlot, PANE_START, SLOT_FRESH, takeChange } from './pane';
import {
  aggregateCount,
  argumentOf,
  boundsOf,
  cellsOf,
  emptyFrom,
  functionOf,
  nullable,
  rowsMax,
  tailOffset,
  SLOT_ID,
  SLOT_LINK,
  SLOT_ROWTIME,
  SLOT_HEADER_BYTES,
  stateBytes,
  sumsOf,
  typeOf,
} from './program';
import { demandPane, windowStartOf } from './window';

//   0        8               16
//   [rowtime][present       ][cell 0][cell 1]...      little endian
//    f64      u64, bit i:     8 bytes each, in the order of the aggregates:
//             cell i is       COUNT i64 | SUM i64 or f64 | MIN, MAX i64 or f64 | AVG sum (i64 or f64), count i64
//             not null        an INT sum is sign-extended from 32 bits

/** The bits of a double, every NaN as the same: which ones arithmetic makes is the processor's whim. */
function bitsOf(value: f64): i64 {
  return value == value ? reinterpret<i64>(value) : 0x7ff8000000000000;
}

/** Writes the state of a slot. */
function writeState(slot: usize, to: usize): void {
  let present: u64 = 0;
  let cell: u32 = 0;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const at = to + STATE_CELLS + (cell << 3);
    const called = functionOf(g);
    const argument = argumentOf(g);
    let valid = true;
    if (argument == <u32>ARGUMENT_NONE) store<i64>(at, load<i64>(slot + tailOffset));
    else if (nullable(g)) {
      const block = slot + boundsOf(argument);
      const least = load<i64>(block);
      const greatest = ~load<i64>(block, 8);
      const key = called == FUNCTION_MIN ? least : greatest;
      valid = least <= greatest;
      if (!valid) store<i64>(at, 0);
      else if (typeOf(argument) == TYPE_F64) store<f64>(at, fromOrderKey(key));
      else store<i64>(at, key);
    } else {
      const block = slot + sumsOf(argument);
      const type = typeOf(argument);
      const count = type == TYPE_F64 ? <i64>load<f64>(block, 8) : load<i64>(block, 8);
      if (called == FUNCTION_COUNT) store<i64>(at, count);
      else if (called == FUNCTION_SUM && type == TYPE_I32)
        store<i64>(at, <i64>(<i32>load<i64>(block)));
      else store<i64>(at, type == TYPE_F64 ? bitsOf(load<f64>(block)) : load<i64>(block));
      if (called == FUNCTION_AVG) {
        store<i64>(at, count, 8);
        present |= (<u64>1) << (cell + 1);
      }
    }
    if (valid) present |= (<u64>1) << cell;
    cell += cellsOf(g);
  }
  store<f64>(to, load<f64>(slot, SLOT_ROWTIME), STATE_ROWTIME);
  store<u64>(to, present, STATE_PRESENT);
}

/** True when the bytes can be a state of this program. */
function isState(from: usize): bool {
  const rowtime = load<f64>(from, STATE_ROWTIME);
  if (!(rowtime >= 0 && rowtime <= <f64>ROWTIME_MAX)) return false;
  const present = load<u64>(from, STATE_PRESENT);
  let cell: u32 = 0;
  for (let g: u32 = 0; g < aggregateCount; g++) {
    const end = cell + cellsOf(g);
    for (; cell < end; cell++) {
      if (!nullable(g) && ((present >> cell) & 1) == 0) return false;
    }
  }
  return cell == 64 || present >> cell == 0;
}

/** Sets a slot from state bytes that are a state. */
function readState(from: usize, slot: usize): void {
  const present = load<u64>(from, STATE_PRESENT);
  let cell: u32 = 0;
  // What several aggregates of one argument share is taken from the one that knows it exactly: AVG comes last.
  emptyFrom(SLOT_HEADER_BYTES, slot);
  for (let pass: u32 = 0; pass < 2; pass++) {
    cell = 0;
    for (let g: u32 = 0; g < aggregateCount; g++) {
      const called = functionOf(g);
      const at = from + STATE_CELLS + (cell << 3);
      const isPresent = ((present >> cell) & 1) != 0;
      cell += cellsOf(g);
      if ((called == FUNCTION_AVG) != (pass == 1)) continue;
      const argument = argumentOf(g);
      if (argument == <u32>ARGUMENT_NONE) {
        store<i64>(slot + tailOffset, load<i64>(at));
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
  store<u32>(slot, load<u32>(slot, SLOT_LINK) & ~SLOT_FRESH, SLOT_LINK);
}

/** Takes changes, at most STATE_ROWS_MAX or the rows of a batch, off the lists, as id, window and state bytes. */
export function collectChanges(): i32 {
  let out: u32 = 0;
  const most = min<u32>(STATE_ROWS_MAX, rowsMax);
  for (; out < most; out++) {
    const pane = changedPane();
    if (pane == 0) break;
    const slot = takeChange();
    store<u32>(outId + (out << 2), load<u32>(slot, SLOT_ID));
    store<f64>(outWindow + (out << 3), load<f64>(pane, PANE_START));
    writeState(slot, states + out * stateBytes);
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
