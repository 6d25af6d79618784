// Aggregates rows by key in the WebAssembly kernel: the kernel path, the same answers and state bytes as the row path.

import { LimitError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { Kernel, type KernelBatch, type KernelOutput } from '../kernel/instance.ts';
import type { KernelProgram } from '../kernel/program.ts';
import type { AggregateStep } from '../plan/step.ts';
import type { StateBlock, StateBytes } from '../ports/store.ts';
import { GroupNames } from '../state/group-names.ts';
import { argumentsOf, inKernel, kernelColumn, programOf, resultColumn } from './kernel-columns.ts';
import { KernelIds } from './kernel-ids.ts';
import { KernelState } from './kernel-state.ts';
import type { LateRows } from './late-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { carriedOver, WindowColumns } from './output-columns.ts';
import { RARER_ROWS, WHOLE_KERNEL } from './parts.ts';
import type { TimeWindow } from './window-time.ts';

/**
 * As `aggregate`, without old rows in what it emits, and for the windows and the calls of plan/lower.ts.
 *
 * When the kernel has no room for a row, what it has changed is set aside and it is made anew with the groups that the rest of
 * the input needs: its memory bounds the groups of one batch, not those of the query.
 * Cost: copies the columns in and the results out once; no loop over rows in JavaScript but for the ids of groups.
 * @param output `groups`: it emits each group that a batch changed once, with its last results and without origins, in the order in which the
 *   batch first changed them; a batch of hopping windows may be several to the kernel. `rows`: a row per row and window
 * @throws {LimitError} when the groups of one batch do not fit
 */
export function kernelAggregate(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  _registry: FunctionRegistry,
  module: WebAssembly.Module,
  output: KernelProgram['output'] = 'rows',
): Operator {
  const operator = new KernelAggregate(step, input, context, module, output);
  return step.over === 'table' ? WHOLE_KERNEL.code.overTable(operator) : operator;
}

class KernelAggregate implements Operator {
  readonly name = 'kernelAggregate';
  readonly schema: Schema;
  readonly #module: WebAssembly.Module;
  readonly #context: OperatorContext;
  readonly #program: KernelProgram;
  readonly #window: TimeWindow | null;
  readonly #windows: WindowColumns | null;
  readonly #resultTypes: readonly Type[];
  /** Positions of the program's arguments in the input. */
  readonly #arguments: readonly number[];
  readonly #names: GroupNames;
  readonly #state: KernelState;
  /** Of the rows that were not used; null: all were. */
  #late: LateRows | null = null;
  #kernel: Kernel;
  #ids: KernelIds;

  constructor(
    step: AggregateStep,
    input: Schema,
    context: OperatorContext,
    module: WebAssembly.Module,
    output: KernelProgram['output'],
  ) {
    this.schema = step.schema;
    this.#module = module;
    this.#context = context;
    this.#arguments = argumentsOf(step.calls);
    this.#program = programOf(step, input, this.#arguments, output);
    this.#window = step.window;
    this.#windows = step.window === null ? null : new WindowColumns(step.window.sizeMs);
    this.#resultTypes = step.calls.map((call) => call.type);
    this.#names = new GroupNames(input);
    this.#state = new KernelState(step.id, context, this.#names, step.window !== null);
    this.#kernel = this.#start();
    this.#ids = new KernelIds(this.#names, this.#kernel);
  }

  #start(): Kernel {
    const kernel = new Kernel(this.#module, this.#program);
    kernel.advanceStreamTime(this.#context.streamTime.ms);
    return kernel;
  }

  /** Ids die with their kernel, and with them whatever is known by them. */
  #use(kernel: Kernel): void {
    this.#state.turn();
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
          'the groups of one batch do not fit the kernel',
        );
      }
      this.#state.setAside(this.#kernel);
      this.#use(this.#start());
      isFresh = true;
      rest = RARER_ROWS.code.behind(rest, consumed);
    }
    this.#late?.end();
  }

  /** Takes rows in until there is no room for one; how many. */
  #processSome(batch: Batch, out: Emit): number {
    const { selection, length, rowtime } = batch;
    const args = this.#arguments.map((position) => kernelColumn(batch.columns[position]));
    const isCoded = inKernel(() => this.#ids.assign(batch));
    if (isCoded === null) return 0;
    WHOLE_KERNEL.fetched?.bring(this.#kernel, batch, this.#context);
    const ids = this.#ids.current;
    const rows: KernelBatch = { length, selection, ids, isCoded, rowtime, arguments: args };
    let from = 0;
    // A row of hopping windows has several output rows: a batch may take more than one turn.
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
    this.#late ??= new RARER_ROWS.code.LateRows(this.#context);
    RARER_ROWS.code.reportUnused({ batch, output, from, ids, window: this.#window }, this.#late);
  }

  #emit(batch: Batch, output: KernelOutput, out: Emit): void {
    const { length } = output;
    // Everything the kernel shows is a view that its next call overwrites: it is copied, or read, before that.
    const { window } = this.#program;
    const byGroups = this.#program.output === 'groups';
    const repeats = byGroups || window?.advanceMs !== window?.sizeMs;
    const carried = byGroups ? { ...batch, origin: null } : batch;
    const columns = this.#names.columns(batch);
    const { keys, origin } = carriedOver(carried, columns, output.rows, repeats);
    const windows = this.#windows?.columns(output.windowStart, length) ?? [];
    const isWhole = !repeats && length === batch.rowtime.length && output.risen === 0;
    const {
      rowtime,
      op,
      columns: results,
    } = this.#kernel.takeResults(isWhole ? batch.rowtime : null);
    const shown = results.map((column, index) =>
      resultColumn(column, this.#resultTypes[index] as Type),
    );
    out({
      schema: this.schema,
      length,
      selection: null,
      columns: [...keys, ...windows, ...shown],
      valueNull: null,
      keyNull: null,
      rowtime,
      op,
      origin,
    });
  }

  advance(ms: number): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
    this.#kernel.advanceStreamTime(ms);
  }

  changes(
    into: (change: StateBytes) => void,
    intoBlock: ((block: StateBlock) => void) | null = null,
  ): void {
    this.#state.changes(this.#kernel, into, intoBlock, this.#closedMs);
    this.#kernel.expire();
    // Where pages are not, keys do not outlast their groups.
    const fresh = WHOLE_KERNEL.fetched?.forgotten(this.#kernel, this.#names, () => this.#start());
    if (fresh) this.#use(fresh);
  }

  /** Windows that start at that time or before are of no use to anybody any more; -Infinity: all are. */
  get #closedMs(): number {
    const window = this.#window;
    if (this.#context.isPrivate !== true || window === null) return -Infinity;
    return this.#kernel.streamTime - window.graceMs - window.sizeMs;
  }
}
