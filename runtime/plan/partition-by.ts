// Plans PARTITION BY: the new key beside what is carried along; knows no topic.

import { columnsRead } from '../expr/expr.ts';
import type { Built } from './builder.ts';
import { keepsKey } from './grouping.ts';
import type { LogicalNode } from './logical.ts';
import type { Planner } from './planner.ts';
import { rekeyStep } from './rekey.ts';
import { moved } from './remap.ts';

/** PARTITION BY: the sink's topic is the repartition, so that the task goes on with the new key. */
export function buildRekey(
  planner: Planner,
  { input: from, by }: LogicalNode & { readonly node: 'repartition' },
  needed: ReadonlySet<number>,
): Built {
  const keys = by.keys.length;
  const carried = [...needed].filter((index) => index >= keys).map((index) => index - keys);
  const input = planner.build(from, new Set([...carried, ...by.keys.flatMap(columnsRead)]));
  if (keepsKey(by, planner.analysis.source, input.layout)) {
    // The key stays as it is, rows without a value included.
    const same = new Map<number, number>();
    by.keys.forEach((key, index) => same.set(index, moved(input.layout, columnsRead(key)[0] ?? 0)));
    for (const index of carried) same.set(keys + index, moved(input.layout, index));
    return { ...input, layout: same };
  }
  const built = rekeyStep(planner, input, {
    heads: by.columns,
    keys: by.keys,
    carried,
    dropNullKeys: false,
  });
  // What is carried is counted behind the new key.
  const layout = new Map<number, number>(by.keys.map((_, index) => [index, index]));
  for (const [index, place] of built.layout) layout.set(keys + index, place);
  return { ...built, layout };
}
