// Typed arrays over the kernel's buffers, taken again whenever the memory has grown; knows no call but `buffer`.

import { assert } from '../base/assert.ts';
import {
  BUFFER_ARGUMENT,
  BUFFER_ENTRY_IDS,
  BUFFER_IDS,
  BUFFER_KEY_OFFSETS,
  BUFFER_KEYS,
  BUFFER_OUT_ID,
  BUFFER_OUT_LATE,
  BUFFER_OUT_LATE_WINDOWS,
  BUFFER_OUT_OP,
  BUFFER_OUT_ROW,
  BUFFER_OUT_ROWTIME,
  BUFFER_OUT_VALIDITY,
  BUFFER_OUT_VALUE,
  BUFFER_OUT_WINDOW,
  BUFFER_RESULT,
  BUFFER_ROWTIME,
  BUFFER_SELECTION,
  BUFFER_STATES,
  BUFFER_VALIDITY,
  RESULT_BYTES,
  STATE_ROWS_MAX,
} from './abi.ts';
import type { KernelExports } from './exports.ts';
import { resultType, stateBytesOf, type ArgumentType, type KernelProgram } from './program.ts';

export type Values = Int32Array | BigInt64Array | Float64Array;

interface ColumnView {
  readonly values: Values;
  readonly validity: Uint8Array | null;
}

const ARRAYS = { I32: Int32Array, I64: BigInt64Array, F64: Float64Array };

function valuesOf(type: ArgumentType, memory: ArrayBuffer, address: number, rows: number): Values {
  return new ARRAYS[type](memory, address, rows);
}

/** All views, over one state of the memory. */
class Attached {
  readonly result: Uint32Array;
  readonly keyOffsets: Uint32Array;
  readonly entryIds: Uint32Array;
  readonly ids: Uint32Array;
  readonly selection: Uint32Array;
  readonly rowtime: Float64Array;
  readonly arguments: readonly ColumnView[];
  readonly outRow: Uint32Array;
  readonly outId: Uint32Array;
  readonly outWindow: Float64Array;
  readonly outRowtime: Float64Array;
  readonly outOp: Uint8Array;
  readonly outLate: Uint32Array;
  /** Null but for hopping windows. */
  readonly outLateWindows: Uint32Array | null;
  readonly outColumns: readonly ColumnView[];
  readonly states: Uint8Array;
  /** Where what is put out ends, which begins with the rowtimes. */
  readonly #outEnd: number;
  readonly #calls: KernelExports;
  readonly memory: ArrayBuffer;

  constructor(calls: KernelExports, memory: ArrayBuffer, program: KernelProgram, rowsMax: number) {
    const at = (kind: number, index = 0): number => calls.buffer(kind, index) >>> 0;
    const words = (kind: number, length = rowsMax): Uint32Array =>
      new Uint32Array(memory, at(kind), length);
    const doubles = (kind: number): Float64Array => new Float64Array(memory, at(kind), rowsMax);
    const bitmapBytes = (rowsMax + 7) >> 3;
    this.#calls = calls;
    this.memory = memory;
    this.result = words(BUFFER_RESULT, RESULT_BYTES >> 2);
    this.keyOffsets = words(BUFFER_KEY_OFFSETS, rowsMax + 1);
    this.entryIds = words(BUFFER_ENTRY_IDS);
    this.ids = words(BUFFER_IDS);
    this.selection = words(BUFFER_SELECTION);
    this.rowtime = doubles(BUFFER_ROWTIME);
    this.arguments = program.arguments.map((type, i) => ({
      values: valuesOf(type, memory, at(BUFFER_ARGUMENT, i), rowsMax),
      validity: new Uint8Array(memory, at(BUFFER_VALIDITY, i), bitmapBytes),
    }));
    this.outRow = words(BUFFER_OUT_ROW);
    this.outId = words(BUFFER_OUT_ID);
    this.outWindow = doubles(BUFFER_OUT_WINDOW);
    this.outRowtime = doubles(BUFFER_OUT_ROWTIME);
    this.outOp = new Uint8Array(memory, at(BUFFER_OUT_OP), rowsMax);
    this.outLate = words(BUFFER_OUT_LATE);
    this.outLateWindows = at(BUFFER_OUT_LATE_WINDOWS) === 0 ? null : words(BUFFER_OUT_LATE_WINDOWS);
    this.outColumns = program.aggregates.map((aggregate, i) => {
      const validity = at(BUFFER_OUT_VALIDITY, i);
      return {
        values: valuesOf(resultType(program, aggregate), memory, at(BUFFER_OUT_VALUE, i), rowsMax),
        validity: validity === 0 ? null : new Uint8Array(memory, validity, bitmapBytes),
      };
    });
    const bitmaps = this.outColumns.flatMap(({ validity }) => validity ?? []);
    const last = bitmaps.at(-1) ?? this.outOp;
    this.#outEnd = last.byteOffset + last.length;
    this.states = new Uint8Array(memory, at(BUFFER_STATES), STATE_ROWS_MAX * stateBytesOf(program));
  }

  /** What copies views of so many rows that were put out, but not their rowtimes. */
  copier(rows: number): <A extends Values | Uint8Array>(view: A) => A {
    const { byteOffset, byteLength } = this.outRowtime;
    const from = byteOffset + byteLength;
    if (rows * 2 < this.outOp.length) return (view) => view.slice() as typeof view;
    // Made of an array, a buffer is not filled with zeros before.
    const { buffer } = new Uint8Array(new Uint8Array(this.memory, from, this.#outEnd - from));
    return (view) => {
      const Kind = view.constructor as new (...of: [ArrayBuffer, number, number]) => typeof view;
      return new Kind(buffer, view.byteOffset - from, view.length);
    };
  }

  /** The key buffer; it may have moved at the last `reserveKeys`. */
  keys(bytes: number): Uint8Array {
    return new Uint8Array(this.memory, this.#calls.buffer(BUFFER_KEYS, 0) >>> 0, bytes);
  }

  copy(address: number, bytes: number): Uint8Array {
    return new Uint8Array(this.memory, address, bytes).slice();
  }
}

/** The views of one instance. */
export class KernelViews {
  readonly #calls: KernelExports;
  readonly #memory: WebAssembly.Memory;
  readonly #program: KernelProgram;
  readonly #rowsMax: number;
  #attached: Attached;

  constructor(
    calls: KernelExports,
    memory: WebAssembly.Memory,
    program: KernelProgram,
    rowsMax: number,
  ) {
    this.#calls = calls;
    this.#memory = memory;
    this.#program = program;
    this.#rowsMax = rowsMax;
    this.#attached = new Attached(calls, memory.buffer, program, rowsMax);
  }

  /** The views, good until a call that grows the memory. */
  attach(): Attached {
    const { buffer } = this.#memory;
    if (this.#attached.memory !== buffer) {
      this.#attached = new Attached(this.#calls, buffer, this.#program, this.#rowsMax);
    }
    return this.#attached;
  }

  /** Copies the first `rows` values of an argument column in. */
  setArgument(index: number, values: Values, rows: number): void {
    const into = this.#attached.arguments[index]?.values;
    assert(
      values.length >= rows && into?.constructor === values.constructor,
      'every column has all rows',
    );
    // Of one type both, whichever it is.
    (into as Float64Array).set(values.subarray(0, rows) as Float64Array);
  }

  setValidity(index: number, validity: Uint8Array): void {
    this.#attached.arguments[index]?.validity?.set(validity);
  }
}
