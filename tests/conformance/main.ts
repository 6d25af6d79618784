// The command `npm run conformance -- ksql`: runs a suite of ksqlDB's functional tests and reports; knows no case.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { loadParts } from '../../runtime/engine/parts.ts';
import type { RunOptions } from './run-case.ts';
import {
  caseFiles,
  runCases,
  runSqlCases,
  seededRandom,
  sqlFiles,
  sumOf,
  unsupportedOf,
} from './suite.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const USAGE = `usage: npm run --silent conformance -- ksql [options]
  --dir DIR      the suites' folder, or a checkout of ksql (default: ../shared/ksql)
  --suite NAME   query-validation-tests (default), rest-query-validation-tests or sql-tests
  --only FILES   names of files, separated by commas
  --json FILE    writes the report as JSON
  --mode MODE    how inputs come: normal (default), cut (in random batches), restart (after every record)
  --path PATH    auto (default), row or kernel
  --fuse FUSE    auto (default) or never
  --seed N       for --mode cut`;

/** Where a checkout of the whole repository keeps its suites. */
const UPSTREAM = 'ksqldb-functional-tests/src/test/resources';

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
      dir: { type: 'string', default: resolve(ROOT, '../shared/ksql') },
      suite: { type: 'string', default: 'query-validation-tests' },
      only: { type: 'string' },
      json: { type: 'string' },
      mode: { type: 'string', default: 'normal' },
      path: { type: 'string', default: 'auto' },
      fuse: { type: 'string', default: 'auto' },
      seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
      help: { type: 'boolean', default: false },
    },
  });

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (positionals.length !== 1 || positionals[0] !== 'ksql') throw new UsageError('name ksql');
  const suite = choice(
    values.suite,
    ['query-validation-tests', 'rest-query-validation-tests', 'sql-tests'],
    'suite',
  );
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new UsageError('--seed is a whole number');
  const options: RunOptions = {
    mode: choice(values.mode, ['normal', 'cut', 'restart'], 'mode'),
    path: choice(values.path, ['auto', 'row', 'kernel'], 'path'),
    fuse: choice(values.fuse, ['auto', 'never'], 'fuse'),
    random: seededRandom(seed),
    kernel: await WebAssembly.compile(readFileSync(resolve(ROOT, 'build/kernel.wasm'))),
  };
  const folder = [resolve(values.dir, suite), resolve(values.dir, UPSTREAM, suite)].find((path) =>
    existsSync(path),
  );
  if (folder === undefined) {
    console.log(`${suite} is not in ${values.dir}: nothing was run`);
    return 0;
  }
  if (options.mode === 'cut') console.log(`seed ${seed}`);
  await loadParts();
  const only = values.only?.split(',') ?? null;
  const files =
    suite === 'sql-tests'
      ? sqlFiles(folder, only).map(({ stem, cases }) => ({
          stem,
          run: () => runSqlCases(suite, cases, options),
        }))
      : caseFiles(folder, only).map(({ stem, cases }) => ({
          stem,
          run: () => runCases(suite, cases, options),
        }));
  if (files.length === 0) throw new UsageError(`--only names no file of ${suite}`);
  const start = performance.now();
  const reports = [];
  for (const { stem, run } of files) {
    const report = await run();
    reports.push(report);
    const counts = `${report.passed} passed, ${report.failed} failed, ${unsupportedOf(report)} not supported`;
    console.log(`${stem}: ${counts}`);
    for (const { case: name, why } of report.failures) console.log(`  ${name}\n    ${why}`);
  }
  const total = sumOf(suite, reports);
  console.log('not supported:');
  for (const [reason, count] of Object.entries(total.unsupported)) {
    console.log(`  ${count} ${reason}`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${suite}: ${total.passed} passed, ${total.failed} failed, ${unsupportedOf(total)} not supported (${seconds} s)`,
  );
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(total, null, 2)}\n`);
  return total.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  if (!(thrown instanceof UsageError)) throw thrown;
  console.error(`${thrown.message}\n${USAGE}`);
  process.exitCode = 2;
}
