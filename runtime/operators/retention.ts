// Removes rows of windows whose retention is over from the store, some at each commit; knows no aggregate and no path.

import { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import { hiddenTable } from '../state/sliding-table.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { isOver } from './window-over.ts';

/** Rows that a commit looks at beside four for each one that was emitted: rows leave faster than they come. */
const SWEPT_ROWS_MIN = 4096;
const SWEPT_PER_ROW = 4;
const ONLY_KEY = Uint8Array.of(0);

/**
 * Stands beside a windowed aggregation with a RETENTION, on either path, and is given what that emits. Of sliding windows it removes what is kept
 * beside those that are shown, with or without one.
 *
 * A sweep goes through all keys of the aggregation's state table in their order. It begins when half a retention has passed since the one
 * before began, so that a row is looked at a few times in its life and gone at one and a half retentions, and the time that a sweep takes. It
 * follows from the committed state and its stream time alone, so that both paths remove the same rows at the same commits.
 */
export function retention(
  step: AggregateStep,
  window: WindowSpec,
  { streamTime, state, isPrivate = false }: OperatorContext,
): Operator {
  const isSliding = window.type === 'SLIDING';
  const tables = !isSliding || window.expires === true ? [step.id] : [];
  if (isSliding) tables.push(hiddenTable(step.id));
  // What had closed at the last commit is not changed by this one.
  let committedMs = streamTime.ms;
  let rows = 0;
  return {
    name: 'retention',
    schema: step.schema,
    process(_side, batch) {
      rows += batch.length;
    },
    changes(into) {
      for (const table of tables)
        expire({ table, window, state, isPrivate, committedMs, rows }, into);
      committedMs = streamTime.ms;
      rows = 0;
    },
  };
}

/** How far the store has been swept. */
interface Sweep {
  /** What was over at this stream time has been removed. */
  readonly doneMs: number;
  /** What was over at this one is being removed; the same as `doneMs` when no sweep is on. */
  readonly toMs: number;
  /** The key to go on from. */
  readonly from: Uint8Array | null;
}

interface ExpiryOptions {
  readonly table: TableId;
  readonly window: WindowSpec;
  readonly state: StateReader;
  /** Nobody else reads it: what came as blocks is the store's to let go (StateBlock.closedMs). */
  readonly isPrivate: boolean;
  /** Stream time at the last commit. */
  readonly committedMs: number;
  /** Rows emitted since. */
  readonly rows: number;
}

function expire(options: ExpiryOptions, into: (change: StateBytes) => void): void {
  const { table, window, state, isPrivate, committedMs, rows } = options;
  const own = `${table}.expiry`;
  let sweep = decoded(state.get(own, ONLY_KEY));
  if (sweep.toMs === sweep.doneMs) {
    if (committedMs - sweep.doneMs < window.retentionMs / 2) return;
    sweep = { ...sweep, toMs: committedMs, from: null };
  }
  let left = SWEPT_ROWS_MIN + rows * SWEPT_PER_ROW;
  let from: Uint8Array | null = null;
  const range = { from: sweep.from, to: null };
  const settled = isPrivate ? state.scanSettled?.(table, range) : undefined;
  for (const { key } of settled ?? state.scan(table, range)) {
    if (left-- === 0) {
      from = key;
      break;
    }
    if (isOver(window, key, sweep.toMs)) into({ table, key, value: null });
  }
  const doneMs = from === null ? sweep.toMs : sweep.doneMs;
  into({ table: own, key: ONLY_KEY, value: encoded({ doneMs, toMs: sweep.toMs, from }) });
}

function decoded(bytes: Uint8Array | null): Sweep {
  if (bytes === null) return { doneMs: 0, toMs: 0, from: null };
  const reader = new ByteReader(bytes);
  const doneMs = reader.f64();
  const toMs = reader.f64();
  return {
    doneMs,
    toMs,
    from: reader.remaining === 0 ? null : reader.view(reader.remaining).slice(),
  };
}

function encoded({ doneMs, toMs, from }: Sweep): Uint8Array {
  const to = new ByteWriter(64);
  to.f64(doneMs);
  to.f64(toMs);
  if (from !== null) to.bytes(from);
  return to.finish();
}
