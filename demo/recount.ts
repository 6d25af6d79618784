// Recounts quakes_per_hour from the raw records of the topic, in plain TypeScript; knows nothing of millrace.

export interface Hour {
  readonly net: string;
  readonly windowStart: number;
  n: number;
  strongest: number;
  significance: number;
}

type Value = {
  readonly net: string;
  readonly mag: number;
  readonly sig: number;
  readonly time: number;
};

const HOUR_MS = 3_600_000;

/** The table that the records must make, and how many of them are late; values in the order of the log. */
export function recount(values: readonly string[], graceMs: number) {
  const hours = new Map<string, Hour>();
  let streamTime = -Infinity;
  let late = 0;
  for (const text of values) {
    const { net, mag, sig, time } = JSON.parse(text) as Value;
    streamTime = Math.max(streamTime, time);
    const windowStart = time - (time % HOUR_MS);
    if (windowStart + HOUR_MS <= streamTime - graceMs) {
      late += 1;
      continue;
    }
    const key = `${net} ${windowStart}`;
    const hour = hours.get(key) ?? { net, windowStart, n: 0, strongest: mag, significance: 0 };
    hours.set(key, hour);
    hour.n += 1;
    hour.strongest = Math.max(hour.strongest, mag);
    hour.significance += sig;
  }
  return { hours, late };
}
