// Plans the step that gives rows another key, for PARTITION BY and for joins; knows no clause and no topic.

import { schema, type SchemaColumn } from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import type { Built } from './builder.ts';
import { asValues } from './columns.ts';
import type { Planner } from './planner.ts';
import { moved, remapped } from './remap.ts';

interface Rekey {
  /** Columns of the new key, and what it is. */
  readonly heads: readonly SchemaColumn[];
  readonly keys: readonly Expr[];
  /** Columns of the row that go on as values. */
  readonly carried: readonly number[];
  readonly dropNullKeys: boolean;
}

/** Adds the step that gives rows another key; its layout says where the carried columns are. */
export function rekeyStep(
  planner: Planner,
  input: Built,
  { heads, keys, carried, dropNullKeys }: Rekey,
): Built {
  const values = carried.map((index) => moved(input.layout, index));
  const emitted = schema([...heads, ...asValues(input.schema, values)]);
  const id = planner.id();
  planner.part.steps.push({
    step: 'rekey',
    id,
    input: input.id,
    schema: emitted,
    key: keys.map((key) => remapped(key, input.layout)),
    carried: values,
    dropNullKeys,
  });
  const layout = new Map(carried.map((index, place) => [index, heads.length + place]));
  return { id, schema: emitted, layout };
}
