// Folds rows into aggregates by hand, with offsets counted from 0; knows no operator.

import type { Type, Value } from '../../runtime/data/type.ts';
import type { AggregateBody, AggregateGiven } from '../../runtime/functions/registry.ts';
import { registry } from './operator-inputs.ts';

/** What a call is given: types of its columns, and of its constants with their values. */
export interface AggregateOf {
  readonly name: string;
  readonly types: readonly Type[];
  readonly constants?: readonly (readonly [Type, Value])[];
  readonly settings?: AggregateGiven['settings'];
}

/** The body of the built-in aggregate that fits. */
export function bodyOf({ name, types, constants = [], settings = {} }: AggregateOf): AggregateBody {
  const found = registry.resolve(name, [...types, ...constants.map(([type]) => type)]);
  if (found?.overload.kind !== 'aggregate') throw new Error(`no aggregate ${name}`);
  const given = { constants: constants.map(([, value]) => value), settings };
  return found.overload.body(found.casts.slice(0, types.length), given);
}

/** The cells after the rows, of which the first has that offset. */
export function folded(
  body: AggregateBody,
  rows: readonly (readonly Value[])[],
  offset = 0,
  cells: Value[] = body.initial(),
): Value[] {
  rows.forEach((row, index) => body.add(cells, row, offset + index));
  if (cells.length !== body.cells.length) throw new Error('a state has the cells it says');
  return cells;
}

export const column = (...values: readonly Value[]): Value[][] => values.map((value) => [value]);
