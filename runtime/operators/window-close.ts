// The time rules of sessions, sliding windows and final results: which windows have closed, and when the next one will; beside window-time.ts. Knows no row.

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

/**
 * True when no row is accepted into the sliding window any more. Its end is inclusive: it is open while `windowEnd >= streamTime - grace`.
 * Source: Kafka Streams, SlidingWindows.
 */
export function isSlidingClosed(
  { graceMs }: WindowSpec,
  endMs: number,
  streamTimeMs: number,
): boolean {
  return endMs < streamTimeMs - graceMs;
}

/** Windows that end before this have closed: a bound for keys that begin with the end. */
export function closedBeforeMs(window: WindowSpec, streamTimeMs: number): number {
  return streamTimeMs - window.graceMs + 1 - openAfterEndMs(window);
}

/** The least stream time at which a window of that end has closed. */
export function dueAtMs(window: WindowSpec, endMs: number): number {
  return endMs + window.graceMs + openAfterEndMs(window);
}

/** What stream time less the grace comes to beyond a window's end before it has closed. */
function openAfterEndMs({ type, sizeMs }: WindowSpec): number {
  if (type === 'SESSION') return sizeMs + 1;
  return type === 'SLIDING' ? 1 : 0;
}
