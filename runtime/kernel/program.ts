// What one kernel instance computes, as its host says it, and how that is written down for the kernel; knows no data.

import { assert, existing } from '../base/assert.ts';
import {
  AGGREGATES_MAX,
  ARGUMENT_NONE,
  ARGUMENTS_MAX,
  CONFIG_ADVANCE_MS,
  CONFIG_AGGREGATES,
  CONFIG_ARGUMENT_TYPES,
  CONFIG_ARGUMENTS,
  CONFIG_BYTES,
  CONFIG_CALLS,
  CONFIG_ENTRIES_MAX,
  CONFIG_GRACE_MS,
  CONFIG_OUTPUT,
  CONFIG_ROWS_MAX,
  CONFIG_SEED,
  CONFIG_SIZE_MS,
  FUNCTION_AVG,
  FUNCTION_COUNT,
  FUNCTION_MAX,
  FUNCTION_MIN,
  FUNCTION_SUM,
  OUTPUT_GROUPS,
  OUTPUT_ROWS,
  STATE_CELLS,
  TYPE_F64,
  TYPE_I32,
  TYPE_I64,
} from './abi.ts';

/** Type of an argument column: INT, BIGINT, DOUBLE. */
export type ArgumentType = 'I32' | 'I64' | 'F64';

export interface KernelAggregate {
  readonly function: 'COUNT' | 'SUM' | 'MIN' | 'MAX' | 'AVG';
  /** Position in `arguments`; null for COUNT(*). */
  readonly argument: number | null;
}

export interface KernelProgram {
  /** The distinct argument columns: aggregates of one column share the work, so name each once. */
  readonly arguments: readonly ArgumentType[];
  readonly aggregates: readonly KernelAggregate[];
  /**
   * Tumbling windows, or hopping ones where they advance by less than their size; null: one table without windows, in
   * window 0. A row falls in at most `rowsMax` windows.
   */
  readonly window: {
    readonly sizeMs: number;
    readonly advanceMs: number;
    readonly graceMs: number;
  } | null;
  /** `rows`: the results after each accepted row, in each of its windows. `groups`: each group that the batch changed, once, with its last results. */
  readonly output: 'rows' | 'groups';
}

/** Bounds of one instance. */
export interface KernelBounds {
  readonly rowsMax: number;
  readonly entriesMax: number;
  readonly memoryBytesMax: number;
  /** Stirs the dictionary's hash; has no influence on any result. */
  readonly seed: number;
}

const FUNCTIONS = {
  COUNT: FUNCTION_COUNT,
  SUM: FUNCTION_SUM,
  MIN: FUNCTION_MIN,
  MAX: FUNCTION_MAX,
  AVG: FUNCTION_AVG,
} as const;

const TYPES = { I32: TYPE_I32, I64: TYPE_I64, F64: TYPE_F64 } as const;

/** The type of an aggregate's results. */
export function resultType(program: KernelProgram, aggregate: KernelAggregate): ArgumentType {
  if (aggregate.function === 'COUNT') return 'I64';
  if (aggregate.function === 'AVG') return 'F64';
  return existing(program.arguments[aggregate.argument ?? -1], 'argument');
}

/** Bytes of one group's state: rowtime, mask of present cells, and the cells (two for AVG, else one). */
export function stateBytesOf(program: KernelProgram): number {
  const cells = program.aggregates.reduce(
    (sum, { function: name }) => sum + (name === 'AVG' ? 2 : 1),
    0,
  );
  return STATE_CELLS + cells * 8;
}

/** Writes the program into the kernel's configuration. */
export function writeProgram(into: DataView, program: KernelProgram, bounds: KernelBounds): void {
  assert(
    into.byteLength >= CONFIG_BYTES &&
      program.arguments.length <= ARGUMENTS_MAX &&
      program.aggregates.length <= AGGREGATES_MAX,
    'the program fits',
  );
  into.setFloat64(CONFIG_SIZE_MS, program.window?.sizeMs ?? 0, true);
  into.setFloat64(CONFIG_GRACE_MS, program.window?.graceMs ?? 0, true);
  into.setFloat64(CONFIG_ADVANCE_MS, program.window?.advanceMs ?? 0, true);
  into.setUint32(CONFIG_ROWS_MAX, bounds.rowsMax, true);
  into.setUint32(CONFIG_ENTRIES_MAX, bounds.entriesMax, true);
  into.setUint32(CONFIG_OUTPUT, program.output === 'rows' ? OUTPUT_ROWS : OUTPUT_GROUPS, true);
  into.setUint32(CONFIG_SEED, bounds.seed, true);
  into.setUint32(CONFIG_ARGUMENTS, program.arguments.length, true);
  into.setUint32(CONFIG_AGGREGATES, program.aggregates.length, true);
  for (const [i, type] of program.arguments.entries()) {
    into.setUint32(CONFIG_ARGUMENT_TYPES + i * 4, TYPES[type], true);
  }
  for (const [i, aggregate] of program.aggregates.entries()) {
    into.setUint32(CONFIG_CALLS + i * 8, FUNCTIONS[aggregate.function], true);
    into.setUint32(CONFIG_CALLS + i * 8 + 4, aggregate.argument ?? ARGUMENT_NONE, true);
  }
}
