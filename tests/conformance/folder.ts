// Where ksqlDB's suites lie: beside the project, where the environment says, or in a checkout; knows no file of theirs.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';

/** Where a checkout of the whole repository keeps its suites. */
const UPSTREAM = 'ksqldb-functional-tests/src/test/resources';

/** The folder that MILLRACE_KSQL_DIR names, else `../shared/ksql`. */
export function suitesFolder(): string {
  const given = process.env['MILLRACE_KSQL_DIR'] ?? '';
  return given === '' ? resolve(import.meta.dirname, '../../../shared/ksql') : resolve(given);
}

/** The folder of one suite in `folder`, or in the checkout there; null: neither has it. */
export function suiteFolder(folder: string, suite: string): string | null {
  const places = [resolve(folder, suite), resolve(folder, UPSTREAM, suite)];
  return places.find((path) => existsSync(path)) ?? null;
}
