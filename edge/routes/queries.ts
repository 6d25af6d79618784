// Running a prepared SELECT for one connection: push queries here in the Worker, pull queries at the objects; knows no format of answers.

import { startPush } from '../../runtime/engine/push.ts';
import { FORMATS } from '../../runtime/formats/formats.ts';
import type { PullPlan } from '../../runtime/plan/pull.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import { taskId } from '../../runtime/task/topology.ts';
import { typeText } from '../../runtime/data/type.ts';
import { wallClock } from '../adapters/do-clock.ts';
import { catalogOf, processorAt } from '../env.ts';
import { kernel } from '../kernel.ts';
import type { Script } from '../objects/prepare.ts';
import { registry } from '../registry.ts';
import { answerText, type RowText, rowTexts } from '../rows.ts';
import { unwrap } from '../wire.ts';
import type { Edge } from './context.ts';

/** A query under way. */
export interface RunningQuery {
  readonly kind: 'push' | 'pull';
  /** null for a pull query. */
  readonly queryId: string | null;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The columns as SQL; keys are marked in pull queries only. */
  readonly schemaText: string;
  /** What is said after the last row. */
  readonly finalMessage: string;
  rows(): AsyncIterable<readonly RowText[]>;
  /** Ends it; whatever else ends the iteration does so too. */
  close(): Promise<void>;
}

/** Plans and starts the SELECT of a script. @throws {StatementError} */
export async function startQuery(edge: Edge, script: Script): Promise<RunningQuery> {
  const { env, tenant } = edge;
  const prepared = await unwrap(catalogOf(env, tenant).prepare(script));
  if (prepared.kind === 'push') return push(edge, prepared.plan);
  return pull(edge, prepared.pull, prepared.partitions);
}

async function push({ log }: Edge, plan: Plan): Promise<RunningQuery> {
  const rows = await startPush({
    // Told apart from all others, in this Worker and elsewhere: /close-query names it.
    plan: { ...plan, query: `${plan.query}_${crypto.randomUUID().slice(0, 8)}` },
    host: { log, clock: wallClock, kernel },
    formats: FORMATS,
    registry,
    signal: null,
    public: {},
    onEnd: () => undefined,
  });
  return {
    kind: 'push',
    queryId: rows.queryId,
    columns: rows.columns,
    schemaText: answerText(rows),
    finalMessage: 'Limit Reached',
    close: () => rows.close(),
    rows: async function* () {
      for await (const batch of rows.batches()) yield rowTexts(batch);
    },
  };
}

/** Every task of the table is asked: each answers for its own partition, from committed state. */
async function pull(
  { env, tenant }: Edge,
  plan: PullPlan,
  partitions: number,
): Promise<RunningQuery> {
  const answers = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const task = taskId({ query: plan.query, subtopology: plan.table.subtopology, partition });
      return unwrap(processorAt(env, tenant, task).pull(plan));
    }),
  );
  const { order, schema } = plan.projection;
  const columns = order.flatMap((index) => schema.columns[index] ?? []);
  const rows = answers.flat().slice(0, plan.limit ?? Infinity);
  return {
    kind: 'pull',
    queryId: null,
    columns: columns.map(({ name, type }) => ({ name, type: typeText(type) })),
    schemaText: answerText({ kind: 'pull', schema: { columns } }),
    finalMessage: 'Query Completed',
    close: async () => undefined,
    rows: async function* () {
      yield rows.map((text) => ({ columns: text, isDelete: false }));
    },
  };
}
