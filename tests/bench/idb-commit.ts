// How fast an engine over IndexedDB takes small appends in, by commit interval, in a real Chromium; knows nothing of other suites.

import { resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { CHROMIUM_FLAGS, CHROMIUM_MISSING, findChromium } from '../support/chromium.ts';
import type * as page from './idb-commit-page.ts';
import { runCase } from './run.ts';

const INTERVALS_MS = [0, 10, 50, 100];
const RECORDS = 20_000;
const ROUNDS = 5;

type Page = typeof page;

/**
 * One case, a subject per interval; the ratios are to committing after every turn.
 * @throws {Error} where there is no Chromium
 */
export async function idbCommitCase(): ReturnType<typeof runCase> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(CHROMIUM_MISSING);
  const root = resolve(import.meta.dirname, '../..');
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    appType: 'mpa',
    worker: { format: 'es' },
    optimizeDeps: { include: ['idb'], noDiscovery: true },
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    plugins: [
      {
        name: 'blank-page',
        configureServer: ({ middlewares }) => {
          middlewares.use('/blank', (_request, response) => {
            response.setHeader('content-type', 'text/html');
            response.end('<!doctype html><title>bench</title>');
          });
        },
      },
    ],
  });
  await server.listen();
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage();
    await page.goto(new URL('/blank', server.resolvedUrls?.local[0]).href);
    const module = '/tests/bench/idb-commit-page.ts';
    const call = (name: keyof Page, ...args: number[]) =>
      page.evaluate(
        async ([path, name, args]) => {
          const loaded = (await import(path)) as Page;
          const called = loaded[name] as (...args: number[]) => Promise<number | void>;
          return (await called(...args)) ?? 0;
        },
        [module, name, args] as const,
      );
    for (const interval of INTERVALS_MS) await call('prepare', interval);
    const named = (interval: number) => `commit every ${interval} ms`;
    return await runCase(
      {
        case: 'IndexedDB, JSON, appends of 100 records',
        unit: 'M rows/s',
        amount: RECORDS,
        subjects: INTERVALS_MS.map((interval) => ({
          subject: named(interval),
          prepare: () => () => call('run', interval, RECORDS),
        })),
        ratios: INTERVALS_MS.slice(1).map((interval) => [named(interval), named(0)]),
      },
      ROUNDS,
    );
  } finally {
    await browser.close();
    await server.close();
  }
}
