// Analyzes FROM with JOIN: sources, conditions, the tree of joins and its key; knows no clause behind it.

import { assert } from '../base/assert.ts';
import type { Source } from '../catalog/source.ts';
import {
  columnsWithRole,
  type Schema,
  schema,
  type SchemaColumn,
  WINDOW_COLUMNS,
} from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import { type Column, durationMs, type Expression, type Join, type Query } from '../sql/ast.ts';
import type { AnalyzeOptions, From, FromJoin, FromSource } from './analysis.ts';
import type { FromClause } from './body.ts';
import { columnNode, type JoinEntry, joinScope, prefixed, SourceNames } from './join-names.ts';
import { placed } from './join-placement.ts';
import { WORDS } from './parts.ts';
import { refuseWindowedTable } from './rules/placement.ts';
import * as rules from './rules/joins.ts';
import { rowOf } from './scope.ts';
import { typed } from './typing.ts';
import { findNode, sameExpression } from './walk.ts';

/** FROM with at least one JOIN. @throws {StatementError} */
export function analyzeJoins(
  query: Query,
  persistent: boolean,
  options: AnalyzeOptions,
): FromClause {
  rules.refuseRepeatedSources(query, options);
  const names = new SourceNames(entriesOf(query, persistent, options));
  const analyzer = new JoinAnalyzer(names, names.qualified(query), options);
  return analyzer.clause();
}

function entriesOf(query: Query, persistent: boolean, { catalog }: AnalyzeOptions): JoinEntry[] {
  return [query.from, ...query.joins.map((join) => join.right)].map((reference) => {
    const source = catalog.source(reference.name.text, reference.name.at);
    rules.refuseFormat(source, reference.at);
    if (source.processor !== undefined) throw WORDS.code.isState(source, reference.at);
    if (persistent) refuseWindowedTable(source, reference.at);
    return { alias: rules.aliasOf(reference), source, row: rowOf(source) };
  });
}

/** What is joined so far. */
interface Joined<Input extends From = From> {
  readonly from: Input;
  readonly kind: 'stream' | 'table';
  /** How many sources of FROM are in it. */
  readonly entries: number;
  /** Expressions that equal the key of its rows. */
  readonly equal: readonly Expression[];
  /** Columns among them that a SELECT may name as the key; of a foreign key join none for the next join. */
  readonly viable: readonly Column[];
  /** The columns that are the key columns of the row; empty where none is and the key is synthetic. */
  readonly keys: readonly Column[];
}

/** One side of a condition. */
interface Side {
  readonly node: Expression;
  readonly entry: number;
}

/** Builds the tree of one FROM. */
class JoinAnalyzer {
  readonly #names: SourceNames;
  readonly #query: Query;
  readonly #options: AnalyzeOptions;

  constructor(names: SourceNames, query: Query, options: AnalyzeOptions) {
    this.#names = names;
    this.#query = query;
    this.#options = options;
  }

  clause(): FromClause {
    const names = this.#names;
    let joined: Joined = this.#leaf(0);
    for (const join of this.#query.joins) joined = this.#joined(joined, join);
    const { from, kind, keys, viable } = joined;
    assert(from.from === 'join', 'a query with JOIN joins');
    const input = placed(from, this.#query, this.#options);
    const isSynthetic = keys.length === 0;
    const key = {
      columns: isSynthetic ? [columnNode(null, names.syntheticKey)] : keys,
      viable: isSynthetic
        ? [[columnNode(null, names.syntheticKey)]]
        : keys.map((column) => (from.kind === 'foreignKey' ? [column] : viable)),
      isSynthetic,
    };
    const { source } = this.#entry(0);
    return {
      query: this.#query,
      input,
      source: {
        name: names.entries.map(({ alias }) => alias).join(' JOIN '),
        kind,
        partitions: input.partitions,
        schema: input.row,
        keyFormat: input.keyFormat,
        valueFormat: source.valueFormat,
        window: source.window,
      },
      scope: {
        entries: names.entries,
        row: input.row,
        join: joinScope(names, key, (entry) => this.#offset(input, entry)),
      },
    };
  }

  #entry(index: number): JoinEntry {
    const entry = this.#names.entries[index];
    assert(entry !== undefined, 'every JOIN has its source');
    return entry;
  }

  #leaf(index: number): Joined<FromSource> {
    const { alias, source, row } = this.#entry(index);
    const [key, ...more] = columnsWithRole(row, 'key');
    const name = key === undefined ? undefined : row.columns[key]?.name;
    return {
      from: { from: 'source', source, row },
      kind: source.kind,
      entries: index + 1,
      equal: name === undefined || more.length > 0 ? [] : [columnNode(alias, name)],
      viable: [],
      keys: [],
    };
  }

  #joined(left: Joined, join: Join): Joined {
    const right = this.#leaf(left.entries);
    const sides = this.#sides(left, join);
    const { alias, source } = this.#entry(left.entries);
    const leftSource = this.#entry(sides.left.entry).source;
    rules.refuseWindows(leftSource, source, join.at);
    const keyed = rules.kindOf(left.kind, right.kind, join);
    rules.refuseWrongWithin(keyed, join);
    const movesLeft = !isAmong(left.equal, sides.left.node);
    const movesRight = !isAmong(right.equal, sides.right.node);
    if (movesRight && right.kind === 'table') throw rules.notTheKey(sides.right.node, alias);
    const isForeignKey = movesLeft && left.kind === 'table';
    if (isForeignKey) {
      if (left.from.from === 'join') throw rules.lostKey(sides.left.node);
      rules.refuseForeignKeyType(join);
      rules.refuseWindowedMove(source, sides.right.node);
    }
    if (movesLeft) rules.refuseWindowedMove(leftSource, sides.left.node);
    if (movesRight) rules.refuseWindowedMove(source, sides.right.node);
    const leftKey = this.#typed(sides.left.node, left.from);
    const rightKey = this.#typed(sides.right.node, right.from);
    rules.refuseTypes(
      { node: sides.left.node, type: leftKey.type },
      { node: sides.right.node, type: rightKey.type },
      join.on.at,
    );
    const kind = isForeignKey ? 'foreignKey' : keyed;
    const key = isForeignKey
      ? this.#foreignKey(left)
      : this.#key(left, sides.left.node, sides.right.node, join.type);
    const columns =
      key.keys.length === 0
        ? [[this.#names.syntheticKey, leftKey.type] as const]
        : this.#head(key.keys);
    return {
      ...key,
      kind: left.kind === 'table' ? 'table' : 'stream',
      entries: left.entries + 1,
      from: {
        from: 'join',
        type: join.type,
        kind,
        left: {
          from: left.from,
          key: leftKey,
          move: movesLeft && !isForeignKey ? 'rekey' : 'none',
        },
        right: { from: right.from, key: rightKey, move: movesRight ? 'rekey' : 'none' },
        within: withinOf(join),
        // Where rows meet is known once the whole tree is: placed() says it.
        partitions: 0,
        keyFormat: leftSource.keyFormat,
        row: this.#row(columns, leftSource, left.entries + 1),
      },
    };
  }

  /** The key columns' names and types: as the columns would be called that stand for them. */
  #head(keys: readonly Column[]): (readonly [string, SchemaColumn['type']])[] {
    return keys.map((column) => {
      const { entry, index } = this.#names.find(column);
      const { alias, row } = this.#entry(entry);
      const own = row.columns[index];
      assert(own !== undefined, 'a found column is one of its row');
      return [prefixed(alias, own.name), own.type];
    });
  }

  /** Which side of the condition is of what is joined so far, and which of the source that comes to it. */
  #sides({ entries }: Joined, join: Join): { readonly left: Side; readonly right: Side } {
    const { left, right } = rules.equalityOf(join);
    const first = this.#side(left);
    const second = this.#side(right);
    if (first.entry < entries && second.entry === entries) return { left: first, right: second };
    if (second.entry < entries && first.entry === entries) return { left: second, right: first };
    throw rules.wrongSides(join.on, rules.aliasOf(join.right));
  }

  #side(node: Expression): Side {
    const found = new Set<number>();
    findNode(node, (part) => {
      if (part.kind === 'Column' && part.source !== null) found.add(this.#names.find(part).entry);
      return false;
    });
    rules.refuseMixedSide(node, found.size);
    const [entry = 0] = found;
    return { node, entry };
  }

  /** A side of the condition over the row of its input. */
  #typed(node: Expression, from: From): Expr {
    const { registry, catalog, properties } = this.#options;
    return typed(node, {
      scope: { entries: this.#names.entries, row: { columns: [] }, join: null },
      registry,
      types: catalog.types,
      properties,
      clause: 'ON',
      meaning: (part) => {
        if (part.kind !== 'Column' || part.source === null) return null;
        const { entry, index } = this.#names.find(part);
        const column = this.#entry(entry).row.columns[index];
        assert(column !== undefined, 'a found column is one of its row');
        return { expr: 'column', index: this.#offset(from, entry) + index, type: column.type };
      },
    });
  }

  /** Where the columns of a source begin in the row. */
  #offset(from: From, entry: number): number {
    if (from.from === 'source') return 0;
    const before = this.#names.entries.slice(0, entry);
    return before.reduce((sum, { row }) => sum + row.columns.length, headLength(from.row));
  }

  #foreignKey(left: Joined): Pick<Joined, 'equal' | 'viable' | 'keys'> {
    const { alias, row } = this.#entry(0);
    const keys = columnsWithRole(row, 'key').map((index) =>
      columnNode(alias, row.columns[index]?.name ?? ''),
    );
    return { equal: left.equal, viable: [], keys };
  }

  #key(
    left: Joined,
    leftNode: Expression,
    rightNode: Expression,
    type: Join['type'],
  ): Pick<Joined, 'equal' | 'viable' | 'keys'> {
    // Of a FULL JOIN either side may be missing: neither equals the key.
    if (type === 'FULL') return { equal: [], viable: [], keys: [] };
    const equal = [leftNode, rightNode, ...(isAmong(left.equal, leftNode) ? left.equal : [])];
    const viable = [...left.viable, leftNode, rightNode].filter(
      (node, index, all): node is Column =>
        node.kind === 'Column' &&
        isAmong(equal, node) &&
        all.findIndex((other) => sameExpression(other, node)) === index,
    );
    const chosen = viable.find((column) => this.#isSelected(column)) ?? viable[0];
    return { equal, viable, keys: chosen === undefined ? [] : [chosen] };
  }

  #isSelected(column: Column): boolean {
    return this.#query.items.some((item) => {
      if (item.kind === 'Star') {
        return item.source === null || item.source.text === column.source?.text;
      }
      return item.kind === 'Item' && sameExpression(item.expression, column);
    });
  }

  #row(
    keys: readonly (readonly [string, SchemaColumn['type']])[],
    { window }: Source,
    entries: number,
  ): Schema {
    return schema([
      ...keys.map(([name, type]): SchemaColumn => ({ name, type, role: 'key' })),
      ...(window === null ? [] : WINDOW_COLUMNS),
      ...this.#names.entries.slice(0, entries).flatMap(({ alias, row }) =>
        row.columns.map(({ name, type }): SchemaColumn => ({
          name: prefixed(alias, name),
          type,
          role: 'value',
        })),
      ),
    ]);
  }
}

/** Columns before the values: key and window bounds. */
export function headLength(row: Schema): number {
  return columnsWithRole(row, 'key').length + columnsWithRole(row, 'window').length;
}

function isAmong(nodes: readonly Expression[], node: Expression): boolean {
  return nodes.some((candidate) => sameExpression(candidate, node));
}

function withinOf({ within }: Join): FromJoin['within'] {
  if (within === null) return null;
  return {
    beforeMs: durationMs(within.before),
    afterMs: durationMs(within.after),
    graceMs: within.grace === null ? null : durationMs(within.grace),
  };
}
