// What whole kernels export beside the calls of index.ts: ids of keys of one column of numbers, by the numbers themselves; knows no aggregate.

import { STATUS_BAD_ARGUMENT, STATUS_NOT_READY, TYPE_F64, TYPE_I32, TYPE_I64 } from './abi';
import { ids, keys, keysBytes, selection } from './buffers';
import { internNumbers as internColumn, isDictionaryOpen } from './dictionary';
import { rowsMax } from './program';

/**
 * Ids of the keys of rows 0 .. rows - 1 (`selected` >= 0: of those, the ones in BUFFER_SELECTION) into BUFFER_IDS, by position. The numbers stand in
 * BUFFER_KEYS, by position; each has the key that its bytes are in runtime/data/key-columns.ts.
 */
export function internNumbers(type: u32, rows: u32, selected: i32): i32 {
  if (!isDictionaryOpen()) return STATUS_NOT_READY;
  if (type != TYPE_I32 && type != TYPE_I64 && type != TYPE_F64) return STATUS_BAD_ARGUMENT;
  if (rows > rowsMax || selected < -1 || selected > <i32>rowsMax) return STATUS_BAD_ARGUMENT;
  if (rows << (type == TYPE_I32 ? 2 : 3) > keysBytes) return STATUS_BAD_ARGUMENT;
  return selected < 0
    ? internColumn(type, keys, ids, 0, rows, rows)
    : internColumn(type, keys, ids, selection, <u32>selected, rows);
}
