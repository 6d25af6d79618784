// Names in a join: which source a column is of, what `*` stands for and how columns are called; knows no conditions.

import { StatementError } from '../base/errors.ts';
import { type Schema, WINDOWEND, WINDOWSTART } from '../data/schema.ts';
import type { Column, Expression, Name, Query } from '../sql/ast.ts';
import type { Item } from './names.ts';
import {
  checkQualifier,
  isReserved,
  type JoinScope,
  type Scope,
  type ScopeEntry,
} from './scope.ts';
import { unknownColumn } from './unknown-names.ts';
import { sameExpression, shortText } from './walk.ts';

/** A source of the join with the row that its columns stand in. */
export interface JoinEntry extends ScopeEntry {
  readonly row: Schema;
}

/** A column of one of the sources. */
export interface Found {
  /** Position of the source in FROM. */
  readonly entry: number;
  /** Position in the row of the source. */
  readonly index: number;
}

/** The columns of all sources of a FROM. */
export class SourceNames {
  readonly entries: readonly JoinEntry[];
  /** What the key is called where no column stands for it: ROWKEY, or ROWKEY_1... where a source has that already. */
  readonly syntheticKey: string;

  constructor(entries: readonly JoinEntry[]) {
    this.entries = entries;
    const taken = new Set(entries.flatMap(({ row }) => row.columns.map(({ name }) => name)));
    let key = 'ROWKEY';
    for (let n = 1; taken.has(key); n++) key = `ROWKEY_${n}`;
    this.syntheticKey = key;
  }

  /**
   * The query with every column under its source's name, but for the synthetic key.
   * @throws {StatementError} UNKNOWN_COLUMN, UNKNOWN_SOURCE; INVALID for a name that several sources have
   */
  qualified(query: Query): Query {
    const { items, joins, where, groupBy, partitionBy, having } = query;
    const { on, ...rest } = this.#qualified({
      on: joins.map((join) => join.on),
      items,
      where,
      groupBy,
      partitionBy,
      having,
    });
    return {
      ...query,
      ...rest,
      joins: joins.map((join, index) => ({ ...join, on: on[index] ?? join.on })),
    };
  }

  #qualified<Nodes>(nodes: Nodes): Nodes {
    // What is rewritten keeps its shape: only columns are replaced, by columns.
    return rewritten(nodes, new Set(), (column) => this.#withSource(column)) as Nodes;
  }

  #withSource(column: Column): Column {
    if (column.source !== null) {
      this.find(column);
      return column;
    }
    const { text } = column.name;
    const having = this.entries.filter(({ row }) => has(row, text));
    const [first, second] = having;
    if (first === undefined) {
      if (text === this.syntheticKey) return column;
      throw unknownColumn(text, this.#scopeOf(this.entries), column.at);
    }
    if (second === undefined) {
      return { ...column, source: { text: first.alias, at: column.at } };
    }
    const written = having.map(({ alias }) => `${alias}.${text}`);
    throw new StatementError(
      'INVALID',
      `${text} is a column of ${having.map(({ alias }) => alias).join(' and of ')}`,
      column.at,
      `Write ${written.join(' or ')}.`,
    );
  }

  /** Where a qualified column stands. @throws {StatementError} UNKNOWN_COLUMN, UNKNOWN_SOURCE */
  find(column: Column): Found {
    const { source, name, at } = column;
    if (source === null) throw unknownColumn(name.text, this.#scopeOf(this.entries), at);
    const entry = this.entries.findIndex(({ alias }) => alias === source.text);
    const of = this.entries[entry];
    if (of === undefined) checkQualifier(this.#scopeOf(this.entries), source);
    const index = of?.row.columns.findIndex((candidate) => candidate.name === name.text) ?? -1;
    if (index >= 0) return { entry, index };
    throw unknownColumn(name.text, this.#scopeOf(of === undefined ? [] : [of]), at);
  }

  #scopeOf(entries: readonly JoinEntry[]): Scope {
    return { entries, row: { columns: entries.flatMap(({ row }) => row.columns) }, join: null };
  }

  /** A column's own name, or with its source's where several sources have it. */
  nameOf({ source, name }: Column): string {
    const { text } = name;
    const isShared =
      isReserved(text) || this.entries.filter(({ row }) => has(row, text)).length > 1;
    return source !== null && isShared ? prefixed(source.text, text) : text;
  }
}

function has(row: Schema, name: string): boolean {
  return row.columns.some((column) => column.name === name);
}

/** What a column is called beside those of other sources. */
export function prefixed(alias: string, name: string): string {
  return `${alias}_${name}`;
}

/** A column as if it were written so. */
export function columnNode(alias: string | null, name: string): Column {
  const at = { line: 1, column: 1 };
  return {
    kind: 'Column',
    source: alias === null ? null : { text: alias, at },
    name: { text: name, at },
    at,
  };
}

/** Whatever the tree is of, with its columns replaced; parameters of lambdas are none. */
function rewritten(
  node: unknown,
  parameters: ReadonlySet<string>,
  to: (column: Column) => Column,
): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (isExpression(node) && node.kind === 'Column') {
    return node.source === null && parameters.has(node.name.text) ? node : to(node);
  }
  const inner =
    isExpression(node) && node.kind === 'Lambda'
      ? new Set([...parameters, ...node.parameters.map(({ text }) => text)])
      : parameters;
  let made = node as Record<string, unknown>;
  for (const name of Object.keys(node)) {
    const part = made[name];
    const other = name === 'at' ? part : rewritten(part, inner, to);
    if (other === part) continue;
    if (made === node) made = (Array.isArray(node) ? [...node] : { ...node }) as typeof made;
    made[name] = other;
  }
  return made;
}

function isExpression(node: object): node is Expression {
  return 'kind' in node && typeof node.kind === 'string';
}

/** What a join's names mean once its tree stands. */
export interface JoinedKey {
  /** The columns that are the key columns of the row, in their order. */
  readonly columns: readonly Column[];
  /** All that can stand for each of them. */
  readonly viable: readonly (readonly Column[])[];
  readonly isSynthetic: boolean;
}

/**
 * The names of a whole join.
 * @param offsetOf where the columns of a source begin in the row
 */
export function joinScope(
  names: SourceNames,
  key: JoinedKey,
  offsetOf: (entry: number) => number,
): JoinScope {
  return {
    columnAt: (column) => {
      const isKey = column.source === null && column.name.text === names.syntheticKey;
      if (isKey && key.isSynthetic) return 0;
      const { entry, index } = names.find(column);
      return offsetOf(entry) + index;
    },
    nameOf: (column) => names.nameOf(column),
    keyOf: (node) => key.columns.findIndex((column) => sameExpression(column, node)),
    keyText: (index) => (key.viable[index] ?? []).map(shortText).join(' or '),
    star: (source, partitionBy) => {
      const synthetic = key.isSynthetic ? [starItem(columnNode(null, names.syntheticKey))] : [];
      if (source !== null) return entryItems(names, source);
      if (partitionBy !== null) return partitionedItems(names, partitionBy, synthetic);
      return [...synthetic, ...entryItems(names, null)];
    },
  };
}

function starItem(node: Expression): Item {
  const { at } = node;
  const isColumn = node.kind === 'Column' && node.source !== null;
  const alias = isColumn ? { text: prefixed(node.source.text, node.name.text), at } : null;
  return { node, alias, star: true, at };
}

/** The columns of all sources, or of one: keys, window bounds (values, in a persistent query too), values, headers. */
function entryItems(names: SourceNames, source: Name | null): Item[] {
  return names.entries
    .filter(({ alias }) => source === null || alias === source.text)
    .flatMap(columnsOf);
}

function columnsOf({ alias, source }: JoinEntry): Item[] {
  const { columns } = source.schema;
  return ['key', 'window', 'value', 'pseudo']
    .flatMap((role) => columns.filter((column) => column.role === role))
    .map(({ name }) => starItem(columnNode(alias, name)));
}

/** With PARTITION BY the new key, then of each source values, pseudo columns and keys, as in ksqlDB. */
function partitionedItems(
  { entries }: SourceNames,
  partitionBy: readonly Expression[],
  synthetic: readonly Item[],
): Item[] {
  const keys = partitionBy.filter((node) => node.kind !== 'Null');
  const others = entries.flatMap(({ alias, row }) => {
    const columns = row.columns.filter(({ name }) => name !== WINDOWSTART && name !== WINDOWEND);
    return [
      ...columns.filter(({ role }) => role !== 'key'),
      ...columns.filter(({ role }) => role === 'key'),
    ].map(({ name }) => starItem(columnNode(alias, name)));
  });
  return [
    ...keys.map(starItem),
    ...[...others, ...synthetic].filter(
      ({ node }) => !keys.some((key) => sameExpression(key, node)),
    ),
  ];
}
