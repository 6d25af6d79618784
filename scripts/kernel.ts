// Compiles the AssemblyScript kernel to build/kernel.wasm unless its sources are unchanged; stdout stays empty.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';

const root = resolve(import.meta.dirname, '..');
const wasm = resolve(root, 'build/kernel.wasm');
const stamp = resolve(root, 'build/kernel.sha256');

const hash = createHash('sha256');
const sources = globSync('engine-asm/**/*.{ts,json}', { cwd: root }).sort();
for (const path of [...sources, 'node_modules/assemblyscript/package.json']) {
  hash.update(`${path}\0`).update(readFileSync(resolve(root, path)));
}
const digest = hash.digest('hex');

if (!existsSync(wasm) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  mkdirSync(resolve(root, 'build'), { recursive: true });
  // Written beside and renamed, so that processes that build or load at the same time see whole files only.
  const fresh = `${wasm}.${process.pid}`;
  const { status } = spawnSync(
    process.execPath,
    [
      resolve(root, 'node_modules/assemblyscript/bin/asc.js'),
      '--config',
      'engine-asm/asconfig.json',
      '--target',
      'release',
      '--outFile',
      fresh,
    ],
    { cwd: root, stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) process.exit(status ?? 1);
  renameSync(fresh, wasm);
  writeFileSync(stamp, digest);
}
