// The greatest values, alone or with what stands beside them: TOPK, TOPKDISTINCT; knows no group and no window.

import { GROUP_VALUES_MAX } from '../base/limits.ts';
import { array, INTEGER, struct, type Type, type Value } from '../data/type.ts';
import { orderOf } from '../expr/compare.ts';
import { aggregate, first, of, ORDERED, parameter, variadic } from './declare.ts';
import { constant, EACH_ANY } from './declare-rare.ts';
import type { AggregateBody, AggregateGiven, AggregateOverload } from './registry.ts';

interface Top {
  /** The type of one entry of the result. */
  readonly entry: Type;
  readonly entryOf: (values: readonly Value[]) => Value;
  /** The value that an entry is ordered by; null: it is left out. */
  readonly orderedBy: (entry: Value) => Value;
  readonly order: (a: Value, b: Value) => number;
  readonly most: number;
  readonly distinct: boolean;
}

/** Up to `most` entries, greatest first; of equals the one that came first. */
function topBody({ entry, entryOf, orderedBy, order, most, distinct }: Top): AggregateBody {
  const insert = (cells: Value[], candidate: Value): void => {
    const value = orderedBy(candidate);
    if (value === null) return;
    const list = cells[0] as readonly Value[];
    // Mostly what comes is not above the least.
    if (list.length >= most && order(orderedBy(list[most - 1] as Value), value) >= 0) return;
    const found = list.findIndex((item) => order(orderedBy(item), value) < 0);
    const at = found < 0 ? list.length : found;
    if (distinct && at > 0 && order(orderedBy(list[at - 1] ?? null), value) === 0) return;
    cells[0] = list.toSpliced(at, 0, candidate).slice(0, most);
  };
  return {
    cells: [array(entry)],
    initial: () => [[]],
    add: (cells, values) => insert(cells, entryOf(values)),
    undo: null,
    merge(into, from) {
      for (const candidate of from[0] as readonly Value[]) insert(into, candidate);
    },
    result: (cells) => cells[0] ?? null,
  };
}

function valuesBody(type: Type, { constants }: AggregateGiven, distinct: boolean): AggregateBody {
  return topBody({
    entry: type,
    entryOf: ([value = null]) => value,
    orderedBy: (entry) => entry,
    order: orderOf(type),
    most: Number(constants[0]),
    distinct,
  });
}

/** What an entry with further columns is: the value, then the columns. */
function entryType(types: readonly Type[]): Type {
  return struct(types.map((type, i) => ({ name: i === 0 ? 'sort_col' : `col${i - 1}`, type })));
}

const K = constant('k', of(INTEGER));

function refuses({ constants: [k] }: AggregateGiven): string | null {
  return typeof k === 'number' && k >= 1 && k <= GROUP_VALUES_MAX
    ? null
    : `k must be 1 .. ${GROUP_VALUES_MAX}`;
}

export const TOP: readonly AggregateOverload[] = ORDERED.flatMap((pattern) => [
  aggregate({
    name: 'TOPK',
    description: 'The greatest k values, greatest first; nulls are left out.',
    parameters: [parameter('value', pattern), K],
    returns: (types) => array(first(types)),
    refuses,
    body: (types, given) => valuesBody(first(types), given, false),
  }),
  aggregate({
    name: 'TOPK',
    description:
      'The greatest k values, greatest first, each as sort_col of a STRUCT with the further columns as col0, col1...',
    parameters: [parameter('value', pattern), variadic('columns', EACH_ANY), K],
    returns: (types) => array(entryType(types.slice(0, -1))),
    refuses,
    body: (types, { constants }) =>
      topBody({
        entry: entryType(types),
        entryOf: (values) => [...values],
        orderedBy: (entry) => (entry as readonly Value[])[0] ?? null,
        order: orderOf(first(types)),
        most: Number(constants[0]),
        distinct: false,
      }),
  }),
  aggregate({
    name: 'TOPKDISTINCT',
    description: 'The greatest k different values, greatest first; nulls are left out.',
    parameters: [parameter('value', pattern), K],
    returns: (types) => array(first(types)),
    refuses,
    body: (types, given) => valuesBody(first(types), given, true),
  }),
]);
