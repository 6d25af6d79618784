// `npm run bench -- [suite] [--full] [--json FILE]`: runs the named suites, or all, and writes RESULTS.md; knows the list of suites alone.

import { writeFileSync } from 'node:fs';
import process from 'node:process';

import { edgeSuite } from './edge/suite.ts';
import { usageSuite } from './edge/usage.ts';
import { engineSuite } from './engine.ts';
import { kernelSuite } from './kernel.ts';
import { latencySuite } from './latency.ts';
import { memorySuite } from './memory.ts';
import { peersSuite } from './peers.ts';
import { queriesSuite } from './queries.ts';
import { writeResults } from './results.ts';
import type { SuiteResult } from './run.ts';
import { jsonSuite } from './json.ts';
import { scaleSuite } from './scale.ts';
import { sqlSuite } from './sql.ts';
import { workersSuite } from './workers.ts';

/** Every suite by name; a suite prints nothing itself. In full they take long. */
const SUITES = new Map<string, (full: boolean) => Promise<SuiteResult>>([
  ['kernel', kernelSuite],
  ['engine', engineSuite],
  ['workers', workersSuite],
  ['peers', peersSuite],
  ['scale', scaleSuite],
  ['memory', memorySuite],
  ['json', jsonSuite],
  ['queries', queriesSuite],
  ['sql', sqlSuite],
  ['latency', latencySuite],
  ['edge', edgeSuite],
  ['usage', usageSuite],
]);

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function table(result: SuiteResult): string {
  const lines = result.cases.map(
    ({ case: name, subject, unit, median, min, max }) =>
      `${name.padEnd(42)} ${subject.padEnd(22)} ${String(median).padStart(8)} ${unit}  (${min} .. ${max})`,
  );
  for (const [name, ratio] of Object.entries(result.ratios)) lines.push(`${name} = ${ratio}`);
  return `${lines.join('\n')}\n`;
}

const args = process.argv.slice(2);
const jsonAt = args.indexOf('--json');
const json = jsonAt < 0 ? null : (args[jsonAt + 1] ?? fail('--json needs a file'));
const full = args.includes('--full');
const names = args.filter(
  (arg, i) => arg !== '--full' && (jsonAt < 0 || (i !== jsonAt && i !== jsonAt + 1)),
);
const chosen = names.length === 0 ? [...SUITES.keys()] : names;
const results: SuiteResult[] = [];
for (const name of chosen) {
  const suite =
    SUITES.get(name) ?? fail(`no suite ${name}; there are: ${[...SUITES.keys()].join(', ')}`);
  const result = await suite(full);
  process.stdout.write(`suite ${name}\n${table(result)}\n`);
  writeResults(result, full);
  results.push(result);
}
if (json !== null) {
  const content = results.length === 1 ? results[0] : results;
  writeFileSync(json, `${JSON.stringify(content, null, 2)}\n`);
}
