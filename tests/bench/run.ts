// Runs subjects in interleaved rounds and reports medians and ratios of one run; knows no subject.

import process from 'node:process';

/** A checksum and the time that its making took, of a subject that has a better clock than the one who waits for it. */
export interface Timed {
  readonly checksum: number;
  readonly ms: number;
}

type Measured = number | Timed;

/** One way of doing a case's work. `run` does it once and returns a checksum, which must agree between the subjects. */
export interface Subject {
  readonly subject: string;
  /** Makes all that is not measured, anew for every round. */
  readonly prepare: () => () => Measured | Promise<Measured>;
}

export interface Case {
  readonly case: string;
  /** What the figure counts, such as `M events/s`; always per second, greater is better. */
  readonly unit: string;
  /** Units of work in one run. */
  readonly amount: number;
  readonly subjects: readonly Subject[];
  /** Pairs of subjects whose medians are divided. */
  readonly ratios: readonly (readonly [string, string])[];
}

export interface CaseResult {
  readonly case: string;
  readonly subject: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What a ratio must reach. */
export interface Aim {
  readonly ratio: string;
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

export interface SuiteResult {
  readonly suite: string;
  readonly cases: readonly CaseResult[];
  readonly ratios: Readonly<Record<string, number>>;
  readonly aims?: readonly Aim[] | undefined;
  /** Sentences that the figures cannot do without. */
  readonly notes?: readonly string[] | undefined;
}

/** A case that was run, and what its ratios must reach. */
export interface MeasuredCase {
  readonly done: Awaited<ReturnType<typeof runCase>>;
  readonly aims: readonly Aim[];
}

/** What the ratio of two subjects of a case must at least reach. */
export function aimOf(name: string, [a, b]: readonly [string, string], value: number): Aim {
  return { ratio: `${name}: ${a}/${b}`, bound: 'at least', value };
}

/** A suite of such cases. */
export function suiteOf(
  suite: string,
  all: readonly MeasuredCase[],
  notes: readonly string[],
): SuiteResult {
  return {
    suite,
    cases: all.flatMap(({ done }) => done.results),
    ratios: Object.fromEntries(all.flatMap(({ done }) => done.ratios)),
    aims: all.flatMap(({ aims }) => aims),
    notes,
  };
}

export function isReached({ bound, value }: Aim, ratio: number): boolean {
  return bound === 'at least' ? ratio >= value : ratio <= value;
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The figures of several rounds, to four digits. */
export function summary(figures: readonly number[]): Pick<CaseResult, 'median' | 'min' | 'max'> {
  const sorted = figures.toSorted((a, b) => a - b);
  return {
    median: rounded(median(sorted)),
    min: rounded(sorted[0] ?? NaN),
    max: rounded(sorted.at(-1) ?? NaN),
  };
}

/**
 * Rounds of every subject in turn, so that a slow moment of the machine falls on all; the first rounds (`warmups`) do not count.
 * @throws {Error} when two subjects' checksums differ: they did not do the same work
 */
export async function runCase(
  bench: Case,
  rounds: number,
  warmups = 1,
): Promise<{ results: CaseResult[]; ratios: [string, number][] }> {
  const rates = new Map<string, number[]>(bench.subjects.map(({ subject }) => [subject, []]));
  let checksum: number | null = null;
  for (let round = -warmups; round < rounds; round += 1) {
    for (const { subject, prepare } of bench.subjects) {
      const run = prepare();
      const start = performance.now();
      const measured = await run();
      const passed = performance.now() - start;
      const { checksum: sum, ms } =
        typeof measured === 'number' ? { checksum: measured, ms: passed } : measured;
      checksum ??= sum;
      if (sum !== checksum)
        throw new Error(`${bench.case}: ${subject} gives ${sum}, another ${checksum}`);
      if (round >= 0) rates.get(subject)?.push(bench.amount / ms / 1000);
    }
  }
  const { case: name, unit } = bench;
  process.stderr.write(`measured: ${name}\n`);
  const results = bench.subjects.map(({ subject }): CaseResult => ({
    case: name,
    subject,
    unit,
    ...summary(rates.get(subject) ?? []),
  }));
  const of = (name: string): number =>
    results.find(({ subject }) => subject === name)?.median ?? NaN;
  const ratios = bench.ratios.map(([a, b]): [string, number] => [
    `${bench.case}: ${a}/${b}`,
    rounded(of(a) / of(b)),
  ]);
  return { results, ratios };
}
