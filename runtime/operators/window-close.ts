// The time rules of sessions and final results: which windows have closed, and when the next one will; beside window-time.ts. Knows no row.

import type { WindowSpec } from '../plan/step.ts';

/**
 * True when no row is accepted into the session any more. Its end is inclusive, the rowtime of its last row: it is open while
 * `sessionEnd >= streamTime - grace - gap`.
 */
export function isSessionClosed(
  { sizeMs: gapMs, graceMs }: WindowSpec,
  endMs: number,
  streamTimeMs: number,
): boolean {
  return endMs < streamTimeMs - graceMs - gapMs;
}

/** Windows that end before this have closed: a bound for keys that begin with the end. */
export function closedBeforeMs(window: WindowSpec, streamTimeMs: number): number {
  const { type, sizeMs, graceMs } = window;
  return streamTimeMs - graceMs + (type === 'SESSION' ? -sizeMs : 1);
}

/** The least stream time at which a window of that end has closed. */
export function dueAtMs({ type, sizeMs, graceMs }: WindowSpec, endMs: number): number {
  return endMs + graceMs + (type === 'SESSION' ? sizeMs + 1 : 0);
}
