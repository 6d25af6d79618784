// The latest of many times; knows no record.

/** The greatest of the times `from .. to`, of which none is NaN. */
export function latestOf(timestamps: Float64Array, from: number, to: number): number {
  let latest = -Infinity;
  let i = from;
  // Mostly they ascend, and then the last one is the latest: to see that takes half the time of carrying the greatest along.
  for (; i < to; i++) {
    const ms = timestamps[i] as number;
    if (ms < latest) break;
    latest = ms;
  }
  // Math.max takes ten times as long: it tells zeros apart.
  for (; i < to; i++) {
    const ms = timestamps[i] as number;
    if (ms > latest) latest = ms;
  }
  return latest;
}
