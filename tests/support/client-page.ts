// A page that has the client in `globalThis.client`, on a site of its own.

import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { connect } from '../../runtime/client/index.ts';
import { ScriptSite } from './script-site.ts';

/** What a page has. */
export interface ClientPage {
  readonly client: { readonly connect: typeof connect };
}

/** Serves the page. */
export function clientSite(): Promise<ScriptSite> {
  return ScriptSite.start(
    "import * as client from 'millrace/client';\nObject.assign(globalThis, { client });",
  );
}

/** A tab with the page. */
export async function pageOf(
  { origin }: { readonly origin: string },
  browser: Browser | BrowserContext,
): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => 'client' in globalThis);
  return page;
}
