// Push queries: the plan's tasks in this process, with their state in memory, from the topics to one reader; knows no SQL.

import { PortError } from '../base/errors.ts';
import { ROW } from '../data/parts.ts';
import type { PublicOptions } from '../data/row.ts';
import type { Schema } from '../data/schema.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { QueryStore } from '../memory/query-store.ts';
import type { ClientStep, Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { Log } from '../ports/log.ts';
import type { TaskStore } from '../ports/store.ts';
import type { Sharing } from '../task/sharing.ts';
import { Task } from '../task/task.ts';
import { tasksOf } from '../task/topology.ts';
import { withParts } from '../task/with-parts.ts';
import { loadFunctions } from './functions.ts';
import { OWN_TOPICS, QUERY_WORK } from './own-parts.ts';
import { asAnswer, namedColumns } from './answer-batch.ts';
import type { QueryRowsOptions } from './query-rows.ts';
import type { Places } from './resume.ts';
import { RowQueue } from './row-queue.ts';

/** A query that is busy shows its rows this often; one that has caught up shows them at once. */
const COMMIT_INTERVAL_MS = 100;

export interface PushOptions {
  readonly plan: Plan;
  readonly host: Pick<Host, 'log' | 'clock' | 'kernel'>;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly signal: AbortSignal | null;
  readonly public: PublicOptions;
  /** Of all tasks of the engine; absent: values are decoded for this query alone. */
  readonly sharing?: Sharing | undefined;
  /** Called once when the query has ended. */
  readonly onEnd: () => void;
  /** Where the tasks go on from, and how far the reader comes; absent: they begin as the plan says, and nobody asks. */
  readonly places?: Places | undefined;
  /** As of tasks. */
  readonly isWhole?: boolean | undefined;
}

/**
 * Starts a push query. When this resolves, the place in the topics from which it reads is settled.
 * What it keeps dies with it; its problems go to the processing log of the host.
 */
export async function startPush(options: PushOptions): Promise<QueryRowsOptions> {
  const { plan, host, registry, signal, places } = options;
  await loadFunctions(plan, registry);
  const client = clientOf(plan);
  const order = client.order ?? client.schema.columns.map((_, index) => index);
  const answer: Schema = { columns: order.flatMap((index) => client.schema.columns[index] ?? []) };
  const { log, store } = await portsOf(plan, host);
  const queue = new RowQueue({ limit: client.limit, onEnd: () => void stop() });
  const last = plan.subtopologies.at(-1)?.id;
  const tasks = tasksOf(plan).map((name) => {
    const task: Task = new Task({
      ...options,
      name,
      log,
      store,
      clock: host.clock,
      kernel: host.kernel,
      // What only feeds the next task saves nothing by waiting.
      commitIntervalMs: name.subtopology === last ? COMMIT_INTERVAL_MS : 0,
      internalChecksums: false,
      onRows: async (rows) => {
        const shown = rows.flatMap((batch) => {
          const whole = asAnswer(batch, answer, order);
          return (whole && places ? places.unread(task, whole) : whole) ?? [];
        });
        const behind = task.progress.positions;
        for (const batch of shown) {
          const at = batch === shown.at(-1) ? behind : null;
          await queue.put(batch, places && (() => places.taken(task, batch.length, at)));
        }
      },
      onEnd: (_state, error) => queue.end(error),
    });
    places?.begin(task, []);
    return task;
  });
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= end();
    return stopping;
  };
  const end = async (): Promise<void> => {
    await Promise.all(tasks.map((task) => task.stop()));
    signal?.removeEventListener('abort', cancel);
    options.onEnd();
  };
  const cancel = (): void => queue.cancel();
  try {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', cancel, { once: true });
    await places?.put(store);
    for (const task of tasks) {
      await task.prepare();
      places?.begin(task, task.progress.positions);
    }
    // An abort while the tasks were prepared has cancelled the queue, but nobody reads it yet.
    signal?.throwIfAborted();
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  for (const task of tasks) task.start();
  if (client.limit === 0) queue.end(null);
  return {
    kind: 'push',
    queryId: plan.query,
    schema: answer,
    columns: namedColumns(answer),
    next: () => queue.next(),
    close: () => {
      queue.cancel();
      return stop();
    },
    idle: async () => {
      const { settle } = await withParts(() => QUERY_WORK.code);
      await settle(() => tasks, log);
      await queue.drained();
    },
    finalMessage: () => (queue.isFull ? 'Limit Reached' : null),
    rows: () => withParts(() => ROW.code),
    public: options.public,
  };
}

function clientOf(plan: Plan): ClientStep {
  for (const part of plan.subtopologies) {
    for (const step of part.steps) if (step.step === 'client') return step;
  }
  throw new PortError('CORRUPT', 'a push query has a client step');
}

/** The host's log, with internal topics of the query's own where its plan has some, and a store in memory. */
async function portsOf(
  plan: Plan,
  host: PushOptions['host'],
): Promise<{ readonly log: Log; readonly store: TaskStore }> {
  if (plan.internalTopics.length === 0) return { log: host.log, store: new QueryStore(host) };
  const { withOwnTopics } = await withParts(() => OWN_TOPICS.code);
  return await withOwnTopics(plan, host);
}
