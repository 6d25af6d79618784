// What a projection may not be: without its key, with a name twice, without values; knows no plan.

import type { Position } from '../../base/errors.ts';
import { COLUMNS_MAX } from '../../base/limits.ts';
import type { NamedItem } from '../names.ts';
import { WORDS } from '../parts.ts';
import { isReserved } from '../scope.ts';

/** An item that stands for a key column. */
export interface KeyItem {
  /** Which key column. */
  readonly key: number;
  readonly item: NamedItem;
}

/** Key columns of a query, as one writes them. */
export interface KeyNames {
  readonly count: number;
  readonly nameOf: (key: number) => string;
  readonly what: 'key column' | 'grouping expression' | 'partitioning expression';
}

/** Every key column stands in the SELECT of a persistent query. */
export function refuseMissingKey(found: readonly KeyItem[], keys: KeyNames, at: Position): void {
  const missing: string[] = [];
  for (let key = 0; key < keys.count; key++) {
    if (!found.some((candidate) => candidate.key === key)) missing.push(keys.nameOf(key));
  }
  if (missing.length > 0) throw WORDS.code.missingKey(keys, missing, at);
}

/** A key column stands there once. */
export function refuseRepeatedKey(found: readonly KeyItem[]): void {
  const seen = new Map<number, NamedItem>();
  for (const { key, item } of found) {
    const first = seen.get(key);
    if (first !== undefined) throw WORDS.code.repeatedKey(first, item);
    seen.set(key, item);
  }
}

/** The value has at least one column. */
export function refuseNoValues(valueColumns: number, at: Position): void {
  if (valueColumns <= 0) throw WORDS.code.noValues(at);
}

/** No two columns have one name. */
export function refuseDuplicateNames(items: readonly NamedItem[]): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (seen.has(item.name)) throw WORDS.code.duplicateName(item);
    seen.add(item.name);
  }
}

/** The names of pseudo columns and window bounds are not given to columns of a result. */
export function refuseReservedNames(items: readonly NamedItem[], persistent: boolean): void {
  for (const item of items) {
    // `*` with PARTITION BY ROWTIME brings the key under that name, as in ksqlDB.
    if (!isReserved(item.name) || item.star || (!persistent && item.alias === null)) continue;
    throw WORDS.code.reservedName(item);
  }
}

/** @throws {StatementError} LIMIT beyond COLUMNS_MAX */
export function refuseTooManyColumns(columns: number, at: Position): void {
  if (columns > COLUMNS_MAX) throw WORDS.code.tooManyColumns(columns, at);
}
