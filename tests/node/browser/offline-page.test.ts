// A page that a service worker keeps, as docs/offline.md has it: it is loaded and runs without a network, and goes on while a new build is deployed.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserEngine } from '../../../runtime/browser/index.ts';
import { findChromium, launchContext } from '../../support/chromium.ts';
import { ROOT } from '../../support/source-files.ts';

const executablePath = findChromium();
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
let folder: string;
let server: Server;
/** Of the network: which build there is; null: none, and no network. */
let deployed: string | null = null;
let context: BrowserContext;

interface Scope {
  build: string;
  begin: () => Promise<void>;
  /** What the page makes of one record, by code that is fetched late: windows, regular expressions, time zones, PRINT. */
  ask: () => Promise<unknown>;
  engine: BrowserEngine;
}

const script = (build: string): string => `
  import { open } from '${resolve(ROOT, 'runtime/browser/index.ts')}';
  navigator.serviceWorker.register('/sw.js');
  Object.assign(globalThis, {
    build: '${build}',
    begin: async () => (globalThis.engine = await open({ whenLocked: 'wait' })),
    ask: async () => {
      const { engine } = globalThis;
      await engine.execute(\`
        CREATE STREAM IF NOT EXISTS s (k VARCHAR KEY, ms BIGINT, text VARCHAR) WITH (kafka_topic='s', value_format='json', partitions=1);
        CREATE TABLE IF NOT EXISTS w AS SELECT k, COUNT(*) AS c FROM s WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY k;\`);
      const rows = await engine.query(\`SELECT REGEXP_EXTRACT('a(b+)', text, 1) AS x,
        FORMAT_TIMESTAMP(FROM_UNIXTIME(ms), 'yyyy-MM-dd HH:mm', 'Europe/Berlin') AS z FROM s EMIT CHANGES LIMIT 1;\`);
      await engine.insert('s', { k: 'a', ms: 1700000000000, text: 'xabbby' }, { timestamp: 0 });
      const [row] = await rows.all();
      await engine.idle();
      const windows = await (await engine.query("SELECT c FROM w WHERE k = 'a';")).all();
      let lines = 0;
      for await (const _ of await engine.print('PRINT s FROM BEGINNING LIMIT 1;')) lines++;
      return { ...row, counts: windows.map(({ C }) => C), lines: lines > 0 };
    },
  });`;

/** What \`ask\` gives when it is asked for the nth time. */
const answer = (n: number) => ({ X: 'bbb', Z: '2023-11-14 23:13', counts: [n], lines: true });

/** Builds the page with what the guide shows. */
async function built(name: string): Promise<void> {
  const guide = readFileSync(resolve(ROOT, 'docs/offline.md'), 'utf8');
  const [config = '', worker = ''] = [...guide.matchAll(/^```js\n(.*?)^```/gms)].map(
    ([, code = '']) => code,
  );
  const at = join(folder, name);
  mkdirSync(join(at, 'public'), { recursive: true });
  writeFileSync(join(at, 'vite.config.mjs'), config);
  writeFileSync(join(at, 'public/sw.js'), worker);
  writeFileSync(join(at, 'index.html'), '<script type="module" src="./page.js"></script>');
  writeFileSync(join(at, 'page.js'), script(name));
  // As two versions of millrace have them: no file of one is in the other.
  const files = JSON.stringify({
    entryFileNames: `${name}/[name]-[hash].js`,
    chunkFileNames: `${name}/[name]-[hash].js`,
    assetFileNames: `${name}/[name]-[hash][extname]`,
  });
  writeFileSync(
    join(at, 'build.mjs'),
    `import { build } from '${resolve(ROOT, 'node_modules/vite/dist/node/index.js')}';
     const rolldownOptions = { output: ${files} };
     await build({ logLevel: 'error', worker: { rolldownOptions }, build: { assetsInlineLimit: 0, rolldownOptions } });`,
  );
  await promisify(execFile)(process.execPath, ['build.mjs'], { cwd: at });
}

beforeAll(async () => {
  if (executablePath === null) return;
  mkdirSync(resolve(ROOT, 'tests/.tmp'), { recursive: true });
  folder = mkdtempSync(resolve(ROOT, 'tests/.tmp/offline-'));
  await Promise.all([built('one'), built('two')]);
  server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : (request.url ?? '');
    const file = join(folder, deployed ?? '', 'dist', path);
    const headers = { 'content-type': TYPES[extname(file)], 'cache-control': 'no-store' };
    if (deployed === null) request.socket.destroy();
    else if (existsSync(file)) response.writeHead(200, headers).end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  context = await launchContext(executablePath);
});

afterAll(async () => {
  if (executablePath === null) return;
  await context.browser()?.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(within = context): Promise<Page> {
  const page = await within.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => 'ask' in globalThis);
  await page.evaluate(() => (globalThis as unknown as Scope).begin());
  return page;
}

function asked(page: Page): Promise<unknown> {
  return page.evaluate(() => (globalThis as unknown as Scope).ask());
}

function buildOf(page: Page): Promise<string> {
  return page.evaluate(() => (globalThis as unknown as Scope).build);
}

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('in a page', () => {
  test('a service worker that keeps it lets it run without a network, at its first visit and loaded anew, and on the old build while a new one waits', async () => {
    deployed = 'one';
    const first = await opened();
    await first.evaluate(async () => {
      await navigator.serviceWorker.ready;
      while (navigator.serviceWorker.controller === null)
        await new Promise((done) => setTimeout(done, 20));
    });
    deployed = null;
    expect(await asked(first)).toEqual(answer(1));
    await first.close();
    const second = await opened();
    expect(await asked(second)).toEqual(answer(2));
    await second.close();

    deployed = 'two';
    const old = await opened();
    await old.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      while (registration.waiting === null) await new Promise((done) => setTimeout(done, 20));
    });
    expect(await buildOf(old)).toBe('one');
    expect(await asked(old)).toEqual(answer(3));
    await old.close();

    await expect
      .poll(async () => {
        const page = await opened();
        const build = await buildOf(page);
        if (build === 'one') await page.close();
        return build;
      })
      .toBe('two');
    deployed = null;
    const [last] = context.pages();
    if (last === undefined) throw new Error('it is open');
    expect(await asked(last)).toEqual(answer(4));
    expect(await last.evaluate(() => caches.keys())).toHaveLength(1);
  });

  test('without one, a file of a build that is no longer deployed is missing, by its name', async () => {
    deployed = 'one';
    const browser = context.browser();
    if (browser === null) throw new Error('it runs');
    const page = await opened(await browser.newContext({ serviceWorkers: 'block' }));
    deployed = 'two';
    const thrown = await page.evaluate(async () => {
      const { ask } = globalThis as unknown as Scope;
      return await ask().catch(({ code, message }) => ({ code, message }));
    });
    expect(thrown).toMatchObject({ code: 'UNAVAILABLE' });
    expect((thrown as Error).message).toMatch(/could not be loaded: .*\/one\/[\w-]+\.js/);
    deployed = 'one';
    expect(await asked(page)).toEqual(answer(1));
  });
});
