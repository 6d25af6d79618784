// A site of one page with one script, bundled from TypeScript as an application's build would; knows no engine and no edge.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { build } from 'vite';
import { ROOT } from './source-files.ts';

/** The entries of the package that a script may import by their names, and what tests look into. */
const ENTRIES = {
  'millrace/client': resolve(ROOT, 'runtime/client/index.ts'),
  'millrace/outbox/store': resolve(ROOT, 'runtime/outbox/store.ts'),
  'millrace/outbox': resolve(ROOT, 'runtime/outbox/index.ts'),
};

async function bundled(code: string): Promise<string> {
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
    build: {
      write: false,
      rolldownOptions: { input: entry, output: { codeSplitting: false } },
    },
  });
  const [script] = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  if (script?.type !== 'chunk') throw new Error('the script was not bundled');
  return script.code;
}

export class ScriptSite {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param code of a TypeScript module; the names that it puts into `globalThis` are its page's */
  static async start(code: string): Promise<ScriptSite> {
    const script = await bundled(code);
    const server = createServer((request, response) => {
      const isScript = request.url === '/script.js';
      response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
      response.end(isScript ? script : '<script type="module" src="/script.js"></script>');
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
