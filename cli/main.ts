#!/usr/bin/env node
// The millrace command: reads its arguments, runs what they ask for and ends with its status; knows no engine.

import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { readArguments, USAGE, UsageError } from './arguments.ts';
import { otherProblem } from './problems.ts';
import { run, type Terminal } from './run.ts';

const TERMINAL: Terminal = {
  out: (bytes) =>
    new Promise((resolve) => {
      if (process.stdout.write(bytes)) resolve();
      else process.stdout.once('drain', resolve);
    }),
  problem: (message) => {
    process.stderr.write(`${message}\n`);
  },
};

/** The manifest stands beside the folder, of the sources as of what is built from them. */
function version(): string {
  const manifest = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (manifest === undefined) return 'unknown';
  const { version: found } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return found;
}

/** Without the kernel everything runs on the row path, which is slower and says the same. */
async function compiledKernel(): Promise<WebAssembly.Module | null> {
  const url = new URL('../build/kernel.wasm', import.meta.url);
  return existsSync(url) ? WebAssembly.compile(await readFile(url)) : null;
}

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2));
  switch (given.command) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return 0;
    case 'run':
      return run(given, TERMINAL, await compiledKernel());
  }
}

// Whoever reads the results may have had enough of them.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  process.exitCode = await main();
} catch (thrown) {
  const isUsage = thrown instanceof UsageError;
  process.stderr.write(
    `${otherProblem(thrown)}\n${isUsage ? "'millrace --help' says more\n" : ''}`,
  );
  process.exitCode = isUsage ? 2 : 1;
}
