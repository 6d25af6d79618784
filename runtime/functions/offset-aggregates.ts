// The first and the last values by offset: EARLIEST_BY_OFFSET, LATEST_BY_OFFSET; knows no log.

import { GROUP_VALUES_MAX } from '../base/limits.ts';
import { array, BIGINT, BOOLEAN, INTEGER, type Type, type Value } from '../data/type.ts';
import { aggregate, ANY, first, of, parameter } from './declare.ts';
import { constant } from './declare-rare.ts';
import type { AggregateBody, AggregateGiven, AggregateOverload } from './registry.ts';

type Which = 'EARLIEST' | 'LATEST';

/**
 * One value. The second cell is 0 while there is none, else its offset plus 1: sessions are merged by what came first, not by
 * what is earlier in time.
 */
function oneBody(type: Type, which: Which, ignoreNulls: boolean): AggregateBody {
  const isEarliest = which === 'EARLIEST';
  return {
    cells: [type, BIGINT],
    initial: () => [null, 0n],
    add(cells, [value = null], offset) {
      if ((value === null && ignoreNulls) || (isEarliest && cells[1] !== 0n)) return;
      cells[0] = value;
      cells[1] = BigInt(offset) + 1n;
    },
    undo: null,
    merge(into, from) {
      const own = into[1] as bigint;
      const other = from[1] as bigint;
      if (other === 0n || (own !== 0n && own < other === isEarliest)) return;
      into[0] = from[0] ?? null;
      into[1] = other;
    },
    result: (cells) => cells[0] ?? null,
    picks: { isFirst: isEarliest, ignoresNulls: ignoreNulls },
  };
}

/** Up to `most` values in the order of their offsets, which stand in the second cell. */
function someBody(type: Type, which: Which, most: number, ignoreNulls: boolean): AggregateBody {
  const kept = <T>(all: readonly T[]): readonly T[] =>
    which === 'EARLIEST' ? all.slice(0, most) : all.slice(-most);
  return {
    cells: [array(type), array(BIGINT)],
    initial: () => [[], []],
    add(cells, [value = null], offset) {
      if (value === null && ignoreNulls) return;
      const values = cells[0] as readonly Value[];
      if (which === 'EARLIEST' && values.length === most) return;
      cells[0] = kept([...values, value]);
      cells[1] = kept([...(cells[1] as readonly Value[]), BigInt(offset)]);
    },
    undo: null,
    merge(into, from) {
      const offsets = [into, from].flatMap((cells) => cells[1] as readonly bigint[]);
      const values = [into, from].flatMap((cells) => cells[0] as readonly Value[]);
      const order = offsets.map((_, index) => index);
      order.sort((a, b) => Number((offsets[a] ?? 0n) - (offsets[b] ?? 0n)) || a - b);
      into[0] = kept(order.map((index) => values[index] ?? null));
      into[1] = kept(order.map((index) => offsets[index] ?? 0n));
    },
    result: (cells) => cells[0] ?? null,
  };
}

const N = constant('n', of(INTEGER));
const IGNORE_NULLS = constant('ignoreNulls', of(BOOLEAN));

function refuses({ constants }: AggregateGiven): string | null {
  if (constants.includes(null)) return 'a constant is NULL';
  const [n] = constants;
  return typeof n === 'number' && (n < 1 || n > GROUP_VALUES_MAX)
    ? `n must be 1 .. ${GROUP_VALUES_MAX}`
    : null;
}

function declared(which: Which): readonly AggregateOverload[] {
  const name = `${which}_BY_OFFSET`;
  const what = which === 'LATEST' ? 'last' : 'first';
  return [[], [IGNORE_NULLS]].flatMap((options) => [
    aggregate({
      name,
      description: `The ${what} value; nulls are left out unless ignoreNulls is false.`,
      parameters: [parameter('value', ANY), ...options],
      returns: first,
      refuses,
      body: (types, { constants: [ignoreNulls = true] }) =>
        oneBody(first(types), which, ignoreNulls === true),
    }),
    aggregate({
      name,
      description: `The ${what} n values in their order; nulls are left out unless ignoreNulls is false.`,
      parameters: [parameter('value', ANY), N, ...options],
      returns: (types) => array(first(types)),
      refuses,
      body: (types, { constants: [n = null, ignoreNulls = true] }) =>
        someBody(first(types), which, Number(n), ignoreNulls === true),
    }),
  ]);
}

export const OFFSETS: readonly AggregateOverload[] = [
  ...declared('EARLIEST'),
  ...declared('LATEST'),
];
