// Runs the files of a suite and counts how their cases end; knows no command line.

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Case, readCases } from './case.ts';
import { runRestCase } from './rest-run.ts';
import { type Outcome, runCase, type RunOptions } from './run-case.ts';
import { runSqlCase } from './run-sql-case.ts';
import { readSqlCases, type SqlCase } from './sql-file.ts';

/** How the cases of a suite or of one file ended. Plain JSON. */
export interface Report {
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  /** Cases by what millrace lacks for them. */
  readonly unsupported: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly case: string; readonly why: string }[];
}

/** One file of cases. */
export interface CaseFile {
  /** Its name without folder and ending. */
  readonly stem: string;
  readonly cases: readonly Case[];
}

/** The files of a folder by name; `only`: those named so, with or without `.json`. */
export function caseFiles(folder: string, only: readonly string[] | null = null): CaseFile[] {
  return globSync('**/*.json', { cwd: folder })
    .sort()
    .map((path) => ({ path, stem: basename(path, '.json') }))
    .filter(({ stem }) => only === null || only.includes(stem) || only.includes(`${stem}.json`))
    .map(({ path, stem }) => ({
      stem,
      cases: readCases(stem, readFileSync(join(folder, path), 'utf8')),
    }));
}

/** One file of SQL tests. */
export interface SqlFile {
  /** Its path without its ending. */
  readonly stem: string;
  readonly cases: readonly SqlCase[];
}

/** The SQL files of a folder by path; `only`: those named so, with or without `.sql`. */
export function sqlFiles(folder: string, only: readonly string[] | null = null): SqlFile[] {
  return globSync('**/*.sql', { cwd: folder })
    .sort()
    .map((path) => ({ path, stem: path.replace(/\.sql$/, '') }))
    .filter(
      ({ path, stem }) =>
        only === null || only.includes(basename(stem)) || only.includes(basename(path)),
    )
    .map(({ path, stem }) => ({
      stem,
      cases: readSqlCases(stem, readFileSync(join(folder, path), 'utf8')),
    }));
}

/** Suites of such cases that are run in a way of their own. */
const RUNNERS: ReadonlyMap<string, typeof runCase> = new Map([
  ['rest-query-validation-tests', runRestCase],
]);

/** Runs the cases one after the other. */
export function runCases(
  suite: string,
  cases: readonly Case[],
  options: RunOptions,
): Promise<Report> {
  const run = RUNNERS.get(suite) ?? runCase;
  return runAll(suite, cases, (one) => run(one, options));
}

/** Runs the cases of SQL tests one after the other. */
export function runSqlCases(
  suite: string,
  cases: readonly SqlCase[],
  options: RunOptions,
): Promise<Report> {
  return runAll(suite, cases, (one) => runSqlCase(one, options));
}

async function runAll<C extends { readonly name: string }>(
  suite: string,
  cases: readonly C[],
  run: (one: C) => Promise<Outcome>,
): Promise<Report> {
  const unsupported = new Map<string, number>();
  const failures: { case: string; why: string }[] = [];
  let passed = 0;
  for (const one of cases) {
    const outcome = await run(one);
    if (outcome.kind === 'passed') passed += 1;
    else if (outcome.kind === 'failed') failures.push({ case: one.name, why: outcome.why });
    else unsupported.set(outcome.reason, (unsupported.get(outcome.reason) ?? 0) + 1);
  }
  return reportOf(suite, passed, unsupported, failures);
}

/** All reports as one. */
export function sumOf(suite: string, reports: readonly Report[]): Report {
  const unsupported = new Map<string, number>();
  for (const report of reports) {
    for (const [reason, count] of Object.entries(report.unsupported)) {
      unsupported.set(reason, (unsupported.get(reason) ?? 0) + count);
    }
  }
  const passed = reports.reduce((sum, report) => sum + report.passed, 0);
  return reportOf(
    suite,
    passed,
    unsupported,
    reports.flatMap(({ failures }) => failures),
  );
}

function reportOf(
  suite: string,
  passed: number,
  unsupported: ReadonlyMap<string, number>,
  failures: Report['failures'],
): Report {
  const sorted = [...unsupported].sort(([, a], [, b]) => b - a);
  return {
    suite,
    passed,
    failed: failures.length,
    unsupported: Object.fromEntries(sorted),
    failures,
  };
}

/** Cases that were not run for want of something. */
export function unsupportedOf(report: Report): number {
  return Object.values(report.unsupported).reduce((sum, count) => sum + count, 0);
}

/** Numbers in [0, 1) that a seed fixes. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
