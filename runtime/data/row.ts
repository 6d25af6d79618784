// A row of a batch for people and their programs: public JavaScript values by column name; knows no query.

import { type Batch, positionOf } from './batch.ts';
import { valueAt } from './column.ts';
import { decimalText } from './decimal-text.ts';
import type { Type, Value } from './type.ts';
import { isItems } from './value.ts';

/** A STRUCT or a row. It has no prototype, so that a field named `__proto__` or `constructor` is a field like any other. */
export interface PublicRow {
  [name: string]: PublicValue;
}

/**
 * BOOLEAN boolean; INTEGER, DOUBLE number; BIGINT number where a double holds it exactly, else bigint; DECIMAL text with full
 * scale; STRING string; BYTES Uint8Array; TIME (ms of the day), DATE (days since 1970-01-01), TIMESTAMP (ms since 1970)
 * number; ARRAY array; MAP a Map in its order; STRUCT an object without prototype.
 */
export type PublicValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PublicValue[]
  | Map<PublicValue, PublicValue>
  | PublicRow;

/** How values of rows are given where JavaScript has several ways. */
export interface PublicOptions {
  /** `exact` (the default): number where a double holds it exactly, else bigint; `bigint`: always bigint. */
  readonly bigint?: 'exact' | 'bigint' | undefined;
}

/** Row `i` of the batch, its columns by name; of two columns with one name the value column wins. */
export function publicRow(batch: Batch, i: number, options: PublicOptions = {}): PublicRow {
  const at = positionOf(batch, i);
  const row = emptyRow();
  batch.schema.columns.forEach((column, index) => {
    const values = batch.columns[index];
    if (values !== undefined)
      row[column.name] = publicValue(column.type, valueAt(values, at), options);
  });
  return row;
}

// Assigning to a name of an object without prototype only ever makes an own property.
function emptyRow(): PublicRow {
  return Object.create(null) as PublicRow;
}

/** A value as `PublicValue` says. Bytes are shared, not copied. */
export function publicValue(type: Type, value: Value, options: PublicOptions = {}): PublicValue {
  if (value === null) return null;
  switch (type.kind) {
    case 'BIGINT': {
      if (typeof value !== 'bigint' || options.bigint === 'bigint') return value as bigint;
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    case 'DECIMAL':
      return typeof value === 'bigint' ? decimalText(value, type.scale) : null;
    case 'ARRAY':
      return isItems(value) ? value.map((item) => publicValue(type.item, item, options)) : null;
    case 'MAP': {
      const entries = new Map<PublicValue, PublicValue>();
      for (const [key, item] of value as ReadonlyMap<Value, Value>) {
        entries.set(publicValue(type.key, key, options), publicValue(type.value, item, options));
      }
      return entries;
    }
    case 'STRUCT': {
      const fields = emptyRow();
      type.fields.forEach((field, index) => {
        const item = isItems(value) ? (value[index] ?? null) : null;
        fields[field.name] = publicValue(field.type, item, options);
      });
      return fields;
    }
    default:
      return value as boolean | number | string | Uint8Array;
  }
}
