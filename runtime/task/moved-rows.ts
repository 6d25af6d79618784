// Rows of a state table in the columns that an upgraded query gives them: read under the old table, written under the new; knows no operator.

import { PortError, TaskCorrupted } from '../base/errors.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import type { MovedTable, Plan } from '../plan/step.ts';
import type { StateBytes, StateReader } from '../ports/store.ts';

const ALL = { from: null, to: null };

/** What is to be committed before the task goes on; nothing once it has been. A table may move several times: the last place counts. */
export function movedRows(plan: Plan, subtopology: number, state: StateReader): StateBytes[] {
  const changes: StateBytes[] = [];
  const moved = (plan.moved ?? []).filter((one) => one.subtopology === subtopology);
  for (const one of moved) {
    for (const { key, value } of state.scan(one.from, ALL)) {
      changes.push({ table: one.from, key, value: null });
      const { to, bytes } = destination(one, moved, value);
      if (to !== null) changes.push({ table: to, key, value: bytes });
    }
  }
  return changes;
}

function destination(
  first: MovedTable,
  moved: readonly MovedTable[],
  value: Uint8Array,
): { readonly to: string | null; readonly bytes: Uint8Array } {
  let { to } = first;
  let bytes = to === null ? value : converted(value, first);
  for (;;) {
    const next = moved.find(({ from }) => from === to);
    if (next === undefined) return { to, bytes };
    to = next.to;
    if (to !== null) bytes = converted(bytes, next);
  }
}

function converted(bytes: Uint8Array, { before, after }: MovedTable): Uint8Array {
  const old = cellsOf(before);
  const now = cellsOf(after);
  const { rowtime, values } = decoded(old, bytes);
  const byName = new Map(old.map(({ name }, index) => [name, values[index] ?? null]));
  return encodeCells(
    now.map(({ type }) => type),
    rowtime,
    now.map(({ name }) => byName.get(name) ?? null),
  );
}

function decoded(columns: readonly SchemaColumn[], bytes: Uint8Array) {
  try {
    return decodeCells(
      columns.map(({ type }) => type),
      bytes,
    );
  } catch (thrown) {
    if (!(thrown instanceof PortError)) throw thrown;
    throw new TaskCorrupted(`a stored row: ${thrown.message}`, { cause: thrown });
  }
}

/** As the operators that keep whole rows store them. */
function cellsOf({ columns }: Schema): readonly SchemaColumn[] {
  return [
    ...columns.filter(({ role }) => role === 'value'),
    ...columns.filter(({ role }) => role === 'pseudo'),
  ];
}
