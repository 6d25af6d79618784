// Compares the engine's table with the recount, row by row; knows neither how the one nor the other came about.

import type { Hour } from './hour.ts';

/** What the engine says at the same place of the log. */
export interface EngineTable {
  readonly hours: ReadonlyMap<string, Hour>;
  readonly late: number;
}

/** The verdict: equal exactly when there is no difference. */
export interface Comparison {
  readonly rows: number;
  /** In words, one for each row that differs. */
  readonly differences: readonly string[];
}

/** Compares every row of both tables, and the number of late records. */
export function compare(counted: EngineTable, engine: EngineTable): Comparison {
  const differences: string[] = [];
  const keys = new Set([...counted.hours.keys(), ...engine.hours.keys()]);
  for (const key of keys) {
    const want = textOf(counted.hours.get(key));
    const have = textOf(engine.hours.get(key));
    if (want !== have) differences.push(`${key}: recounted ${want}, in the table ${have}`);
  }
  if (counted.late !== engine.late) {
    differences.push(`late records: recounted ${counted.late}, the engine says ${engine.late}`);
  }
  return { rows: keys.size, differences };
}

function textOf(hour: Hour | undefined): string {
  if (hour === undefined) return 'no row';
  const { net, windowStart, n, strongest, significance } = hour;
  return JSON.stringify([net, windowStart, n, strongest, significance]);
}
