// What the aggregate functions do: cells, folding, undo and merging over values; knows no group and no window.

import { RecordError } from '../base/errors.ts';
import { array, BIGINT, BOOLEAN, INTEGER, type Type, type Value } from '../data/type.ts';
import { valueEquals } from '../data/value.ts';
import { comparator, compareDoubles } from '../expr/compare.ts';
import { fitted } from '../expr/decimal.ts';
import { COLLECTED_VALUES_MAX } from './aggregates.ts';
import type { AggregateBody } from './registry.ts';

/** COUNT, with an argument or without. */
export const COUNT_BODY: AggregateBody = {
  cells: [BIGINT],
  initial: () => [0n],
  add(cells, values) {
    if (!values.includes(null)) cells[0] = (cells[0] as bigint) + 1n;
  },
  undo(cells, values) {
    if (!values.includes(null)) cells[0] = (cells[0] as bigint) - 1n;
  },
  merge(into, from) {
    into[0] = (into[0] as bigint) + (from[0] as bigint);
  },
  result: (cells) => cells[0] ?? null,
};

/** Adding and taking away in one numeric type: whole numbers wrap, a decimal that overflows is an error. */
interface Adder {
  readonly zero: Value;
  plus(a: Value, b: Value): Value;
  minus(a: Value, b: Value): Value;
}

function adderOf(type: Type): Adder {
  switch (type.kind) {
    case 'INTEGER':
      return {
        zero: 0,
        plus: (a, b) => ((a as number) + (b as number)) | 0,
        minus: (a, b) => ((a as number) - (b as number)) | 0,
      };
    case 'BIGINT':
      return {
        zero: 0n,
        plus: (a, b) => BigInt.asIntN(64, (a as bigint) + (b as bigint)),
        minus: (a, b) => BigInt.asIntN(64, (a as bigint) - (b as bigint)),
      };
    case 'DECIMAL': {
      const { precision, scale } = type;
      return {
        zero: 0n,
        plus: (a, b) => fitted((a as bigint) + (b as bigint), precision, scale),
        minus: (a, b) => fitted((a as bigint) - (b as bigint), precision, scale),
      };
    }
    default:
      return {
        zero: 0,
        plus: (a, b) => (a as number) + (b as number),
        minus: (a, b) => (a as number) - (b as number),
      };
  }
}

/** 0 from the first row on; nulls count nothing. */
export function sumBody(type: Type): AggregateBody {
  const adder = adderOf(type);
  return {
    cells: [type],
    initial: () => [adder.zero],
    add(cells, [value = null]) {
      if (value !== null) cells[0] = adder.plus(cells[0] ?? null, value);
    },
    undo(cells, [value = null]) {
      if (value !== null) cells[0] = adder.minus(cells[0] ?? null, value);
    },
    merge(into, from) {
      into[0] = adder.plus(into[0] ?? null, from[0] ?? null);
    },
    result: (cells) => cells[0] ?? null,
  };
}

/** The sum over all items of all lists that are not null. */
export function listSumBody(type: Type): AggregateBody {
  const item = sumBody(type);
  const items = (list: Value): readonly Value[] =>
    list === null ? [] : (list as readonly Value[]);
  return {
    ...item,
    add(cells, [list = null]) {
      for (const value of items(list)) item.add(cells, [value]);
    },
    undo(cells, [list = null]) {
      for (const value of items(list)) item.undo?.(cells, [value]);
    },
  };
}

/** The sum (whole numbers: 64 bits) and the count of the values that are not null; 0 while there are none. */
export function averageBody(type: Type): AggregateBody {
  const sumType = type.kind === 'INTEGER' ? BIGINT : type;
  const adder = adderOf(sumType);
  const widened = (value: Value): Value =>
    type.kind === 'INTEGER' ? BigInt(value as number) : value;
  return {
    cells: [sumType, BIGINT],
    initial: () => [adder.zero, 0n],
    add(cells, [value = null]) {
      if (value === null) return;
      cells[0] = adder.plus(cells[0] ?? null, widened(value));
      cells[1] = (cells[1] as bigint) + 1n;
    },
    undo(cells, [value = null]) {
      if (value === null) return;
      cells[0] = adder.minus(cells[0] ?? null, widened(value));
      cells[1] = (cells[1] as bigint) - 1n;
    },
    merge(into, from) {
      into[0] = adder.plus(into[0] ?? null, from[0] ?? null);
      into[1] = (into[1] as bigint) + (from[1] as bigint);
    },
    result: (cells) => (cells[1] === 0n ? 0 : Number(cells[0]) / Number(cells[1])),
  };
}

/** Java's order for doubles, in which NaN is the greatest and -0.0 below 0.0; else the order of the type. */
function orderOf(type: Type): (a: Value, b: Value) => number {
  if (type.kind !== 'DOUBLE') return comparator(type, type);
  return (a, b) => compareDoubles(a as number, b as number);
}

/** @param sign 1 for MAX, -1 for MIN */
export function boundBody(type: Type, sign: 1 | -1): AggregateBody {
  const order = orderOf(type);
  const take = (cells: Value[], value: Value): void => {
    const held = cells[0] ?? null;
    if (value !== null && (held === null || order(value, held) * sign > 0)) cells[0] = value;
  };
  return {
    cells: [type],
    initial: () => [null],
    add: (cells, [value = null]) => take(cells, value),
    undo: null,
    merge: (into, from) => take(into, from[0] ?? null),
    result: (cells) => cells[0] ?? null,
  };
}

/** The first or last value by offset; the second cell tells that there is one, even if it is a null. */
export function offsetBody(type: Type, which: 'EARLIEST' | 'LATEST'): AggregateBody {
  return {
    cells: [type, BOOLEAN],
    initial: () => [null, false],
    add(cells, [value = null, ignoreNulls = true]) {
      if ((value === null && ignoreNulls === true) || (which === 'EARLIEST' && cells[1] === true))
        return;
      cells[0] = value;
      cells[1] = true;
    },
    undo: null,
    merge(into, from) {
      if (from[1] !== true || (which === 'EARLIEST' && into[1] === true)) return;
      into[0] = from[0] ?? null;
      into[1] = true;
    },
    result: (cells) => cells[0] ?? null,
  };
}

/** All values in order. */
export function listBody(type: Type): AggregateBody {
  const append = (cells: Value[], values: readonly Value[]): void => {
    const list = cells[0] as readonly Value[];
    if (list.length < COLLECTED_VALUES_MAX)
      cells[0] = [...list, ...values].slice(0, COLLECTED_VALUES_MAX);
  };
  return {
    cells: [array(type)],
    initial: () => [[]],
    add: (cells, [value = null]) => append(cells, [value]),
    undo(cells, [value = null]) {
      const list = cells[0] as readonly Value[];
      const at = list.findLastIndex((item) => valueEquals(item, value));
      if (at >= 0) cells[0] = list.toSpliced(at, 1);
    },
    merge: (into, from) => append(into, from[0] as readonly Value[]),
    result: (cells) => cells[0] ?? null,
  };
}

/** The greatest `k` values, greatest first; `k` comes with every row and never changes. */
export function topBody(type: Type, distinct: boolean): AggregateBody {
  const order = orderOf(type);
  const insert = (cells: Value[], value: Value, most: number): void => {
    const list = cells[0] as readonly Value[];
    if (value === null || (distinct && list.some((item) => order(item, value) === 0))) return;
    const found = list.findIndex((item) => order(item, value) < 0);
    const at = found < 0 ? list.length : found;
    if (at < most) cells[0] = list.toSpliced(at, 0, value).slice(0, most);
  };
  return {
    cells: [array(type), INTEGER],
    initial: () => [[], 0],
    add(cells, [value = null, most = null]) {
      if (typeof most !== 'number' || most < 1)
        throw new RecordError('EXPRESSION', 'k must be at least 1');
      cells[1] = most;
      insert(cells, value, most);
    },
    undo: null,
    merge(into, from) {
      into[1] = Math.max(into[1] as number, from[1] as number);
      for (const value of from[0] as readonly Value[]) insert(into, value, into[1]);
    },
    result: (cells) => cells[0] ?? null,
  };
}
