// The latest of many times; knows no record.

/** The greatest of the times `from .. to`, at least `least`; they are finite. Two maxima, so that one comparison need not wait for the other. */
export function latestOf(
  timestamps: Float64Array,
  from: number,
  to: number,
  least: number,
): number {
  let even = least;
  let odd = least;
  for (let i = from; i < to; i += 2) {
    const ms = timestamps[i] as number;
    const next = i + 1 < to ? (timestamps[i + 1] as number) : ms;
    even = ms > even ? ms : even;
    odd = next > odd ? next : odd;
  }
  return even > odd ? even : odd;
}
