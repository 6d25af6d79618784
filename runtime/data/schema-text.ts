// Schemas compared, and as people read them; knows no rows.

import type { Schema } from './schema.ts';
import { typeEquals, typeText } from './type.ts';

export function schemaEquals(a: Schema, b: Schema): boolean {
  return (
    a.columns.length === b.columns.length &&
    a.columns.every((column, index) => {
      const other = b.columns[index];
      return (
        other !== undefined &&
        other.name === column.name &&
        other.role === column.role &&
        typeEquals(column.type, other.type)
      );
    })
  );
}

/** The schema as SQL text: `` `ID` STRING KEY, `N` BIGINT ``. */
export function schemaText(of: Schema): string {
  return of.columns
    .filter((column) => column.role === 'key' || column.role === 'value')
    .map(
      (column) =>
        `\`${column.name.replaceAll('`', '``')}\` ${typeText(column.type)}${column.role === 'key' ? ' KEY' : ''}`,
    )
    .join(', ');
}
