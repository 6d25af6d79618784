// The sides of joins: sources read, keys given, padded columns kept apart from the key, rows brought where their partners are; knows no join's step.

import type { From, FromJoin, FromSource, JoinSide } from '../analyze/analysis.ts';
import { columnsWithRole, schema, type SchemaColumn, typeAt } from '../data/schema.ts';
import { columnsRead, type Expr } from '../expr/expr.ts';
import type { Built, Part } from './builder.ts';
import { asValues } from './columns.ts';
import type { Planner } from './planner.ts';
import { rekeyStep } from './rekey.ts';
import { repartition } from './rare-nodes.ts';
import { moved } from './remap.ts';

/** Key columns and window bounds of what the join makes. */
export function headColumns({ row }: FromJoin): SchemaColumn[] {
  return row.columns.filter(({ role }) => role === 'key' || role === 'window');
}

/** What is needed of either side, by the positions of its own row. */
interface Split {
  readonly left: ReadonlySet<number>;
  readonly right: ReadonlySet<number>;
  /** Where a column of the side stands in the row of the join. */
  readonly leftAt: (index: number) => number;
  readonly rightAt: (index: number) => number;
}

/** The row of a join is its heads, then the values of the left row, then those of the right one. */
export function splitNeeded(join: FromJoin, needed: ReadonlySet<number>): Split {
  const { row } = join.left.from;
  const heads = headColumns(join).length;
  // A source's keys are values beside those of others; a join's own key is not.
  const leftFrom = join.left.from.from === 'join' ? headColumns(join.left.from).length : 0;
  const leftLength = row.columns.length - leftFrom;
  const left = new Set<number>();
  const right = new Set<number>();
  for (const index of needed) {
    if (index < heads) continue;
    if (index < heads + leftLength) left.add(index - heads + leftFrom);
    else right.add(index - heads - leftLength);
  }
  return {
    left,
    right,
    leftAt: (index) => index - leftFrom + heads,
    rightAt: (index) => index + heads + leftLength,
  };
}

/** A side that stands where its partners are. */
export interface Placed {
  readonly built: Built;
  readonly part: Part;
}

export interface SideOptions {
  readonly needed: ReadonlySet<number>;
  /** Rows without a partner on this side come with nulls: its columns are not the key then. */
  readonly isPadded: boolean;
  /** What its rows must be before they are joined; absent or null: anything. */
  readonly where?: Expr | null | undefined;
}

/** What the input of a side must give: what is needed of it, and what its key is made of. */
export function ownColumns(
  { from, key, move }: JoinSide<From>,
  { needed }: SideOptions,
): Set<number> {
  const isSource = from.from === 'source';
  return new Set([
    ...needed,
    ...(isSource || move === 'rekey' ? columnsRead(key) : []),
    ...(isSource && move !== 'rekey' ? columnsWithRole(from.row, 'window') : []),
  ]);
}

/** Begins a part with the step that reads a source. */
export function buildSource(
  planner: Planner,
  from: FromSource,
  needed: ReadonlySet<number>,
  materialized: boolean,
): Built {
  planner.part = { steps: [], partitions: from.source.partitions };
  // What a table was before the query began is a part of it.
  const start = from.source.kind === 'table' ? ('earliest' as const) : undefined;
  return planner.source(from, needed, { materialized, from: start });
}

/** A new key for a stream: rows without it, or without a value, join nothing. */
export function rekeyed(
  planner: Planner,
  join: FromJoin,
  key: Expr,
  input: Built,
  { needed, isPadded }: SideOptions,
): Built {
  const heads = headColumns(join);
  const isKey = (index: number): boolean =>
    !isPadded &&
    key.expr === 'column' &&
    moved(input.layout, index) === moved(input.layout, key.index);
  const kept = [...needed].filter((index) => !isKey(index)).sort((a, b) => a - b);
  const built = rekeyStep(planner, input, {
    heads,
    keys: [key],
    carried: kept,
    dropNullKeys: true,
  });
  const own = [...needed].filter(isKey).map((index) => [index, 0] as const);
  return { ...built, layout: new Map([...own, ...built.layout]) };
}

/** Makes values of what is none and is not the key for certain: pseudo columns, bounds of windows, whose sizes may differ; of a padded side keys too. */
export function withValues(
  planner: Planner,
  input: Built,
  { needed, isPadded }: SideOptions,
): Built {
  const { columns } = input.schema;
  const isHead = ({ role }: SchemaColumn): boolean => role === 'key' || role === 'window';
  const heads = columns.filter(isHead);
  const wanted = [...needed].sort((a, b) => a - b);
  const isKept = (index: number): boolean =>
    isPadded || columns[moved(input.layout, index)]?.role !== 'key';
  const isCopied = (index: number): boolean =>
    moved(input.layout, index) < heads.length && isKept(index);
  const isPlain = columns.every(({ role }) => role !== 'pseudo') && !wanted.some(isCopied);
  if (isPlain) {
    return {
      ...input,
      layout: new Map(wanted.map((index) => [index, moved(input.layout, index)])),
    };
  }
  const kept = wanted.filter(isKept);
  const from = kept.map((index) => moved(input.layout, index));
  const emitted = schema([...heads, ...asValues(input.schema, from)]);
  const id = planner.id();
  planner.part.steps.push({
    step: 'project',
    id,
    input: input.id,
    schema: emitted,
    expressions: [...heads.map((_, index) => index), ...from].map((index) => ({
      expr: 'column',
      index,
      type: typeAt(input.schema, index),
    })),
  });
  const layout = new Map<number, number>();
  for (const index of wanted) {
    const at = kept.indexOf(index);
    layout.set(index, at < 0 ? moved(input.layout, index) : heads.length + at);
  }
  return { id, schema: emitted, layout };
}

/** Brings the rows of a side where the join is; within one task where everything is of one partition. */
export function exchanged(
  planner: Planner,
  { partitions, keyFormat }: FromJoin,
  { move }: JoinSide<From>,
  built: Built,
): Built {
  const count = planner.part.partitions;
  if (canFuse(planner, count, partitions)) {
    planner.noteFused({ fused: true, why: 'the topics that are joined have one partition' });
    return built;
  }
  const many = Math.max(count, partitions);
  const why = many === 1 ? 'millrace.fuse is never' : `a topic has ${many} partitions`;
  const change = move === 'rekey' ? 'JOIN changes the key' : 'JOIN changes the format of the key';
  planner.noteFused({ fused: false, why: `${change} and ${why}` });
  return { ...built, id: repartition(planner, built, partitions, keyFormat) };
}

/** Whether what stands in so many partitions meets within one task. */
export function canFuse({ options }: Planner, ...partitions: readonly number[]): boolean {
  return options.fuse === 'auto' && partitions.every((count) => count === 1);
}
