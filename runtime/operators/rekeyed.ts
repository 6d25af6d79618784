// What a new key asks of the rows of tables, and of rows that keep a null in it; fetched for the plans that need it. Knows no topic.

import { type Batch, Op, positionOf } from '../data/batch.ts';
import { type Bitmap, bitmap, type Column, isNull, setBit, valueAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { valueEquals } from '../data/value.ts';
import { type Expr, operands } from '../expr/expr.ts';

/** Whether the expression reads more of a row than its key. */
export function readsBeyondKey(expression: Expr, input: Schema): boolean {
  if (expression.expr === 'column') {
    const role = input.columns[expression.index]?.role;
    return role !== 'key' && role !== 'window';
  }
  return operands(expression).some((operand) => readsBeyondKey(operand, input));
}

/** Set where every key column is null. */
export function wholeNulls(batch: Batch, keys: readonly Column[]): Bitmap | null {
  let nulls: Bitmap | null = null;
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    if (keys.every((column) => isNull(column, position))) {
      nulls ??= bitmap(batch.rowtime.length);
      setBit(nulls, position);
    }
  }
  return nulls;
}

/** Whether two rows have the same there. Texts are compared as they stand: none is made. */
function isSame(column: Column, a: number, b: number): boolean {
  if (column.storage !== 'dictionary' || isNull(column, a) || isNull(column, b))
    return valueEquals(valueAt(column, a), valueAt(column, b));
  const { values, dictionary } = column;
  const { bytes, offsets } = dictionary;
  const [from, other] = [values[a] as number, values[b] as number];
  const at = offsets[from] as number;
  const to = offsets[other] as number;
  const length = (offsets[from + 1] as number) - at;
  if (length !== (offsets[other + 1] as number) - to) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== bytes[to + i]) return false;
  return true;
}

/** The operations of the rows in their groups. */
export function groupOps(batch: Batch, ops: Uint8Array, keys: readonly Column[]): Uint8Array {
  const grouped = ops.slice();
  for (let i = 0; i + 1 < batch.length; i++) {
    const before = positionOf(batch, i);
    if (ops[before] !== Op.UpdateBefore) continue;
    const after = positionOf(batch, i + 1);
    if (keys.every((column) => isSame(column, before, after))) continue;
    grouped[before] = Op.Delete;
    grouped[after] = Op.Insert;
  }
  return grouped;
}
