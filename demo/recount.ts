// Recounts the table from the raw records of its topic; knows nothing of millrace.
import type { Hour } from './hour.ts';
import type { QuakeValue } from './quakes.ts';

const HOUR_MS = 3_600_000;

export function recount(values: readonly string[], graceMs: number) {
  const hours = new Map<string, Hour>();
  let streamTime = -Infinity;
  let late = 0;
  for (const text of values) {
    const { net, mag, sig, time } = JSON.parse(text) as QuakeValue;
    streamTime = Math.max(streamTime, time);
    const windowStart = time - (time % HOUR_MS);
    if (windowStart + HOUR_MS <= streamTime - graceMs) {
      late += 1;
      continue;
    }
    const key = `${net} ${windowStart}`;
    const empty = { net, windowStart, n: 0, strongest: mag, significance: 0 };
    const hour = hours.get(key) ?? empty;
    hours.set(key, hour);
    hour.n += 1;
    hour.strongest = Math.max(hour.strongest, mag);
    hour.significance += sig;
  }
  return { hours, late };
}
