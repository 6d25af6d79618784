// A pull query from its analysis to its rows; knows no text.

import type { PullAnalysis } from '../analyze/analysis.ts';
import { ROW } from '../data/parts.ts';
import type { PublicOptions } from '../data/row.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { planPull } from '../plan/pull.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import { withParts } from '../task/with-parts.ts';
import { loadCalls } from './functions.ts';
import { answerPull } from './pull.ts';
import { QueryRows } from './query-rows.ts';

export interface PullQueryOptions {
  readonly analysis: PullAnalysis;
  /** The plan of the query whose state is asked. */
  readonly plan: Plan;
  readonly host: Pick<Host, 'store' | 'clock'>;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly signal: AbortSignal | null;
  readonly public: PublicOptions;
}

/** Asks committed state; the answer is complete when this resolves. */
export async function startPull(options: PullQueryOptions): Promise<QueryRows> {
  const { plan, host, formats, registry, signal } = options;
  signal?.throwIfAborted();
  const pull = planPull(options.analysis, plan);
  await loadCalls(
    [...pull.projection.expressions, ...(pull.filter === null ? [] : [pull.filter])],
    registry,
  );
  const { schema, batches } = await answerPull({
    pull,
    plan,
    reader: (task) => host.store.reader(task),
    formats,
    registry,
    clock: host.clock,
  });
  const waiting = [...batches];
  return new QueryRows({
    kind: 'pull',
    queryId: null,
    schema,
    next: async () => {
      signal?.throwIfAborted();
      return waiting.shift() ?? null;
    },
    close: async () => {
      waiting.length = 0;
    },
    rows: () => withParts(() => ROW.code),
    public: options.public,
  });
}
