// The compiled kernel for tests in Node; knows no engine.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const compiled = new Map<string, WebAssembly.Module>();

/**
 * Compiled once a process, from what `npm run build:kernel` has made.
 * @param part one of the halves that pages load, else the whole kernel
 */
export function kernelModule(part?: 'aggregates' | 'json'): WebAssembly.Module {
  const name = part === undefined ? 'kernel.wasm' : `kernel-${part}.wasm`;
  let module = compiled.get(name);
  if (module === undefined) {
    const path = resolve(import.meta.dirname, '../../build', name);
    compiled.set(name, (module = new WebAssembly.Module(readFileSync(path))));
  }
  return module;
}
