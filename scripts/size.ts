// Holds what a page loads to the limits in .size-limit.json: bundled as an application's build would, and run in Chromium.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import type { open } from '../runtime/browser/index.ts';
import { CHROMIUM_FLAGS, CHROMIUM_MISSING, findChromium } from '../tests/support/chromium.ts';
import { QUAKES_STREAM, QUAKES_TABLE } from '../tests/support/earthquakes.ts';
import { coreChunk } from './core-chunk.ts';

const root = resolve(import.meta.dirname, '..');
const out = resolve(root, 'tests/.tmp/size');
/** Everything the build made. */
const all = resolve(out, 'all');
/** What of it the page asked for. */
const core = resolve(out, 'core');

/** The client alone, as an application that has no engine bundles it. */
const client = resolve(out, 'client');

const TYPES = new Map([
  ['.html', 'text/html'],
  ['.js', 'text/javascript'],
  ['.wasm', 'application/wasm'],
]);

/** Serves the build; adds each path that is asked for to `asked`. */
async function served(asked: Set<string>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1) || 'index.html';
    const file = resolve(all, path);
    if (!file.startsWith(all) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    asked.add(path);
    response.writeHead(200, { 'content-type': TYPES.get(extname(path)) ?? 'text/plain' });
    response.end(readFileSync(file));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

/** Far more than the page takes on a busy machine. */
const PAGE_MS_MAX = 60_000;

async function givenUp(): Promise<never> {
  await sleep(PAGE_MS_MAX, undefined, { ref: false });
  const hint = 'npm run build:kernel makes the kernel that belongs to these sources';
  throw new Error(`the page gave no row in ${PAGE_MS_MAX} ms; ${hint}`);
}

/** The smallest page that does the main job: opens a database, makes the table and reads a change of it. */
async function requested(executablePath: string): Promise<string[]> {
  const asked = new Set<string>();
  const server = await served(asked);
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const counted = page.evaluate(
      async ({ stream, table }) => {
        const { millrace } = globalThis as unknown as { millrace: { open: typeof open } };
        const engine = await millrace.open({});
        await engine.execute(stream);
        await engine.execute(table);
        const rows = await engine.query('SELECT * FROM quakes_per_hour EMIT CHANGES LIMIT 2;');
        const quake = { net: 'us', type: 'earthquake', status: 'reviewed', place: 'Sea' };
        const value = { ...quake, mag: 4.5, sig: 312, lon: -1.5, lat: 2, depth: 10, time: 1e12 };
        for (const key of ['a', 'b']) {
          await engine.produce('quakes', [
            { key, value: JSON.stringify({ ...value, updated: 1e12 }) },
          ]);
        }
        const seen: unknown[] = [];
        for await (const row of rows) seen.push(row['N']);
        return seen.join();
      },
      { stream: QUAKES_STREAM, table: QUAKES_TABLE },
    );
    const n = await Promise.race([counted, givenUp()]);
    if (n !== '1,2') throw new Error(`the page counted ${n}`);
  } finally {
    await browser.close();
    server.close();
  }
  return [...asked].filter((path) => /\.(js|wasm)$/.test(path));
}

await build({
  root: resolve(root, 'tests/support/page-core'),
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  worker: {
    format: 'es',
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [coreChunk()],
        },
      },
    },
  },
  build: {
    target: 'es2023',
    outDir: all,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
  },
});
await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    target: 'es2023',
    outDir: client,
    emptyOutDir: true,
    rolldownOptions: {
      input: resolve(root, 'runtime/client/index.ts'),
      preserveEntrySignatures: 'strict',
      // What is fetched later by itself; all else goes with the entry, so that it is weighed with it.
      output: {
        entryFileNames: 'client.js',
        codeSplitting: {
          groups: [coreChunk()],
        },
        chunkFileNames: (chunk) => (chunk.name === 'core' ? '[name].js' : 'later/[name].js'),
      },
    },
  },
});
const executablePath = findChromium();
if (executablePath === null) {
  console.error(`${CHROMIUM_MISSING} What a page loads is not weighed.`);
  process.exitCode = process.env['CI'] === 'true' ? 1 : 0;
} else {
  rmSync(core, { recursive: true, force: true });
  mkdirSync(core, { recursive: true });
  for (const path of await requested(executablePath)) {
    const file = resolve(all, path);
    console.log(`${String(gzipSync(readFileSync(file)).length).padStart(7)} ${path}`);
    copyFileSync(file, resolve(core, path.replaceAll('/', '-')));
  }
  const sizeLimit = resolve(root, 'node_modules/size-limit/bin.js');
  const { status } = spawnSync(process.execPath, [sizeLimit], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
