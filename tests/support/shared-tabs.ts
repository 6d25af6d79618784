// Tabs of one Chromium that share engines, and what a test asks of them; knows no statement.

import type { BrowserContext, Page } from 'playwright-core';
import type { BrowserEngine, OpenOptions, SharedEngine } from '../../runtime/browser/index.ts';
import { existing } from '../../runtime/base/assert.ts';
import { findChromium, launchContext } from './chromium.ts';
import { ScriptSite } from './script-site.ts';

const SCRIPT = `
  import { open, openShared } from 'millrace/browser';
  Object.assign(globalThis, {
    open: async ({ isShared, ...options }) => {
      globalThis.engine = await (isShared ? openShared : open)(options);
    },
    told: async (work) => {
      try {
        await work();
        return null;
      } catch ({ name, code, message, position }) {
        return { name, code, message, ...position };
      }
    },
    // Until it is told to end, whatever becomes of the tab that leads.
    write: async (name) => {
      for (let i = 0; !globalThis.isOver; i++) {
        const id = name + ' ' + i;
        try {
          await engine.insert('s', { k: id, n: i });
          await acknowledged(id);
        } catch (thrown) {
          if (thrown.code !== 'UNAVAILABLE') throw thrown;
        }
      }
    },
    rows: {},
    read: async (name, sql) => {
      const into = (globalThis.rows[name] = []);
      for await (const row of await engine.query(sql)) into.push({ ...row });
    },
  });`;

/** `isShared`: by `openShared`. */
export type TabOptions = OpenOptions & { readonly isShared?: boolean };

/** What stands in `globalThis` of a tab. */
export interface TabScope {
  open: (options: TabOptions) => Promise<void>;
  engine: BrowserEngine | SharedEngine;
  rows: Record<string, Readonly<Record<string, unknown>>[]>;
  isOver: boolean;
  told: (work: () => unknown) => Promise<Thrown | null>;
  /** Inserts into the stream s what is called so, with a number, until `isOver`; tells the test's `acknowledged` of each. */
  write: (name: string) => Promise<void>;
  /** Reads a query to its end into `rows`. */
  read: (name: string, sql: string) => Promise<void>;
}

/** What was thrown, as it crosses to a test. */
export interface Thrown {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** @param more code of the page's own */
export function sharedSite(more = ''): Promise<ScriptSite> {
  return ScriptSite.start(SCRIPT + more);
}

/** Called in the order of a test file: started, reset behind each test, stopped. Where there is no Chromium nothing is done. */
export class SharedTabs {
  readonly #executablePath = findChromium();
  #context: BrowserContext | null = null;
  #site: ScriptSite | null = null;

  /** There is a Chromium. */
  get canStart(): boolean {
    return this.#executablePath !== null;
  }

  get context(): BrowserContext {
    return existing(this.#context ?? undefined, 'browser');
  }

  async start(): Promise<void> {
    if (this.#executablePath === null) return;
    this.#site = await sharedSite();
    const executablePath = this.#executablePath;
    this.#context = await launchContext(executablePath);
  }

  /** Closes all tabs. */
  async reset(): Promise<void> {
    for (const page of this.#context?.pages() ?? []) await page.close();
  }

  async stop(): Promise<void> {
    await this.#context?.browser()?.close();
    this.#site?.stop();
  }

  /** A tab in which nothing is open. */
  async fresh(): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(existing(this.#site ?? undefined, 'site').origin);
    await page.waitForFunction(() => 'open' in globalThis);
    return page;
  }

  /** A tab that shares the database. */
  async opened(database: string): Promise<Page> {
    const page = await this.fresh();
    expectNone(await attempt(page, { database, isShared: true }));
    return page;
  }
}

function expectNone(thrown: Thrown | null): void {
  if (thrown !== null) throw new Error(`${thrown.code}: ${thrown.message}`);
}

/** Opens an engine. @returns why it is refused */
export function attempt(page: Page, options: TabOptions): Promise<Thrown | null> {
  return page.evaluate((options) => {
    const { told, open } = globalThis as unknown as TabScope;
    return told(() => open(options));
  }, options);
}

/** What calls of a tab's engine throw; null: nothing. */
export function thrownBy(page: Page, ...call: EngineCall): Promise<Thrown | null> {
  return page.evaluate((call) => {
    const { told, engine } = globalThis as unknown as TabScope;
    const [method, ...given] = call as [string, ...unknown[]];
    return told(() => (engine as unknown as Methods)[method]?.(...given));
  }, call);
}

type Methods = Readonly<Record<string, (...given: unknown[]) => unknown>>;
type EngineCall = readonly [method: keyof SharedEngine & string, ...given: unknown[]];

/** Workers that a tab has started. */
export function workersOf(page: Page): number {
  return page.workers().length;
}

/** Executes statements. */
export async function execute(page: Page, sql: string): Promise<void> {
  await page.evaluate(async (sql) => {
    await (globalThis as unknown as TabScope).engine.execute(sql);
  }, sql);
}

/** Begins to read a query; what it gives is `rowsIn`. @returns when it is open */
export async function read(page: Page, name: string, sql: string): Promise<void> {
  await page.evaluate(
    ([name, sql]) => {
      const scope = globalThis as unknown as TabScope;
      scope.read(name, sql).catch((thrown: { code?: string }) => {
        scope.rows[name]?.push({ thrown: thrown.code });
      });
    },
    [name, sql] as const,
  );
  await page.waitForFunction((name) => (globalThis as unknown as TabScope).rows[name], name);
}

export function rowsIn(page: Page, name: string): Promise<readonly unknown[]> {
  return page.evaluate((name) => (globalThis as unknown as TabScope).rows[name] ?? [], name);
}

/** All rows of a pull query. */
export function pulled(page: Page, sql: string): Promise<readonly unknown[]> {
  return page.evaluate(async (sql) => {
    const { engine } = globalThis as unknown as TabScope;
    return (await (await engine.query(sql)).all()).map((row) => ({ ...row }));
  }, sql);
}
