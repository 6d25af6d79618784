// One kernel instance as typed columns in and out: copying in, views out, state bytes; knows no operator and no schema.

import { assert } from '../base/assert.ts';
import { LimitError } from '../base/errors.ts';
import { DICTIONARY_ENTRIES_MAX, KERNEL_MEMORY_BYTES_MAX, BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Bitmap } from '../data/column.ts';
import {
  BUFFER_CONFIG,
  CONFIG_BYTES,
  ID_NULL,
  RESULT_CONSUMED,
  RESULT_EMITTED,
  RESULT_INVALID,
  RESULT_LATE,
  RESULT_NULLS,
  RESULT_RISEN,
} from './abi.ts';
import { granted, instantiate, limitOf, type KernelExports } from './exports.ts';
import { stateBytesOf, writeProgram, type KernelBounds, type KernelProgram } from './program.ts';
import { KernelViews, type Values } from './views.ts';

/** The id of a null group key: the row is ignored and does not advance stream time. */
export const NULL_GROUP: number = ID_NULL;

/** Group keys as bytes one after the other: key `i` is `offsets[i] .. offsets[i + 1]`. */
export interface KernelKeys {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** An argument column: array positions as in the batch; the values of null rows are not looked at. */
export interface KernelColumn {
  readonly values: Values;
  readonly validity: Bitmap | null;
}

/** Rows to fold, in order; not to be changed between calls that it is given to. Row `i` stands at position `selection === null ? i : selection[i]` of every array. */
export interface KernelBatch {
  readonly length: number;
  /** Ascending. */
  readonly selection: Uint32Array | null;
  /** Group id per position, from `intern`. */
  readonly ids: Uint32Array;
  /** true: these are codes, by which the ids are found among those of the keys that were interned last (`entryIds`). */
  readonly isCoded?: boolean;
  /** Whole milliseconds, 0 .. 2^53 - 1 per position. */
  readonly rowtime: Float64Array;
  readonly arguments: readonly KernelColumn[];
}

/** What a batch did. All arrays are views on the kernel's memory, good until the next call: copy what is kept. */
export interface KernelOutput {
  /**
   * Rows of the batch that have been taken in. Less than its length when `refused` names a limit, or when there is no room for
   * the output of the next row, which falls in several windows: then `process` goes on from there.
   */
  readonly consumed: number;
  /** The limit that stopped it before the end: collect, commit, expire and go on with the rest, or give up. */
  readonly refused: string | null;
  /** Positions of the rows that missed a window because it was closed, in order. */
  readonly late: Uint32Array;
  /** How many windows each of them missed; null: the only one that it had. */
  readonly lateWindows: Uint32Array | null;
  /** Rows skipped because their rowtime or id is none. */
  readonly invalid: number;
  /** Rows put out; the length of the arrays below. */
  readonly length: number;
  /** Position of each accepted row, once for each window that it was accepted in; by groups: of the first row of each. */
  readonly rows: Uint32Array;
  readonly windowStart: Float64Array;
  /** 0: the results' rowtimes are those of `rows`. */
  readonly risen: number | undefined;
  /** Op.Insert for a group's first row (by groups: when it came in this batch), else Op.UpdateAfter. */
  readonly op: Uint8Array;
}

/** The results of what a batch put out, row by row. */
export interface KernelResults {
  /** The greatest rowtime of the group's rows so far. */
  readonly rowtime: Float64Array;
  /** One per aggregate. */
  readonly columns: readonly KernelColumn[];
}

/** State of one group in one window; the bytes are laid out in engine-asm/README.md. */
export interface KernelState {
  readonly id: number;
  readonly windowStart: number;
  readonly state: Uint8Array;
}

/** Groups by id and window, as parallel arrays. */
export interface KernelGroups {
  readonly ids: Uint32Array;
  readonly windowStart: Float64Array;
}

/**
 * One program over one memory. Ids are dense, given in order of first appearance, and die with the instance: state
 * outlives it by key bytes. After an error other than LimitError the instance must be thrown away.
 */
export class Kernel {
  readonly program: KernelProgram;
  readonly stateBytes: number;
  /** For stored-groups.ts. */
  readonly calls: KernelExports;
  readonly views: KernelViews;
  readonly rowsMax: number;
  /** What stands in the kernel's columns, so that going on with a batch copies nothing; and whether with its arguments. */
  #loaded: Pick<KernelBatch, 'ids'> | null = null;
  #hasArguments = false;
  #rows = 0;
  /** Keys interned last. */
  #entries = 0;
  /** Whose ids theirs are, for who had them interned; null: nobody says. */
  entriesOf: object | null = null;
  #withNulls = 0;

  /**
   * Instantiates synchronously. Cost: about half a millisecond and 1 MiB with the default bounds.
   * @throws {LimitError} when the memory does not even hold the buffers
   */
  constructor(
    module: WebAssembly.Module,
    program: KernelProgram,
    bounds: Partial<KernelBounds> = {},
  ) {
    const { calls, memory } = instantiate(module, bounds.memoryBytesMax ?? KERNEL_MEMORY_BYTES_MAX);
    const full: KernelBounds = {
      rowsMax: bounds.rowsMax ?? BATCH_ROWS_MAX,
      entriesMax: bounds.entriesMax ?? DICTIONARY_ENTRIES_MAX,
      memoryBytesMax: memory.buffer.byteLength,
      seed: bounds.seed ?? 0,
    };
    writeProgram(
      new DataView(memory.buffer, calls.buffer(BUFFER_CONFIG, 0) >>> 0, CONFIG_BYTES),
      program,
      full,
    );
    granted(calls.init());
    this.program = program;
    this.stateBytes = stateBytesOf(program);
    this.calls = calls;
    this.rowsMax = full.rowsMax;
    this.views = new KernelViews(calls, memory, program, full.rowsMax);
  }

  /**
   * Gives each key its id, a new one where it is not known yet. At most `rowsMax` keys a call.
   * @returns a view, good until the next call
   * @throws {LimitError} the dictionary or the memory is full; keys before the refused one keep their ids
   */
  intern(keys: KernelKeys): Uint32Array {
    const count = keys.offsets.length - 1;
    assert(count <= this.rowsMax, 'at most rowsMax keys');
    this.#loaded = null;
    granted(this.calls.reserveKeys(keys.bytes.length));
    const views = this.views.attach();
    views.keys(keys.bytes.length).set(keys.bytes);
    views.keyOffsets.set(keys.offsets);
    this.entriesOf = null;
    granted(this.calls.intern(count));
    this.#entries = count;
    return this.entryIds;
  }

  /** The ids of the keys that were interned last, as `intern` gave them. */
  get entryIds(): Uint32Array {
    return this.views.attach().entryIds.subarray(0, this.#entries);
  }

  /** As if they had been given to keys last. */
  set entryIds(ids: Uint32Array) {
    this.#loaded = null;
    this.#entries = ids.length;
    this.views.attach().entryIds.set(ids);
  }

  /** The bytes of an id's key, as a copy. */
  keyOf(id: number): Uint8Array {
    const address = this.calls.keyAddress(id) >>> 0;
    assert(address !== 0, `${id} is an id`);
    return this.views.attach().copy(address, this.calls.keyLength(id) >>> 0);
  }

  /**
   * Folds a batch and lists what is put out; `results` reads its results. Cost: copies the columns in once.
   * @param from how many rows of the same batch have been taken in before
   */
  process(batch: KernelBatch, from = 0): KernelOutput {
    this.copyRows(batch);
    this.#copyArguments(batch);
    const selected = batch.selection?.length ?? -1;
    const status = this.calls.process(this.#rows, selected, this.#withNulls, from);
    // The kernel moves the rows that are selected.
    if (selected >= 0) this.#loaded = null;
    const refused = limitOf(status);
    if (refused === null) granted(status);
    const views = this.views.attach();
    const result = views.result;
    const length = result[RESULT_EMITTED >> 2] ?? 0;
    return {
      consumed: result[RESULT_CONSUMED >> 2] ?? 0,
      refused,
      late: views.outLate.subarray(0, result[RESULT_LATE >> 2]),
      lateWindows: views.outLateWindows?.subarray(0, result[RESULT_LATE >> 2]) ?? null,
      invalid: result[RESULT_INVALID >> 2] ?? 0,
      length,
      rows: views.outRow.subarray(0, length),
      windowStart: views.outWindow.subarray(0, length),
      risen: result[RESULT_RISEN >> 2],
      op: views.outOp.subarray(0, length),
    };
  }

  /**
   * The results of what the last `process` put out, a column per aggregate: views, good until the next call. Only before
   * any other call. A sink that coalesces over batches asks once, at its end; output by rows is asked for every batch.
   */
  results(): KernelResults {
    granted(this.calls.read());
    const views = this.views.attach();
    const { result } = views;
    const length = result[RESULT_EMITTED >> 2] ?? 0;
    const columns = views.outColumns.map(({ values, validity }, i) => ({
      values: values.subarray(0, length),
      validity:
        (result[(RESULT_NULLS >> 2) + i] ?? 0) === 0
          ? null
          : (validity?.subarray(0, (length + 7) >> 3) ?? null),
    }));
    return { rowtime: views.outRowtime.subarray(0, length), columns };
  }

  /**
   * As `results`, with the operations beside them, in arrays of their own. Of many rows all but the rowtimes share one buffer: copying what lies
   * between them costs less than making each.
   * @param times the rowtimes, where they are at hand and need no copy
   */
  takeResults(times: Float64Array | null = null): KernelResults & { readonly op: Uint8Array } {
    const { rowtime, columns } = this.results();
    const views = this.views.attach();
    const { length } = rowtime;
    const own = views.copier(length);
    return {
      rowtime: times ?? new Float64Array(rowtime),
      op: own(views.outOp.subarray(0, length)),
      columns: columns.map(({ values, validity }) => ({
        values: own(values),
        validity: validity && own(validity),
      })),
    };
  }

  /**
   * Hands over the state of every group that changed since the last call, each once. The bytes are copies.
   * @returns how many there were
   */
  collectChanges(into: (change: KernelState) => void): number {
    const { stateBytes } = this;
    return this.collectBlocks(({ ids, windowStart, states }) => {
      const copy = states.slice();
      for (let i = 0; i < ids.length; i += 1) {
        const state = copy.subarray(i * stateBytes, (i + 1) * stateBytes);
        into({ id: ids[i] ?? 0, windowStart: windowStart[i] ?? 0, state });
      }
    });
  }

  /** As `collectChanges`, many at once: `stateBytes` of each one after the other. What it hands over are views, good until it returns. */
  collectBlocks(into: (block: KernelGroups & { readonly states: Uint8Array }) => void): number {
    let total = 0;
    for (;;) {
      granted(this.calls.collect());
      const views = this.views.attach();
      const count = views.result[RESULT_EMITTED >> 2] ?? 0;
      if (count === 0) return total;
      into({
        ids: views.outId.subarray(0, count),
        windowStart: views.outWindow.subarray(0, count),
        states: views.states.subarray(0, count * this.stateBytes),
      });
      total += count;
    }
  }

  /** Frees the windows that accept no more rows and whose changes have been collected; how many. */
  expire(): number {
    return granted(this.calls.expire());
  }

  /** Running maximum of the rowtimes that counted; -Infinity before the first. */
  get streamTime(): number {
    return this.calls.getStreamTime();
  }

  /** Raises stream time, as after a restart or an idle time-out; it never goes back. -Infinity changes nothing. */
  advanceStreamTime(ms: number): void {
    if (ms !== -Infinity) granted(this.calls.advanceStreamTime(ms));
  }

  /**
   * Copies selection, ids and rowtimes in, unless they stand there.
   * @returns the positions that matter: one more than the last row's
   */
  copyRows(batch: Omit<KernelBatch, 'arguments'>): number {
    if (this.#loaded === batch) return this.#rows;
    const { selection, ids, rowtime } = batch;
    const rows = selection === null ? batch.length : (selection[selection.length - 1] ?? -1) + 1;
    if (rows > this.rowsMax) throw new LimitError('BATCH_ROWS_MAX', `${rows} rows are too many`);
    assert(ids.length >= rows && rowtime.length >= rows, 'every column has all rows');
    const views = this.views.attach();
    if (selection !== null) views.selection.set(selection);
    views.ids.set(ids.subarray(0, rows));
    if (batch.isCoded) granted(this.calls.spread(rows, this.#entries));
    views.rowtime.set(rowtime.subarray(0, rows));
    this.#rows = rows;
    this.#loaded = batch;
    this.#hasArguments = false;
    return rows;
  }

  /** What stands in the kernel's columns is overwritten. */
  forgetRows(): void {
    this.#loaded = null;
  }

  #copyArguments(batch: KernelBatch): void {
    if (this.#hasArguments) return;
    const rows = this.#rows;
    const count = this.program.arguments.length;
    assert(batch.arguments.length === count, 'every column has all rows');
    this.#withNulls = 0;
    for (const [a, column] of batch.arguments.entries()) {
      this.views.setArgument(a, column.values, rows);
      if (column.validity === null) continue;
      this.views.setValidity(a, column.validity.subarray(0, (rows + 7) >> 3));
      this.#withNulls |= 1 << a;
    }
    this.#hasArguments = true;
  }
}
