// What a statement changes in the catalog, as plain JSON that is logged and replayed; knows no host and no text of statements.

import type { Catalog, PersistentQuery } from '../catalog/catalog.ts';
import type { Source } from '../catalog/source.ts';
import type { Type } from '../data/type.ts';
import type { Plan } from '../plan/step.ts';
import { CONTROL } from './own-parts.ts';

/** Raised when a change gets another meaning; a newer one is refused, never guessed. */
export const CHANGE_VERSION = 1;

/** A topic that went with its source: deleted again at replay when a crash came between the change and the deletion. */
export interface DeletedTopic {
  readonly name: string;
  readonly incarnation: string;
}

export type CatalogChange =
  | { readonly change: 'source'; readonly source: Source }
  | {
      readonly change: 'query';
      readonly query: PersistentQuery;
      /** The source that it makes or replaces; null where it writes into one that exists. */
      readonly source: Source | null;
      /** What runs, so that a later version of the planner cannot change a running query; what ran under its id before is upgraded to it. */
      readonly plan: Plan;
      /** Of a processor in code: its state, as tables. */
      readonly tables?: readonly Source[] | undefined;
    }
  | {
      readonly change: 'drop';
      readonly name: string;
      /** The query that made the source and ends with it. */
      readonly terminates: string | null;
      readonly topic: DeletedTopic | null;
    }
  /** Two sources take each other's name. */
  | { readonly change: 'swap'; readonly name: string; readonly other: string }
  | { readonly change: 'terminate'; readonly queries: readonly string[] }
  | { readonly change: 'pause'; readonly queries: readonly string[]; readonly paused: boolean }
  | { readonly change: 'property'; readonly name: string; readonly value: string }
  | { readonly change: 'type'; readonly name: string; readonly type: Type | null };

/** One entry of the catalog's topic. */
export interface CatalogEntry {
  readonly version: number;
  /** The statement as it was written. */
  readonly statement: string;
  readonly change: CatalogChange;
}

/**
 * The catalog after the change.
 * @throws {StatementError} IN_USE, UNKNOWN_SOURCE, UNKNOWN_QUERY, LIMIT: nothing has changed; {PartMissing}
 */
export function applied(catalog: Catalog, change: CatalogChange): Catalog {
  switch (change.change) {
    case 'source':
      return catalog.withSource(change.source);
    case 'query': {
      const { source, tables = source === null ? [] : [source] } = change;
      const made = tables.reduce((before, made) => before.withSource(made), catalog);
      return made.withQuery(change.query);
    }
    default:
      return CONTROL.code.rarelyApplied(catalog, change);
  }
}
