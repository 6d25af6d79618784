#!/usr/bin/env node
// The entry of the millrace command: the process, its streams and its kernel; knows no argument.

import process from 'node:process';
import { ownKernel } from '../runtime/engine/own-kernel.ts';
import { millrace } from './command.ts';
import type { Terminal } from './run.ts';

/** Non-null while stdout has more waiting than it should. */
let draining: Promise<void> | null = null;

function drained(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.once('drain', () => {
      draining = null;
      resolve();
    });
  });
}

const TERMINAL: Terminal = {
  out: async (bytes) => {
    if (process.stdout.write(bytes)) return;
    await (draining ??= drained());
  },
  problem: (message) => {
    process.stderr.write(`${message}\n`);
  },
};

// Whoever reads the results may have had enough of them.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await millrace(process.argv.slice(2), TERMINAL, ownKernel);
