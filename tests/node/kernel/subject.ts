// Drives the real kernel with the rows of the tests and reads its columns back as text; knows no expected result.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { bitAt, bitmap, setBit, type Bitmap } from '../../../runtime/data/column.ts';
import { restore } from '../../../runtime/kernel/groups.ts';
import { bringOrigins, OTHER_FUNCTIONS } from '../../../runtime/kernel/other-functions.ts';
import {
  Kernel,
  NULL_GROUP,
  type KernelColumn,
  type KernelKeys,
  type KernelOutput,
  type KernelState,
} from '../../../runtime/kernel/instance.ts';
import type { ArgumentType, KernelBounds, KernelProgram } from '../../../runtime/kernel/program.ts';
import { coalesced, textOf, type Cell, type ModelOutput, type ModelRow } from './model.ts';

const wasm = resolve(import.meta.dirname, '../../../build/kernel.wasm');
export const kernelBytes: Buffer<ArrayBuffer> = readFileSync(wasm);
export const kernelModule: WebAssembly.Module = new WebAssembly.Module(kernelBytes);

/** Windows of 10 ms, a count, a sum and a bound: what a test of groups, not of results, makes a kernel of. */
export const program: KernelProgram = {
  arguments: ['F64'],
  aggregates: [
    { function: 'COUNT', argument: null },
    { function: 'SUM', argument: 0 },
    { function: 'MAX', argument: 0 },
  ],
  window: { sizeMs: 10, advanceMs: 10, graceMs: 1_000_000 },
  output: 'groups',
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function keysOf(texts: readonly string[]): KernelKeys {
  const parts = texts.map((text) => encoder.encode(text));
  const offsets = new Uint32Array(parts.length + 1);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const [i, part] of parts.entries()) {
    bytes.set(part, at);
    at += part.length;
    offsets[i + 1] = at;
  }
  return { bytes, offsets };
}

/** The kernel's own view where no key is null. */
function idsOf(kernel: Kernel, keys: readonly (string | null)[]): Uint32Array {
  const known = keys.filter((key) => key !== null);
  const ids = kernel.intern(keysOf(known));
  if (known.length === keys.length) return ids;
  const given = ids.values();
  return Uint32Array.from(keys, (key) => (key === null ? NULL_GROUP : (given.next().value ?? 0)));
}

function columnOf(type: ArgumentType, cells: readonly Cell[]): KernelColumn {
  const validity: Bitmap = bitmap(cells.length);
  for (const [i, cell] of cells.entries()) if (cell !== null) setBit(validity, i);
  const nulls = cells.includes(null) ? validity : null;
  if (type === 'I64')
    return { values: BigInt64Array.from(cells, (cell) => BigInt(cell ?? 77)), validity: nulls };
  const numbers = cells.map((cell) => Number(cell ?? 77));
  return {
    values: type === 'I32' ? Int32Array.from(numbers) : Float64Array.from(numbers),
    validity: nulls,
  };
}

function resultsAt(columns: readonly KernelColumn[], j: number): string[] {
  return columns.map(({ values, validity }) =>
    textOf(validity !== null && !bitAt(validity, j) ? null : (values[j] ?? null)),
  );
}

/** A kernel that speaks rows. */
export class Subject {
  readonly kernel: Kernel;
  readonly #isWhole: boolean;
  /** Positions of the rows that missed windows, and how many. */
  readonly late: [row: number, windows: number][] = [];

  constructor(
    program: KernelProgram,
    bounds: Partial<KernelBounds> = {},
    module: WebAssembly.Module = kernelModule,
  ) {
    this.#isWhole = WebAssembly.Module.exports(module).some(({ name }) => name === 'offsets');
    const functions = this.#isWhole ? OTHER_FUNCTIONS : undefined;
    this.kernel = new Kernel(module, { functions, ...program }, { rowsMax: 64, ...bounds });
  }

  keyOf(id: number): string {
    return decoder.decode(this.kernel.keyOf(id));
  }

  /** Interns and processes one batch; late rows are noted with `from` added to their position. */
  process(rows: readonly ModelRow[], from = 0): ModelOutput[] {
    if (rows.length === 0) return [];
    const ids = idsOf(
      this.kernel,
      rows.map(({ key }) => key),
    );
    const chosen = rows.flatMap(({ skipped }, i) => (skipped === true ? [] : [i]));
    const batch = {
      length: chosen.length,
      selection: chosen.length === rows.length ? null : Uint32Array.from(chosen),
      ids,
      rowtime: Float64Array.from(rows, ({ rowtime }) => rowtime),
      arguments: this.kernel.program.arguments.map((type, a) =>
        columnOf(
          type,
          rows.map(({ values }) => values[a] ?? null),
        ),
      ),
    };
    // The record of row i is that at offset i of the input, however it is told.
    const origin = from % 2 === 0 ? null : Uint32Array.from(rows, (_, i) => from + i);
    if (this.#isWhole)
      bringOrigins(this.kernel, batch, { first: origin === null ? from : 0, origin });
    const outputs: ModelOutput[] = [];
    for (let taken = 0; taken < chosen.length;) {
      const output = this.kernel.process(batch, taken);
      if (output.refused !== null) throw new Error(`the kernel refused for ${output.refused}`);
      output.late.forEach((row, i) => this.late.push([from + row, output.lateWindows?.[i] ?? 1]));
      output.rows.forEach((row, j) => {
        const key = this.keyOf(this.kernel.views.attach().outId[j] ?? NULL_GROUP);
        if (rows[row]?.key !== key) throw new Error(`row ${row} is not of the group ${key}`);
      });
      outputs.push(...this.read(output, from));
      taken = output.consumed;
    }
    return this.kernel.program.output === 'rows' ? outputs : coalesced(outputs);
  }

  read(output: KernelOutput, from = 0): ModelOutput[] {
    const { rowtime, columns } = this.kernel.results();
    return Array.from({ length: output.length }, (_, j) => ({
      row: this.kernel.program.output === 'rows' ? from + (output.rows[j] ?? 0) : null,
      key: this.keyOf(this.kernel.views.attach().outId[j] ?? NULL_GROUP),
      windowStart: output.windowStart[j] ?? -1,
      rowtime: rowtime[j] ?? -1,
      isNew: output.op[j] === 0,
      results: resultsAt(columns, j),
    }));
  }

  /** Interns keys that no row has, ids 0 .. count - 1. */
  know(count: number): void {
    const most = 64;
    for (let from = 0; from < count; from += most) {
      const names = Array.from(
        { length: Math.min(most, count - from) },
        (_, i) => `stranger ${from + i}`,
      );
      this.kernel.intern(keysOf(names));
    }
  }

  /** Takes the changes out, by key and window. */
  changes(): Map<
    string,
    { readonly key: string; readonly windowStart: number; readonly state: Uint8Array }
  > {
    const all = new Map<string, { key: string; windowStart: number; state: Uint8Array }>();
    this.kernel.collectChanges(({ id, windowStart, state }) => {
      const key = this.keyOf(id);
      all.set(`${windowStart}/${key}`, { key, windowStart, state });
    });
    return all;
  }

  restore(
    entries: Iterable<{
      readonly key: string;
      readonly windowStart: number;
      readonly state: Uint8Array;
    }>,
  ): void {
    for (const { key, windowStart, state } of entries) {
      const id = this.kernel.intern(keysOf([key]))[0] ?? NULL_GROUP;
      const group: KernelState = { id, windowStart, state };
      restore(this.kernel, [group]);
    }
  }
}
