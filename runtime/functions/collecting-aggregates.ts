// Aggregates that keep the values themselves: COLLECT_LIST, COLLECT_SET, HISTOGRAM, ATTR; knows no group and no window.

import { COLLECTED_VALUES_MAX, HISTOGRAM_KEYS_MAX } from '../base/limits.ts';
import { array, BIGINT, map, STRING, struct, type Type, type Value } from '../data/type.ts';
import { valueEquals } from '../data/value.ts';
import { aggregate, ANY, first, of, parameter } from './declare.ts';
import type { AggregateBody, AggregateGiven, AggregateOverload } from './registry.ts';

const LIST_LIMIT = 'ksql.functions.collect_list.limit';
const SET_LIMIT = 'ksql.functions.collect_set.limit';

/** How many values a list holds; a negative limit is none, as in ksqlDB. */
function limitOf({ settings }: AggregateGiven, property: string): number {
  const limit = Number(settings[property] ?? COLLECTED_VALUES_MAX);
  return limit < 0 ? Infinity : limit;
}

function refusesLimit(property: string): (given: AggregateGiven) => string | null {
  return ({ settings }) =>
    /^-?\d{1,15}$/.test(settings[property] ?? '0') ? null : `${property} is no whole number`;
}

/** All values in order. Lists grow by `concat`, which takes no more room than they need; rows put out hold many of them. */
function listBody(type: Type, limit: number): AggregateBody {
  const append = (cells: Value[], values: readonly Value[]): void => {
    const list = cells[0] as readonly Value[];
    const room = limit - list.length;
    if (room > 0) cells[0] = list.concat(values.length > room ? values.slice(0, room) : values);
  };
  return {
    cells: [array(type)],
    initial: () => [[]],
    add: (cells, [value = null]) => append(cells, [value]),
    undo(cells, [value = null]) {
      const list = cells[0] as readonly Value[];
      const at = list.findLastIndex((item) => valueEquals(item, value));
      // What is not there was beyond the limit.
      if (at >= 0) cells[0] = list.toSpliced(at, 1);
    },
    merge: (into, from) => append(into, from[0] as readonly Value[]),
    result: (cells) => cells[0] ?? null,
  };
}

/** Types of which a Set knows what is equal; and so many values are looked through sooner than it is asked. */
const FOUND: ReadonlySet<string> = new Set(['STRING', 'INTEGER', 'BIGINT']);
const LOOKED_THROUGH_MAX = 32;

/** What long lists hold. It goes on with the list that a value makes of one, so that a row looks at none; who lost it makes it again. */
const KNOWN = new WeakMap<readonly Value[], Set<Value>>();

function knownOf(list: readonly Value[]): Set<Value> {
  const known = KNOWN.get(list) ?? new Set(list);
  KNOWN.set(list, known);
  return known;
}

/** Each value once, in the order in which they came; a null is one. */
function setBody(type: Type, limit: number): AggregateBody {
  const isFound = FOUND.has(type.kind);
  const insert = (cells: Value[], value: Value): void => {
    const list = cells[0] as readonly Value[];
    if (list.length >= limit) return;
    const known = isFound && list.length > LOOKED_THROUGH_MAX ? knownOf(list) : null;
    if (known?.has(value) ?? list.some((item) => valueEquals(item, value))) return;
    const longer = list.concat([value]);
    cells[0] = longer;
    if (known === null) return;
    KNOWN.delete(list);
    KNOWN.set(longer, known.add(value));
  };
  return {
    cells: [array(type)],
    initial: () => [[]],
    add: (cells, [value = null]) => insert(cells, value),
    undo: null,
    merge(into, from) {
      for (const value of from[0] as readonly Value[]) insert(into, value);
    },
    result: (cells) => cells[0] ?? null,
  };
}

type Counts = ReadonlyMap<Value, Value>;

/** How often each text came. */
const HISTOGRAM_BODY: AggregateBody = {
  cells: [map(STRING, BIGINT)],
  initial: () => [new Map()],
  add(cells, [value = null]) {
    if (value === null) return;
    const sum = copied(cells[0] as Counts);
    count(sum, value, 1n);
    cells[0] = sum;
  },
  undo(cells, [value = null]) {
    const counts = cells[0] as Counts;
    const count = counts.get(value);
    if (typeof count !== 'bigint') return;
    const left = copied(counts);
    if (count > 1n) left.set(value, count - 1n);
    else left.delete(value);
    cells[0] = left;
  },
  merge(into, from) {
    const sum = copied(into[0] as Counts);
    for (const [key, more] of from[0] as Counts) count(sum, key, more as bigint);
    into[0] = sum;
  },
  result: (cells) => cells[0] ?? null,
};

/** Takes a quarter less than the constructor of a Map, which goes through pairs. */
function copied(counts: Counts): Map<Value, Value> {
  const copy = new Map<Value, Value>();
  counts.forEach((count, key) => copy.set(key, count));
  return copy;
}

/** Counts a key so many times more; one beyond the limit is left out. */
function count(counts: Map<Value, Value>, key: Value, by: bigint): void {
  const known = counts.get(key);
  if (known !== undefined || counts.size < HISTOGRAM_KEYS_MAX)
    counts.set(key, ((known ?? 0n) as bigint) + by);
}

/** The one value that all rows have. All different ones are counted, so that rows can be taken back. */
function attrBody(type: Type): AggregateBody {
  const entry = struct([
    { name: 'VALUE', type },
    { name: 'COUNT', type: BIGINT },
  ]);
  type Entries = readonly (readonly [Value, bigint])[];
  const step = (entries: Entries, value: Value, by: bigint): Entries => {
    const at = entries.findIndex(([known]) => valueEquals(known, value));
    const count = (entries[at]?.[1] ?? 0n) + by;
    if (at < 0) return count > 0n ? [...entries, [value, count]] : entries;
    return count > 0n ? entries.with(at, [value, count]) : entries.toSpliced(at, 1);
  };
  const change = (cells: Value[], value: Value, by: bigint): void => {
    cells[0] = step(cells[0] as unknown as Entries, value, by);
  };
  return {
    cells: [array(entry)],
    initial: () => [[]],
    add: (cells, [value = null]) => change(cells, value, 1n),
    undo: (cells, [value = null]) => change(cells, value, -1n),
    merge(into, from) {
      for (const [value, count] of from[0] as unknown as Entries) change(into, value, count);
    },
    result(cells) {
      const entries = cells[0] as unknown as Entries;
      return entries.length === 1 ? (entries[0]?.[0] ?? null) : null;
    },
  };
}

export const COLLECTING: readonly AggregateOverload[] = [
  aggregate({
    name: 'COLLECT_LIST',
    description: `All values in the order of their rows, nulls too, at most as many as the property ${LIST_LIMIT} says (${COLLECTED_VALUES_MAX}).`,
    parameters: [parameter('value', ANY)],
    returns: (types) => array(first(types)),
    settings: [LIST_LIMIT],
    refuses: refusesLimit(LIST_LIMIT),
    body: (types, given) => listBody(first(types), limitOf(given, LIST_LIMIT)),
  }),
  aggregate({
    name: 'COLLECT_SET',
    description: `Each different value once in the order in which they came, a null too, at most as many as the property ${SET_LIMIT} says (${COLLECTED_VALUES_MAX}).`,
    parameters: [parameter('value', ANY)],
    returns: (types) => array(first(types)),
    settings: [SET_LIMIT],
    refuses: refusesLimit(SET_LIMIT),
    body: (types, given) => setBody(first(types), limitOf(given, SET_LIMIT)),
  }),
  aggregate({
    name: 'HISTOGRAM',
    description: `Each different text with how often it came, at most ${HISTOGRAM_KEYS_MAX}; nulls count nothing.`,
    parameters: [parameter('value', of(STRING))],
    returns: map(STRING, BIGINT),
    body: () => HISTOGRAM_BODY,
  }),
  aggregate({
    name: 'ATTR',
    description: 'The value that all rows of the group have; null where they differ.',
    parameters: [parameter('value', ANY)],
    returns: first,
    body: (types) => attrBody(first(types)),
  }),
];
