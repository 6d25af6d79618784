// Analyzes a SELECT list: `*` expanded, names given, key columns found; knows no sink.

import { existing } from '../base/assert.ts';
import { schema, type SchemaColumn, WINDOW_COLUMNS } from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import type { Column, Expression, Query } from '../sql/ast.ts';
import type { Projection } from './analysis.ts';
import { type Item, named, type NamedItem } from './names.ts';
import { RARER } from './parts.ts';
import type { KeyItem } from './rules/projection.ts';
import { checkQualifier, type Scope } from './scope.ts';
import { sameExpression } from './walk.ts';

/** How the items of a SELECT are found to be key columns, and typed when they are not. */
export interface ProjectionRules {
  readonly scope: Scope;
  /** Which key column the node is, or -1. */
  readonly keyOf: (node: Expression) => number;
  /** Key column `key` as an expression. */
  readonly keyColumn: (key: number) => Expr;
  readonly value: (node: Expression) => Expr;
  /** Whether window bounds pass through as a part of the key: their expressions, or null where there is no window. */
  readonly windowColumns: readonly Expr[] | null;
  /** true: the result is written to a topic; false: it goes to a client. */
  readonly persistent: boolean;
  /** PARTITION BY: `*` begins with these. */
  readonly partitionBy: readonly Expression[] | null;
  /** true: key columns stand as selected and may be left out. Absent: all of them, in the order of the key. */
  readonly freeKeys?: boolean | undefined;
}

/** A projection with what rules ask about it. */
export interface AnalyzedProjection {
  readonly items: readonly NamedItem[];
  readonly keys: readonly KeyItem[];
  readonly projection: Projection;
}

/** The items of the SELECT with `*` expanded and every column named. */
export function namedItems(query: Query, rules: ProjectionRules): NamedItem[] {
  const items = query.items.flatMap((item): Item[] => {
    switch (item.kind) {
      case 'Item':
        return [{ node: item.expression, alias: item.alias, star: false, at: item.at }];
      case 'Star':
        if (item.source !== null) checkQualifier(rules.scope, item.source);
        return (
          rules.scope.join
            ?.star(item.source, rules.partitionBy)
            .map((part) => ({ ...part, at: item.at })) ??
          starItems(rules).map((node) => ({ node, alias: null, star: true, at: item.at }))
        );
      case 'StructStar':
        return RARER.code.fieldItems(item, rules.value(item.operand).type);
    }
  });
  return namedIn(rules.scope, items);
}

/** The items with their names, as columns of that FROM would be called. */
export function namedIn({ entries, join }: Scope, items: readonly Item[]): NamedItem[] {
  // Generated names step aside for the sources' own columns; pseudo columns cannot be taken anyway.
  const names = entries.flatMap(({ source }) => source.schema.columns.map(({ name }) => name));
  return named(items, new Set(names), (column) => join?.nameOf(column) ?? column.name.text);
}

/**
 * What `*` stands for: key columns, window bounds for a client, value columns and headers. With PARTITION BY the new key,
 * then values, then what of the old key is not in it.
 */
function starItems({ scope, persistent, partitionBy }: ProjectionRules): Expression[] {
  const column = (of: SchemaColumn): Column => {
    const at = { line: 1, column: 1 };
    return { kind: 'Column', source: null, name: { text: of.name, at }, at };
  };
  const source = scope.entries.flatMap((entry) => entry.source.schema.columns);
  const role = (wanted: SchemaColumn['role']): Expression[] =>
    source.filter((candidate) => candidate.role === wanted).map(column);
  const values = [...role('value'), ...role('pseudo')];
  if (partitionBy === null)
    return [...role('key'), ...(persistent ? [] : role('window')), ...values];
  const keys = partitionBy.filter((node) => node.kind !== 'Null');
  const isKey = (node: Expression): boolean => keys.some((key) => sameExpression(key, node));
  return [
    ...keys,
    ...values.filter((node) => !isKey(node)),
    ...role('key').filter((node) => !isKey(node)),
  ];
}

/** Types the items and puts the columns in their order: key, window, value. */
export function project(items: readonly NamedItem[], rules: ProjectionRules): AnalyzedProjection {
  const keys: KeyItem[] = [];
  const seen = new Set<number>();
  const columns: {
    readonly column: SchemaColumn;
    readonly expression: Expr;
    readonly place: number;
  }[] = [];
  items.forEach((item, place) => {
    const key = rules.keyOf(item.node);
    if (key >= 0) keys.push({ key, item });
    if (key >= 0 && !seen.has(key)) {
      seen.add(key);
      const expression = rules.keyColumn(key);
      columns.push({
        column: { name: item.name, type: expression.type, role: 'key' },
        expression,
        place: rules.freeKeys === true ? place : key,
      });
      return;
    }
    const expression = rules.value(item.node);
    const bound = boundOf(item, rules, columns);
    columns.push({
      column: { name: item.name, type: expression.type, role: bound >= 0 ? 'window' : 'value' },
      expression,
      place: bound >= 0 ? bound : place,
    });
  });
  const ordered = [
    ...inOrder(columns, 'key'),
    ...(rules.persistent ? windowColumns(rules) : inOrder(columns, 'window')),
    ...inOrder(columns, 'value'),
  ];
  return {
    items,
    keys,
    projection: {
      schema: schema(ordered.map((entry) => entry.column)),
      expressions: ordered.map((entry) => entry.expression),
      order: rules.persistent
        ? ordered.map((_, index) => index)
        : columns.map((entry) => ordered.findIndex((candidate) => candidate === entry)),
    },
  };
}

interface Entry {
  readonly column: SchemaColumn;
  readonly expression: Expr;
  readonly place: number;
}

function inOrder(columns: readonly Entry[], role: SchemaColumn['role']): Entry[] {
  return columns.filter((entry) => entry.column.role === role).sort((a, b) => a.place - b.place);
}

/** Which window bound an item is for a client, or -1; a repeated or renamed one is a value. */
function boundOf(item: NamedItem, rules: ProjectionRules, before: readonly Entry[]): number {
  if (rules.persistent || rules.windowColumns === null || item.node.kind !== 'Column') return -1;
  const { text } = item.node.name;
  const bound = WINDOW_COLUMNS.findIndex((column) => column.name === text);
  if (bound < 0 || item.name !== text) return -1;
  return before.some((entry) => entry.column.role === 'window' && entry.place === bound)
    ? -1
    : bound;
}

/** A windowed key takes its window along into the sink. */
function windowColumns(rules: ProjectionRules): Entry[] {
  return (rules.windowColumns ?? []).map((expression, place) => {
    return { column: existing(WINDOW_COLUMNS[place], 'column'), expression, place };
  });
}
