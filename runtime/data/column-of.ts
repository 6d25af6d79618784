// A column of values that are all there; knows no batch.

import { columnBuilder } from './builder.ts';
import type { Column } from './column.ts';
import type { Type, Value } from './type.ts';

/** The column of the values, one a row. @throws {PartMissing} */
export function columnOf(type: Type, values: readonly Value[]): Column {
  const builder = columnBuilder(type);
  for (const value of values) builder.append(value);
  return builder.finish();
}
