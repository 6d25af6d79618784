// The latest of many times; knows no record.

/** The greatest of the times `from .. to`, at least `least`; none is NaN. */
export function latestOf(
  timestamps: Float64Array,
  from: number,
  to: number,
  least: number,
): number {
  let latest = least;
  // Without a branch: times that nearly ascend would be guessed wrong every other time.
  for (let i = from; i < to; i++) latest = Math.max(latest, timestamps[i] as number);
  return latest;
}
