// Aggregates rows by key into sessions in a whole kernel: the kernel path, the same answers and state bytes as the row path.

import { existing } from '../base/assert.ts';
import { LimitError } from '../base/errors.ts';
import { type Bitmap, type Column } from '../data/column.ts';
import type { Batch } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import { BIGINT, type Type } from '../data/type.ts';
import {
  Kernel,
  type KernelBatch,
  type KernelColumn,
  type KernelOutput,
} from '../kernel/instance.ts';
import type { KernelProgram } from '../kernel/program.ts';
import { openSessions, sessionRows } from '../kernel/sessions.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { GroupNames } from '../state/group-names.ts';
import { forgotten } from './forgetting.ts';
import { argumentsOf, kernelColumn, programOf, resultColumn } from './kernel-columns.ts';
import { KernelIds } from './kernel-ids.ts';
import { bringOffsets } from './kernel-offsets.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { carriedOver } from './output-columns.ts';
import { behind, LateRows, reportUnused } from './rarer-rows.ts';
import { SessionState } from './session-state.ts';
import { isOverNow } from './window-over.ts';

/**
 * As `sessionAggregate`, for the calls that the kernel has.
 *
 * When the kernel has no room for a row, what it has changed is set aside and it is made anew with the sessions that the rest of the input needs.
 * Cost: copies the columns in and the results out once; no loop over rows in JavaScript but for the ids of groups.
 * @throws {LimitError} when the sessions of one batch do not fit
 */
export function kernelSessions(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  module: WebAssembly.Module,
): Operator {
  return new KernelSessions(step, input, context, module);
}

class KernelSessions implements Operator {
  readonly name = 'kernelSessions';
  readonly schema: Schema;
  readonly #module: WebAssembly.Module;
  readonly #context: OperatorContext;
  readonly #program: KernelProgram;
  readonly #window: WindowSpec;
  readonly #resultTypes: readonly Type[];
  /** Positions of the program's arguments in the input. */
  readonly #arguments: readonly number[];
  readonly #names: GroupNames;
  readonly #state: SessionState;
  readonly #late: LateRows;
  #kernel: Kernel;
  #ids: KernelIds;

  constructor(
    step: AggregateStep,
    input: Schema,
    context: OperatorContext,
    module: WebAssembly.Module,
  ) {
    this.schema = step.schema;
    this.#module = module;
    this.#context = context;
    this.#arguments = argumentsOf(step.calls);
    this.#program = programOf({ ...step, window: null }, input, this.#arguments, 'rows');
    this.#window = existing(step.window ?? undefined, 'window');
    this.#resultTypes = step.calls.map((call) => call.type);
    this.#names = new GroupNames(input);
    this.#state = new SessionState(step.id, context.state, this.#names);
    this.#late = new LateRows(context);
    this.#kernel = this.#start();
    this.#ids = new KernelIds(this.#names, this.#kernel);
  }

  /** What was stored or set aside ends at stream time or before. */
  #start(): Kernel {
    const { sizeMs: gapMs, graceMs, retentionMs } = this.#window;
    const { ms } = this.#context.streamTime;
    const kernel = new Kernel(this.#module, this.#program);
    const isPrivate = isOverNow(this.#window, this.#context) !== null;
    openSessions(kernel, { gapMs, graceMs, retentionMs, isPrivate }, ms);
    kernel.advanceStreamTime(ms);
    return kernel;
  }

  /** Ids die with their kernel. */
  #use(kernel: Kernel): void {
    this.#kernel = kernel;
    this.#ids = new KernelIds(this.#names, kernel);
  }

  process(_side: number, batch: Batch, out: Emit): void {
    let rest: Batch = batch;
    let isFresh = false;
    for (;;) {
      const consumed = this.#processSome(rest, out);
      if (consumed === rest.length) break;
      // A kernel that was just made and takes no row has no room for one.
      if (consumed === 0 && isFresh) {
        throw new LimitError(
          'KERNEL_MEMORY_BYTES_MAX',
          'the sessions of one batch do not fit the kernel',
        );
      }
      this.#state.setAside(this.#kernel);
      this.#use(this.#start());
      isFresh = true;
      rest = behind(rest, consumed);
    }
    this.#late.end();
  }

  /** Takes rows in until there is no room for one; how many. */
  #processSome(batch: Batch, out: Emit): number {
    const { selection, length, rowtime } = batch;
    const args = this.#arguments.map((position) => kernelColumn(batch.columns[position]));
    const isCoded = inKernel(() => this.#ids.assign(batch));
    if (isCoded === null) return 0;
    bringOffsets(this.#kernel, batch, this.#context);
    const ids = this.#ids.current;
    const rows: KernelBatch = { length, selection, ids, isCoded, rowtime, arguments: args };
    let from = 0;
    // A row may put out several: a batch may take more than one turn.
    while (from < length) {
      const output = inKernel(() => {
        this.#state.bring(this.#kernel, rows, from);
        return this.#kernel.process(rows, from);
      });
      if (output === null) return from;
      const { streamTime } = this.#context;
      streamTime.ms = Math.max(streamTime.ms, this.#kernel.streamTime);
      this.#reportRows(batch, output, from);
      const { consumed, refused } = output;
      if (output.length > 0) this.#emit(batch, output, out);
      from = consumed;
      if (refused !== null) break;
    }
    return from;
  }

  #reportRows(batch: Batch, output: KernelOutput, from: number): void {
    const { hasNulls, current: ids } = this.#ids;
    if (output.late.length === 0 && output.invalid === 0 && !hasNulls) return;
    reportUnused({ batch, output, from, ids, window: null }, this.#late);
  }

  #emit(batch: Batch, { rows, length }: KernelOutput, out: Emit): void {
    // Everything the kernel shows is a view that its next call overwrites: it is copied, or read, before that.
    const { keys, origin } = carriedOver(batch, this.#names.columns(batch), rows, true);
    const { starts, ends, present } = sessionRows(this.#kernel, length);
    const { rowtime, op, columns: results } = this.#kernel.takeResults();
    const bounds = [starts, ends].map((values): Column => ({
      type: BIGINT,
      validity: null,
      storage: 'i64',
      values,
    }));
    out({
      schema: this.schema,
      length,
      selection: null,
      columns: [...keys, ...bounds, ...this.#shown(results, present)],
      valueNull: present && inverted(present),
      keyNull: null,
      rowtime,
      op,
      origin,
    });
  }

  /** Results, null where nothing is `present`: where some of them are null the kernel has said so. */
  #shown(results: readonly KernelColumn[], present: Bitmap | null): Column[] {
    return results.map((column, index) =>
      resultColumn(
        { ...column, validity: column.validity ?? present },
        this.#resultTypes[index] as Type,
      ),
    );
  }

  advance(ms: number): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
    this.#kernel.advanceStreamTime(ms);
  }

  changes(into: (change: StateBytes) => void, intoBlock: IntoBlock | null = null): void {
    const over = isOverNow(this.#window, this.#context);
    this.#state.changes(this.#kernel, into, intoBlock, over?.isOver ?? null);
    this.#kernel.expire();
    const fresh = forgotten(this.#kernel, this.#names, () => this.#start());
    if (fresh !== null) this.#use(fresh);
  }
}

/** What a call gives, null when the kernel has no room for it. */
function inKernel<T>(call: () => T): T | null {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof LimitError) return null;
    throw thrown;
  }
}

function inverted(bits: Bitmap): Bitmap {
  return bits.map((byte) => ~byte);
}
