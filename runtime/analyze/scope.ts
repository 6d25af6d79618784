// Which columns a query's expressions may name, and where they stand in the source's row; knows no types' rules.

import type { Source } from '../catalog/source.ts';
import { type Schema, schema, type SchemaColumn, WINDOWEND, WINDOWSTART } from '../data/schema.ts';
import { BIGINT, INTEGER } from '../data/type.ts';
import type { Column, Expression, Name } from '../sql/ast.ts';
import type { Item } from './names.ts';
import { WORDS } from './parts.ts';

/** The columns that every record has. */
const PSEUDO_COLUMNS: readonly SchemaColumn[] = [
  { name: 'ROWTIME', type: BIGINT, role: 'pseudo' },
  { name: 'ROWPARTITION', type: INTEGER, role: 'pseudo' },
  { name: 'ROWOFFSET', type: BIGINT, role: 'pseudo' },
];

const RESERVED = new Set([...PSEUDO_COLUMNS.map((column) => column.name), WINDOWSTART, WINDOWEND]);

/** True for ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART and WINDOWEND, which no declared column may be called. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** One source of a query's FROM, under the name that it goes by there. */
export interface ScopeEntry {
  readonly alias: string;
  readonly source: Source;
}

/** What names mean where several sources are joined; made by join-names.ts. */
export interface JoinScope {
  /** The position in the row. @throws {StatementError} UNKNOWN_SOURCE, UNKNOWN_COLUMN */
  columnAt(column: Column): number;
  /** What an item is called that is only this column. */
  nameOf(column: Column): string;
  /** What `*` stands for, or `source.*`; with PARTITION BY (or null) its keys come first. */
  star(source: Name | null, partitionBy: readonly Expression[] | null): readonly Item[];
  /** Which key column of the row the node is, or -1. */
  keyOf(node: Expression): number;
  /** The columns that can stand for key column `key`, as messages name them. */
  keyText(key: number): string;
}

/**
 * The names of one FROM. `row` is the schema that expressions of the query are over: all columns of the source (key,
 * window, value), its header columns and the pseudo columns.
 */
export interface Scope {
  readonly entries: readonly ScopeEntry[];
  readonly row: Schema;
  /** null over one source. */
  readonly join: JoinScope | null;
}

/** The row that expressions over the source see. */
export function rowOf(source: Source): Schema {
  return schema([...source.schema.columns, ...PSEUDO_COLUMNS]);
}

export function scopeOf(source: Source, alias: Name | null): Scope {
  return {
    entries: [{ alias: alias?.text ?? source.name, source }],
    row: rowOf(source),
    join: null,
  };
}

/**
 * The position in the row of a column as named.
 * @throws {StatementError} UNKNOWN_SOURCE for a qualifier that is not in FROM, UNKNOWN_COLUMN
 */
export function columnAt(scope: Scope, column: Column): number {
  if (scope.join !== null) return scope.join.columnAt(column);
  if (column.source !== null) checkQualifier(scope, column.source);
  const index = scope.row.columns.findIndex((candidate) => candidate.name === column.name.text);
  if (index >= 0) return index;
  throw WORDS.code.unknownColumn(column.name.text, scope, column.at);
}

/** @throws {StatementError} UNKNOWN_SOURCE */
export function checkQualifier(scope: Scope, source: Name): void {
  if (scope.entries.some((entry) => entry.alias === source.text)) return;
  throw WORDS.code.unknownSource(source, scope);
}
