// Bundles what a page loads, as an application's build would, and holds its size to the limit in .size-limit.json.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '..');

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    outDir: resolve(root, 'tests/.tmp/size'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: { input: resolve(root, 'tests/support/page-core.ts') },
  },
});
const sizeLimit = resolve(root, 'node_modules/size-limit/bin.js');
const { status } = spawnSync(process.execPath, [sizeLimit], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
