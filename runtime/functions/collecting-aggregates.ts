// Aggregates that keep the values themselves: COLLECT_LIST, COLLECT_SET, HISTOGRAM, ATTR; knows no group and no window.

import { RecordError } from '../base/errors.ts';
import {
  ATTR_VALUES_MAX,
  COLLECTED_VALUES_MAX,
  GROUP_VALUES_MAX,
  HISTOGRAM_KEYS_MAX,
} from '../base/limits.ts';
import { array, BIGINT, map, STRING, struct, type Type, type Value } from '../data/type.ts';
import { valueEquals } from '../data/value.ts';
import { aggregate, ANY, first, of, parameter } from './declare.ts';
import type { AggregateBody, AggregateOverload } from './registry.ts';

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

type Counts = Map<Value, bigint>;

/** Maps that somebody else has too: a row that was put out, another window. */
const SHARED = new WeakSet<Counts>();

/** The counts of a state, to be changed in place. */
function ownCounts(cells: Value[]): Counts {
  const counts = cells[0] as Counts;
  if (!SHARED.has(counts)) return counts;
  // Takes a quarter less than the constructor of a Map, which goes through pairs.
  const copy: Counts = new Map();
  counts.forEach((count, key) => copy.set(key, count));
  cells[0] = copy;
  return copy;
}

function shared(cells: readonly Value[]): Counts {
  const counts = cells[0] as Counts;
  SHARED.add(counts);
  return counts;
}

/** How often each text came; a key beyond the limit is left out. */
const HISTOGRAM_BODY: AggregateBody = {
  cells: [map(STRING, BIGINT)],
  initial: () => [new Map()],
  copy: (cells) => [shared(cells)],
  add: (cells, [value = null]) => count(cells, value, 1n),
  undo: (cells, [value = null]) => count(cells, value, -1n),
  merge(into, from) {
    for (const [key, more] of from[0] as Counts) count(into, key, more);
  },
  result: shared,
};

function count(cells: Value[], key: Value, by: bigint): void {
  const counts = cells[0] as Counts;
  const known = counts.get(key);
  if (key === null || (known === undefined && (by < 0n || counts.size >= HISTOGRAM_KEYS_MAX)))
    return;
  const sum = (known ?? 0n) + by;
  if (sum > 0n) ownCounts(cells).set(key, sum);
  else ownCounts(cells).delete(key);
}

/** The one value that all rows have. All different ones, which are few, are counted, so that rows can be taken back. */
function attrBody(type: Type): AggregateBody {
  const entry = struct([
    { name: 'VALUE', type },
    { name: 'COUNT', type: BIGINT },
  ]);
  type Entries = readonly (readonly [Value, bigint])[];
  const step = (entries: Entries, value: Value, by: bigint): Entries => {
    const at = entries.findIndex(([known]) => valueEquals(known, value));
    const count = (entries[at]?.[1] ?? 0n) + by;
    if (at < 0)
      return count > 0n && entries.length < ATTR_VALUES_MAX
        ? [...entries, [value, count]]
        : entries;
    return count > 0n ? entries.with(at, [value, count]) : entries.toSpliced(at, 1);
  };
  const change = (cells: Value[], value: Value, by: bigint): void => {
    cells[0] = step(cells[0] as unknown as Entries, value, by);
  };
  return {
    cells: [array(entry)],
    initial: () => [[]],
    add(cells, [value = null]) {
      const before = cells[0];
      change(cells, value, 1n);
      // A row that is not counted could not be taken back.
      if (cells[0] === before)
        throw new RecordError('EXPRESSION', `ATTR tells ${ATTR_VALUES_MAX} values apart`);
    },
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

/** COLLECT_LIST and COLLECT_SET. @param which values, as words */
function collecting(
  what: 'list' | 'set',
  which: string,
  body: (type: Type, limit: number) => AggregateBody,
): AggregateOverload {
  const property = `ksql.functions.collect_${what}.limit`;
  return aggregate({
    name: `COLLECT_${what.toUpperCase()}`,
    description: `${which}, a null too, at most as many as the property ${property} says (${COLLECTED_VALUES_MAX}, up to ${GROUP_VALUES_MAX}).`,
    parameters: [parameter('value', ANY)],
    returns: (types) => array(first(types)),
    settings: [property],
    refuses({ settings }) {
      const written = settings[property] ?? '0';
      return /^-?\d+$/.test(written) && Number(written) <= GROUP_VALUES_MAX
        ? null
        : `${property} is no whole number up to ${GROUP_VALUES_MAX}`;
    },
    body(types, { settings }) {
      const limit = Number(settings[property] ?? COLLECTED_VALUES_MAX);
      // A negative limit is none in ksqlDB.
      return body(first(types), limit < 0 ? GROUP_VALUES_MAX : limit);
    },
  });
}

export const COLLECTING: readonly AggregateOverload[] = [
  collecting('list', 'All values in the order of their rows', listBody),
  collecting('set', 'Each different value once in the order in which they came', setBody),
  aggregate({
    name: 'HISTOGRAM',
    description: `Each different text with how often it came, at most ${HISTOGRAM_KEYS_MAX}; nulls count nothing.`,
    parameters: [parameter('value', of(STRING))],
    returns: map(STRING, BIGINT),
    body: () => HISTOGRAM_BODY,
  }),
  aggregate({
    name: 'ATTR',
    description: `The value that all rows of the group have; null where they differ. Of more than ${ATTR_VALUES_MAX} different ones the further rows fail.`,
    parameters: [parameter('value', ANY)],
    returns: first,
    body: (types) => attrBody(first(types)),
  }),
];
