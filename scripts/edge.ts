// Starts the edge on wrangler dev (npm run edge): on loopback, its data in .wrangler, all telemetry off.

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { QUIET_WRANGLER } from '../tests/support/quiet-wrangler.ts';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    /** ksqlDB's port, so that its tools find it. */
    port: { type: 'string', default: '8088' },
    data: { type: 'string', default: resolve(root, '.wrangler/state') },
  },
});
const wrangler = spawn(
  process.execPath,
  [
    resolve(root, 'node_modules/wrangler/bin/wrangler.js'),
    'dev',
    `--config=${resolve(root, 'edge/wrangler.jsonc')}`,
    '--ip=127.0.0.1',
    `--port=${values.port}`,
    '--inspector-ip=127.0.0.1',
    `--persist-to=${resolve(values.data)}`,
    '--show-interactive-dev-session=false',
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...QUIET_WRANGLER } },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => wrangler.kill(signal));
wrangler.on('exit', (code) => {
  process.exitCode = code ?? 0;
});
