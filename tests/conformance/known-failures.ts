// The cases that are known to fail, each with a reason; the list only shrinks. Knows no runner.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, 'known-failures.json');

/** Reasons by the name of the case, for one suite. */
export type KnownFailures = ReadonlyMap<string, string>;

export function knownFailures(suite: string): KnownFailures {
  const suites = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Record<string, string>>;
  return new Map(Object.entries(suites[suite] ?? {}));
}
