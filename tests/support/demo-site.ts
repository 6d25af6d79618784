// The demo as it is built, or as `npm start` serves it, on a port of its own on loopback; knows nothing of what it shows.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';
import { type Plugin, preview } from 'vite';
import { COMES_MS } from './waits.ts';

const root = resolve(import.meta.dirname, '../..');
const VITE = resolve(root, 'node_modules/vite/bin/vite.js');

/** Below it every path of the built demo leads to itself, without this. */
export const ELSEWHERE = '/elsewhere';

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Builds the demo into a folder and serves it from there. @throws {Error} what Vite says when it cannot */
export async function builtDemo(outDir: string): Promise<Site> {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [VITE, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'],
    { cwd: root, env: environment(), encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the demo could not be built:\n${stdout}${stderr}`);
  const server = await preview({
    configFile: false,
    root: resolve(root, 'demo'),
    logLevel: 'silent',
    plugins: [redirecting()],
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0 },
  });
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error('the built demo has no address');
  return { url, close: () => server.close() };
}

function redirecting(): Plugin {
  return {
    name: 'millrace-elsewhere',
    configurePreviewServer({ middlewares }) {
      middlewares.use(ELSEWHERE, (request, response) => {
        response.writeHead(302, { location: request.url ?? '/' }).end();
      });
    },
  };
}

/** Serves the demo as `npm start` does, once the kernel is built. */
export async function servedDemo(): Promise<Site> {
  const child = spawn(process.execPath, [VITE, '--port', '0'], {
    cwd: root,
    env: { ...environment(), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const close = () => ended(child);
  try {
    return { url: await addressOf(child), close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Vite's own environment: inside Vitest the configuration is that of the tests. */
function environment(): NodeJS.ProcessEnv {
  const { VITEST: _vitest, NODE_ENV: _nodeEnv, ...rest } = process.env;
  return rest;
}

async function addressOf(child: ChildProcess): Promise<string> {
  return await new Promise((found, failed) => {
    let text = '';
    const timer = setTimeout(() => failed(new Error(`no address yet:\n${text}`)), COMES_MS);
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(text)?.[0];
      if (url === undefined) return;
      clearTimeout(timer);
      found(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => failed(new Error(`Vite ended:\n${text}`)));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  child.kill();
  await exit;
}
