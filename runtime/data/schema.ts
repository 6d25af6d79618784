// The shape of a batch or a source: named, typed columns, key columns first; knows no values.

import { assert, existing } from '../base/assert.ts';
import { BIGINT, type Type } from './type.ts';

/**
 * What a column is to its row:
 * `key` a part of the record's key; `window` a bound of the key's window (WINDOWSTART, WINDOWEND, after the key columns);
 * `value` a part of the record's value; `pseudo` taken from the record itself (ROWTIME, ROWPARTITION, ROWOFFSET, headers).
 */
export type ColumnRole = 'key' | 'window' | 'value' | 'pseudo';

export interface SchemaColumn {
  readonly name: string;
  readonly type: Type;
  readonly role: ColumnRole;
  /** Of a field of a STRUCT that is read without the others: the names that lead to it from the value on. Absent: a column. */
  readonly path?: readonly string[] | undefined;
}

/** Columns in the order key, window, value, pseudo. Plain JSON. */
export interface Schema {
  readonly columns: readonly SchemaColumn[];
}

const ORDER: Readonly<Record<ColumnRole, number>> = { key: 0, window: 1, value: 2, pseudo: 3 };

export const WINDOWSTART = 'WINDOWSTART';
export const WINDOWEND = 'WINDOWEND';

/** Makes a schema. Names need not be unique across roles (the same name may be key and value); lookup takes the first. */
export function schema(columns: readonly SchemaColumn[]): Schema {
  const places = columns.map(({ role }) => ORDER[role]);
  assert(
    places.every((place, i) => place >= (places[i - 1] ?? 0)),
    'columns stand by their roles',
  );
  return { columns };
}

/** The two columns that a windowed key carries: BIGINT milliseconds; `WINDOWEND` is exclusive, of sessions and sliding windows inclusive. */
export const WINDOW_COLUMNS: readonly SchemaColumn[] = [
  { name: WINDOWSTART, type: BIGINT, role: 'window' },
  { name: WINDOWEND, type: BIGINT, role: 'window' },
];

/** The type of the column at that position. @throws {InvariantError} when there is none */
export function typeAt(of: Schema, position: number): Type {
  return existing(of.columns[position], 'column').type;
}

/** Positions of the columns with that role, in order. */
export function columnsWithRole(of: Schema, role: ColumnRole): number[] {
  const found: number[] = [];
  const { columns } = of;
  for (let i = 0; i < columns.length; i++) if (columns[i]?.role === role) found.push(i);
  return found;
}
