// What the kernel exports: every call checks its arguments and returns a status; knows no layout.

import {
  ABI_VERSION,
  CONFIG_ENTRIES_MAX,
  CONFIG_SEED,
  ID_NULL,
  RESULT_BYTES,
  RESULT_EMITTED,
  STAT_ENTRIES,
  STAT_GROUPS,
  STAT_PANES,
  STAT_STORED_MS,
  STATE_ROWS_MAX,
  STATUS_BAD_ARGUMENT,
  STATUS_BAD_CONFIG,
  STATUS_NOT_READY,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import { readResults } from './aggregate';
import { allocateCleared } from './arena';
import { openOrigins } from './by-offset';
import {
  addressOf,
  entryIds,
  ids,
  keyOffsets,
  keys,
  openBuffers,
  PART_ROWS,
  reserveKeyBytes,
  result,
  selection,
} from './buffers';
import {
  entryCount,
  internKeys,
  keyAddress as addressOfKey,
  keyLength as lengthOfKey,
  openDictionary,
} from './dictionary';
import { groupTotal } from './pane';
import { openPartials } from './partials';
import { config, readProgram, rowOutput, rowsMax, SLOT_BYTES_MAX } from './program';
import { IS_WHOLE } from './whole';
import { probeRows } from './probe';
import { copyRepeated, openReaders, readTouched } from './results';
import { resolveRows } from './rows';
import { probeSessions, resolveSessions } from './session-rows';
import { changeSessions, collectSessions, expireSessions, restoreSessions } from './session-states';
import { gapMs, groupCount, storedMs } from './sessions';
import { collectChanges, restoreStates } from './snapshot';
import {
  changeEverything,
  expirePanes,
  openWindows,
  paneCount,
  setStreamTime,
  streamTime,
} from './window';

const KEY_BYTES_FIRST: u32 = 65536;
/** Bytes of key that one `intern` takes at most. */
const KEY_BYTES_LAST: u32 = 1 << 28;

let ready: bool = false;
let begun: bool = false;
/** Rows that the last `process` listed; 0 after any call that might have moved what they are read from. */
let listed: u32 = 0;

export function version(): i32 {
  return ABI_VERSION;
}

export function buffer(kind: u32, index: u32): usize {
  return addressOf(kind, index);
}

/** Reads the configuration and allocates all buffers. Once: an instance that refused is thrown away. */
export function init(): i32 {
  if (begun) return STATUS_BAD_CONFIG;
  begun = true;
  const template = allocateCleared(SLOT_BYTES_MAX);
  if (template == 0) return STATUS_OUT_OF_MEMORY;
  if (!readProgram(template)) return STATUS_BAD_CONFIG;
  if (IS_WHOLE) {
    if (!openOrigins() || !openPartials()) return STATUS_OUT_OF_MEMORY;
  }
  const isOpen =
    openBuffers() &&
    reserveKeyBytes(KEY_BYTES_FIRST) &&
    openWindows() &&
    openDictionary(load<u32>(config + CONFIG_ENTRIES_MAX), load<u32>(config + CONFIG_SEED));
  if (!isOpen) return STATUS_OUT_OF_MEMORY;
  openReaders();
  ready = true;
  return STATUS_OK;
}

/** Makes BUFFER_KEYS at least so long; it may move, and what stood there is lost. */
export function reserveKeys(bytes: u32): i32 {
  if (!ready) return STATUS_NOT_READY;
  if (bytes > KEY_BYTES_LAST) return STATUS_BAD_ARGUMENT;
  return reserveKeyBytes(max<u32>(bytes, 1)) ? STATUS_OK : STATUS_OUT_OF_MEMORY;
}

/** Ids of `count` keys into BUFFER_ENTRY_IDS. */
export function intern(count: u32): i32 {
  if (!ready) return STATUS_NOT_READY;
  if (count > rowsMax) return STATUS_BAD_ARGUMENT;
  return internKeys(keys, keyOffsets, entryIds, count);
}

/** Makes ids of `rows` codes in BUFFER_IDS, by the first `count` ids in BUFFER_ENTRY_IDS; ID_NULL of those beyond. */
export function spread(rows: u32, count: u32): i32 {
  if (!ready) return STATUS_NOT_READY;
  if (rows > rowsMax || count > rowsMax) return STATUS_BAD_ARGUMENT;
  for (let at = ids, end = ids + (rows << 2); at < end; at += 4) {
    const code = load<u32>(at);
    store<u32>(at, code < count ? load<u32>(entryIds + (code << 2)) : <u32>ID_NULL);
  }
  return STATUS_OK;
}

export function keyAddress(id: u32): u32 {
  return addressOfKey(id);
}

export function keyLength(id: u32): u32 {
  return lengthOfKey(id);
}

/** Rows that a call goes over, or -1 when the arguments are not good or the selection does not ascend. */
function rowsOf(rows: u32, selected: i32): i32 {
  if (rows > rowsMax || selected < -1 || selected > <i32>rowsMax) return -1;
  let next: u32 = 0;
  for (let i: i32 = 0; i < selected; i++) {
    const row = load<u32>(selection + (i << 2));
    if (row >= rows || row < next) return -1;
    next = row + 1;
  }
  return selected < 0 ? <i32>rows : selected;
}

/** Makes the groups that a `process` of the same rows would need, and lists the new ones. */
export function probe(rows: u32, selected: i32, from: u32): i32 {
  if (!ready) return STATUS_NOT_READY;
  listed = 0;
  const count = rowsOf(rows, selected);
  if (count < 0) return STATUS_BAD_ARGUMENT;
  memory.fill(result, 0, RESULT_BYTES);
  if (IS_WHOLE) {
    if (gapMs >= 0) return probeSessions(from, <u32>count, selected >= 0);
  }
  return probeRows(from, <u32>count, selected >= 0);
}

/**
 * Folds a batch of `rows` rows, of which `selected` count (their positions stand in the selection; -1: all), and lists what
 * is put out, without results. Bit `a` of `withNulls`: argument `a` has a validity bitmap. `from`: so many rows have been
 * taken in before, because their output filled its buffers.
 */
export function process(rows: u32, selected: i32, withNulls: u32, from: u32): i32 {
  if (!ready) return STATUS_NOT_READY;
  const count = rowsOf(rows, selected);
  if (count < 0) return STATUS_BAD_ARGUMENT;
  memory.fill(result, 0, RESULT_BYTES);
  let status = STATUS_OK;
  let isDone = false;
  if (IS_WHOLE) {
    isDone = gapMs >= 0;
    if (isDone) status = resolveSessions(from, <u32>count, selected >= 0, withNulls);
  }
  if (!isDone) status = resolveRows(from, <u32>count, selected >= 0, withNulls);
  listed = load<u32>(result, RESULT_EMITTED);
  return status;
}

/** Writes rowtimes and result columns of what the last `process` listed; only before any other call that writes. */
export function read(): i32 {
  if (!ready) return STATUS_NOT_READY;
  // Results by rows were written as the rows came.
  if (!rowOutput) {
    memory.fill(result, 0, RESULT_BYTES);
    // In parts, so that a slot that has been brought near for one argument is read for the others while it is.
    for (let from: u32 = 0; from < listed; from += PART_ROWS) {
      const to = min(from + PART_ROWS, listed);
      readTouched(from, to);
      readResults(from, to);
    }
  }
  copyRepeated(listed);
  store<u32>(result, listed, RESULT_EMITTED);
  return STATUS_OK;
}

/** Takes groups changed since they were last collected, a part of them; RESULT_EMITTED 0: there are no more. */
export function collect(): i32 {
  if (!ready) return STATUS_NOT_READY;
  listed = 0;
  memory.fill(result, 0, RESULT_BYTES);
  if (IS_WHOLE) {
    if (gapMs >= 0) return collectSessions();
  }
  return collectChanges();
}

/** Makes every group a change, so that `collect` gives all of the state. */
export function markAll(): i32 {
  if (!ready) return STATUS_NOT_READY;
  if (IS_WHOLE) changeSessions();
  changeEverything();
  return STATUS_OK;
}

/** Sets `count` groups from BUFFER_IDS, BUFFER_ROWTIME (window starts) and BUFFER_STATES. */
export function restore(count: u32): i32 {
  if (!ready) return STATUS_NOT_READY;
  listed = 0;
  if (count > min<u32>(STATE_ROWS_MAX, rowsMax)) return STATUS_BAD_ARGUMENT;
  memory.fill(result, 0, RESULT_BYTES);
  if (IS_WHOLE) {
    if (gapMs >= 0) return restoreSessions(count);
  }
  return restoreStates(count);
}

/** Lets closed windows go whose changes have been collected; their number. */
export function expire(): i32 {
  if (!ready) return STATUS_NOT_READY;
  listed = 0;
  if (IS_WHOLE) {
    if (gapMs >= 0) return expireSessions();
  }
  return expirePanes();
}

export function getStreamTime(): f64 {
  return streamTime;
}

/** Stream time never goes back; -Infinity and what is not a rowtime are refused. */
export function advanceStreamTime(ms: f64): i32 {
  if (!(ms >= 0 && ms <= 9007199254740991)) return STATUS_BAD_ARGUMENT;
  setStreamTime(max(streamTime, ms));
  return STATUS_OK;
}

export function stat(kind: u32): f64 {
  if (kind == STAT_ENTRIES) return <f64>entryCount();
  if (kind == STAT_PANES) return <f64>paneCount;
  if (kind == STAT_GROUPS) {
    if (IS_WHOLE) return <f64>(groupTotal + groupCount);
    return <f64>groupTotal;
  }
  if (IS_WHOLE) {
    if (kind == STAT_STORED_MS) return storedMs;
  }
  return -1;
}
