// Bundles the edge offline for plain workerd, the same sources once, however many processes ask for it at the same time.

import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { throwAwayLeft } from './left-folders.ts';
import { madeOnce } from './made-once.ts';
import { collect } from './printed.ts';
import { QUIET_WRANGLER } from './quiet-wrangler.ts';

const root = resolve(import.meta.dirname, '../..');
/** Where bundles and the data of objects are. */
export const temporary = resolve(root, 'tests/.tmp');

/**
 * Bundles an entry of the edge, unless the same sources were bundled before or another process does it just now, which is waited for: it takes seconds of a
 * processor, and many files of tests begin with it.
 * @param entry path from the root of the repository
 * @returns the folder of main.js and its modules
 */
export async function bundleEdge(entry = 'edge/main.ts'): Promise<string> {
  const name = `bundle-${entry.replaceAll(/[^a-z0-9]+/gi, '-')}-`;
  const bundle = join(temporary, name + hashOf(entry));
  mkdirSync(temporary, { recursive: true });
  await madeOnce(bundle, async () => {
    throwAwayLeft(temporary, name);
    await make(entry, bundle);
  });
  return bundle;
}

function hashOf(entry: string): string {
  const hash = createHash('sha256').update(entry);
  const sources = globSync(
    ['edge/**', 'runtime/**/*.ts', 'tests/workers/{apps,bench,torture}/*.ts', 'build/kernel.wasm'],
    { cwd: root },
  );
  for (const path of [...sources, 'package-lock.json'].sort()) {
    if (statSync(join(root, path)).isFile())
      hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** `wrangler deploy --dry-run` into a folder beside it, which is then renamed: whoever sees the bundle sees it whole. */
async function make(entry: string, bundle: string): Promise<void> {
  const fresh = `${bundle}.${randomUUID()}`;
  const wrangler = spawn(
    process.execPath,
    [
      join(root, 'node_modules/wrangler/bin/wrangler.js'),
      'deploy',
      join(root, entry),
      '--dry-run',
      '--outdir',
      fresh,
      '--config',
      join(root, 'edge/wrangler.jsonc'),
    ],
    {
      cwd: root,
      env: { ...process.env, ...QUIET_WRANGLER, CI: 'true' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output = collect(wrangler);
  const [code] = (await once(wrangler, 'close')) as [number | null];
  if (code === 0) {
    renameSync(fresh, bundle);
    return;
  }
  rmSync(fresh, { recursive: true, force: true });
  throw new Error(`wrangler could not bundle ${entry}:\n${output.text}`);
}
