// The clock port: the wall clock and wake-ups as a value, so that tests turn it by hand.

export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `wake` once at or after `atMs`. A hint, as all wake-ups are. */
  wakeAt(atMs: number, wake: () => void): Cancel;
}
