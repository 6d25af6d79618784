// What the common aggregate functions do: cells, folding, undo and merging over values; knows no group and no window.

import { LimitError } from '../base/errors.ts';
import { decimalText } from '../data/decimal-text.ts';
import { BIGINT, type Type, typeText, type Value } from '../data/type.ts';
import { orderOf } from '../expr/compare.ts';
import type { AggregateBody } from './registry.ts';

/** What each of the common aggregates does, for people. */
export const COMMON_DESCRIPTIONS: Readonly<Record<string, string>> = {
  COUNT: 'Counts rows; with an argument, those in which it is not null.',
  SUM: 'Adds the values; nulls count nothing. A DECIMAL that overflows ends the query.',
  AVG: 'The average of the values that are not null.',
  MIN: 'The least value that is not null.',
  MAX: 'The greatest value that is not null.',
};

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

/** Adding and taking away in one numeric type: whole numbers wrap, a decimal that overflows ends the query. */
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
      const bound = 10n ** BigInt(type.precision);
      const within = (sum: bigint): bigint => {
        if (sum < bound && sum > -bound) return sum;
        // Fatal, as in ksqlDB: without one of its rows the sum would be wrong for ever after.
        const text = decimalText(sum, type.scale);
        throw new LimitError(
          'DECIMAL',
          `numeric overflow: a sum of ${typeText(type)} came to ${text}`,
        );
      };
      return {
        zero: 0n,
        plus: (a, b) => within((a as bigint) + (b as bigint)),
        minus: (a, b) => within((a as bigint) - (b as bigint)),
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

/** The sum over all items of all lists that are not null; each list is summed by itself first. */
export function listSumBody(type: Type): AggregateBody {
  const item = sumBody(type);
  const adder = adderOf(type);
  const summed = (list: Value): Value => {
    let sum = adder.zero;
    for (const value of list as readonly Value[]) if (value !== null) sum = adder.plus(sum, value);
    return sum;
  };
  return {
    ...item,
    add(cells, [list = null]) {
      if (list !== null) cells[0] = adder.plus(cells[0] ?? null, summed(list));
    },
    undo(cells, [list = null]) {
      if (list !== null) cells[0] = adder.minus(cells[0] ?? null, summed(list));
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
