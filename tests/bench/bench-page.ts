// A blank page in a real Chromium that calls functions of a module of this repository; knows no suite.

import { resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { CHROMIUM_FLAGS, CHROMIUM_MISSING, findChromium } from '../support/chromium.ts';

/** With them the page's clock counts in steps of 5 us, without them in steps of 100. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Functions of the page's module: numbers and texts in, numbers out. */
export type PageModule = Readonly<
  Record<string, (...args: never[]) => Promise<number | readonly number[] | void>>
>;

/** A page that is open. `M` is the type of its module. */
export class BenchPage<M extends PageModule> {
  /** Calls a function of the module on the page. */
  readonly call: <Name extends keyof M & string>(
    name: Name,
    ...args: Parameters<M[Name]>
  ) => Promise<Awaited<ReturnType<M[Name]>>>;
  readonly #close: () => Promise<void>;

  private constructor(call: BenchPage<M>['call'], close: () => Promise<void>) {
    this.call = call;
    this.#close = close;
  }

  /**
   * @param module path of the module from the root of the repository, such as `/tests/bench/page.ts`
   * @throws {Error} where there is no Chromium
   */
  static async open<M extends PageModule>(module: string): Promise<BenchPage<M>> {
    const executablePath = findChromium();
    if (executablePath === null) throw new Error(CHROMIUM_MISSING);
    const server = await createServer({
      root: resolve(import.meta.dirname, '../..'),
      configFile: false,
      logLevel: 'error',
      appType: 'mpa',
      worker: { format: 'es' },
      optimizeDeps: { include: ['idb'], noDiscovery: true },
      server: { host: '127.0.0.1', port: 0, hmr: false, watch: null, headers: ISOLATED },
      plugins: [
        {
          name: 'blank-page',
          configureServer: ({ middlewares }) => {
            middlewares.use('/blank', (_request, response) => {
              response.setHeaders(new Map(Object.entries(ISOLATED)));
              response.setHeader('content-type', 'text/html');
              response.end('<!doctype html><title>bench</title>');
            });
          },
        },
      ],
    });
    await server.listen();
    const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
    const close = async (): Promise<void> => {
      await browser.close();
      await server.close();
    };
    try {
      const page = await browser.newPage();
      await page.goto(new URL('/blank', server.resolvedUrls?.local[0]).href);
      const call = (name: string, ...args: unknown[]): Promise<unknown> =>
        page.evaluate(
          async ([path, name, args]) => {
            type Called = (...args: unknown[]) => Promise<unknown>;
            const loaded = (await import(path)) as Record<string, Called>;
            return await loaded[name]?.(...args);
          },
          [module, name, args] as const,
        );
      return new BenchPage<M>(call as BenchPage<M>['call'], close);
    } catch (thrown) {
      await close();
      throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
