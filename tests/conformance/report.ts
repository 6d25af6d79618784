// How the cases of a suite ended, counted: by what they expect, by what is missing, by why they were not run; knows no case and no engine.

import type { KnownFailures } from './known-failures.ts';
import type { Outcome } from './run-case.ts';

/** How many of all. */
export interface Tally {
  readonly passed: number;
  readonly all: number;
}

/** A case, and what is to be said of it. */
export interface Remark {
  readonly case: string;
  readonly why: string;
}

type Counts = Readonly<Record<string, number>>;

/** Plain JSON. */
export interface Report {
  readonly suite: string;
  /** Cases in scope that expect results, and those that expect a refusal. */
  readonly positive: Tally;
  readonly negative: Tally;
  /** Of the refusals that passed: those whose message is about what the case names. */
  readonly agreeing: Tally;
  /** Cases in scope by what millrace lacks for them. */
  readonly unsupported: Counts;
  readonly outOfScope: Counts;
  /** Cases in scope that say nothing in the mode, by reason. */
  readonly leftOut: Counts;
  readonly known: readonly Remark[];
  readonly failures: readonly Remark[];
  /** Refusals for something else than the case names. */
  readonly otherwise: readonly Remark[];
}

/** What decides how an outcome is counted. */
export interface Counted {
  readonly name: string;
  readonly isNegative: boolean;
  readonly outcome: Outcome | { readonly kind: 'outOfScope'; readonly reason: string };
}

const NONE: Tally = { passed: 0, all: 0 };

/** @param known a case that is listed there and passes is a failure, so that the list only shrinks */
export function reportOf(suite: string, counted: readonly Counted[], known: KnownFailures): Report {
  return sumOf(
    suite,
    counted.map((one) => reportOfOne(suite, one, known.get(one.name) ?? null)),
  );
}

function reportOfOne(
  suite: string,
  { name, isNegative, outcome }: Counted,
  known: string | null,
): Report {
  const of = (parts: Partial<Report>): Report => ({ ...EMPTY, suite, ...parts });
  const scored = (passed: 0 | 1): Partial<Report> =>
    isNegative ? { negative: { passed, all: 1 } } : { positive: { passed, all: 1 } };
  const remark = (why: string): readonly Remark[] => [{ case: name, why }];
  switch (outcome.kind) {
    case 'outOfScope':
      return of({
        outOfScope: { [outcome.reason]: 1 },
        failures: known === null ? [] : remark('it is out of scope: remove it from the list'),
      });
    case 'leftOut':
      return of({ leftOut: { [outcome.reason]: 1 } });
    case 'unsupported':
      return of({ ...scored(0), unsupported: { [outcome.reason]: 1 } });
    case 'failed':
      return known === null
        ? of({ ...scored(0), failures: remark(outcome.why) })
        : of({ ...scored(0), known: remark(known) });
    case 'passed': {
      const { otherwise = null } = outcome;
      return of({
        ...scored(1),
        agreeing: isNegative ? { passed: otherwise === null ? 1 : 0, all: 1 } : NONE,
        otherwise: otherwise === null ? [] : remark(otherwise),
        failures: known === null ? [] : remark('it passes: remove it from the list'),
      });
    }
  }
}

const EMPTY: Report = {
  suite: '',
  positive: NONE,
  negative: NONE,
  agreeing: NONE,
  unsupported: {},
  outOfScope: {},
  leftOut: {},
  known: [],
  failures: [],
  otherwise: [],
};

/** All reports as one. */
export function sumOf(suite: string, reports: readonly Report[]): Report {
  return {
    suite,
    positive: tallied(reports.map(({ positive }) => positive)),
    negative: tallied(reports.map(({ negative }) => negative)),
    agreeing: tallied(reports.map(({ agreeing }) => agreeing)),
    unsupported: counted(reports.map(({ unsupported }) => unsupported)),
    outOfScope: counted(reports.map(({ outOfScope }) => outOfScope)),
    leftOut: counted(reports.map(({ leftOut }) => leftOut)),
    known: reports.flatMap(({ known }) => known),
    failures: reports.flatMap(({ failures }) => failures),
    otherwise: reports.flatMap(({ otherwise }) => otherwise),
  };
}

function tallied(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    all: tallies.reduce((sum, { all }) => sum + all, 0),
  };
}

/** The most frequent first. */
function counted(counts: readonly Counts[]): Counts {
  const sums = new Map<string, number>();
  for (const [reason, count] of counts.flatMap((one) => Object.entries(one))) {
    sums.set(reason, (sums.get(reason) ?? 0) + count);
  }
  return Object.fromEntries([...sums].sort(([, a], [, b]) => b - a));
}

/** One line for a file of a suite. */
export function reportLine({ positive, negative, failures, known, ...others }: Report): string {
  const parts = [
    `${positive.passed + negative.passed} passed`,
    `${failures.length} failed`,
    `${known.length} known failures`,
    `${total(others.unsupported)} not supported`,
    `${total(others.outOfScope)} out of scope`,
    `${total(others.leftOut)} left out`,
  ];
  return parts.filter((part) => !/^0 [^pf]/.test(part)).join(', ');
}

/** The lines that end a run: what there is of each kind, and how much of what is in scope passes. */
export function reportLines(report: Report): readonly string[] {
  const { suite, positive, negative, agreeing, known } = report;
  return [
    ...known.map(({ case: name, why }) => `known failure: ${name}: ${why}`),
    ...countLines('not supported', report.unsupported),
    ...countLines('left out in this mode', report.leftOut),
    ...countLines('out of scope', report.outOfScope),
    `${suite}: ${reportLine(report)}`,
    `in scope: positive ${share(positive)}, negative ${share(negative)}, of these refused for what the case names ${share(agreeing)}`,
  ];
}

function countLines(title: string, counts: Counts): string[] {
  const lines = Object.entries(counts).map(([reason, count]) => `  ${count} ${reason}`);
  return lines.length === 0 ? [] : [`${title}:`, ...lines];
}

function share({ passed, all }: Tally): string {
  return `${passed}/${all} (${all === 0 ? '-' : ((100 * passed) / all).toFixed(1)} %)`;
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
