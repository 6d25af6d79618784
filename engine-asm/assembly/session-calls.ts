// What whole kernels export beside the calls of index.ts: makes the program one of sessions; knows no row.

import { ROWTIME_MAX, STATUS_BAD_CONFIG, STATUS_OK, STATUS_OUT_OF_MEMORY } from './abi';
import { openBounds } from './buffers';
import { isDictionaryOpen } from './dictionary';
import { overTable, rowOutput, rowsMax, windowed } from './program';
import { beginSessions, gapMs } from './sessions';

/** Of the rows of the smallest batch, so that what one row puts out finds room. */
const ROWS_MIN: u32 = 4;

/**
 * Once, behind `init`, of a program without windows whose output is by rows: rows come to sessions from now on, a gap, a grace and a retention long, in ms. No session that ends
 * later than `stored` is in the host's store; -Infinity: none is. `forRows`: sessions that no row can come to any more are let go and not collected.
 */
export function openSessions(
  gap: f64,
  grace: f64,
  retention: f64,
  stored: f64,
  forRows: bool,
): i32 {
  if (
    !isDictionaryOpen() ||
    windowed ||
    !rowOutput ||
    overTable ||
    rowsMax < ROWS_MIN ||
    gapMs >= 0
  )
    return STATUS_BAD_CONFIG;
  const isGood =
    gap >= 0 &&
    grace >= 0 &&
    retention >= gap + grace &&
    retention <= <f64>ROWTIME_MAX &&
    stored <= <f64>ROWTIME_MAX;
  if (!isGood) return STATUS_BAD_CONFIG;
  return openBounds() && beginSessions(gap, grace, retention, stored, forRows)
    ? STATUS_OK
    : STATUS_OUT_OF_MEMORY;
}
