// Subjects in C for the kernel suite: kernel.c compiled on the spot by every compiler that is there, by clang for WebAssembly too; knows no engine.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { BATCH_ROWS, type EventBatch, type Events, keyBytesOf } from './events.ts';
import type { Emission } from './reference-map.ts';
import type { Subject } from './run.ts';
import { wasmNative } from './native-wasm.ts';

const C_FILE = resolve(import.meta.dirname, 'kernel-native.c');

/** What one compiler made of it, over one set of events. */
export interface Native {
  readonly target: 'machine' | 'WebAssembly';
  readonly subject: (keys: 'ids' | 'keys', emission: Emission) => Subject;
  readonly end: () => void;
}

/** The bytes of a column, filled up to whole eight bytes. */
function padded(column: Uint8Array | Uint32Array | Float64Array): Uint8Array {
  const bytes = new Uint8Array((column.byteLength + 7) & ~7);
  bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return bytes;
}

function columnsOf({ length, codes, keys, rowtime, value }: EventBatch): Uint8Array[] {
  const { bytes, offsets } = keyBytesOf(keys);
  const head = Uint32Array.of(length, bytes.length);
  return [head, rowtime, value, codes, offsets, bytes].map(padded);
}

function writeEvents(path: string, events: Events): void {
  const file = openSync(path, 'w');
  try {
    const head = Uint32Array.of(events.batches.length, BATCH_ROWS, events.names.length, 0);
    writeSync(file, head);
    const names = keyBytesOf(events.names);
    for (const column of [names.offsets, names.bytes]) writeSync(file, padded(column));
    for (const batch of events.batches)
      for (const column of columnsOf(batch)) writeSync(file, column);
  } finally {
    closeSync(file);
  }
}

function started(compiler: string, folder: string): Native | null {
  const program = join(folder, compiler);
  const flags = ['-O3', '-march=native', '-o', program, C_FILE, '-lm'];
  if (spawnSync(compiler, flags).status !== 0) return null;
  const child = spawn(program, [join(folder, 'events')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the program of ${compiler} ended with ${code}`);
  });
  // Its end is an error only for one who waits for an answer.
  ended.catch(() => null);
  const subject: Native['subject'] = (keys, emission) => ({
    subject: `C, ${keys}, ${compiler}`,
    prepare: () => async () => {
      child.stdin.write(`${keys} ${emission}\n`);
      const [line] = (await Promise.race([once(answers, 'line'), ended])) as [string];
      const [checksum = NaN, ms = NaN] = line.split(' ').map(Number);
      return { checksum, ms };
    },
  });
  return { target: 'machine', subject, end: () => child.stdin.end() };
}

/** Programs over these events, a compiler each; none, with a message, where there is no compiler. */
export function natives(events: Events): { readonly list: readonly Native[]; end(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  writeEvents(join(folder, 'events'), events);
  const list = [
    ...['clang', 'gcc'].map((name) => started(name, folder)),
    wasmNative(events, folder),
  ].filter((one) => one !== null);
  if (list.length === 0)
    process.stderr.write('no clang and no gcc: the suite runs without its subjects in C\n');
  const end = (): void => {
    for (const native of list) native.end();
    rmSync(folder, { recursive: true });
  };
  return { list, end };
}
