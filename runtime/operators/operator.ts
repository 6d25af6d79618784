// The contract of every operator: one batch in, batches out, synchronous and deterministic; knows no step and no host.

import type { RecordCode } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { IntoBlock, StateBytes, StateReader } from '../ports/store.ts';

export type Emit = (batch: Batch) => void;

/** One row or pair of row and window that an operator could not use. */
export interface RowProblem {
  readonly code: RecordCode | 'LATE' | 'LIMIT';
  /** Position in the task's input of the record that triggered it (Batch.origin); null when none did. */
  readonly origin: number | null;
  /** The column, or ''. */
  readonly field: string;
  readonly reason: string;
}

/** Stream time of one step, kept by the task and committed with the state. -Infinity before the first row. */
export interface StreamTime {
  ms: number;
}

/** The logical time and the seed of the current input: fixed by task and offset. */
export interface LogicalTime {
  readonly now: number;
  /** Begins the random numbers of rows that a record triggered: names the task and the input, with its topic's incarnation. */
  readonly seed: string;
  /** Of rows that no record triggered: names the task and the incarnations of all its inputs. Absent: there are none. */
  readonly idleSeed?: string | undefined;
  /** Offset of the record that rows of origin 0 came from; absent: 0. */
  readonly firstOffset?: number | undefined;
}

/** What rows belong to that come to an operator: a chunk of the task's input, and its logical time. One object a chunk and time. */
export interface Moment {
  readonly time: LogicalTime;
}

/** Lets an operator hold rows back that a later call of `process` may add to, so that short runs of several inputs make no short batches. */
export interface Holding {
  /** What the rows of the current call belong to. Only rows of one moment go into one batch, or of one that `together` gives. */
  readonly moment: Moment;
  /** Emits a batch of rows of a moment. */
  emit(moment: Moment, batch: Batch, out: Emit): void;
  /**
   * A moment for rows of several. Absent: what they go to asks for the time of each.
   * @returns with it what the origins of each moment's rows count from, then
   */
  together?:
    | ((moments: readonly Moment[]) => {
        readonly moment: Moment;
        readonly from: readonly number[];
      })
    | undefined;
}

/** What the task gives an operator when it is built. */
export interface OperatorContext {
  /** Committed state at the time of the build; the operator lays its own uncommitted changes over it. */
  readonly state: StateReader;
  /** Running maximum of the rowtimes of the rows that reach the step and count for it; the operator advances it. */
  readonly streamTime: StreamTime;
  /** Sends a problem to the processing log and counts it under its code. */
  readonly report: (problem: RowProblem) => void;
  /** Adds to a counter of the step (`late`, `latePairs`, `dropped`); committed with the state. */
  readonly count: (name: string, by: number) => void;
  readonly time: () => LogicalTime;
  /** true: nobody but the task reads its state. */
  readonly isPrivate?: boolean | undefined;
  /** Absent: what `process` makes is emitted before it returns. */
  readonly holding?: Holding | undefined;
}

/** The rows of a batch that is taken in many turns. */
export interface RunRows {
  /** null: there are none. */
  readonly batch: Batch | null;
  /** The first one that has not been taken; who takes rows moves it on. */
  row: number;
  /** How many rows there are before the end of a run that begins with `row`. */
  rowsBefore(end: number): number;
}

/** Rows of two batches in the order in which a join is to take them: by turns some of the one and some of the other. */
export interface Runs {
  readonly sides: readonly [RunRows, RunRows];
  /** The end of each run, as `rowsBefore` takes it; not every run has a row. Who takes the rows may write into it. */
  readonly ends: Uint32Array;
  /** Of which of the sides the first one is, and which input of the join that is; then they take turns. */
  readonly at: number;
  readonly input: number;
  /** Makes what a side's rows belong to that at hand: before something is told of them, and in the end of the last run's. */
  readonly turnTo: (side: RunRows) => void;
}

/**
 * A node of a task. Callers keep to this:
 * - `process` is called with batches of the input's schema, in the order of the task's input; it may emit any number of
 *   batches, each of `schema`, before it returns, or hold rows back until `settle` where its context lets it; it keeps no reference to a
 *   batch but to its columns' values.
 * - Cutting a batch anywhere never changes what is emitted in all, nor the state; but an UpdateBefore and the UpdateAfter
 *   that follows it stand in one batch, in what is emitted and in what is cut.
 * - `changes` gives, at a commit, the state that changed since the last call, each key once. After a failed commit the
 *   operator is thrown away.
 */
export interface Operator {
  readonly name: string;
  /** Of what it emits. */
  readonly schema: Schema;
  process(input: number, batch: Batch, out: Emit): void;
  /**
   * As `process`, for rows `from .. to` of a batch that is given again for those behind them: joins have it, so that a row of a batch that is
   * taken in many turns costs no more than one of another.
   */
  processRows?(input: number, batch: Batch, from: number, to: number, out: Emit): void;
  /**
   * As `processRows` for each run in turn, in one call.
   * @returns false when no row was taken: runs are to be given one by one
   */
  processRuns?: ((runs: Runs, out: Emit) => boolean) | undefined;
  /**
   * Emits what was held back. The task calls it before rows come another way to where these go, before chunks of its input end, before time
   * passes without rows, and before commits.
   */
  settle?(): void;
  /** Tells that stream time has come to `ms` without a row (idle time-outs), for expiry and final results. */
  advance?(ms: number, out: Emit): void;
  /** The stream time at which `advance` would emit something; Infinity or absent: none. */
  dueAtStreamMs?(): number;
  /** Tells what the wall clock says, before a commit: an input too, committed with what it makes. */
  tick?(nowMs: number, out: Emit): void;
  /** The wall-clock time at which `tick` would emit something; Infinity or absent: none. */
  dueAtMs?(): number;
  /** Ends a block of the input, and before each commit: emits what was held back since the last time. */
  handOver?(out: Emit): void;
  /** @param intoBlock takes changes that lie side by side already; null: the store does not */
  changes?(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void;
  /** Frees what it holds outside the garbage-collected heap. */
  close?(): void;
}
