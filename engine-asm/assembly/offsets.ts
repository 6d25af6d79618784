// What whole kernels export beside the calls of index.ts: which records rows came from, for aggregates that ask for offsets; knows no aggregate.

import { OFFSET_MAX } from './abi';
import { setOrigins } from './by-offset';

/**
 * Says of the rows that the next calls of `process` fold which records they came from: the record at offset `first` is the one of origin 0, and
 * origins (u32, by position) are `given`, or are the positions themselves.
 * @returns where they are written to, until `process`; 0: no aggregate asks for them, or `first` is no offset
 */
export function offsets(first: f64, given: bool): usize {
  return first >= 0 && first <= <f64>OFFSET_MAX ? setOrigins(<i64>first, given) : 0;
}
