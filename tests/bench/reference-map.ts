// The honest common way in JavaScript: a Map of windows of Maps of string keys to objects; knows no kernel.

import type { EventBatch } from './events.ts';

/** What a batch hands on: the changed groups by name, those with their results, or a result row per event. */
export type Emission = 'listed' | 'results' | 'rows';

interface Totals {
  readonly key: string;
  readonly windowStart: number;
  count: number;
  sum: number;
  min: number;
  max: number;
  rowtime: number;
  touched: number;
}

/** One row handed on; it stays as it is. */
export interface Row {
  readonly key: string;
  readonly windowStart: number;
  readonly rowtime: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly average: number;
}

function rowOf({ key, windowStart, rowtime, count, sum, min, max }: Totals): Row {
  return { key, windowStart, rowtime, count, sum, min, max, average: sum / count };
}

/** Tumbling or hopping COUNT, SUM, MIN, MAX, AVG by string key. */
export class NestedMap {
  readonly #windows = new Map<number, Map<string, Totals>>();
  readonly #sizeMs: number;
  readonly #graceMs: number;
  readonly #advanceMs: number;
  readonly #emission: Emission;
  #streamTime = -Infinity;
  #batches = 0;
  late = 0;

  constructor(sizeMs: number, graceMs: number, emission: Emission, advanceMs = sizeMs) {
    this.#advanceMs = advanceMs;
    this.#sizeMs = sizeMs;
    this.#graceMs = graceMs;
    this.#emission = emission;
  }

  process(batch: EventBatch): readonly object[] {
    const { keys, rowtime, value, length } = batch;
    const changed: Totals[] = [];
    const rows: Row[] = [];
    const perRow = this.#emission === 'rows';
    const stamp = (this.#batches += 1);
    for (let i = 0; i < length; i += 1) {
      const time = rowtime[i] ?? 0;
      const x = value[i] ?? 0;
      if (time > this.#streamTime) this.#streamTime = time;
      const first = Math.max(0, time - this.#sizeMs + this.#advanceMs);
      let windowStart = Math.floor(first / this.#advanceMs) * this.#advanceMs;
      for (; windowStart <= time; windowStart += this.#advanceMs) {
        if (windowStart + this.#sizeMs <= this.#streamTime - this.#graceMs) {
          this.late += 1;
          continue;
        }
        const totals = this.#totalsOf(windowStart, keys[i] ?? '');
        totals.count += 1;
        totals.sum += x;
        if (x < totals.min) totals.min = x;
        if (x > totals.max) totals.max = x;
        if (time > totals.rowtime) totals.rowtime = time;
        if (perRow) rows.push(rowOf(totals));
        else if (totals.touched !== stamp) {
          totals.touched = stamp;
          changed.push(totals);
        }
      }
    }
    for (const start of this.#windows.keys()) {
      if (start + this.#sizeMs <= this.#streamTime - this.#graceMs) this.#windows.delete(start);
    }
    if (this.#emission === 'listed') return changed;
    return perRow ? rows : changed.map(rowOf);
  }

  #totalsOf(windowStart: number, key: string): Totals {
    let window = this.#windows.get(windowStart);
    if (window === undefined) {
      window = new Map();
      this.#windows.set(windowStart, window);
    }
    let totals = window.get(key);
    if (totals === undefined) {
      totals = {
        key,
        windowStart,
        count: 0,
        sum: 0,
        min: Infinity,
        max: -Infinity,
        rowtime: 0,
        touched: 0,
      };
      window.set(key, totals);
    }
    return totals;
  }
}
