// One column of a batch: typed values, validity and, for strings, a dictionary; knows no schema.

import { existing } from '../base/assert.ts';
import type { Dictionary } from './dictionary.ts';
import type { Type, Value } from './type.ts';

/** One bit a row, least significant first; bit `i & 7` of byte `i >> 3`. Set means valid (or, for `valueNull`, null). */
export type Bitmap = Uint8Array;

interface Common {
  readonly type: Type;
  /** null: every row is valid. */
  readonly validity: Bitmap | null;
}

/**
 * A column; the storage follows from the type:
 *
 * | storage | types | values |
 * |---|---|---|
 * | f64 | DOUBLE, TIMESTAMP | Float64Array |
 * | i32 | INTEGER, TIME, DATE | Int32Array |
 * | i64 | BIGINT | BigInt64Array |
 * | u8 | BOOLEAN | Uint8Array of 0 and 1 |
 * | dictionary | STRING | Uint32Array of codes into `dictionary` |
 * | objects | STRING and all others | readonly Value[]; a null row holds null |
 *
 * A STRING column comes in either of its two storages; readers take both. The values of null rows are unspecified but
 * for `objects`. Values are shared between batches and never written after the batch is emitted.
 */
export type Column =
  | (Common & { readonly storage: 'f64'; readonly values: Float64Array })
  | (Common & { readonly storage: 'i32'; readonly values: Int32Array })
  | (Common & { readonly storage: 'i64'; readonly values: BigInt64Array })
  | (Common & { readonly storage: 'u8'; readonly values: Uint8Array })
  | (Common & {
      readonly storage: 'dictionary';
      readonly values: Uint32Array;
      readonly dictionary: Dictionary;
    })
  | (Common & { readonly storage: 'objects'; readonly values: readonly Value[] });

export type Storage = Column['storage'];

/** True when bit `row` is set. */
export function bitAt(bitmap: Bitmap, row: number): boolean {
  return ((bitmap[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}

/** Sets bit `row`. Only while the batch is being built. */
export function setBit(bitmap: Bitmap, row: number): void {
  const at = row >> 3;
  bitmap[at] = (bitmap[at] ?? 0) | (1 << (row & 7));
}

/** A bitmap of `rows` bits, all clear. */
export function bitmap(rows: number): Bitmap {
  return new Uint8Array((rows + 7) >> 3);
}

/** True when the column's row (a position in its values, after the selection) is null. */
export function isNull(column: Column, row: number): boolean {
  if (column.validity !== null) return !bitAt(column.validity, row);
  return column.storage === 'objects' && column.values[row] === null;
}

/** The value of one row. Cost: a switch a call; hot loops read the typed arrays themselves. */
export function valueAt(column: Column, row: number): Value {
  if (column.validity !== null && !bitAt(column.validity, row)) return null;
  switch (column.storage) {
    case 'u8':
      return column.values[row] === 1;
    case 'dictionary': {
      return column.dictionary.text(existing(column.values[row], 'row'));
    }
    default: {
      return existing(column.values[row], 'row');
    }
  }
}
