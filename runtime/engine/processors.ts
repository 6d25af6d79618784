// Begins processors in code as queries of the catalog, once what they read and write is there; knows no statement.

import { StatementError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Processor } from '../functions/user-processor.ts';
import { isBegun, planProcessor } from '../plan/processor.ts';
import type { Plan } from '../plan/step.ts';
import { withParts } from '../task/with-parts.ts';
import type { CatalogChange } from './changes.ts';

export { refuseSameNames } from '../functions/user-processor.ts';

export interface BeginOptions {
  readonly processors: readonly Processor[];
  readonly catalog: () => Catalog;
  /** Counts queries, for the id of the next one. */
  readonly number: () => number;
  /** Makes a change of the catalog, and starts its query. */
  readonly begin: (statement: string, change: CatalogChange, plan: Plan) => Promise<void>;
}

/**
 * Begins those that are no queries yet.
 * @returns why others have not begun, by the names of the processors
 */
export async function beginProcessors(
  options: BeginOptions,
): Promise<ReadonlyMap<string, StatementError>> {
  const waiting = new Map<string, StatementError>();
  for (const processor of options.processors) {
    if (isBegun(options.catalog(), processor.name)) continue;
    try {
      const { query, plan, tables } = await withParts(() =>
        planProcessor(processor, options.catalog(), options.number()),
      );
      const change: CatalogChange = { change: 'query', query, source: null, plan, tables };
      await options.begin(query.statement, change, plan);
    } catch (thrown) {
      if (!(thrown instanceof StatementError)) throw thrown;
      waiting.set(processor.name, thrown);
    }
  }
  return waiting;
}
