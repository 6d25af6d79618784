// Push queries that go on where another connection has stopped: which ones can, and how their place is told; knows no host.

import { decodeBase64Url, encodeBase64Url } from '../base/base64.ts';
import { decodeUtf8, encodeUtf8, isUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { StatementError } from '../base/errors.ts';
import { type Batch, slice } from '../data/batch.ts';
import type { Plan, Step } from '../plan/step.ts';
import type { OffsetEntry, TaskStore, TaskId } from '../ports/store.ts';
import type { Task } from '../task/task.ts';
import { inputsOf, subtopologyOf, taskId, tasksOf } from '../task/topology.ts';

const VERSION = 2;

/** Where a push query stands in one input: behind the first `rows` rows that the records from `next` on make. */
export interface QueryPlace extends OffsetEntry {
  readonly rows: number;
}

/** Where the tasks of a push query without state go on. */
export interface PlacedAt {
  /** Puts their positions into the store. */
  readonly put: (store: TaskStore) => Promise<void>;
  /** How many rows, of those that a task makes from there on, its reader has. */
  readonly rows: ReadonlyMap<TaskId, number>;
}

/** True when what the query shows of a record hangs on that record alone, so that nothing but its place need be known to go on. */
export function isResumable(plan: Plan): boolean {
  const [only] = plan.subtopologies;
  if (only === undefined || plan.subtopologies.length > 1 || plan.internalTopics.length > 0)
    return false;
  return only.steps.every(isStateless);
}

function isStateless(step: Step): boolean {
  switch (step.step) {
    case 'source':
      return !step.materialized;
    case 'filter':
    case 'project':
    case 'flatMap':
      return true;
    case 'client':
      return step.limit === null;
    default:
      return false;
  }
}

/** The place of a resumable query as a text for its client. */
export function continuationToken(plan: Plan, behind: readonly QueryPlace[]): string {
  const places = behind.map(({ at, next, incarnation, rows }) => [
    at.topic,
    at.partition,
    next,
    incarnation,
    rows,
  ]);
  const text = JSON.stringify([VERSION, fingerprint(plan), places]);
  return encodeBase64Url(encodeUtf8(text));
}

/**
 * What puts the tasks of a plan where a token says.
 * @throws {StatementError} when the token is not one of this statement, or the query has more to know than its place
 */
export function placedAt(plan: Plan, token: string): PlacedAt {
  if (!isResumable(plan)) throw refused('a query that keeps state begins anew');
  const places = placesOf(plan, token);
  const found = tasksOf(plan).map((name) => {
    const inputs = inputsOf(subtopologyOf(plan, name.subtopology), name.partition);
    const own = places.filter(({ at }) =>
      inputs.some(({ topic, partition }) => topic === at.topic && partition === at.partition),
    );
    if (own.length !== inputs.length) throw refused('a partition is missing in it');
    return { task: taskId(name), own };
  });
  const put = async (store: TaskStore): Promise<void> => {
    for (const { task, own } of found) {
      const { commit: after } = await store.load(task);
      const offsets = own.map(({ at, next, incarnation }) => ({ at, next, incarnation }));
      const nothing = { streamTimes: [], counters: [], changes: [], outbox: [] };
      await store.commit(task, { after, offsets, ...nothing });
    }
  };
  const rows = new Map(found.map(({ task, own }) => [task, own[0]?.rows ?? 0]));
  return { put, rows };
}

function placesOf(plan: Plan, token: string): QueryPlace[] {
  const bytes = decodeBase64Url(token);
  if (bytes === null || !isUtf8(bytes)) throw refused('it is not one');
  let given: unknown;
  try {
    given = JSON.parse(decodeUtf8(bytes));
  } catch {
    throw refused('it is not one');
  }
  if (!Array.isArray(given) || given[0] !== VERSION || !Array.isArray(given[2]))
    throw refused('it is not one');
  if (given[1] !== fingerprint(plan)) throw refused('it is of another statement');
  return given[2].map((place: unknown) => {
    const [topic, partition, next, incarnation, rows] = Array.isArray(place) ? place : [];
    const isPlace =
      typeof topic === 'string' &&
      Number.isSafeInteger(partition) &&
      Number.isSafeInteger(next) &&
      next >= 0 &&
      typeof incarnation === 'string' &&
      Number.isSafeInteger(rows) &&
      rows >= 0;
    if (!isPlace) throw refused('it is not one');
    return { at: { topic, partition }, next, incarnation, rows };
  });
}

/** Tells statements apart: what is shown of a record is in the steps. */
function fingerprint(plan: Plan): number {
  return crc32c(encodeUtf8(JSON.stringify(plan.subtopologies)));
}

function refused(why: string): StatementError {
  const hint = 'Start the query without a token.';
  return new StatementError('INVALID', `the continuation token cannot be used: ${why}`, null, hint);
}

interface Taken {
  /** The positions behind a commit whose rows the reader has all. */
  readonly behind: readonly OffsetEntry[];
  /** Rows that it has of what comes behind them. */
  readonly rows: number;
}

/** How far the topics were read for the rows that the reader has taken, to the row. */
export class Places {
  readonly #byTask = new Map<Task, Taken>();
  readonly #from: PlacedAt | null;
  /** Rows to come, by task, that the reader has. */
  readonly #known = new Map<Task, number>();
  /** How it was before the last batch. */
  #before: { readonly task: Task; readonly taken: Taken; readonly length: number } | null = null;

  /** @param from where the tasks go on; null: they begin */
  constructor(from: PlacedAt | null) {
    this.#from = from;
  }

  async put(store: TaskStore): Promise<void> {
    await this.#from?.put(store);
  }

  /** The task stands there. */
  begin(task: Task, behind: readonly OffsetEntry[]): void {
    const rows =
      this.#byTask.get(task)?.rows ?? this.#from?.rows.get(taskId(task.options.name)) ?? 0;
    if (!this.#known.has(task)) this.#known.set(task, rows);
    this.#byTask.set(task, { behind, rows });
  }

  /** What the reader does not have of a batch. */
  unread(task: Task, batch: Batch): Batch | null {
    const known = this.#known.get(task) ?? 0;
    const from = Math.min(known, batch.length);
    this.#known.set(task, known - from);
    return slice(batch, from, batch.length);
  }

  /** @param behind the positions behind a commit whose last rows these are; null: more of it will come */
  taken(task: Task, length: number, behind: readonly OffsetEntry[] | null): void {
    const taken = this.#byTask.get(task) ?? { behind: [], rows: 0 };
    this.#before = { task, taken, length };
    const rows = taken.rows + length;
    this.#byTask.set(task, behind === null ? { ...taken, rows } : { behind, rows: 0 });
  }

  /**
   * Where the query stands behind the batches that were handed out.
   * @param rowsLeft how many rows at the end of the last batch do not count as handed out
   */
  behind(rowsLeft: number): readonly QueryPlace[] {
    return [...this.#byTask].flatMap(([task, now]) => {
      const before = this.#before;
      const { behind, rows } =
        rowsLeft === 0 || before?.task !== task
          ? now
          : { ...before.taken, rows: before.taken.rows + before.length - rowsLeft };
      return behind.map((entry) => ({ ...entry, rows }));
    });
  }
}
