// The command `npm run conformance -- ksql`: runs a suite of ksqlDB's functional tests and reports; knows no case.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { loadParts } from '../../runtime/engine/parts.ts';
import { loadWholeKernel } from '../../runtime/engine/whole-kernel.ts';
import { seededRandom } from '../../runtime/memory/faults.ts';
import { suiteFolder, suitesFolder } from './folder.ts';
import { reportLine, reportLines, sumOf } from './report.ts';
import { HOSTS, openHost } from './hosts.ts';
import type { RunOptions } from './run-case.ts';
import { strangersOf, SUITES, suiteFiles } from './suite.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const USAGE = `usage: npm run --silent conformance -- ksql [options]
  --dir DIR      the suites' folder, or a checkout of ksql (default: MILLRACE_KSQL_DIR, else ../shared/ksql)
  --suite NAME   query-validation-tests (default), rest-query-validation-tests or sql-tests
  --only FILES   names of files, separated by commas
  --json FILE    writes the report as JSON
  --mode MODE    how inputs come: normal (default), cut (in random batches), restart (after every record),
                 partitions=N (one by one, every topic with N partitions)
  --path PATH    auto (default), row or kernel
  --fuse FUSE    auto (default) or never
  --host HOST    where queries run: driver (default: each by itself, its time its own), or as users run them: memory, sqlite,
                 threads, page (Chromium, over IndexedDB), edge (workerd); not for sql-tests; in mode normal, or partitions=N where a case names none
  --seed N       for --mode cut`;

class UsageError extends Error {}

function choice<T extends string>(given: string, choices: readonly T[], option: string): T {
  const found = choices.find((one) => one === given);
  if (found === undefined) throw new UsageError(`--${option} is one of ${choices.join(', ')}`);
  return found;
}

function readArguments() {
  try {
    return parsed();
  } catch (thrown) {
    // Only what was given can be at fault.
    if (thrown instanceof TypeError) throw new UsageError(thrown.message, { cause: thrown });
    throw thrown;
  }
}

const parsed = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      dir: { type: 'string', default: suitesFolder() },
      suite: { type: 'string', default: 'query-validation-tests' },
      only: { type: 'string' },
      json: { type: 'string' },
      mode: { type: 'string', default: 'normal' },
      path: { type: 'string', default: 'auto' },
      fuse: { type: 'string', default: 'auto' },
      host: { type: 'string', default: 'driver' },
      seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
      help: { type: 'boolean', default: false },
    },
  });

function modeOf(given: string, suite: string): Pick<RunOptions, 'mode' | 'partitions'> {
  const count = /^partitions=([1-9]\d?)$/.exec(given)?.[1];
  if (count === undefined) return { mode: choice(given, ['normal', 'cut', 'restart'], 'mode') };
  if (suite !== 'query-validation-tests') {
    throw new UsageError(`--mode partitions is for query-validation-tests, not ${suite}`);
  }
  return { mode: 'normal', partitions: Number(count) };
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (positionals.length !== 1 || positionals[0] !== 'ksql') throw new UsageError('name ksql');
  const suite = choice(values.suite, SUITES, 'suite');
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new UsageError('--seed is a whole number');
  const host = choice(values.host, ['driver', ...HOSTS], 'host');
  const mode = modeOf(values.mode, suite);
  if (host !== 'driver' && (suite === 'sql-tests' || mode.mode !== 'normal')) {
    throw new UsageError(`--host ${host} is for other suites than sql-tests, in mode normal`);
  }
  const options: RunOptions = {
    ...mode,
    path: choice(values.path, ['auto', 'row', 'kernel'], 'path'),
    fuse: choice(values.fuse, ['auto', 'never'], 'fuse'),
    random: seededRandom(seed),
    kernel: await WebAssembly.compile(readFileSync(resolve(ROOT, 'build/kernel.wasm'))),
  };
  const folder = suiteFolder(values.dir, suite);
  if (folder === null) {
    console.log(
      `${suite} is not in ${values.dir}: nothing was run; MILLRACE_KSQL_DIR may name its folder`,
    );
    return 0;
  }
  if (options.mode === 'cut') console.log(`seed ${seed}`);
  await loadParts();
  await loadWholeKernel();
  const only = values.only?.split(',') ?? null;
  const files = suiteFiles(suite, folder, only);
  if (files.length === 0) throw new UsageError(`--only names no file of ${suite}`);
  const start = performance.now();
  const reports = [];
  await using caseHost = host === 'driver' ? null : await openHost(host, options.kernel);
  for (const file of files) {
    const report = await file.run({ ...options, host: caseHost });
    reports.push(report);
    console.log(`${file.stem}: ${reportLine(report)}`);
    for (const { case: name, why } of report.failures) console.log(`  ${name}\n    ${why}`);
  }
  const total = sumOf(suite, reports);
  for (const line of reportLines(total)) console.log(line);
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(total, null, 2)}\n`);
  const strangers = only === null ? strangersOf(suite, files) : [];
  for (const name of strangers) console.log(`${name} is no case: remove it from the list`);
  return total.failures.length + strangers.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  if (!(thrown instanceof UsageError)) throw thrown;
  console.error(`${thrown.message}\n${USAGE}`);
  process.exitCode = 2;
}
