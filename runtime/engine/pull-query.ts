// A pull query from its analysis to its rows, over a table's state or a stream's topic; knows no text.

import { type Position, StatementError } from '../base/errors.ts';
import type { Analysis, PullAnalysis, QueryAnalysis } from '../analyze/analysis.ts';
import { ROW } from '../data/parts.ts';
import type { PublicOptions } from '../data/row.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { planPull } from '../plan/pull.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import { withParts } from '../task/with-parts.ts';
import { namedColumns } from './answer-batch.ts';
import { answerPull } from './pull.ts';
import { startStreamPull } from './pull-stream.ts';
import type { QueryRowsOptions } from './query-rows.ts';

export interface PullQueryOptions {
  readonly analysis: Analysis;
  /** Where the statement stands. */
  readonly at: Position;
  /** The plan of a running query. */
  readonly plan: (query: string) => Plan | null;
  /** Plans a query over a stream. */
  readonly planned: (query: QueryAnalysis) => Promise<Plan>;
  readonly host: Pick<Host, 'store' | 'clock' | 'log' | 'kernel'>;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly signal: AbortSignal | null;
  readonly public: PublicOptions;
}

/** Starts the query of a SELECT without EMIT. @throws {StatementError} INVALID when no state answers */
export async function startPull(options: PullQueryOptions): Promise<QueryRowsOptions> {
  const { analysis, at } = options;
  options.signal?.throwIfAborted();
  if (analysis.kind === 'pull') return tablePull(analysis, options);
  if (analysis.kind === 'query')
    return startStreamPull({ ...options, plan: await options.planned(analysis) });
  throw new StatementError('INVALID', 'a query is one SELECT', at);
}

/** Asks committed state; the answer is complete when this resolves. */
async function tablePull(
  analysis: PullAnalysis,
  options: PullQueryOptions,
): Promise<QueryRowsOptions> {
  const { host, formats, registry, signal } = options;
  const { query, name } = analysis.source;
  const plan = query === null ? null : options.plan(query);
  if (plan === null) {
    throw new StatementError(
      'INVALID',
      `no query keeps the rows of ${name}`,
      options.at,
      'Add EMIT CHANGES for a push query, or make a table of it.',
    );
  }
  const { schema, batches } = await answerPull({
    pull: planPull(analysis, plan),
    plan,
    reader: (task) => host.store.reader(task),
    formats,
    registry,
    clock: host.clock,
  });
  const waiting = [...batches];
  return {
    kind: 'pull',
    queryId: null,
    schema,
    columns: namedColumns(schema),
    next: async () => {
      signal?.throwIfAborted();
      return waiting.shift() ?? null;
    },
    close: async () => {
      waiting.length = 0;
    },
    rows: () => withParts(() => ROW.code),
    public: options.public,
  };
}
