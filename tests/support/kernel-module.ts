// The compiled kernel for tests in Node; knows no engine.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

let compiled: WebAssembly.Module | null = null;

/** Compiled once a process, from what `npm run build:kernel` has made. */
export function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(
    readFileSync(resolve(import.meta.dirname, '../../build/kernel.wasm')),
  );
  return compiled;
}
