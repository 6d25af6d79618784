// Plans joins: both sides in one task, the step that joins them, and their rows kept for those who ask; knows no clause.

import { assert } from '../base/assert.ts';
import type { From, FromJoin, JoinSide } from '../analyze/analysis.ts';
import { schema, type SchemaColumn } from '../data/schema.ts';
import { columnsRead, type Expr } from '../expr/expr.ts';
import type { Built } from './builder.ts';
import { buildForeignKeyJoin } from './foreign-key-joins.ts';
import {
  buildSource,
  exchanged,
  headColumns,
  ownColumns,
  type Placed,
  rekeyed,
  type SideOptions,
  splitNeeded,
  withValues,
} from './join-sides.ts';
import { merged } from './merge.ts';
import type { Planner } from './planner.ts';
import { filtered } from './rare-nodes.ts';
import type { Step } from './step.ts';

export { beforeJoin } from './before-join.ts';

/**
 * The steps of a join and, where a table of joins is asked for its rows, the one that keeps them.
 * @param where what `beforeJoin` has taken out of the condition on its rows
 */
export function buildJoin(
  planner: Planner,
  join: FromJoin,
  needed: ReadonlySet<number>,
  where: Expr | null = null,
): Built {
  const built = joined(planner, join, needed, where);
  const isTable = join.kind === 'tableTable' || join.kind === 'foreignKey';
  if (!isTable || !planner.keepsTable) return built;
  const id = planner.id();
  planner.part.steps.push({ step: 'materialize', id, input: built.id, schema: built.schema });
  const kept = { ...built, id };
  planner.holdRows(kept, join.keyFormat);
  return kept;
}

/** @param needed positions in the row of `from` that what follows reads */
function joined(
  planner: Planner,
  from: FromJoin,
  needed: ReadonlySet<number>,
  where: Expr | null = null,
): Built {
  return from.kind === 'foreignKey'
    ? buildForeignKeyJoin(planner, from, needed)
    : keyJoin(planner, from, needed, where);
}

function keyJoin(
  planner: Planner,
  join: FromJoin,
  needed: ReadonlySet<number>,
  where: Expr | null,
): Built {
  const split = splitNeeded(join, needed);
  const left = (): Placed => {
    const isPadded = join.type === 'RIGHT' || join.type === 'FULL';
    return placedSide(planner, join, join.left, { needed: split.left, isPadded, where });
  };
  const right = (): Placed => {
    const isPadded = join.type === 'LEFT' || join.type === 'FULL';
    return placedSide(planner, join, join.right, { needed: split.right, isPadded });
  };
  // A table is there before the rows of a stream that look it up.
  const tableFirst = join.kind === 'streamTable' ? right() : null;
  const leftSide = left();
  const rightSide = tableFirst ?? right();
  const [first, second] = tableFirst === null ? [leftSide, rightSide] : [rightSide, leftSide];
  const meeting = merged(planner, first, second);
  planner.part = meeting.part;
  const [leftId, rightId] = tableFirst === null ? meeting.ids : [meeting.ids[1], meeting.ids[0]];
  const heads = headColumns(join);
  const values = [
    ...valueColumns(leftSide.built, join, split.leftAt),
    ...valueColumns(rightSide.built, join, split.rightAt),
  ];
  const emitted = schema([...heads, ...values]);
  const id = planner.id();
  const node = { id, left: leftId, right: rightId, type: join.type, schema: emitted };
  planner.part.steps.push(joinStep(join, node));
  const layout = new Map(heads.map((_, index) => [index, index]));
  const leftValues = leftSide.built.schema.columns.length - heads.length;
  place(layout, leftSide.built, { at: split.leftAt, heads: heads.length, before: 0 });
  place(layout, rightSide.built, { at: split.rightAt, heads: heads.length, before: leftValues });
  return { id, schema: emitted, layout };
}

function joinStep(
  { kind, within }: FromJoin,
  node: Pick<
    Step & { readonly step: 'tableTableJoin' },
    'id' | 'left' | 'right' | 'type' | 'schema'
  >,
): Step {
  if (kind === 'tableTable') return { step: 'tableTableJoin', ...node };
  if (kind === 'streamTable') return { step: 'streamTableJoin', ...node };
  assert(within !== null, 'streams are joined within a span of time');
  return { step: 'streamStreamJoin', ...node, ...within };
}

/** Value columns of a side under the names that they have in the join. */
function valueColumns(
  { schema: emitted, layout }: Built,
  { row }: FromJoin,
  rowAt: (index: number) => number,
): SchemaColumn[] {
  const names = new Map([...layout].map(([index, at]) => [at, row.columns[rowAt(index)]?.name]));
  return emitted.columns.flatMap((column, at) =>
    column.role === 'value' ? [{ ...column, name: names.get(at) ?? column.name }] : [],
  );
}

/** Adds where the columns of a side stand in what the join emits. */
function place(
  layout: Map<number, number>,
  side: Built,
  where: {
    readonly at: (index: number) => number;
    readonly heads: number;
    /** Value columns before those of the side. */
    readonly before: number;
  },
): void {
  for (const [index, at] of side.layout) {
    layout.set(where.at(index), at < where.heads ? at : at + where.before);
  }
}

/** Builds a side in a sub-topology of its own, to be merged with the other's. */
function placedSide(
  planner: Planner,
  join: FromJoin,
  side: JoinSide<From>,
  options: SideOptions,
): Placed {
  const { where = null } = options;
  const read = where === null ? [] : columnsRead(where);
  // A new key carries along what is needed behind the join alone.
  const needed = side.move === 'rekey' ? options.needed : new Set([...options.needed, ...read]);
  const given = { ...options, needed };
  const whole = buildInput(planner, side.from, new Set([...ownColumns(side, given), ...read]));
  const input = where === null ? whole : filtered(planner, whole, where, 'filter');
  let built =
    side.move === 'rekey'
      ? rekeyed(planner, join, side.key, input, given)
      : withValues(planner, input, given);
  if (side.move !== 'none') built = exchanged(planner, join, side, built);
  return { built, part: planner.part };
}

function buildInput(planner: Planner, from: From, needed: ReadonlySet<number>): Built {
  if (from.from === 'join') return joined(planner, from, needed);
  return buildSource(planner, from, needed, false);
}
