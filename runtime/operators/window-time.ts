// The time rules of tumbling and hopping windows: which windows a row is in, and which are closed; the others are in window-close.ts. Knows no row.

/** A window as a step has it; in ms. Tumbling: `advanceMs` equals `sizeMs`. */
export interface TimeWindow {
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
}

/** Rowtimes that windows know: whole milliseconds from the epoch on, as far as a double counts them. */
const ROWTIME_MS_MAX = Number.MAX_SAFE_INTEGER;

export function isRowtime(ms: number): boolean {
  return ms >= 0 && ms <= ROWTIME_MS_MAX;
}

/**
 * The first window that holds `ms`; the others start `advanceMs` later each, the last at or before `ms`. No window starts
 * before the epoch. Source: Kafka Streams, TimeWindows.
 */
export function firstWindowStart(window: TimeWindow, ms: number): number {
  const { sizeMs, advanceMs } = window;
  if (advanceMs === sizeMs) return ms - (ms % sizeMs);
  const earliest = Math.max(0, ms - sizeMs + advanceMs);
  return earliest - (earliest % advanceMs);
}

/** How many windows hold `ms`. */
export function windowsOf(window: TimeWindow, ms: number): number {
  const { advanceMs } = window;
  return (ms - (ms % advanceMs) - firstWindowStart(window, ms)) / advanceMs + 1;
}

/**
 * True when no row is accepted into the window any more. The end is exclusive; a window is open while
 * `windowEnd > streamTime - grace`, where stream time is the running maximum of the rowtimes of the rows that reached this
 * step with a key that is not null, the row in question among them, judged row by row.
 */
export function isClosed(window: TimeWindow, startMs: number, streamTimeMs: number): boolean {
  return startMs + window.sizeMs <= streamTimeMs - window.graceMs;
}
