// Queries beside what they give: SQL text, and a plain reading of all inputs in order, which keeps every row and knows no state; knows no engine.

import fc from 'fast-check';
import {
  compared,
  comparisonOperators,
  type Columns,
  expressions,
  Failure,
  type Fields,
  type Node,
  type Scalar,
} from './reference-expressions.ts';
import { startsOf } from './sliding-recount.ts';

export const SOURCES = [
  "CREATE STREAM s (k STRING KEY, i INT, j INT, l BIGINT, t STRING, b BOOLEAN) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');",
  "CREATE TABLE p (k STRING PRIMARY KEY, w INT, u STRING) WITH (KAFKA_TOPIC='p', PARTITIONS=1, VALUE_FORMAT='JSON');",
];

/** One record, as a case has it. */
export interface Given {
  readonly topic: 's' | 'p';
  readonly key: string | null;
  /** null: a tombstone of the table. */
  readonly value: Fields | null;
  readonly timestamp: number;
}

/** One record of the result, as a case has it. */
export interface Made {
  readonly topic: 'T';
  readonly key: Scalar;
  readonly value: Readonly<Record<string, Scalar | readonly Scalar[]>> | null;
  readonly timestamp: number;
  readonly window?: { readonly start: number; readonly end: number; readonly type: 'time' };
}

export interface Query {
  readonly sql: string;
  readonly run: (inputs: readonly Given[]) => readonly Made[];
}

export interface Row {
  readonly key: string | null;
  readonly fields: Fields;
  readonly ms: number;
}

const nullable = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { freq: 5 });
const small = fc.integer({ min: -3, max: 6 });
const text = fc.constantFrom('', 'a', 'B', 'ab', 'Ab');
const key = fc.constantFrom('x', 'y', 'z');

/** Records whose times go forward for the most part. */
export const inputs: fc.Arbitrary<readonly Given[]> = fc
  .array(
    fc.tuple(
      fc.oneof(
        {
          weight: 3,
          arbitrary: fc.record({
            topic: fc.constant('s' as const),
            key,
            value: fc.record({
              i: nullable(small),
              j: nullable(small),
              l: nullable(small),
              t: nullable(text),
              b: nullable(fc.boolean()),
            }),
          }),
        },
        fc.record({
          topic: fc.constant('p' as const),
          key,
          value: fc.option(fc.record({ w: nullable(small), u: nullable(text) }), { freq: 4 }),
        }),
      ),
      fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }) },
        fc.integer({ min: -25, max: 15 }),
      ),
    ),
    { minLength: 1, maxLength: 20 },
  )
  .map((steps) => {
    let ms = 20;
    return steps.map(([record, step]) => {
      ms = Math.max(0, ms + step);
      return { ...record, timestamp: ms };
    });
  });

/** A stream of rows: the stream itself, or joined with the table. */
export interface From {
  readonly sql: string;
  readonly key: string;
  readonly columns: Columns;
  readonly rows: (inputs: readonly Given[]) => readonly Row[];
}

const ALONE: From = {
  sql: 's',
  key: 'k',
  columns: { of: { INT: ['i', 'j'], BIGINT: ['l'], STRING: ['k', 't'], BOOLEAN: ['b'] } },
  rows: (given) =>
    given.flatMap(({ topic, key: own, value, timestamp }) =>
      topic === 's' ? [{ key: own, fields: { k: own, ...value }, ms: timestamp }] : [],
    ),
};

function joined(isLeft: boolean): From {
  return {
    sql: `s ${isLeft ? 'LEFT ' : ''}JOIN p ON s.k = p.k`,
    key: 's.k',
    columns: {
      of: { INT: ['i', 'j', 'w'], BIGINT: ['l'], STRING: ['s.k', 't', 'u'], BOOLEAN: ['b'] },
    },
    rows(given) {
      const table = new Map<string | null, Fields | null>();
      const rows: Row[] = [];
      for (const { topic, key: own, value, timestamp } of given) {
        if (topic === 'p') {
          table.set(own, value);
          continue;
        }
        const other = table.get(own) ?? null;
        if (other === null && !isLeft) continue;
        const fields = { 's.k': own, w: null, u: null, ...value, ...other };
        rows.push({ key: own, fields, ms: timestamp });
      }
      return rows;
    },
  };
}

/** The value, or null where the expression fails. */
function valueOf({ run }: Node, fields: Fields): Scalar {
  try {
    return run(fields);
  } catch (thrown) {
    if (thrown instanceof Failure) return null;
    throw thrown;
  }
}

export const passing = (rows: readonly Row[], where: Node | null): readonly Row[] =>
  rows.filter(({ fields }) => where === null || valueOf(where, fields) === true);

const clause = (word: string, of: Node | null): string => (of === null ? '' : ` ${word} ${of.sql}`);

const anything = (columns: Columns, depth: number): fc.Arbitrary<Node> =>
  fc
    .constantFrom('INT' as const, 'BIGINT' as const, 'STRING' as const, 'BOOLEAN' as const)
    .chain((kind) => expressions(kind, columns, depth));

function projections(from: From): fc.Arbitrary<Query> {
  // The key column is selected once, as the key.
  const item = anything(from.columns, 3).filter(({ sql }) => sql !== from.key);
  const items = fc.array(item, { minLength: 1, maxLength: 3 });
  const where = fc.option(expressions('BOOLEAN', from.columns, 2));
  return fc.tuple(items, where).map(([selected, condition]) => {
    const list = selected.map(({ sql }, index) => `${sql} AS c${index}`).join(', ');
    return {
      sql: `CREATE STREAM t AS SELECT ${from.key} AS g, ${list} FROM ${from.sql}${clause('WHERE', condition)};`,
      run: (given) =>
        passing(from.rows(given), condition).map(({ key: own, fields, ms }) => ({
          topic: 'T',
          key: own,
          value: Object.fromEntries(
            selected.map((item, index) => [`C${index}`, valueOf(item, fields)]),
          ),
          timestamp: ms,
        })),
    };
  });
}

interface Aggregate {
  readonly sql: string;
  readonly isNumber: boolean;
  readonly of: (rows: readonly Row[]) => Scalar | readonly Scalar[];
}

/** @param names the functions; absent: all */
export function aggregates(columns: Columns, names?: readonly string[]): fc.Arbitrary<Aggregate> {
  const present = (values: readonly Scalar[]): number[] =>
    values.filter((value): value is number => value !== null);
  const folds: Readonly<Record<string, (values: readonly Scalar[]) => Scalar | readonly Scalar[]>> =
    {
      COUNT: (values) => present(values).length,
      SUM: (values) => present(values).reduce((sum, value) => sum + value, 0),
      AVG: (values) => {
        const of = present(values);
        const mean = of.reduce((sum, value) => sum + value, 0) / Math.max(of.length, 1);
        return Math.trunc(mean * 60) || 0;
      },
      MIN: (values) => (present(values).length === 0 ? null : Math.min(...present(values))),
      MAX: (values) => (present(values).length === 0 ? null : Math.max(...present(values))),
      LATEST_BY_OFFSET: (values) => present(values).at(-1) ?? null,
      COLLECT_LIST: (values) => values,
    };
  const called = fc
    .tuple(fc.constantFrom(...(names ?? Object.keys(folds))), expressions('INT', columns, 1))
    .map(([name, argument]) => ({
      // A case tells 1 from 1.0: so an average is a whole number.
      sql: name === 'AVG' ? `CAST(AVG(${argument.sql}) * 60 AS INT)` : `${name}(${argument.sql})`,
      isNumber: name !== 'COLLECT_LIST',
      of: (rows: readonly Row[]) =>
        (folds[name] as (typeof folds)[string])(
          rows.map(({ fields }) => valueOf(argument, fields)),
        ),
    }));
  const all = { sql: 'COUNT(*)', isNumber: true, of: (rows: readonly Row[]) => rows.length };
  return fc.oneof(fc.constant(all), called);
}

interface Window {
  readonly sql: string;
  readonly sizeMs: number;
  readonly graceMs: number;
  /** The end is inclusive. */
  readonly isSliding: boolean;
  /** Starts of the windows that the last of the times is in or makes, and maybe others, in order. */
  readonly starts: (times: readonly number[]) => readonly number[];
}

const windows: fc.Arbitrary<Window> = fc
  .record({
    kind: fc.constantFrom('TUMBLING', 'HOPPING', 'SLIDING'),
    sizeMs: fc.constantFrom(7, 10),
    advanceMs: fc.constantFrom(3, 5),
    graceMs: fc.constantFrom(0, 5, 1000),
  })
  .map(({ kind, sizeMs, advanceMs, graceMs }) => {
    const step = kind === 'HOPPING' ? advanceMs : sizeMs;
    const advance = kind === 'HOPPING' ? `, ADVANCE BY ${advanceMs} MILLISECONDS` : '';
    const isSliding = kind === 'SLIDING';
    return {
      sql: ` WINDOW ${kind} (SIZE ${sizeMs} MILLISECONDS${advance}, GRACE PERIOD ${graceMs} MILLISECONDS)`,
      sizeMs,
      graceMs,
      isSliding,
      starts(times) {
        if (isSliding) return startsOf(sizeMs, times);
        const ms = times.at(-1) ?? 0;
        const starts: number[] = [];
        for (let start = 0; start <= ms; start += step) if (start + sizeMs > ms) starts.push(start);
        return starts;
      },
    };
  });

export interface Grouping {
  readonly from: From;
  readonly by: string;
  readonly where: Node | null;
  readonly window: Window | null;
  readonly calls: readonly Aggregate[];
  readonly having: {
    readonly sql: string;
    readonly holds: (rows: readonly Row[]) => boolean;
  } | null;
  readonly isFinal: boolean;
}

/** A group, of one window where there are windows, with its rows. */
interface Group {
  readonly key: string;
  readonly startMs: number;
  readonly rows: readonly Row[];
}

function groupings(from: From): fc.Arbitrary<Query> {
  const columns = from.columns;
  return fc
    .record({
      from: fc.constant(from),
      by: fc.constantFrom(from.key, 't'),
      where: fc.option(expressions('BOOLEAN', columns, 2)),
      window: fc.option(windows, { freq: 3 }),
      calls: fc.array(aggregates(columns), { minLength: 1, maxLength: 3 }),
      having: fc.option(
        fc.tuple(
          aggregates(columns).filter(({ isNumber }) => isNumber),
          comparisonOperators,
          fc.integer({ min: 0, max: 3 }),
        ),
      ),
      isFinal: fc.boolean(),
    })
    .map(({ having, isFinal, ...rest }) => {
      const judged = having === null ? null : judgement(...having);
      const grouping = { ...rest, having: judged, isFinal: isFinal && rest.window !== null };
      return { sql: groupingSql(grouping), run: (given) => grouped(grouping, given) };
    });
}

export function judgement(
  call: Aggregate,
  op: Parameters<typeof compared>[0],
  limit: number,
): NonNullable<Grouping['having']> {
  return {
    sql: ` HAVING ${call.sql} ${op} ${limit}`,
    holds: (rows) => compared(op, call.of(rows) as Scalar, limit),
  };
}

export function groupingSql({ from, by, where, window, calls, having, isFinal }: Grouping): string {
  const list = calls.map(({ sql }, index) => `${sql} AS c${index}`).join(', ');
  const tail = `${having?.sql ?? ''}${isFinal ? ' EMIT FINAL' : ''}`;
  return `CREATE TABLE t AS SELECT ${by} AS g, ${list} FROM ${from.sql}${window?.sql ?? ''}${clause('WHERE', where)} GROUP BY ${by}${tail};`;
}

function grouped(grouping: Grouping, given: readonly Given[]): readonly Made[] {
  const { from, by, where, window, having, isFinal } = grouping;
  const made: Made[] = [];
  const accepted: Row[] = [];
  const groups = new Map<string, Group>();
  const shown = new Set<string>();
  let now = -Infinity;
  const show = (name: string, group: Group): void => {
    if (having !== null && !having.holds(group.rows)) {
      if (shown.delete(name)) made.push(result(grouping, group, true));
      return;
    }
    if (!isFinal) shown.add(name);
    made.push(result(grouping, group, false));
  };
  for (const row of passing(from.rows(given), where)) {
    const own = row.fields[by];
    if (typeof own !== 'string') continue;
    now = Math.max(now, row.ms);
    const isOpen = (startMs: number): boolean => {
      if (window === null) return true;
      const left = startMs + window.sizeMs - (now - window.graceMs);
      return window.isSliding ? left >= 0 : left > 0;
    };
    // No window that holds a row begins behind it.
    if (!isOpen(row.ms)) continue;
    accepted.push(row);
    const rows = accepted.filter(({ fields }) => fields[by] === own);
    for (const startMs of window === null ? [0] : window.starts(rows.map(({ ms }) => ms))) {
      if (!isOpen(startMs)) continue;
      const name = `${own} ${startMs}`;
      const held = rows.filter(({ ms }) => isHeld(window, startMs, ms));
      if (held.length === groups.get(name)?.rows.length) continue;
      const group = { key: own, startMs, rows: held };
      groups.set(name, group);
      if (!isFinal) show(name, group);
    }
    if (!isFinal) continue;
    const closing = [...groups].filter(([, { startMs }]) => !isOpen(startMs));
    closing.sort(([, a], [, b]) => a.startMs - b.startMs || (a.key < b.key ? -1 : 1));
    for (const [name, group] of closing) {
      groups.delete(name);
      show(name, group);
    }
  }
  return made;
}

function isHeld(window: Window | null, startMs: number, ms: number): boolean {
  if (window === null) return true;
  const past = ms - (startMs + window.sizeMs);
  return ms >= startMs && (window.isSliding ? past <= 0 : past < 0);
}

function result(
  { window, calls }: Grouping,
  { key: own, startMs, rows }: Group,
  isGone: boolean,
): Made {
  const value = Object.fromEntries(calls.map((call, index) => [`C${index}`, call.of(rows)]));
  const timestamp = Math.max(...rows.map(({ ms }) => ms));
  const made = { topic: 'T' as const, key: own, value: isGone ? null : value, timestamp };
  if (window === null) return made;
  return { ...made, window: { start: startMs, end: startMs + window.sizeMs, type: 'time' } };
}

/** Queries of every shape over the stream, alone or joined. */
export const queries: fc.Arbitrary<Query> = fc.oneof(
  ...[ALONE, ALONE, joined(false), joined(true)].flatMap((from) => [
    projections(from),
    groupings(from),
    groupings(from),
  ]),
);
