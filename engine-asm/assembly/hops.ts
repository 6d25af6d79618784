// The hopping windows that hold a row, which of them are closed, and a group's slots in the others; knows no aggregate.

import { panes } from './buffers';
import { findSlot, makeSlot } from './pane';
import { advanceMs, sizeMs } from './program';
import { demandPane, firstStartOf, isClosed, windowStartOf } from './window';

/** The same windows hold all rowtimes from here to `sliceEnd`: a slice. */
export let sliceStart: f64 = Infinity;
let sliceEnd: f64 = 0;
/** The first of them, how many they are, and how many of them are closed. */
let first: f64 = 0;
export let windows: u32 = 0;
export let closed: u32 = 0;

/** Panes may have gone: those of the current windows are to be found anew. */
export function forgetHops(): void {
  sliceStart = Infinity;
}

/** Makes the windows that hold a rowtime the current ones; `now` is stream time with it. The closed ones among them come first. */
export function turnToHops(time: f64, now: f64): void {
  // Mostly they are; so this is short, to stand in the loops that call it.
  if (!(time >= sliceStart && time < sliceEnd)) turnToSlice(time);
  if (isClosed(startOfHop(closed), now)) passClosed(now);
}

function turnToSlice(time: f64): void {
  first = firstStartOf(time);
  const last = windowStartOf(time);
  windows = <u32>((last - first) / advanceMs) + 1;
  // Until one more begins or the first one ends, and since the like happened.
  sliceStart = first == 0 ? last : max(last, first - advanceMs + sizeMs);
  sliceEnd = min(last + advanceMs, first + sizeMs);
  closed = 0;
  memory.fill(panes, 0, windows << 2);
}

function passClosed(now: f64): void {
  while (closed < windows && isClosed(startOfHop(closed), now)) closed += 1;
}

/** Where the current window of a number starts. */
export function startOfHop(index: u32): f64 {
  return first + <f64>index * advanceMs;
}

/** The pane of the current window of a number, which is not known yet; 0 when memory does not suffice. */
function demandHop(index: u32): u32 {
  const pane = demandPane(startOfHop(index));
  store<u32>(panes + (index << 2), pane);
  return pane;
}

/** Writes the slots of a group in the current windows that are open to `slots`, made where there are none; false when memory does not suffice. */
export function findHopSlots(id: u32, slots: usize): bool {
  const count = windows;
  for (let w = closed; w < count; w++) {
    let at = load<u32>(panes + (w << 2));
    if (at == 0) at = demandHop(w);
    let slot: u32 = at == 0 ? 0 : findSlot(at, id);
    if (slot == 0 && at != 0) slot = makeSlot(at, id);
    if (slot == 0) return false;
    store<u32>(slots, slot);
    slots += 4;
  }
  return true;
}
