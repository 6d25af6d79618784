// A page that has the client in `globalThis.client`, served by origins of their own.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { BrowserContext, Browser, Page } from 'playwright-core';
import { build } from 'vite';
import type { connect } from '../../runtime/client/index.ts';
import { ROOT } from './source-files.ts';

/** What a page has. */
export interface ClientPage {
  readonly client: { readonly connect: typeof connect };
}

/** The client's files by their path. */
export async function clientScripts(): Promise<ReadonlyMap<string, string>> {
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      rolldownOptions: {
        input: resolve(ROOT, 'runtime/client/index.ts'),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: 'client.js' },
      },
    },
  });
  const scripts = new Map<string, string>();
  for (const made of [built].flat().flatMap((one) => ('output' in one ? one.output : []))) {
    if (made.type !== 'chunk') continue;
    scripts.set(made.isEntry ? '/client.js' : `/${made.fileName}`, made.code);
  }
  return scripts;
}

/** Serves the page. */
export async function servedPage(scripts: ReadonlyMap<string, string>): Promise<Server> {
  const html = '<script type="module">globalThis.client = await import("/client.js")</script>';
  const server = createServer((request, response) => {
    const script = scripts.get(request.url ?? '');
    const type = script === undefined ? 'text/html' : 'text/javascript';
    response.writeHead(200, { 'content-type': type });
    response.end(script ?? html);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

export function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A tab with the page. */
export async function pageOf(server: Server, browser: Browser | BrowserContext): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${originOf(server)}/`);
  await page.waitForFunction(() => 'client' in globalThis);
  return page;
}
