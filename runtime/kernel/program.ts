// What one kernel instance computes, as its host says it, and how that is written down for the kernel; knows no data.

import { assert, existing } from '../base/assert.ts';
import {
  AGGREGATES_MAX,
  ARGUMENT_NONE,
  ARGUMENTS_MAX,
  CONFIG_ADVANCE_MS,
  CONFIG_CALLS,
  CONFIG_GRACE_MS,
  CONFIG_ROWS_MAX,
  CONFIG_SIZE_MS,
  FUNCTION_AVG,
  FUNCTION_COUNT,
  FUNCTION_MAX,
  FUNCTION_MIN,
  FUNCTION_SUM,
  OUTPUT_CHANGES,
  OUTPUT_GROUPS,
  OUTPUT_ROWS,
  STATE_CELLS,
  TYPE_F64,
  TYPE_I32,
  TYPE_I64,
} from './abi.ts';

/** Type of an argument column: INT, BIGINT, DOUBLE. */
export type ArgumentType = 'I32' | 'I64' | 'F64';

/** What a function is to a kernel. */
export interface KernelFunction {
  /** Its number in abi.ts. */
  readonly code: number;
  /** The cells of its state. */
  readonly cells: number;
  /** Of its results; null: that of its argument. */
  readonly type: ArgumentType | null;
}

export interface KernelAggregate {
  /** Of the program's functions, or one that every kernel has. */
  readonly function: string;
  /** Position in `arguments`; null for COUNT(*). */
  readonly argument: number | null;
}

export interface KernelProgram {
  /** The distinct argument columns: aggregates of one column share the work, so name each once. */
  readonly arguments: readonly ArgumentType[];
  readonly aggregates: readonly KernelAggregate[];
  /** That not every kernel has. Absent: none. */
  readonly functions?: Readonly<Record<string, KernelFunction>> | undefined;
  /**
   * Tumbling windows, or hopping ones where they advance by less than their size; null: one table without windows, in
   * window 0. A row falls in at most `rowsMax` windows.
   */
  readonly window: {
    readonly sizeMs: number;
    readonly advanceMs: number;
    readonly graceMs: number;
  } | null;
  /**
   * `rows`: the results after each accepted row, in each of its windows. `groups`: each group that the batch changed, once, with its last results.
   * `changes`: as `rows`, of rows of a table, some of which take others back; in whole kernels, without windows, of COUNT, SUM and AVG.
   */
  readonly output: 'rows' | 'groups' | 'changes';
}

/** Bounds of one instance. */
export interface KernelBounds {
  readonly rowsMax: number;
  readonly entriesMax: number;
  readonly memoryBytesMax: number;
  /** Stirs the dictionary's hash; has no influence on any result. */
  readonly seed: number;
}

/** A function by what KernelFunction says of it. */
function shape(code: number, cells = 1, type: ArgumentType | null = null): KernelFunction {
  return { code, cells, type };
}

/** Those that every kernel has, half of one too. */
const FUNCTIONS: Readonly<Partial<Record<string, KernelFunction>>> = {
  COUNT: shape(FUNCTION_COUNT, 1, 'I64'),
  SUM: shape(FUNCTION_SUM),
  MIN: shape(FUNCTION_MIN),
  MAX: shape(FUNCTION_MAX),
  AVG: shape(FUNCTION_AVG, 2, 'F64'),
};

const TYPES = { I32: TYPE_I32, I64: TYPE_I64, F64: TYPE_F64 } as const;

function functionOf({ functions }: KernelProgram, call: KernelAggregate): KernelFunction {
  return existing(functions?.[call.function] ?? FUNCTIONS[call.function], 'function');
}

/** The type of an aggregate's results. */
export function resultType(program: KernelProgram, call: KernelAggregate): ArgumentType {
  const { type } = functionOf(program, call);
  return type ?? existing(program.arguments[call.argument ?? -1], 'argument');
}

/** Bytes of one group's state: rowtime, mask of present cells, and the cells. */
export function stateBytesOf(program: KernelProgram): number {
  return program.aggregates.reduce(
    (sum, call) => sum + functionOf(program, call).cells * 8,
    STATE_CELLS,
  );
}

/** Writes the program into the kernel's configuration. */
export function writeProgram(into: DataView, program: KernelProgram, bounds: KernelBounds): void {
  assert(
    program.arguments.length <= ARGUMENTS_MAX && program.aggregates.length <= AGGREGATES_MAX,
    'the program fits',
  );
  into.setFloat64(CONFIG_SIZE_MS, program.window?.sizeMs ?? 0, true);
  into.setFloat64(CONFIG_GRACE_MS, program.window?.graceMs ?? 0, true);
  into.setFloat64(CONFIG_ADVANCE_MS, program.window?.advanceMs ?? 0, true);
  const put = (at: number, words: readonly number[]): void =>
    words.forEach((word, i) => into.setUint32(at + i * 4, word, true));
  // From there to CONFIG_ARGUMENT_TYPES they follow one another.
  put(CONFIG_ROWS_MAX, [
    bounds.rowsMax,
    bounds.entriesMax,
    program.output === 'rows'
      ? OUTPUT_ROWS
      : program.output === 'groups'
        ? OUTPUT_GROUPS
        : OUTPUT_CHANGES,
    bounds.seed,
    program.arguments.length,
    program.aggregates.length,
    ...program.arguments.map((type) => TYPES[type]),
  ]);
  put(
    CONFIG_CALLS,
    program.aggregates.flatMap((call) => [
      functionOf(program, call).code,
      call.argument ?? ARGUMENT_NONE,
    ]),
  );
}
