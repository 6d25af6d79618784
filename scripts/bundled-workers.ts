// In development Workers come in a few files, as a build makes them: hundreds of modules, asked for one by one, take seconds; knows no engine.

import { basename, dirname, extname, resolve } from 'node:path';
import {
  build,
  isFileLoadingAllowed,
  normalizePath,
  type Plugin,
  type ResolvedConfig,
  type ViteDevServer,
} from 'vite';
import { coreChunk } from './core-chunk.ts';

interface Bundle {
  /** The name of the Worker's own file. */
  readonly entry: string;
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** The paths of what it was made of. */
  readonly modules: ReadonlySet<string>;
}

/** What is made is named so; no file of the project is. */
const MADE = 'bundled-[name]-[hash]';
const IS_MADE = /^bundled-.*\.(?:js|wasm)$/;

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Builds a page that does nothing but start the Worker, since Vite bundles Workers only for a page. */
async function bundle(worker: string): Promise<Bundle> {
  const modules = new Set<string>();
  const page = normalizePath(resolve(dirname(worker), 'page-of-worker.ts'));
  const built = await build({
    root: dirname(worker),
    base: './',
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [
      {
        name: 'millrace-page-of-worker',
        resolveId: (id) => (id === page ? page : undefined),
        load: (id) =>
          id === page
            ? `new Worker(new URL('./${basename(worker)}', import.meta.url), { type: 'module' });`
            : undefined,
      },
    ],
    worker: {
      format: 'es',
      plugins: () => [
        { name: 'millrace-modules-of-worker', moduleParsed: ({ id }) => void modules.add(id) },
      ],
      rolldownOptions: {
        output: {
          entryFileNames: `${MADE}.js`,
          chunkFileNames: `${MADE}.js`,
          assetFileNames: `${MADE}[extname]`,
          codeSplitting: { groups: [coreChunk()] },
        },
      },
    },
    build: {
      write: false,
      target: 'es2023',
      minify: false,
      modulePreload: false,
      assetsDir: '',
      assetsInlineLimit: 0,
      rolldownOptions: { input: page, output: { assetFileNames: `${MADE}[extname]` } },
    },
  });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  const files = new Map(
    outputs.map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source]),
  );
  const stem = basename(worker, extname(worker));
  const entry = [...files.keys()].find((name) => name.startsWith(`bundled-${stem}-`));
  if (entry === undefined) throw new Error(`no bundle of ${worker} was made`);
  return { entry, files, modules };
}

interface Answer {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** The file behind an address of the development server, which may be outside of its root. */
function fileOf(pathname: string, { root }: ResolvedConfig): string {
  const path = decodeURIComponent(pathname);
  return path.startsWith('/@fs/')
    ? path.slice('/@fs'.length)
    : normalizePath(resolve(root, `.${path}`));
}

/**
 * Bundles each Worker that a page starts, once until one of its files changes; the page is then loaded anew.
 * @param early paths of Workers that are bundled as soon as the server starts
 */
export function bundledWorkers(early: readonly string[] = []): Plugin {
  const bundles = new Map<string, Promise<Bundle>>();
  let watch = (_files: readonly string[]): void => undefined;
  /** Vite watches what it serves itself, which these files are not. */
  const watched = async (worker: string): Promise<Bundle> => {
    const made = await bundle(worker);
    watch([...made.modules]);
    return made;
  };
  const bundleOf = (worker: string): Promise<Bundle> => {
    const made = bundles.get(worker) ?? watched(worker);
    bundles.set(worker, made);
    return made;
  };
  /** What is answered for an address; undefined where it is not of a Worker. */
  const answerTo = async (url: string, config: ResolvedConfig): Promise<Answer | undefined> => {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    if (searchParams.has('worker_file')) {
      const worker = fileOf(pathname, config);
      if (!isFileLoadingAllowed(config, worker)) return undefined;
      // Parts import from the Worker's own file, which must then be the one that runs: by one address.
      const { entry } = await bundleOf(worker);
      return { type: 'text/javascript', body: `import './${entry}';` };
    }
    const name = basename(pathname);
    if (!IS_MADE.test(name)) return undefined;
    // Names hold a hash of what is in the file, so that all bundles with the name have the same.
    const made = await Promise.all(bundles.values());
    const body = made.map(({ files }) => files.get(name)).find((file) => file !== undefined);
    return body === undefined ? undefined : { type: TYPES[extname(name)] ?? 'text/plain', body };
  };
  const reloadWith = async (path: string, ws: ViteDevServer['ws']): Promise<void> => {
    for (const [worker, made] of bundles) {
      const modules = await made.then((its) => its.modules).catch(() => null);
      if (modules?.has(normalizePath(path)) === false) continue;
      bundles.delete(worker);
      ws.send({ type: 'full-reload' });
    }
  };
  return {
    name: 'millrace-bundled-workers',
    apply: 'serve',
    configureServer({ config, middlewares, watcher, ws }) {
      watch = (files) => void watcher.add(files);
      // Whoever asks for the Worker is told what is wrong with it.
      for (const worker of early) bundleOf(worker).catch(() => undefined);
      watcher.on('change', (path) => void reloadWith(path, ws));
      middlewares.use((request, response, passOn) => {
        const answered = answerTo(request.url ?? '/', config);
        answered.then((answer) => {
          if (answer === undefined) return passOn();
          response.setHeader('content-type', answer.type);
          response.setHeader('cache-control', 'no-store');
          return response.end(answer.body);
        }, passOn);
      });
    },
  };
}
