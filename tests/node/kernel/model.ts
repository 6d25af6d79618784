// What the kernel must compute, said naively: every result anew from all values of the group; knows no kernel code.

import type {
  ArgumentType,
  KernelAggregate,
  KernelProgram,
} from '../../../runtime/kernel/program.ts';

export type Cell = number | bigint | null;

export interface ModelRow {
  /** null: a null group key. */
  readonly key: string | null;
  readonly rowtime: number;
  readonly values: readonly Cell[];
  /** Not in the selection. */
  readonly skipped?: boolean;
}

/** One row put out; results as text that tells -0 from 0 and a bigint from a number. */
export interface ModelOutput {
  readonly row: number | null;
  readonly key: string;
  readonly windowStart: number;
  readonly rowtime: number;
  readonly isNew: boolean;
  readonly results: readonly string[];
}

interface Group {
  readonly key: string;
  readonly windowStart: number;
  readonly values: Cell[][];
  rowtime: number;
}

/** A result as text; every NaN is one. */
export function textOf(value: Cell): string {
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Java's order: -0 below 0, NaN above all. */
function compare(a: number | bigint, b: number | bigint): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
}

function sumOf(values: readonly (number | bigint)[], type: ArgumentType): number | bigint {
  if (type === 'F64') return values.reduce<number>((sum, value) => sum + Number(value), 0);
  return BigInt.asIntN(
    64,
    values.reduce<bigint>((sum, value) => sum + BigInt(value), 0n),
  );
}

/** The sample variance, value by value as ksqlDB has it: whole numbers are exact until they are divided. */
function varianceOf(values: readonly (number | bigint)[], type: ArgumentType): number {
  let squares = 0;
  for (let count = 2; count <= values.length; count += 1) {
    const value = values[count - 1] ?? 0;
    const sum = sumOf(values.slice(0, count), type);
    const delta =
      type === 'F64'
        ? Number(value) * count - Number(sum)
        : Number(BigInt(value) * BigInt(count) - BigInt(sum));
    squares += (delta * delta) / (count * (count - 1));
  }
  return values.length < 2 ? 0 : squares / (values.length - 1);
}

function resultOf(
  program: KernelProgram,
  aggregate: KernelAggregate,
  rows: readonly Cell[][],
): Cell {
  const { function: name, argument } = aggregate;
  if (argument === null) return BigInt(rows.length);
  const type = program.arguments[argument] ?? 'F64';
  const values = rows
    .map((row) => row[argument])
    .filter((value) => value !== null && value !== undefined);
  switch (name) {
    case 'COUNT':
      return BigInt(values.length);
    case 'SUM': {
      const sum = sumOf(values, type);
      return type === 'I32' ? Number(BigInt.asIntN(32, BigInt(sum))) : sum;
    }
    case 'EARLIEST_BY_OFFSET':
      return values[0] ?? null;
    case 'LATEST_BY_OFFSET':
      return values.at(-1) ?? null;
    case 'STDDEV_SAMP':
      return varianceOf(values, type);
    case 'STDDEV_SAMPLE':
      return Math.sqrt(varianceOf(values, type));
    case 'AVG':
      return values.length === 0 ? 0 : Number(sumOf(values, type)) / values.length;
    default: {
      const sign = name === 'MIN' ? 1 : -1;
      let best: number | bigint | null = null;
      for (const value of values)
        if (best === null || compare(value, best) * sign < 0) best = value;
      return best;
    }
  }
}

/** The starts of all windows that hold a rowtime, ascending: every multiple of the advance is looked at. */
function startsOf(window: NonNullable<KernelProgram['window']>, rowtime: number): number[] {
  const starts: number[] = [];
  for (let start = 0; start <= rowtime; start += window.advanceMs) {
    if (rowtime < start + window.sizeMs) starts.push(start);
  }
  return starts;
}

/** Runs rows one after the other; `outputs` is what output per row puts out. */
export class Model {
  readonly groups = new Map<string, Group>();
  /** Positions of the rows that missed windows, and how many. */
  readonly late: [row: number, windows: number][] = [];
  streamTime = -Infinity;
  readonly #program: KernelProgram;

  constructor(program: KernelProgram) {
    this.#program = program;
  }

  process(rows: readonly ModelRow[]): ModelOutput[] {
    const outputs: ModelOutput[] = [];
    for (const [position, row] of rows.entries()) {
      if (row.key === null || row.skipped === true) continue;
      this.streamTime = Math.max(this.streamTime, row.rowtime);
      const { window } = this.#program;
      const starts = window === null ? [0] : startsOf(window, row.rowtime);
      const open = starts.filter(
        (start) => window === null || start + window.sizeMs > this.streamTime - window.graceMs,
      );
      if (open.length < starts.length) this.late.push([position, starts.length - open.length]);
      for (const windowStart of open) {
        const name = `${windowStart}/${row.key}`;
        const old = this.groups.get(name);
        const group = old ?? { key: row.key, windowStart, values: [], rowtime: 0 };
        this.groups.set(name, group);
        group.values.push([...row.values]);
        group.rowtime = Math.max(group.rowtime, row.rowtime);
        outputs.push(this.#output(group, position, old === undefined));
      }
    }
    return outputs;
  }

  /** The current results of all groups, sorted. */
  table(): string[] {
    const rows = [...this.groups.values()].map((group) =>
      JSON.stringify(this.#output(group, null, false)),
    );
    return rows.sort();
  }

  #output(group: Group, row: number | null, isNew: boolean): ModelOutput {
    const { key, windowStart, rowtime } = group;
    const results = this.#program.aggregates.map((a) =>
      textOf(resultOf(this.#program, a, group.values)),
    );
    return { row, key, windowStart, rowtime, isNew, results };
  }
}

/** Each group once, in the order of its first output, as it was at its last: what output by groups puts out. */
export function coalesced(outputs: readonly ModelOutput[]): ModelOutput[] {
  const last = new Map<string, ModelOutput>();
  for (const output of outputs) {
    const name = `${output.windowStart}/${output.key}`;
    const first = last.get(name) ?? output;
    last.set(name, { ...output, row: null, isNew: first.isNew });
  }
  return [...last.values()];
}
