// Answers pull queries from committed state, partition by partition, sorted where that is asked; knows no task in memory.

import { compareBytes } from '../base/byte-arrays.ts';
import { LimitError, PortError } from '../base/errors.ts';
import { BATCH_ROWS_MAX, PULL_ROWS_MAX } from '../base/limits.ts';
import type { KeySpan } from '../analyze/analysis.ts';
import type { Batch } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import type { Schema } from '../data/schema.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { expressionsOf, type PullPlan } from '../plan/pull.ts';
import type { Plan } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { StateReader, TaskId } from '../ports/store.ts';
import { isRebuilding } from '../task/replay.ts';
import { subtopologyOf, taskId } from '../task/topology.ts';
import { withParts } from '../task/with-parts.ts';
import { loadCalls } from './functions.ts';
import { Finder } from './pull-finder.ts';
import { type AnswerRow, Finish } from './pull-finish.ts';
import { partitionsAsked } from './pull-partitions.ts';

/** A LIMIT of fewer rows costs no more: what is done once for a batch. */
const FIRST_ROWS_MIN = 16;

export interface PullOptions {
  readonly pull: PullPlan;
  /** The plan of the query whose state is asked. */
  readonly plan: Plan;
  /** Committed state of one task; null when it never committed. */
  readonly reader: (task: TaskId) => Promise<StateReader | null>;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly clock: Clock;
  /** Told of all rows that are held, each time that some more are; may refuse them. */
  readonly check?: ((rows: readonly AnswerRow[]) => void) | undefined;
}

export interface PullAnswer {
  /** Columns in the order of the SELECT. */
  readonly schema: Schema;
  readonly batches: readonly Batch[];
  /** By row, over all batches: with ORDER BY rows stand in the order of these bytes, those of other partitions among them. */
  readonly order: readonly Uint8Array[];
}

/**
 * Reads the answer. All of it shows one committed state of each partition.
 * Held are at most twice the rows that are wanted, and a batch of those that are looked through.
 * @throws {LimitError} PULL_ROWS_MAX, when more rows answer; {PortError} UNAVAILABLE while rows are made again
 */
export async function answerPull(options: PullOptions): Promise<PullAnswer> {
  const { pull, plan, registry, formats } = options;
  await loadCalls(expressionsOf(pull), registry);
  const { subtopology } = pull.table;
  const { finish, finder, asked } = await withParts(() => ({
    finish: new Finish(pull, registry, options.clock.now()),
    finder: new Finder(pull, plan, registry),
    asked: partitionsAsked(pull, subtopologyOf(plan, subtopology).partitions, formats),
  }));
  let rows: readonly AnswerRow[] = [];
  for (const [partition, spans] of asked) {
    if (pull.order.length === 0 && rows.length === wantedOf(pull)) break;
    const reader = await options.reader(taskId({ query: pull.query, subtopology, partition }));
    if (reader === null) continue;
    const before = rows;
    if (isRebuilding(reader)) {
      const what = `the rows of ${pull.query} in partition ${partition} are made again`;
      throw new PortError('UNAVAILABLE', `${what}, because they were damaged: ask again later`);
    }
    rows = await withParts(() =>
      withAnswers(before, { ...options, finder, finish, reader, spans }),
    );
  }
  return { schema: finish.schema, ...inBatches(rows, finish.schema) };
}

interface Question extends Pick<PullOptions, 'pull' | 'check'> {
  readonly finder: Finder;
  readonly finish: Finish;
  readonly reader: StateReader;
  readonly spans: readonly KeySpan[];
}

/**
 * The rows so far and those of another partition, as many as are wanted. Without ORDER BY the partitions come one after the other, each in
 * the order of its keys; with it all rows are sorted.
 */
function withAnswers(
  before: readonly AnswerRow[],
  { pull, check, finder, finish, reader, spans }: Question,
): readonly AnswerRow[] {
  const wanted = wantedOf(pull);
  const isSorted = pull.order.length > 0;
  let rows = [...before];
  const first = isSorted ? BATCH_ROWS_MAX : Math.max(wanted, FIRST_ROWS_MIN);
  for (const found of finder.find(reader, spans, first)) {
    for (const row of finish.rows(found)) rows.push(row);
    check?.(rows);
    if (rows.length < wanted) continue;
    if (!isSorted) break;
    if (rows.length > 2 * wanted) rows = firstOf(rows, wanted);
  }
  const kept = isSorted ? firstOf(rows, wanted) : rows.slice(0, wanted);
  if (kept.length <= PULL_ROWS_MAX) return kept;
  throw new LimitError(
    'PULL_ROWS_MAX',
    `more than ${PULL_ROWS_MAX} rows answer; add LIMIT, or ask for keys`,
  );
}

function wantedOf({ limit }: PullPlan): number {
  return Math.min(limit ?? Infinity, PULL_ROWS_MAX + 1);
}

function firstOf(rows: readonly AnswerRow[], wanted: number): AnswerRow[] {
  return [...rows].sort((a, b) => compareBytes(a.order, b.order)).slice(0, wanted);
}

function inBatches(
  rows: readonly AnswerRow[],
  schema: Schema,
): Pick<PullAnswer, 'batches' | 'order'> {
  const builder = new BatchBuilder(schema);
  const batches: Batch[] = [];
  const flush = (): void => {
    const batch = builder.finish();
    if (batch !== null) batches.push(batch);
  };
  for (const { values, rowtime } of rows) {
    if (builder.isFull) flush();
    builder.append(values, rowtime);
  }
  flush();
  return { batches, order: rows.map(({ order }) => order) };
}
