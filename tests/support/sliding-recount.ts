// Sliding windows recounted from all rows after each of them; knows no operator and no state.

import fc from 'fast-check';

/** One row. */
export interface SlidingRow {
  readonly key: string;
  readonly value: number;
  readonly ms: number;
}

/** Times that go forward for the most part, back at times, from the epoch on, and with many of the same. */
export const slidingRows = fc
  .record({
    first: fc.constantFrom(0, 3, 40),
    steps: fc.array(
      fc.record({
        key: fc.constantFrom('a', 'a', 'a', 'b'),
        value: fc.integer({ min: -5, max: 5 }),
        step: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 0, max: 4 }) },
          { weight: 2, arbitrary: fc.integer({ min: -12, max: 12 }) },
          fc.integer({ min: -30, max: 30 }),
        ),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ first, steps }): readonly SlidingRow[] => {
    let ms: number = first;
    return steps.map(({ key, value, step }) => {
      ms = Math.max(0, ms + step);
      return { key, value, ms };
    });
  });

/** What the recount expects: every row put out in order, what closes, and the counters. */
export interface Recount {
  readonly lines: readonly string[];
  readonly final: readonly string[];
  /** What stands for each window at the end. */
  readonly standing: readonly Counted[];
  readonly late: number;
  readonly latePairs: number;
}

/** A window of a key with all its rows. */
export interface Counted {
  readonly key: string;
  readonly startMs: number;
  readonly rows: readonly SlidingRow[];
}

/** Starts of the windows that rows at these times make. */
export function startsOf(sizeMs: number, times: readonly number[]): number[] {
  const starts = new Set<number>();
  for (const ms of times) {
    starts.add(Math.max(0, ms - sizeMs));
    if (times.some((other) => other > ms && other <= ms + 1 + sizeMs)) starts.add(ms + 1);
  }
  return [...starts].sort((a, b) => a - b);
}

/** @param line a window as text, for `lines` and `final` */
export function recount(
  { sizeMs, graceMs }: { readonly sizeMs: number; readonly graceMs: number },
  rows: readonly SlidingRow[],
  line: (counted: Counted) => string,
): Recount {
  const lines: string[] = [];
  const final: string[] = [];
  const accepted: SlidingRow[] = [];
  const standing = new Map<string, Counted>();
  let shown = new Map<string, Counted>();
  let now = -Infinity;
  let late = 0;
  let latePairs = 0;
  for (const row of rows) {
    now = Math.max(now, row.ms);
    const isOpen = (startMs: number): boolean => startMs + sizeMs >= now - graceMs;
    if (isOpen(row.ms)) {
      accepted.push(row);
      const own = accepted.filter(({ key }) => key === row.key);
      for (const startMs of startsOf(
        sizeMs,
        own.map(({ ms }) => ms),
      )) {
        const held = own.filter(({ ms }) => ms >= startMs && ms <= startMs + sizeMs);
        if (!isOpen(startMs)) {
          if (held.includes(row)) latePairs++;
          continue;
        }
        const name = `${row.key} ${startMs}`;
        const before = shown.get(name);
        if (before?.rows.length === held.length) continue;
        const counted = { key: row.key, startMs, rows: held };
        shown.set(name, counted);
        standing.set(name, counted);
        lines.push(`${before === undefined ? '+' : '>'} ${line(counted)}`);
      }
    } else {
      late++;
      latePairs++;
    }
    const closing = [...shown.values()].filter(({ startMs }) => !isOpen(startMs));
    shown = new Map([...shown].filter(([, { startMs }]) => isOpen(startMs)));
    closing.sort((a, b) => a.startMs - b.startMs || (a.key < b.key ? -1 : 1));
    for (const counted of closing) final.push(`+ ${line(counted)}`);
  }
  return { lines, final, standing: [...standing.values()], late, latePairs };
}
