// Vite for the demo, and the three Vitest projects: node, workers (workerd) and browser (Chromium).
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { playwright } from '@vitest/browser-playwright';
import { preview } from '@vitest/browser-preview';
import { defineConfig } from 'vitest/config';
import type { TestProjectConfiguration } from 'vitest/config';
import { bundledWorkers } from './scripts/bundled-workers.ts';
import { coreChunk } from './scripts/core-chunk.ts';
import { demoPlugin } from './demo/vite-plugin.ts';
import { CHROMIUM_FLAGS, findChromium } from './tests/support/chromium.ts';
import { LongestFirst } from './tests/support/longest-first.ts';
import { QUIET_WRANGLER } from './tests/support/quiet-wrangler.ts';
import { COMES_MS, HANGS_MS } from './tests/support/waits.ts';

const root = import.meta.dirname;
const inVitest = process.env['VITEST'] !== undefined;
Object.assign(process.env, QUIET_WRANGLER);

/** Vitest's own, 5, 10 and 1 s, are what one process waits for another on a machine that does nothing else. */
const WAITS = {
  testTimeout: HANGS_MS,
  hookTimeout: HANGS_MS,
  expect: { poll: { timeout: COMES_MS } },
};

/** What runs of their own say in the environment, for tests of every runtime. */
const provide = { histories: numberIn('HISTORIES'), seed: numberIn('SEED') };

function numberIn(name: string): number | null {
  const text = process.env[name];
  return text === undefined ? null : Number(text);
}

const nodeProject: TestProjectConfiguration = {
  test: {
    name: 'node',
    provide,
    environment: 'node',
    include: ['tests/{node,simulation}/**/*.test.ts'],
    setupFiles: ['tests/support/all-parts.ts'],
    ...WAITS,
    // Files share the modules of their process: reading them anew for each took half of the time. No module keeps what a test could leave.
    isolate: false,
  },
};

function workersProjects(): TestProjectConfiguration[] {
  const configPath = resolve(root, 'edge/wrangler.jsonc');
  if (!existsSync(configPath)) return [];
  return [
    {
      plugins: [cloudflareTest({ wrangler: { configPath } })],
      test: {
        name: 'workers',
        provide,
        include: ['tests/workers/**/*.test.ts'],
        ...WAITS,
        // As for Node's: each file names objects of its own.
        isolate: false,
      },
    },
  ];
}

/** A Chromium without a window; or, in a mode of that name, the browser of this machine that opens addresses, and whichever else is given this one. */
const OWN_BROWSER = 'own-browser';

// Without a Chromium there is no browser project; scripts/test.ts says so once and counts its tests as skipped.
function browserProjects(mode: string): TestProjectConfiguration[] {
  const isOwn = mode === OWN_BROWSER;
  const executablePath = findChromium();
  if (executablePath === null && !isOwn) return [];
  const launchOptions = { executablePath: executablePath ?? '', args: [...CHROMIUM_FLAGS] };
  return [
    {
      optimizeDeps: { include: ['idb', 'axe-core', 'fast-check'] },
      worker: { format: 'es' },
      plugins: [bundledWorkers()],
      test: {
        name: 'browser',
        provide,
        include: ['tests/browser/**/*.test.ts'],
        ...WAITS,
        browser: {
          enabled: true,
          headless: !isOwn,
          screenshotFailures: false,
          provider: isOwn ? preview() : playwright({ launchOptions }),
          instances: [{ browser: 'chromium' }],
        },
      },
    },
  ];
}

export default defineConfig(({ mode }) => ({
  root: inVitest ? root : resolve(root, 'demo'),
  plugins: inVitest
    ? []
    : [demoPlugin(), bundledWorkers([resolve(root, 'runtime/browser/worker.ts')])],
  cacheDir: resolve(root, 'node_modules/.vite'),
  // Named, since Vite does not look for the imports of Workers before it starts, and would reload the page for each.
  optimizeDeps: { include: ['comlink', 'idb'] },
  worker: {
    format: 'es',
    rolldownOptions: { output: { codeSplitting: { groups: [coreChunk()] } } },
  },
  build: { target: 'es2023', outDir: resolve(root, 'build/demo'), emptyOutDir: true },
  server: { host: '127.0.0.1', open: false, fs: { allow: [root] } },
  ...(inVitest && {
    test: {
      passWithNoTests: true,
      // Many files wait for workerd and Chromium, so that more of them than there are cores fill the cores.
      maxWorkers: availableParallelism() * 2,
      sequence: { sequencer: LongestFirst },
      projects: [nodeProject, ...workersProjects(), ...browserProjects(mode)],
    },
  }),
}));
