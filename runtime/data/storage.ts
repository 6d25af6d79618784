// Which storage the columns of a type have; knows no rows.

import type { Storage } from './column.ts';
import type { Type } from './type.ts';

/** The storage that builders choose for a type. */
export function storageOf(type: Type): Storage {
  switch (type.kind) {
    case 'DOUBLE':
    case 'TIMESTAMP':
      return 'f64';
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      return 'i32';
    case 'BIGINT':
      return 'i64';
    case 'BOOLEAN':
      return 'u8';
    default:
      return 'objects';
  }
}
