// Pages of Chromium with an outbox open, a network between them and workerd that does as a test says, and what has come of their records.

import type { BrowserContext, Page } from 'playwright-core';
import { type Client, connect } from '../../runtime/client/index.ts';
import type { Outbox, OutboxState } from '../../runtime/outbox/index.ts';
import type { OutboxStore } from '../../runtime/outbox/store.ts';
import { launchContext } from './chromium.ts';
import { type Fault, FaultProxy } from './fault-proxy.ts';
import { ScriptSite } from './script-site.ts';
import { Workerd } from './workerd.ts';

const SCRIPT = `
  import { connect } from 'millrace/client';
  import { openOutbox } from 'millrace/outbox';
  import { OutboxStore } from 'millrace/outbox/store';
  Object.assign(globalThis, {
    OutboxStore,
    open: async (url, database) => {
      const client = connect({ url, token: () => globalThis.key });
      globalThis.errors = [];
      const onState = (state) => {
        globalThis.state = state;
        if (state.error !== null) globalThis.errors.push(state.error.message);
      };
      globalThis.outbox = await openOutbox(client, { database, onState });
    },
  });`;

/** What stands in `globalThis` of a page. */
export interface OutboxScope {
  key: string;
  open: (url: string, database: string) => Promise<void>;
  outbox: Outbox;
  OutboxStore: typeof OutboxStore;
  state: OutboxState;
  /** Messages of the errors that it has told. */
  errors: string[];
}

export class OutboxPages {
  readonly context: BrowserContext;
  /** Of the same edge, around the network of the pages. */
  readonly edge: Client;
  /** What becomes of appends on their way from the pages. */
  appending: (path: string) => Fault = () => 'none';
  readonly #workerd: Workerd;
  readonly #site: ScriptSite;
  #proxy: FaultProxy | null = null;

  private constructor(context: BrowserContext, workerd: Workerd, site: ScriptSite) {
    this.context = context;
    this.#workerd = workerd;
    this.#site = site;
    this.edge = connect({ url: workerd.url, token: 'key-of-a' });
  }

  static async start(executablePath: string): Promise<OutboxPages> {
    const site = await ScriptSite.start(SCRIPT);
    const context = await launchContext(executablePath);
    const workerd = await Workerd.start('tests/workers/apps/pages.ts', { PAGES: site.origin });
    const pages = new OutboxPages(context, workerd, site);
    pages.#proxy = await FaultProxy.start(
      () => workerd.url,
      ({ method, path }) =>
        method === 'POST' && path.endsWith('/batch') ? pages.appending(path) : 'none',
    );
    return pages;
  }

  /** Where a page has the functions of `OutboxScope`. */
  get origin(): string {
    return this.#site.origin;
  }

  get proxy(): FaultProxy {
    if (this.#proxy === null) throw new Error('it has not begun');
    return this.#proxy;
  }

  /** Closes all pages, and lets the network be. */
  async reset(): Promise<void> {
    this.appending = () => 'none';
    for (const page of this.context.pages()) await page.close();
  }

  async stop(): Promise<void> {
    await this.context.browser()?.close();
    this.#site.stop();
    await this.proxy.stop();
    await this.#workerd.stop();
  }

  /** A tab with an outbox open. */
  async opened(database: string, key = 'key-of-a'): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.#site.origin);
    await page.waitForFunction(() => 'open' in globalThis);
    await page.evaluate(
      async ([url, database, key]) => {
        const scope = globalThis as unknown as OutboxScope;
        scope.key = key;
        await scope.open(url, database);
      },
      [this.proxy.url, database, key] as const,
    );
    return page;
  }

  /** What is in a topic, by partition. */
  async valuesIn(topic: string): Promise<string[][]> {
    const { bounds } = await this.edge.topics.describe(topic);
    const values: string[][] = bounds.map(() => []);
    const last = bounds.reduce((sum, { start, highWatermark }) => sum + highWatermark - start, 0);
    if (last === 0) return values;
    let read = 0;
    await using consumer = this.edge.consumer({ topic });
    for await (const { partition, value } of consumer) {
      values[partition]?.push(JSON.parse(new TextDecoder().decode(value ?? undefined)) as string);
      if (++read === last) break;
    }
    return values;
  }

  /**
   * Whether each of the values that `send` sent is there once, and those of one partition in their order.
   * @throws {Error} with what is not so
   */
  async checkOnce(topic: string, counts: Readonly<Record<string, number>>): Promise<true> {
    const partitions = await this.valuesIn(topic);
    const expected = Object.entries(counts).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, i) => `${name} ${i}`),
    );
    const found = JSON.stringify(partitions.flat().toSorted());
    if (found !== JSON.stringify(expected.toSorted()))
      throw new Error(`'${topic}' has ${found} where ${JSON.stringify(counts)} were sent`);
    for (const values of partitions)
      for (const name of Object.keys(counts)) {
        // Records without a key are in a partition of the tab's own choice, and each key is in one.
        const numbers = values.flatMap((value) =>
          value.startsWith(`${name} `) ? [Number(value.slice(name.length + 1))] : [],
        );
        if (numbers.some((number, i) => i > 0 && number < (numbers[i - 1] ?? 0)))
          throw new Error(`'${topic}' has those of ${name} in the order ${numbers.join()}`);
      }
    return true;
  }
}

/** Sends values `<name> 0` to `<name> <count - 1>`, keys among them and none. */
export function send(page: Page, topic: string, name: string, count: number): Promise<void> {
  return page.evaluate(
    async ([topic, name, count]) => {
      const { outbox } = globalThis as unknown as OutboxScope;
      for (let i = 0; i < count; i++)
        await outbox.send(topic, {
          key: i % 3 === 0 ? null : `k${i % 3}`,
          value: JSON.stringify(`${name} ${i}`),
        });
    },
    [topic, name, count] as const,
  );
}

export function flush(page: Page): Promise<void> {
  return page.evaluate(() => (globalThis as unknown as OutboxScope).outbox.flush());
}

/** What an outbox without anything left is in. */
export const SENT = { pending: 0, refused: 0, error: null };

export function stateOf(
  page: Page,
): Promise<{ pending: number; refused: number; error: string | null }> {
  return page.evaluate(async () => {
    const { pending, refused, error } = await (globalThis as unknown as OutboxScope).outbox.state();
    return { pending, refused, error: (error as { code?: string } | null)?.code ?? null };
  });
}

/** Stops the page's code where it stands, as a browser does with a tab that it freezes. @returns lets it go on */
export async function frozen(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Debugger.enable');
  await session.send('Debugger.pause');
  return async () => {
    await session.send('Debugger.disable');
    await session.detach();
  };
}

/** Ends the process of the page, without a word to anyone. */
export async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // Nobody is left to answer.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
  await page.close();
}
