// Plans the nodes that fewer queries have: table functions here, PARTITION BY in a file of its own; knows no topic.

import { schema, type SchemaColumn } from '../data/schema.ts';
import { columnsRead } from '../expr/expr.ts';
import type { Built } from './builder.ts';
import { asValues, picked } from './columns.ts';
import type { LogicalNode } from './logical.ts';
import type { Planner } from './planner.ts';
import { moved, remapped } from './remap.ts';
import type { FlatMapStep } from './step.ts';

export { buildRekey } from './partition-by.ts';

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
