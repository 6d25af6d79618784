// How logs let go by time what their topics need not keep any longer; knows no storage.

/** How often, at most, a partition that is written to looks for batches that may go. */
export const RETENTION_SWEEP_MS = 600_000;
