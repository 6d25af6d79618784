// Plans the nodes that fewer queries have: a new key (PARTITION BY) and table functions; knows no other node.

import { schema, type SchemaColumn } from '../data/schema.ts';
import { columnsRead } from '../expr/expr.ts';
import { asValues, picked } from './columns.ts';
import { keepsKey } from './grouping.ts';
import { feedingSource, type LogicalNode } from './logical.ts';
import type { Built } from './planner.ts';
import { moved, remapped } from './remap.ts';
import type { FlatMapStep, Step, StepId } from './step.ts';

/** What the planner lends. */
export interface PlannerTools {
  readonly build: (node: LogicalNode, needed: ReadonlySet<number>) => Built;
  readonly add: (step: Step) => void;
  readonly id: () => StepId;
}

/**
 * The step of a flatMap node.
 * @param needed positions in the node's schema that what follows reads
 */
export function planFlatMap(
  { input: from, width, calls }: LogicalNode & { readonly node: 'flatMap' },
  needed: ReadonlySet<number>,
  { build, add, id }: PlannerTools,
): Built {
  const kept = [...needed].filter((index) => index < width);
  const read = calls.flatMap((call) => call.arguments.flatMap(columnsRead));
  const input = build(from, new Set([...kept, ...read]));
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
    id: id(),
    input: input.id,
    schema: emitted,
    carried: order,
    calls: calls.map((call) => ({
      ...call,
      arguments: call.arguments.map((argument) => remapped(argument, input.layout)),
    })),
  };
  add(step);
  const layout = new Map(
    kept.map((index) => [index, order.indexOf(moved(input.layout, index))] as const),
  );
  calls.forEach((_, index) => layout.set(width + index, order.length + index));
  return { id: step.id, schema: emitted, layout };
}

/**
 * PARTITION BY: the sink's topic is the repartition, so that the task goes on with the new key.
 * @param needed positions in the node's schema that what follows reads
 */
export function planRepartition(
  { input: from, by }: LogicalNode & { readonly node: 'repartition' },
  needed: ReadonlySet<number>,
  { build, add, id: nextId }: PlannerTools,
): Built {
  const keys = by.keys.length;
  const carried = [...needed].filter((index) => index >= keys).map((index) => index - keys);
  const input = build(from, new Set([...carried, ...by.keys.flatMap(columnsRead)]));
  if (keepsKey(by, feedingSource(from))) {
    // The key stays as it is, rows without a value included.
    const same = new Map<number, number>();
    by.keys.forEach((key, index) => same.set(index, moved(input.layout, columnsRead(key)[0] ?? 0)));
    for (const index of carried) same.set(keys + index, moved(input.layout, index));
    return { ...input, layout: same };
  }
  const values = carried.map((index) => moved(input.layout, index));
  const emitted = schema([...by.columns, ...asValues(input.schema, values)]);
  const id = nextId();
  add({
    step: 'rekey',
    id,
    input: input.id,
    schema: emitted,
    key: by.keys.map((key) => remapped(key, input.layout)),
    carried: values,
    dropNullKeys: false,
  });
  const layout = new Map<number, number>(by.keys.map((_, index) => [index, index]));
  carried.forEach((index, place) => layout.set(keys + index, keys + place));
  return { id, schema: emitted, layout };
}
