// A blank page in a real Chromium that calls functions of a module of this repository; knows no suite.

import { resolve } from 'node:path';
import { createServer } from 'vite';
import { bundledWorkers } from '../../scripts/bundled-workers.ts';
import { CHROMIUM_MISSING, findChromium, launchChromium } from './chromium.ts';

/** With them the page's clock counts in steps of 5 us, without them in steps of 100. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Functions of the page's module: what goes in and comes out is plain data. */
export type PageModule = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/** The module, as the page has it. */
type CalledModule = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/** A page that is open. `M` is the type of its module. */
export class BlankPage<M extends PageModule> {
  /** Calls a function of the module on the page. */
  readonly call: <Name extends keyof M & string>(
    name: Name,
    ...args: Parameters<M[Name]>
  ) => Promise<Awaited<ReturnType<M[Name]>>>;
  readonly #close: () => Promise<void>;

  private constructor(call: BlankPage<M>['call'], close: () => Promise<void>) {
    this.call = call;
    this.#close = close;
  }

  /**
   * @param module path of the module from the root of the repository, such as `/tests/bench/latency-page.ts`
   * @param isBundled true: for many Workers, which come in a few files; the clock counts in steps of 100 us
   * @throws {Error} where there is no Chromium
   */
  static async open<M extends PageModule>(
    module: string,
    isBundled = false,
  ): Promise<BlankPage<M>> {
    const executablePath = findChromium();
    if (executablePath === null) throw new Error(CHROMIUM_MISSING);
    // Bundles do not say so of themselves.
    const headers = isBundled ? {} : ISOLATED;
    const server = await createServer({
      root: resolve(import.meta.dirname, '../..'),
      configFile: false,
      logLevel: 'error',
      appType: 'mpa',
      worker: { format: 'es' },
      optimizeDeps: { include: ['idb'], noDiscovery: true },
      server: { host: '127.0.0.1', port: 0, hmr: false, watch: null, headers },
      plugins: [
        isBundled && bundledWorkers(),
        {
          name: 'blank-page',
          configureServer: ({ middlewares }) => {
            middlewares.use('/blank', (_request, response) => {
              response.setHeaders(new Map(Object.entries(headers)));
              response.setHeader('content-type', 'text/html');
              response.end(
                `<!doctype html><title>blank</title><script type="module">
                import * as called from '${module}';
                globalThis.called = called;</script>`,
              );
            });
          },
        },
      ],
    });
    await server.listen();
    const browser = await launchChromium(executablePath);
    const close = async (): Promise<void> => {
      await browser.close();
      await server.close();
    };
    try {
      const page = await browser.newPage();
      await page.goto(new URL('/blank', server.resolvedUrls?.local[0]).href);
      await page.waitForFunction(() => 'called' in globalThis);
      const call = (name: string, ...args: unknown[]): Promise<unknown> =>
        page.evaluate(
          ([name, args]) =>
            (globalThis as unknown as { called: CalledModule }).called[name]?.(...args),
          [name, args] as const,
        );
      return new BlankPage<M>(call as BlankPage<M>['call'], close);
    } catch (thrown) {
      await close();
      throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
