// Runs the files of a suite and counts how their cases end; knows no command line.

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Case, readCases } from './case.ts';
import { runHostCase } from './host-case.ts';
import { knownFailures } from './known-failures.ts';
import { type Counted, type Report, reportOf } from './report.ts';
import { runRestCase } from './rest-run.ts';
import { type Outcome, runCase, type RunOptions } from './run-case.ts';
import { runSqlCase } from './run-sql-case.ts';
import { outOfScope, sqlOutOfScope } from './scope.ts';
import { isOfTests, readSqlCases, type SqlCase } from '../../cli/sql-tests.ts';

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

/** The SQL files of tests of a folder by path; `only`: those named so, with or without `.sql`. */
export function sqlFiles(folder: string, only: readonly string[] | null = null): SqlFile[] {
  return globSync('**/*.sql', { cwd: folder })
    .sort()
    .map((path) => ({ path, stem: path.replace(/\.sql$/, '') }))
    .filter(
      ({ path, stem }) =>
        only === null || only.includes(basename(stem)) || only.includes(basename(path)),
    )
    .map(({ path, stem }) => ({ stem, text: readFileSync(join(folder, path), 'utf8') }))
    .filter(({ text }) => isOfTests(text))
    .map(({ stem, text }) => ({ stem, cases: readSqlCases(stem, text) }));
}

/** The suites that can be run, by the names of their folders. */
export const SUITES = [
  'query-validation-tests',
  'rest-query-validation-tests',
  'sql-tests',
] as const;
export type Suite = (typeof SUITES)[number];

/** One file of a suite, ready to run. */
export interface SuiteFile {
  readonly stem: string;
  /** Names of its cases. */
  readonly names: readonly string[];
  run(options: RunOptions): Promise<Report>;
}

/** The files of a suite in its folder; `only`: those named so, with or without their ending. */
export function suiteFiles(
  suite: Suite,
  folder: string,
  only: readonly string[] | null = null,
): SuiteFile[] {
  if (suite === 'sql-tests') {
    return sqlFiles(folder, only).map(({ stem, cases }) => ({
      stem,
      names: cases.map(({ name }) => name),
      run: (options) => runSqlCases(suite, cases, options),
    }));
  }
  return caseFiles(folder, only).map(({ stem, cases }) => ({
    stem,
    names: cases.map(({ name }) => name),
    run: (options) => runCases(suite, cases, options),
  }));
}

/** Runs the cases one after the other. */
function runCases(suite: string, cases: readonly Case[], options: RunOptions): Promise<Report> {
  return runAll(suite, cases, {
    scope: outOfScope,
    isNegative: ({ expectedError, entry }) => expectedError !== null || entry.has('expectedError'),
    run: (one) => {
      if (suite === 'rest-query-validation-tests') return runRestCase(one, options);
      const { host = null } = options;
      return host === null ? runCase(one, options) : runHostCase(one, host, options);
    },
  });
}

/** Runs the cases of SQL tests one after the other. */
function runSqlCases(
  suite: string,
  cases: readonly SqlCase[],
  options: RunOptions,
): Promise<Report> {
  return runAll(suite, cases, {
    scope: ({ sql }) => sqlOutOfScope(sql),
    isNegative: ({ expected }) => expected !== null,
    run: (one) => runSqlCase(one, options),
  });
}

interface Kind<C> {
  /** Why a case is out of scope, or null. */
  readonly scope: (one: C) => string | null;
  readonly isNegative: (one: C) => boolean;
  readonly run: (one: C) => Promise<Outcome>;
}

async function runAll<C extends { readonly name: string }>(
  suite: string,
  cases: readonly C[],
  { scope, isNegative, run }: Kind<C>,
): Promise<Report> {
  const counted: Counted[] = [];
  for (const one of cases) {
    const reason = scope(one);
    const outcome = reason === null ? await run(one) : ({ kind: 'outOfScope', reason } as const);
    counted.push({ name: one.name, isNegative: isNegative(one), outcome });
  }
  return reportOf(suite, counted, knownFailures(suite));
}

/** Cases that are listed as known failures and are in none of the suite's files. */
export function strangersOf(suite: Suite, files: readonly SuiteFile[]): string[] {
  const names = new Set(files.flatMap((file) => file.names));
  return [...knownFailures(suite).keys()].filter((name) => !names.has(name));
}
