// Applies the rarer changes of the catalog: what is dropped, ended, paused or set; knows no host.

import { exhaustive } from '../base/assert.ts';
import type { Catalog } from '../catalog/catalog.ts';
import {
  withoutQuery,
  withoutSource,
  withoutType,
  withPaused,
  withProperty,
  withSwapped,
  withType,
} from '../catalog/rare-changes.ts';
import type { CatalogChange } from './changes.ts';

type RareChange = Exclude<CatalogChange, { readonly change: 'source' | 'query' }>;

/** As `applied`. @throws {StatementError} IN_USE, UNKNOWN_SOURCE, UNKNOWN_QUERY: nothing has changed */
export function rarelyApplied(catalog: Catalog, change: RareChange): Catalog {
  switch (change.change) {
    case 'drop':
      return withoutSource(catalog, change.name);
    case 'swap':
      return withSwapped(catalog, change.name, change.other);
    case 'terminate':
      return change.queries.reduce(withoutQuery, catalog);
    case 'pause':
      return change.queries.reduce((before, id) => withPaused(before, id, change.paused), catalog);
    case 'property':
      return withProperty(catalog, change.name, change.value);
    case 'type':
      return change.type === null
        ? withoutType(catalog, change.name)
        : withType(catalog, change.name, change.type);
    default:
      return exhaustive(change);
  }
}
