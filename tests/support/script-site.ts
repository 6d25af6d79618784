// A site of one page with a script of its own, bundled from TypeScript as an application's build would; knows no engine and no edge.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { build } from 'vite';
import { ROOT } from './source-files.ts';

/** The entries of the package that a script may import by their names, and what tests look into. */
const ENTRIES = {
  'millrace/browser': resolve(ROOT, 'runtime/browser/index.ts'),
  'millrace/client': resolve(ROOT, 'runtime/client/index.ts'),
  'millrace/outbox/store': resolve(ROOT, 'runtime/outbox/store.ts'),
  'millrace/outbox': resolve(ROOT, 'runtime/outbox/index.ts'),
};

/** The script and what it fetches later, by their paths. */
async function bundled(code: string): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const entry = resolve(ROOT, 'tests/script.ts');
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    resolve: { alias: ENTRIES },
    plugins: [
      {
        name: 'script',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? code : null),
      },
    ],
    worker: { format: 'es' },
    build: {
      write: false,
      target: 'es2023',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: { input: entry, output: { entryFileNames: 'script.js' } },
    },
  });
  const made = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  return new Map(
    made.map((one) => [`/${one.fileName}`, one.type === 'chunk' ? one.code : one.source] as const),
  );
}

export class ScriptSite {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param code of a TypeScript module; the names that it puts into `globalThis` are its page's */
  static async start(code: string): Promise<ScriptSite> {
    const scripts = await bundled(code);
    const server = createServer((request, response) => {
      const script = scripts.get(request.url ?? '');
      const type =
        script === undefined
          ? 'text/html'
          : typeof script === 'string'
            ? 'text/javascript'
            : 'application/octet-stream';
      response.writeHead(200, { 'content-type': type });
      response.end(script ?? '<script type="module" src="/script.js"></script>');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new ScriptSite(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
  }
}
