// Runs every check of the project in turn; its last line is `N passed, N failed`, with `, N skipped` where some were.
import { spawn, spawnSync } from 'node:child_process';
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

/** Of the checks and of Vitest: what each npm script and binary finds around it. */
const options = {
  cwd: root,
  env: { ...process.env, ...QUIET_WRANGLER, MILLRACE_COUNT_FILE: countFile },
  shell: process.platform === 'win32',
};

/** Says how a run ended; true where it succeeded. */
function ended(title: string, sinceMs: number, status: number | null): boolean {
  const seconds = ((performance.now() - sinceMs) / 1000).toFixed(1);
  console.log(`== ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  return status === 0;
}

/** A check that counts as one test; what it prints is shown whole when it has ended, since checks run side by side. */
async function check(title: string, [program = '', ...rest]: readonly string[]): Promise<void> {
  const sinceMs = performance.now();
  const child = spawn(program, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (some: Buffer) => printed.push(some));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  process.stdout.write(`\n== ${title}\n${Buffer.concat(printed).toString()}`);
  total[ended(title, sinceMs, status) ? 'passed' : 'failed'] += 1;
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
  console.log('\n== tests');
  const sinceMs = performance.now();
  const { status } = spawnSync('vitest', ['run', ...reporters], { ...options, stdio: 'inherit' });
  const ok = ended('tests', sinceMs, status);
  const count: Count = existsSync(countFile)
    ? JSON.parse(readFileSync(countFile, 'utf8'))
    : { passed: 0, failed: 1, skipped: 0 };
  total.passed += count.passed;
  total.failed += !ok && count.failed === 0 ? 1 : count.failed;
  total.skipped += count.skipped;
}

mkdirSync(resolve(root, 'tests/.tmp'), { recursive: true });
const kernel = check('kernel', ['node', 'scripts/kernel.ts']);
await Promise.all([
  // Weighed with the kernel of these sources.
  kernel.then(() => check('size', ['npm', 'run', '--silent', 'size'])),
  check('lint', ['npm', 'run', '--silent', 'lint']),
  check('format', ['npm', 'run', '--silent', 'format:check']),
  check('types', ['npm', 'run', '--silent', 'typecheck']),
  check('unused code', ['npm', 'run', '--silent', 'unused']),
]);
if (findOrInstallChromium() === null) countMissingBrowser();
runVitest();

const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`;
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;
