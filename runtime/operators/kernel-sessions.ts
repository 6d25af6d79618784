// Aggregates rows by key into sessions in a whole kernel: the kernel path, the same answers and state bytes as the row path.

import { existing } from '../base/assert.ts';
import { type Batch, Op } from '../data/batch.ts';
import { type Bitmap, bitmap, type Column } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { BIGINT, type Type } from '../data/type.ts';
import {
  Kernel,
  type KernelBatch,
  type KernelColumn,
  type KernelOutput,
} from '../kernel/instance.ts';
import type { KernelProgram } from '../kernel/program.ts';
import { openSessions, sessionRows, storedMsOf } from '../kernel/sessions.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { GroupNames } from '../state/group-names.ts';
import { argumentsOf, inKernel, kernelColumn, programOf, resultColumn } from './kernel-columns.ts';
import { KernelIds } from './kernel-ids.ts';
import { bringOffsets } from './kernel-offsets.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { carriedOver } from './output-columns.ts';
import { WHOLE_KERNEL } from './parts.ts';
import { behind, LateRows, reportUnused } from './rarer-rows.ts';
import { SessionState } from './session-state.ts';
import { isOverNow } from './window-over.ts';

/**
 * As `sessionAggregate`, for the calls that the kernel has.
 *
 * When the kernel has no room for a row, what it has changed is set aside and it is made anew with the sessions that the rest of the input needs. Where
 * those of one batch do not fit, as when a group has very many that late rows may still merge, the row path goes on over the same state.
 * Cost: copies the columns in and the results out once; no loop over rows in JavaScript but for the ids of groups.
 * @param byRows makes the operator of the row path
 */
export function kernelSessions(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  module: WebAssembly.Module,
  byRows: (context: OperatorContext) => Operator,
): Operator {
  return new KernelSessions(step, input, { context, module, byRows });
}

/** What an operator is made with. */
interface Given {
  readonly context: OperatorContext;
  readonly module: WebAssembly.Module;
  readonly byRows: (context: OperatorContext) => Operator;
}

class KernelSessions implements Operator {
  readonly name = 'kernelSessions';
  readonly schema: Schema;
  readonly #given: Given;
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

  /** The row path, once it has taken over. */
  #byRows: Operator | null = null;

  constructor(step: AggregateStep, input: Schema, given: Given) {
    const { context } = given;
    this.schema = step.schema;
    this.#given = given;
    this.#context = context;
    this.#arguments = argumentsOf(step.calls);
    this.#program = programOf({ ...step, window: null }, input, this.#arguments, 'rows');
    this.#window = existing(step.window ?? undefined, 'window');
    this.#resultTypes = step.calls.map((call) => call.type);
    this.#names = new GroupNames(input);
    this.#state = new SessionState(step.id, context.state, this.#names);
    this.#late = new LateRows(context);
    this.#kernel = this.#start(context.streamTime.ms);
    this.#ids = new KernelIds(this.#names, this.#kernel);
  }

  /** @param storedMs no session that was stored or set aside, and that rows may need, ends later */
  #start(storedMs: number): Kernel {
    const { sizeMs: gapMs, graceMs, retentionMs } = this.#window;
    const { ms } = this.#context.streamTime;
    const kernel = new Kernel(this.#given.module, this.#program);
    const isPrivate = isOverNow(this.#window, this.#context) !== null;
    openSessions(kernel, { gapMs, graceMs, retentionMs, isPrivate }, storedMs);
    kernel.advanceStreamTime(ms);
    return kernel;
  }

  /** Ids die with their kernel. */
  #use(kernel: Kernel): void {
    this.#kernel = kernel;
    this.#ids = new KernelIds(this.#names, kernel);
  }

  process(side: number, batch: Batch, out: Emit): void {
    let rest: Batch = batch;
    let isFresh = false;
    while (this.#byRows === null) {
      const consumed = this.#processSome(rest, out);
      this.#late.end();
      if (consumed === rest.length) return;
      this.#state.setAside(this.#kernel);
      rest = behind(rest, consumed);
      // A kernel that was just made and takes no row has no room for one.
      if (consumed === 0 && isFresh) this.#turnToRows();
      this.#use(this.#start(this.#context.streamTime.ms));
      isFresh = true;
    }
    this.#byRows.process(side, rest, out);
  }

  /** Its kernel is one without sessions from then on, which takes little memory. */
  #turnToRows(): void {
    this.#byRows = this.#given.byRows({ ...this.#context, state: this.#state.reader() });
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
    const { starts, ends, hasGone } = sessionRows(this.#kernel, length);
    const { rowtime, op, columns: results } = this.#kernel.takeResults();
    const present = hasGone ? presentIn(op) : null;
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
      valueNull: present && present.map((byte) => ~byte),
      keyNull: null,
      rowtime,
      op,
      origin,
    });
  }

  /** Results, null where nothing is `present`. */
  #shown(results: readonly KernelColumn[], present: Bitmap | null): Column[] {
    return results.map(({ values, validity: own }, index) => {
      const validity =
        own === null || present === null
          ? (own ?? present)
          : own.map((byte, i) => byte & (present[i] as number));
      return resultColumn({ values, validity }, this.#resultTypes[index] as Type);
    });
  }

  advance(ms: number): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
    this.#kernel.advanceStreamTime(ms);
  }

  changes(into: (change: StateBytes) => void, intoBlock: IntoBlock | null = null): void {
    if (this.#byRows !== null) {
      this.#state.changesBy(this.#byRows, into);
      return;
    }
    const over = isOverNow(this.#window, this.#context);
    this.#state.changes(this.#kernel, into, intoBlock, over?.isOver ?? null);
    this.#kernel.expire();
    const { forgotten } = WHOLE_KERNEL.code;
    // Of groups that are let go no session can be needed.
    const start = (): Kernel => this.#start(storedMsOf(this.#kernel));
    const fresh = forgotten(this.#kernel, this.#names, start);
    if (fresh !== null) this.#use(fresh);
  }
}

/** A bit for each row that is no tombstone, and for those behind the last one. */
function presentIn(op: Uint8Array): Bitmap {
  const present = bitmap(op.length).fill(0xff);
  for (let i = 0; i < op.length; i++) {
    if (op[i] === Op.Delete) present[i >> 3] = (present[i >> 3] as number) ^ (1 << (i & 7));
  }
  return present;
}
