// Finds a Chromium for the browser tests, or installs one where that is possible; it knows nothing of Vitest.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { COMES_MS } from './waits.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const FIXED_PATHS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Flags that keep Chromium quiet on a machine without a network; without a sandbox for root, who cannot have one. */
export const CHROMIUM_FLAGS: readonly string[] = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What to tell a person whose machine has no Chromium. */
export const CHROMIUM_MISSING =
  'No Chromium found: the browser tests are skipped. Install chromium or Google Chrome, ' +
  'or run `npx playwright-core install chromium`, or set MILLRACE_CHROMIUM to its path.';

/**
 * The path of a Chromium: MILLRACE_CHROMIUM, else one of the system's, else Playwright's own.
 * @returns null when there is none
 * @throws {Error} when MILLRACE_CHROMIUM names a file that cannot be run
 */
export function findChromium(): string | null {
  const named = process.env['MILLRACE_CHROMIUM'];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new Error(`MILLRACE_CHROMIUM is not an executable: ${named}`);
    return named;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...FIXED_PATHS, chromium.executablePath()].find(isExecutable) ?? null;
}

/** Starts that Chromium, without a window. */
export function launchChromium(
  executablePath: string,
  flags: readonly string[] = [],
): Promise<Browser> {
  const args = [...CHROMIUM_FLAGS, ...flags];
  return chromium.launch({ executablePath, args, timeout: COMES_MS });
}

/** The same with room for pages, all of which share their storage. */
export async function launchContext(executablePath: string): Promise<BrowserContext> {
  const context = await (await launchChromium(executablePath)).newContext();
  context.setDefaultTimeout(COMES_MS);
  return context;
}

/** `findChromium`, and where it finds none, root on a Debian has apt-get install one. */
export function findOrInstallChromium(): string | null {
  const found = findChromium();
  if (found !== null) return found;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return null;
  console.log('No Chromium found; installing it with apt-get.');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const line of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', 'chromium'],
  ]) {
    const { status, stdout, stderr } = spawnSync('apt-get', line, { env, encoding: 'utf8' });
    if (status !== 0) {
      console.log(`apt-get ${line[0]} failed:\n${stdout}${stderr}`);
      return null;
    }
  }
  return findChromium();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent, or not ours to run: either way not a Chromium we can start
  }
}
