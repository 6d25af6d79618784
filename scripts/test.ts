// Runs every check of the project in turn; its last line is `N passed, N failed`, with `, N skipped` where some were.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { CHROMIUM_MISSING, findOrInstallChromium } from '../tests/support/chromium.ts';
import type { Count } from '../tests/support/count-reporter.ts';
import { QUIET_WRANGLER } from '../tests/support/quiet-wrangler.ts';
import { sourceFiles } from '../tests/support/source-files.ts';

const root = resolve(import.meta.dirname, '..');
const countFile = resolve(root, 'tests/.tmp/count.json');
const total = { passed: 0, failed: 0, skipped: 0 };

/** Runs one npm script or binary and shows what it prints; true where it succeeded. */
function run(title: string, command: readonly string[]): boolean {
  const start = performance.now();
  console.log(`\n== ${title}`);
  const [program = '', ...rest] = command;
  const env = { ...process.env, ...QUIET_WRANGLER, MILLRACE_COUNT_FILE: countFile };
  const { status } = spawnSync(program, rest, {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`== ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  return status === 0;
}

/** A check that counts as one test. */
function check(title: string, command: readonly string[]): void {
  total[run(title, command) ? 'passed' : 'failed'] += 1;
}

/** The browser tests that cannot run here: skipped and said once, or failed on a CI machine, which must run all. */
function countMissingBrowser(): void {
  const tests = sourceFiles(['tests/browser']).flatMap(
    ({ text }) => text.match(/^\s*test\b/gm) ?? [],
  );
  console.log(`\n${CHROMIUM_MISSING}`);
  total[process.env['CI'] === 'true' ? 'failed' : 'skipped'] += Math.max(1, tests.length);
}

/** All Vitest projects; a run that ends without its count, or with an error that no test shows, is one failure. */
function runVitest(): void {
  rmSync(countFile, { force: true });
  const reporters = ['--reporter=default', '--reporter=./tests/support/count-reporter.ts'];
  const ok = run('tests', ['vitest', 'run', ...reporters]);
  const count: Count = existsSync(countFile)
    ? JSON.parse(readFileSync(countFile, 'utf8'))
    : { passed: 0, failed: 1, skipped: 0 };
  total.passed += count.passed;
  total.failed += !ok && count.failed === 0 ? 1 : count.failed;
  total.skipped += count.skipped;
}

mkdirSync(resolve(root, 'tests/.tmp'), { recursive: true });
check('kernel', ['node', 'scripts/kernel.ts']);
check('lint', ['npm', 'run', '--silent', 'lint']);
check('format', ['npm', 'run', '--silent', 'format:check']);
check('types', ['npm', 'run', '--silent', 'typecheck']);
check('unused code', ['npm', 'run', '--silent', 'unused']);
check('size', ['npm', 'run', '--silent', 'size']);
if (findOrInstallChromium() === null) countMissingBrowser();
runVitest();

const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`;
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;
