// Plans the nodes that fewer queries have: filters, table functions and rows that move here, PARTITION BY in a file of its own.

import { schema, type SchemaColumn } from '../data/schema.ts';
import { columnsRead, type Expr } from '../expr/expr.ts';
import type { FormatSpec } from '../formats/serde.ts';
import type { Built } from './builder.ts';
import { asValues, picked } from './columns.ts';
import { repartition } from './internal-topics.ts';
import type { LogicalNode } from './logical.ts';
import type { Planner } from './planner.ts';
import { JOINS } from './parts.ts';
import { moved, remapped } from './remap.ts';
import type { FlatMapStep, StepId } from './step.ts';

export { internalTopic, repartition } from './internal-topics.ts';
export { buildRekey } from './partition-by.ts';
export { precomputed } from './precomputed.ts';

/** The step of a filter node. @param needed positions in the node's schema that what follows reads */
export function buildFilter(
  planner: Planner,
  node: LogicalNode & { readonly node: 'filter' },
  needed: ReadonlySet<number>,
): Built {
  const { input: from, predicate, over } = node;
  if (over === 'stream' && from.node === 'from' && from.input.from === 'join') {
    const { before, behind } = JOINS.code.beforeJoin(from.input, predicate);
    const read = behind === null ? needed : new Set([...needed, ...columnsRead(behind)]);
    const joined = JOINS.code.buildJoin(planner, from.input, read, before);
    return behind === null ? joined : filtered(planner, joined, behind, 'filter');
  }
  const input = planner.build(from, new Set([...needed, ...columnsRead(predicate)]));
  const built = filtered(planner, input, predicate, over === 'table' ? 'tableFilter' : 'filter');
  planner.noteFilter(built.id);
  return built;
}

/** The step that lets the rows pass of which a condition over the logical row is true. */
export function filtered(
  planner: Planner,
  input: Built,
  condition: Expr,
  step: 'filter' | 'tableFilter',
): Built {
  const id = planner.id();
  const predicate = remapped(condition, input.layout);
  planner.part.steps.push({ step, id, input: input.id, schema: input.schema, predicate });
  return { ...input, id };
}

/** Brings the rows of a group together by a topic; returns the id of the step to go on from. */
export function exchange(
  planner: Planner,
  input: Pick<Built, 'id' | 'schema'>,
  keyFormat: FormatSpec,
): StepId {
  const count = planner.part.partitions;
  const why = count === 1 ? 'millrace.fuse is never' : `the source topic has ${count} partitions`;
  planner.noteFused({ fused: false, why: `GROUP BY changes the key and ${why}` });
  return repartition(planner, input, count, keyFormat);
}

/**
 * The step of a flatMap node.
 * @param needed positions in the node's schema that what follows reads
 */
export function buildFlatMap(
  planner: Planner,
  { input: from, width, calls }: LogicalNode & { readonly node: 'flatMap' },
  needed: ReadonlySet<number>,
): Built {
  const kept = [...needed].filter((index) => index < width);
  const read = calls.flatMap((call) => call.arguments.flatMap(columnsRead));
  const input = planner.build(from, new Set([...kept, ...read]));
  const places = kept.map((index) => moved(input.layout, index));
  const carried = [...new Set(places)].sort((a, b) => a - b);
  const plain = picked(input.schema, carried).columns.filter(({ role }) => role !== 'pseudo');
  const results = calls.map(({ type }, index): SchemaColumn => ({
    name: `TABLE_${index}`,
    type,
    role: 'value',
  }));
  // Pseudo columns are values from here on: they stand among the values, as the order of roles wants it.
  const pseudo = carried.filter((at) => input.schema.columns[at]?.role === 'pseudo');
  const order = [...carried.filter((at) => !pseudo.includes(at)), ...pseudo];
  const emitted = schema([...plain, ...asValues(input.schema, pseudo), ...results]);
  const step: FlatMapStep = {
    step: 'flatMap',
    id: planner.id(),
    input: input.id,
    schema: emitted,
    carried: order,
    calls: calls.map((call) => ({
      ...call,
      arguments: call.arguments.map((argument) => remapped(argument, input.layout)),
    })),
  };
  planner.part.steps.push(step);
  const layout = new Map(
    kept.map((index) => [index, order.indexOf(moved(input.layout, index))] as const),
  );
  calls.forEach((_, index) => layout.set(width + index, order.length + index));
  return { id: step.id, schema: emitted, layout };
}
