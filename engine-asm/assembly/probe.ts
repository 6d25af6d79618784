// Makes the slots that a batch will need before it comes, so that the host can restore them; knows no aggregate.

import {
  RESULT_CONSUMED,
  RESULT_EMITTED,
  ROWTIME_MAX,
  STATUS_OK,
  STATUS_OUT_OF_MEMORY,
} from './abi';
import { ids, outId, outWindow, result, rowtimes, selection } from './buffers';
import { entryCount } from './dictionary';
import { findSlot, makeSlot } from './pane';
import { advanceMs, rowsMax, windowsMax } from './program';
import { demandPane, firstStartOf, isClosed, streamTime, windowStartOf } from './window';

/** Slots listed so far. */
let out: u32 = 0;

/** Makes the slot of an id in a window and lists it, unless it is there; false when memory does not suffice. */
function demand(id: u32, at: f64): bool {
  const pane = demandPane(at);
  if (pane == 0) return false;
  if (findSlot(pane, id) != 0) return true;
  if (makeSlot(pane, id) == 0) return false;
  store<u32>(outId + (out << 2), id);
  store<f64>(outWindow + (out << 3), at);
  out += 1;
  return true;
}

/**
 * Makes the slots that the same `resolveRows` will need, without a row, and lists each once (id and window), so that the
 * host can restore those that it has in its store. Stream time and groups with rows stay as they are. It ends before a row
 * whose slots might not find room in the list, which is never before the row where `resolveRows` ends.
 */
export function probeRows(from: u32, count: u32, selected: bool): i32 {
  const known = entryCount();
  let now = streamTime;
  let i = from;
  let fits = true;
  out = 0;
  for (; i < count && out <= rowsMax - windowsMax; i++) {
    const row = selected ? load<u32>(selection + (i << 2)) : i;
    const id = load<u32>(ids + (row << 2));
    const time = load<f64>(rowtimes + (row << 3));
    if (id >= known || !(time >= 0 && time <= <f64>ROWTIME_MAX)) continue;
    now = max(now, time);
    const last = windowStartOf(time);
    for (let at = firstStartOf(time); fits && at <= last; at += advanceMs) {
      if (!isClosed(at, now)) fits = demand(id, at);
    }
    if (!fits) break;
  }
  store<u32>(result, i, RESULT_CONSUMED);
  store<u32>(result, out, RESULT_EMITTED);
  return fits ? STATUS_OK : STATUS_OUT_OF_MEMORY;
}
