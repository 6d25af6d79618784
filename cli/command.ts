// The millrace command from its arguments to its exit status; knows no process.

import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { encodeUtf8 } from '../runtime/base/bytes.ts';
import { readArguments, USAGE, UsageError } from './arguments.ts';
import { migrate } from './migrate.ts';
import { otherProblem } from './problems.ts';
import { restore } from './restore.ts';
import { run, type Terminal } from './run.ts';
import { test } from './test.ts';

/**
 * Does what the arguments ask for. What goes wrong is told on the terminal.
 * @param kernel asked for when it is needed; null: everything runs on the row path
 * @returns the exit status
 */
export async function millrace(
  given: readonly string[],
  terminal: Terminal,
  kernel: () => Promise<WebAssembly.Module | null>,
): Promise<number> {
  try {
    const read = readArguments(given);
    if (read.command === 'migrate') {
      return await migrate(read, terminal, process.env['MILLRACE_TOKEN'] ?? null);
    }
    if (read.command === 'restore') {
      return await restore(read, terminal, process.env['MILLRACE_TOKEN'] ?? null);
    }
    if (read.command === 'run') return await run(read, terminal, await kernel());
    if (read.command === 'test') return await test(read, terminal, await kernel());
    await terminal.out(encodeUtf8(read.command === 'help' ? USAGE : `${version()}\n`));
    return 0;
  } catch (thrown) {
    terminal.problem(otherProblem(thrown));
    if (!(thrown instanceof UsageError)) return 1;
    terminal.problem("'millrace --help' says more");
    return 2;
  }
}

/** The manifest stands beside the folder, of the sources as of what is built from them. */
function version(): string {
  const manifest = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (manifest === undefined) return 'unknown';
  const { version: found } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return found;
}
