// One row of quakes_per_hour as the page handles it, and its key; knows no engine.

/** One hour of one network. */
export interface Hour {
  readonly net: string;
  /** ms since the Unix epoch. */
  readonly windowStart: number;
  n: number;
  strongest: number;
  significance: number;
}

/** Both parts of the table's key as one. */
export function hourKey(net: string, windowStart: number): string {
  return `${net} ${windowStart}`;
}
