// Waits until the queries that make a source have taken in what their topics held; knows no statement's text and no host.

import { StatementError } from '../base/errors.ts';
import type { SwapAnalysis } from '../analyze/analysis.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { makersOf } from '../catalog/rare-changes.ts';
import type { Plan } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { TopicPartition } from '../ports/log.ts';
import type { CatalogChange } from './changes.ts';
import { untilSo } from './until-so.ts';
import { inputsOf, type TaskName, tasksOf, subtopologyOf } from '../task/topology.ts';

/** How far a task has come. */
export interface TaskProgress {
  /** RUNNING, or how it stands else. */
  readonly state: string;
  /** Behind which record of its inputs it has committed; null, or not there: nothing of one. */
  readonly positions: readonly { readonly at: TopicPartition; readonly next: number | null }[];
  /** true: what it has made is in its topics. */
  readonly isDelivered: boolean;
}

/** What there is to look at. */
export interface Look {
  readonly clock: Clock;
  /** As it is now. */
  readonly catalog: () => Catalog;
  /** null: there is no such query. */
  readonly plan: (query: string) => Plan | null;
  /** null: there is no such task. */
  readonly progress: (task: TaskName) => Promise<TaskProgress | null>;
  readonly highWatermark: (at: TopicPartition) => Promise<number>;
}

/**
 * Task after task, upstream first, each up to what its inputs hold when it is its turn: so what comes while it waits does not
 * keep it waiting.
 * @param signal ends the wait
 * @throws {StatementError} INVALID, with the query and what it has still to read, once the time is over, or as soon as a query does not run
 */
export function caughtUp(
  { other, timeoutMs }: SwapAnalysis,
  look: Look,
  signal?: AbortSignal,
): Promise<void> {
  const plans = makersOf(look.catalog(), other.name).flatMap((id) => look.plan(id) ?? []);
  const tasks = plans.flatMap((plan) =>
    tasksOf(plan).map((name) => ({
      name,
      inputs: inputsOf(subtopologyOf(plan, name.subtopology), name.partition),
    })),
  );
  let behind: readonly End[] | null = null;
  const left = async (): Promise<string | null> => {
    for (let task = tasks[0]; task !== undefined; task = tasks[0]) {
      behind ??= await endsOf(task.inputs, look);
      const what = leftOf(task.name.query, behind, await look.progress(task.name));
      if (what !== null) return what;
      tasks.shift();
      behind = null;
    }
    return null;
  };
  const hint = 'Give it again with a longer TIMEOUT, or when it has caught up.';
  return untilSo(left, { clock: look.clock, timeoutMs, hint, signal });
}

/** @throws {StatementError} INVALID: other statements have changed one of the two while it waited */
export function swapped({ source, other }: SwapAnalysis, catalog: Catalog): CatalogChange {
  const changed = [source, other].find((of) => catalog.source(of.name) !== of);
  if (changed !== undefined) {
    const message = `${changed.name} was changed meanwhile`;
    throw new StatementError('INVALID', message, null, 'Give it again.');
  }
  return { change: 'swap', name: source.name, other: other.name };
}

/** What became of it. */
export function swapStatus({ source: { kind, name }, other }: SwapAnalysis) {
  const kinds = kind === 'stream' ? 'Streams' : 'Tables';
  return {
    commandId: `${kind}/${name}/alter`,
    message: `${kinds} ${name} and ${other.name} swapped.`,
  };
}

type End = readonly [at: TopicPartition, end: number];

async function endsOf(inputs: readonly TopicPartition[], look: Look): Promise<readonly End[]> {
  return Promise.all(inputs.map(async (at): Promise<End> => [at, await look.highWatermark(at)]));
}

/** What a task has still to do, as a text; null: nothing. */
function leftOf(query: string, ends: readonly End[], progress: TaskProgress | null): string | null {
  const { state = 'not there', positions = [], isDelivered = false } = progress ?? {};
  if (state !== 'RUNNING') {
    const hint = state === 'PAUSED' ? `RESUME ${query} first.` : 'SHOW QUERIES EXTENDED says why.';
    throw new StatementError('INVALID', `the query ${query} is ${state}`, null, hint);
  }
  for (const [{ topic, partition }, end] of ends) {
    const of = positions.find(({ at }) => at.topic === topic && at.partition === partition);
    const position = of?.next ?? 0;
    if (position < end)
      return `the query ${query} has not caught up: it has ${end - position} records of topic '${topic}', partition ${partition}, to read`;
  }
  if (isDelivered) return null;
  return `the query ${query} has not caught up: what it has made is not in its topics`;
}
