// The open windows: finds the pane of a window start, makes it, and lets closed ones go; knows nothing inside a pane.

import { allocateCleared, release } from './arena';
import { changeAll, hasChanges } from './changes';
import { groupsOf, makePane, releasePane } from './pane';
import { PANE_START } from './pane-layout';
import { advanceMs, graceMs, sizeMs, windowed } from './program';
import { IS_WHOLE } from './whole';

// Panes stand in a table by window number (start / advance) modulo its places, with linear probing: neighbouring windows
// have neighbouring places and seldom collide. An unwindowed table has the one pane of window 0.
const PLACES_FIRST: u32 = 16;

let table: u32 = 0;
let mask: u32 = 0;
/** Where panes stand, and which bits of a window's number say where it is looked for first. */
export { table as paneTable, mask as paneMask };
export let paneCount: u32 = 0;
/** No pane stands below this window start. */
let oldest: f64 = Infinity;

/** The greatest window start that ever had a pane, and the groups that this had when it went. */
let newest: f64 = -Infinity;
let newestGroups: u32 = 0;

/** Running maximum of the rowtimes that counted; -Infinity before the first. */
export let streamTime: f64 = -Infinity;

export function setStreamTime(ms: f64): void {
  streamTime = ms;
}

export function openWindows(): bool {
  table = allocateCleared(PLACES_FIRST << 2);
  mask = PLACES_FIRST - 1;
  return table != 0;
}

/** The start of the last window that holds a rowtime. */
export function windowStartOf(ms: f64): f64 {
  return windowed ? Math.floor(ms / advanceMs) * advanceMs : 0;
}

/** The start of the first window that holds a rowtime: none starts before the epoch. */
export function firstStartOf(ms: f64): f64 {
  return windowed ? windowStartOf(max<f64>(0, ms - sizeMs + advanceMs)) : 0;
}

/** True when no row of the window is accepted any more. */
export function isClosed(start: f64, now: f64): bool {
  return windowed && start + sizeMs <= now - graceMs;
}

function placeOf(start: f64): u32 {
  return windowed ? <u32>(<i64>(start / advanceMs)) & mask : 0;
}

/** What stands in the first place that is tried for the window of a number (start / advance). */
export function likelyPane(number: f64): u32 {
  return load<u32>(table + ((<u32>(<i64>number) & mask) << 2));
}

/** The pane that starts there, 0 when there is none. */
export function findPane(start: f64): u32 {
  let place = placeOf(start);
  let pane = load<u32>(table + (place << 2));
  while (pane != 0 && load<f64>(pane, PANE_START) != start) {
    place = (place + 1) & mask;
    pane = load<u32>(table + (place << 2));
  }
  return pane;
}

function put(pane: u32): void {
  let place = placeOf(load<f64>(pane, PANE_START));
  while (load<u32>(table + (place << 2)) != 0) place = (place + 1) & mask;
  store<u32>(table + (place << 2), pane);
}

function growTable(): bool {
  const old = table;
  const bytes = (mask + 1) << 2;
  const next = allocateCleared(bytes << 1);
  if (next == 0) return false;
  table = next;
  mask = (mask << 1) | 1;
  for (let at: u32 = 0; at < bytes; at += 4) {
    const pane = load<u32>(old + at);
    if (pane != 0) put(pane);
  }
  release(old, bytes);
  return true;
}

/** The pane that starts there, made where there is none; 0 when memory does not suffice. */
export function demandPane(start: f64): u32 {
  const found = findPane(start);
  if (found != 0) return found;
  if ((paneCount + 1) << 2 > (mask + 1) * 3 && !growTable()) return 0;
  // The window after the newest is likely to get as many groups; one that comes behind may get one.
  const isNewest = start > newest;
  const last = isNewest ? findPane(newest) : 0;
  let expected: u32 = last == 0 ? 0 : groupsOf(last);
  if (IS_WHOLE) {
    if (isNewest && last == 0) expected = newestGroups;
  }
  const pane = makePane(start, expected);
  if (pane == 0) return 0;
  if (isNewest) newest = start;
  put(pane);
  paneCount += 1;
  oldest = min(oldest, start);
  return pane;
}

/** Takes the pane at a place out of the table and closes the gap, so that probing needs no marks. */
function removeAt(place: u32): void {
  let gap = place;
  let at = place;
  store<u32>(table + (gap << 2), 0);
  for (;;) {
    at = (at + 1) & mask;
    const pane = load<u32>(table + (at << 2));
    if (pane == 0) return;
    const home = placeOf(load<f64>(pane, PANE_START));
    // The pane may move into the gap when its home does not lie between the gap (exclusive) and where it stands.
    if (((at - home) & mask) >= ((at - gap) & mask)) {
      store<u32>(table + (gap << 2), pane);
      store<u32>(table + (at << 2), 0);
      gap = at;
    }
  }
}

function removePane(pane: u32): void {
  let place = placeOf(load<f64>(pane, PANE_START));
  while (load<u32>(table + (place << 2)) != pane) place = (place + 1) & mask;
  removeAt(place);
  if (IS_WHOLE) {
    if (load<f64>(pane, PANE_START) == newest) newestGroups = groupsOf(pane);
  }
  releasePane(pane);
  paneCount -= 1;
}

/**
 * Lets the panes go that accept no more rows and have no uncollected changes; their number. Cost where any has closed: the size of the table; in
 * whole kernels, which may have very many, the windows that have closed since the last call where those are less.
 */
export function expirePanes(): i32 {
  if (!isClosed(oldest, streamTime)) return 0;
  const before = paneCount;
  if (IS_WHOLE) {
    const span = (streamTime - graceMs - oldest) / advanceMs;
    oldest = span <= <f64>mask ? expireNext(oldest) : expireAny();
  } else oldest = expireAny();
  if (paneCount == 0) oldest = Infinity;
  return before - paneCount;
}

/** Looks at every place; where the first pane starts that stays. */
function expireAny(): f64 {
  let first = Infinity;
  // Removing closes gaps by moving panes to lower places or round the end, so a place is looked at until it stays.
  for (let place: u32 = 0; place <= mask; place++) {
    let pane = load<u32>(table + (place << 2));
    while (pane != 0 && isClosed(load<f64>(pane, PANE_START), streamTime) && !hasChanges(pane)) {
      removePane(pane);
      pane = load<u32>(table + (place << 2));
    }
    if (pane != 0) first = min(first, load<f64>(pane, PANE_START));
  }
  return first;
}

/** As `expireAny`, of the windows from a start on; where the first pane starts that stays, or the first window that has not closed. */
function expireNext(from: f64): f64 {
  let first = Infinity;
  let start = from;
  for (; isClosed(start, streamTime); start += advanceMs) {
    const pane = findPane(start);
    if (pane == 0) continue;
    if (hasChanges(pane)) first = min(first, start);
    else removePane(pane);
  }
  return min(first, start);
}

/** Makes every group of every pane a change. */
export function changeEverything(): void {
  for (let place: u32 = 0; place <= mask; place++) {
    const pane = load<u32>(table + (place << 2));
    if (pane != 0) changeAll(pane);
  }
}
