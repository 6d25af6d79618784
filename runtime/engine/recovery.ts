// What an engine finds at open: the catalog's entries replayed, and the last of them finished; knows no query that runs.

import { Catalog } from '../catalog/catalog.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import { withParts } from '../task/with-parts.ts';
import { applied, type CatalogEntry } from './changes.ts';
import { QUERY_WORK } from './own-parts.ts';
import { PROCESSING_LOG } from './system.ts';

export interface Replayed {
  readonly catalog: Catalog;
  readonly plans: ReadonlyMap<string, Plan>;
  /** Plans that the last entry ended. */
  readonly ended: readonly Plan[];
  readonly queryNumber: number;
}

/** The catalog and the plans that the entries leave. */
export function replay(entries: readonly CatalogEntry[]): Replayed {
  let catalog = Catalog.empty.withSource(PROCESSING_LOG);
  const plans = new Map<string, Plan>();
  let ended: Plan[] = [];
  let queryNumber = 0;
  for (const { change } of entries) {
    catalog = applied(catalog, change);
    ended = [];
    if (change.change === 'query') {
      // One of a known id takes its place and no number.
      if (!plans.has(change.plan.query)) queryNumber += 1;
      plans.set(change.plan.query, change.plan);
      continue;
    }
    for (const [id, plan] of plans) {
      if (catalog.queries.has(id)) continue;
      plans.delete(id);
      ended.push(plan);
    }
  }
  return { catalog, plans, ended, queryNumber };
}

/** The last statement may have been cut short after it was logged: what it was to take away is taken away again. */
export async function heal(
  last: CatalogEntry | null,
  host: Host,
  ended: readonly Plan[],
): Promise<void> {
  if (ended.length === 0 && last?.change.change !== 'drop') return;
  const { takeAway } = await withParts(() => QUERY_WORK.code);
  await takeAway(host, ended, last);
}
