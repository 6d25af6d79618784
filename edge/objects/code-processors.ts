// Begins the processors that the Worker's code brings along, as queries of a tenant's catalog; knows no statement.

import { StatementError } from '../../runtime/base/errors.ts';
import type { CatalogChange } from '../../runtime/engine/changes.ts';
import { isBegun, planProcessor } from '../../runtime/plan/processor.ts';
import { registry } from '../registry.ts';
import { type CatalogEffect, started } from './catalog-effects.ts';
import type { EntryTables } from './entry-tables.ts';

export interface CodeProcessorsOptions {
  readonly tenant: string;
  readonly entries: EntryTables;
  /** Adds a change and what it asks of other objects, all or nothing. */
  readonly changed: (
    text: string,
    change: CatalogChange,
    effects: (sequence: number) => readonly CatalogEffect[],
  ) => number;
}

/** Begins those that are no queries yet, where what they read and write is there. Synchronous. @returns why others have not begun */
export function beginProcessors(options: CodeProcessorsOptions): readonly StatementError[] {
  const { tenant, entries, changed } = options;
  const waiting: StatementError[] = [];
  for (const processor of registry.processors) {
    const { catalog } = entries;
    if (isBegun(catalog, processor.name) || catalog.ended.has(processor.name)) continue;
    try {
      const { query, plan, tables } = planProcessor(processor, entries.catalog, entries.number + 1);
      const change: CatalogChange = { change: 'query', query, source: null, plan, tables };
      changed(query.statement, change, (planned) =>
        started(tenant, plan, { planned, paused: false }),
      );
    } catch (thrown) {
      if (!(thrown instanceof StatementError)) throw thrown;
      waiting.push(thrown);
    }
  }
  return waiting;
}
