// The cells of TOPK and TOPKDISTINCT over numbers: a group's greatest values; knows no window and no store.

import { type Column, isNull } from '../data/column.ts';
import type { Batch } from '../data/batch.ts';
import type { Type, Value } from '../data/type.ts';
import { writeValue } from '../data/value-bytes.ts';
import { compareDoubles } from '../expr/compare.ts';
import type { Fold } from './accumulators.ts';
import type { CallCells, CellWriter, GenericCall } from './call-cells.ts';

/** A column of numbers. */
export type NumberColumn = Column & { readonly storage: 'i32' | 'i64' | 'f64' };

type Numbers = readonly (number | bigint)[];

const EMPTY: Numbers = [];

/** A list of no more is copied value by value: a call costs more. */
const SHORT_MAX = 32;

function compareNumbers(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * Lists of values, greatest first, of equals the one that came first. A list is never written to, so that it is its rows' result as it stands: rows that
 * change nothing show the same one. What is not above the least of k values is seen without it.
 */
export class TopCells implements CallCells {
  readonly #position: number;
  readonly #argument: Type;
  readonly #type: Type;
  readonly #most: number;
  readonly #distinct: boolean;
  readonly #compare: (a: never, b: never) => number;
  readonly #lists: Numbers[] = [];

  constructor(call: GenericCall, argument: Type, most: number, distinct: boolean) {
    this.#position = call.arguments[0] as number;
    this.#argument = argument;
    this.#type = call.type;
    this.#most = most;
    this.#distinct = distinct;
    this.#compare = argument.kind === 'DOUBLE' ? compareDoubles : compareNumbers;
  }

  reserve(): void {
    // Slots are made when they are set.
  }

  reset(slot: number): void {
    this.#lists[slot] = EMPTY;
  }

  set(slot: number, [list = null]: readonly Value[]): void {
    this.#lists[slot] = list as Numbers;
  }

  get(slot: number): readonly Value[] {
    return [this.#lists[slot] as Numbers];
  }

  write(slot: number, to: CellWriter): void {
    const list = this.#lists[slot] as Numbers;
    const tail = to.sized();
    tail.u32(list.length);
    for (let i = 0; i < list.length; i++) {
      tail.u8(1);
      writeValue(tail, this.#argument, list[i] as number);
    }
  }

  move(from: number, to: number): void {
    this.#lists[to] = this.#lists[from] as Numbers;
  }

  fold(batch: Batch, { count, slots, positions, before, after, rowsOut }: Fold): Column {
    const column = batch.columns[this.#position] as NumberColumn;
    const { values } = column;
    const lists = this.#lists;
    const most = this.#most;
    const shown: Value[] = Array.from({ length: rowsOut });
    for (let k = 0; k < count; k++) {
      const slot = slots[k] as number;
      const position = positions[k] as number;
      let list = lists[slot] as Numbers;
      if (before !== null && (before[k] as number) >= 0) shown[before[k] as number] = list;
      if (!isNull(column, position)) {
        const value = values[position] as number | bigint;
        // Mostly what comes is below the least.
        if (list.length < most || !(value < (list[most - 1] as number | bigint)))
          lists[slot] = list = this.#with(list, value);
      }
      const row = after === null ? k : (after[k] as number);
      if (row >= 0) shown[row] = list;
    }
    return { type: this.#type, validity: null, storage: 'objects', values: shown };
  }

  /** A list and one more value. */
  #with(list: Numbers, value: number | bigint): Numbers {
    const { length } = list;
    let from = 0;
    for (let to = length; from < to;) {
      const middle = (from + to) >> 1;
      if (this.#compare(list[middle] as never, value as never) < 0) to = middle;
      else from = middle + 1;
    }
    if (from >= this.#most) return list;
    if (this.#distinct && from > 0 && this.#compare(list[from - 1] as never, value as never) === 0)
      return list;
    if (length > SHORT_MAX) return list.toSpliced(from, 0, value).slice(0, this.#most);
    const end = Math.min(length + 1, this.#most);
    const next: (number | bigint)[] = [];
    for (let i = 0; i < from; i++) next.push(list[i] as number);
    next.push(value);
    for (let i = from + 1; i < end; i++) next.push(list[i - 1] as number);
    return next;
  }
}
