// The kernel suite's work in C as a WebAssembly module, compiled on the spot by clang: columns are copied in as into any kernel.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { type EventBatch, type Events, keyBytesOf } from './events.ts';
import type { Native } from './native.ts';
import type { Emission } from './reference-map.ts';

const C_FILE = resolve(import.meta.dirname, 'kernel-wasm.c');
const COMPILER = 'clang';
const FLAGS = [
  '--target=wasm32',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  '-nostdlib',
  '-Wl,--no-entry',
];

/** What kernel-wasm.c exports; addresses and amounts in bytes or rows. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  names_at(keys: number, bytes: number): number;
  name_bytes_at(): number;
  open_kernel(rows: number, keyBytes: number): void;
  begin_run(): void;
  column(i: number): number;
  output(i: number): number;
  fold_batch(rows: number, byKeys: number, results: number, perRow: number): number;
}

/** Columns in the order of `column`. */
const [ROWTIME, VALUE, IDS, OFFSETS, KEY_BYTES] = [0, 1, 2, 3, 4];
/** Outputs in the order of `output`: bytes a row. */
const OUTPUT_BYTES = [4, 4, 8, 1, 8, 8, 8, 8, 8, 8];
const OUTPUT_SUM = 6;

type Keys = ReturnType<typeof keyBytesOf>;

class Instance {
  readonly #c: Exports;
  readonly #keys: readonly Keys[];

  constructor(module: WebAssembly.Module, events: Events) {
    const c = new WebAssembly.Instance(module).exports as unknown as Exports;
    const names = keyBytesOf(events.names);
    const at = c.names_at(events.names.length, names.bytes.length);
    new Uint32Array(c.memory.buffer, at, names.offsets.length).set(names.offsets);
    new Uint8Array(c.memory.buffer, c.name_bytes_at(), names.bytes.length).set(names.bytes);
    this.#keys = events.batches.map(({ keys }) => keyBytesOf(keys));
    const rows = Math.max(...events.batches.map(({ length }) => length));
    c.open_kernel(rows, Math.max(...this.#keys.map(({ bytes }) => bytes.length)));
    this.#c = c;
  }

  #copyIn({ rowtime, value, codes }: EventBatch, keys: Keys | null): void {
    const c = this.#c;
    const { buffer } = c.memory;
    new Float64Array(buffer, c.column(ROWTIME), rowtime.length).set(rowtime);
    new Float64Array(buffer, c.column(VALUE), value.length).set(value);
    if (keys === null) new Uint32Array(buffer, c.column(IDS), codes.length).set(codes);
    else {
      new Uint32Array(buffer, c.column(OFFSETS), keys.offsets.length).set(keys.offsets);
      new Uint8Array(buffer, c.column(KEY_BYTES), keys.bytes.length).set(keys.bytes);
    }
  }

  /** SUM of the last of so many rows; with `isTaken` all outputs are copied, as they are by who keeps them. */
  #lastSum(rows: number, isTaken: boolean): number {
    const c = this.#c;
    if (isTaken)
      for (const [i, bytes] of OUTPUT_BYTES.entries())
        new Uint8Array(c.memory.buffer, c.output(i), rows * bytes).slice();
    return new Float64Array(c.memory.buffer, c.output(OUTPUT_SUM), rows)[rows - 1] ?? 0;
  }

  run(events: Events, by: 'ids' | 'keys', emission: Emission): number {
    const c = this.#c;
    const isPerRow = emission === 'rows';
    const hasResults = emission === 'results';
    let sum = 0;
    c.begin_run();
    for (const [i, batch] of events.batches.entries()) {
      const keys = by === 'keys' ? (this.#keys[i] ?? null) : null;
      this.#copyIn(batch, keys);
      const rows = c.fold_batch(
        batch.length,
        Number(keys !== null),
        Number(hasResults),
        Number(isPerRow),
      );
      sum += rows;
      if (emission !== 'listed' && rows > 0) sum += this.#lastSum(rows, isPerRow);
    }
    return sum;
  }
}

/** null, with a message, where clang is not there or cannot make WebAssembly. */
export function wasmNative(events: Events, folder: string): Native | null {
  const file = join(folder, 'kernel.wasm');
  const { status, stderr } = spawnSync(COMPILER, [...FLAGS, '-o', file, C_FILE]);
  if (status !== 0) {
    const why = status === null ? 'it is not there' : stderr.toString().trim();
    process.stderr.write(`no WebAssembly from clang: ${why}\n`);
    return null;
  }
  const instance = new Instance(new WebAssembly.Module(readFileSync(file)), events);
  return {
    target: 'WebAssembly',
    subject: (by, emission) => ({
      subject: `C, ${by}, WebAssembly`,
      prepare: () => () => instance.run(events, by, emission),
    }),
    end: () => undefined,
  };
}
