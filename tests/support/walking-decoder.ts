// The kernel's decoder of JSON without templates, which walks each record by itself: what one with them is compared with; knows no record.

import { resolve } from 'node:path';
import { main } from 'assemblyscript/asc';

const ROOT = resolve(import.meta.dirname, '../..');
const OUT_FILE = 'walking.wasm';

let compiled: Promise<WebAssembly.Module> | null = null;

/** Compiled once a process, within seconds: no host has it. @throws {Error} what the compiler says */
export function walkingDecoder(): Promise<WebAssembly.Module> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<WebAssembly.Module> {
  let bytes: Uint8Array<ArrayBuffer> | null = null;
  const { error } = await main(
    [
      'engine-asm/assembly/json.ts',
      '--config',
      'engine-asm/asconfig.json',
      '--target',
      'least',
      '--baseDir',
      ROOT,
      '--outFile',
      OUT_FILE,
    ],
    {
      writeFile: (name, contents) => {
        if (name === OUT_FILE && typeof contents !== 'string') bytes = new Uint8Array(contents);
      },
    },
  );
  if (error !== null) throw error;
  if (bytes === null) throw new Error('the compiler wrote nothing');
  return new WebAssembly.Module(bytes);
}
