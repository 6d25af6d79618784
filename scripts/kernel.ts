// Compiles the AssemblyScript kernel to build/, whole and in halves, unless its sources are unchanged; stdout stays empty.
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { main } from 'assemblyscript/asc';

const root = resolve(import.meta.dirname, '..');

const AGGREGATES = 'engine-asm/assembly/index.ts';
const JSON_DECODER = 'engine-asm/assembly/json.ts';
/** What each module exports: pages fetch the halves one by one, every other host has all at once. */
const MODULES = [
  { wasm: 'build/kernel.wasm', entries: [AGGREGATES, JSON_DECODER] },
  { wasm: 'build/kernel-aggregates.wasm', entries: [AGGREGATES] },
  { wasm: 'build/kernel-json.wasm', entries: [JSON_DECODER] },
].map(({ wasm, entries }) => ({ wasm: resolve(root, wasm), entries }));
const stamp = resolve(root, 'build/kernel.sha256');

const hash = createHash('sha256');
const sources = globSync('engine-asm/**/*.{ts,json}', { cwd: root }).sort();
for (const path of [...sources, 'scripts/kernel.ts', 'node_modules/assemblyscript/package.json']) {
  hash.update(`${path}\0`).update(readFileSync(resolve(root, path)));
}
const digest = hash.digest('hex');

const isStale = !existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest;
if (isStale || MODULES.some(({ wasm }) => !existsSync(wasm))) {
  mkdirSync(resolve(root, 'build'), { recursive: true });
  for (const { wasm, entries } of MODULES) {
    // Written beside and renamed, so that processes that build or load at the same time see whole files only.
    const fresh = `${wasm}.${process.pid}`;
    const options = [
      '--config',
      'engine-asm/asconfig.json',
      '--target',
      'release',
      '--outFile',
      fresh,
    ];
    const { error } = await main([...entries, ...options, '--baseDir', root]);
    if (error !== null) throw error;
    renameSync(fresh, wasm);
  }
  writeFileSync(stamp, digest);
}
