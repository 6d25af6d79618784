// What generated queries read: sources, records of them, and the rows that a plain reading of all records gives; knows no query.

import fc from 'fast-check';
import {
  type Columns,
  Failure,
  type Fields,
  type Node,
  type Scalar,
} from './reference-expressions.ts';

export const SOURCES = [
  "CREATE STREAM s (k STRING KEY, i INT, j INT, l BIGINT, t STRING, b BOOLEAN) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');",
  "CREATE TABLE p (k STRING PRIMARY KEY, w INT, u STRING) WITH (KAFKA_TOPIC='p', PARTITIONS=1, VALUE_FORMAT='JSON');",
];

/** One record, as a case has it. */
export interface Given {
  readonly topic: 's' | 'z' | 'e' | 'p' | 'q' | 'o';
  /** null: a record without a key. */
  readonly key: Scalar;
  /** null: a tombstone of the table, or a record of the stream without a value. */
  readonly value: Fields | null;
  readonly timestamp: number;
}

/** What an aggregate gives, too. */
export type Result = Scalar | readonly Scalar[] | Readonly<Record<string, number>>;

/** One record of the result, as a case has it. */
export interface Made {
  readonly topic: 'T';
  /** Of several columns: by their names. */
  readonly key: Scalar | Fields;
  readonly value: Readonly<Record<string, Result>> | null;
  readonly timestamp: number;
  readonly window?: {
    readonly start: number;
    readonly end: number;
    readonly type: 'time' | 'session';
  };
}

export interface Query {
  readonly sql: string;
  readonly run: (inputs: readonly Given[]) => readonly Made[];
}

export interface Row {
  readonly key: Scalar;
  readonly fields: Fields;
  readonly ms: number;
  /** Place of its record among all. */
  readonly at: number;
  /** Its record has no value: such a row goes through a query that asks nothing of it. */
  readonly isEmpty: boolean;
}

export const nullable = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(of, { freq: 5 });
export const small = fc.integer({ min: -3, max: 6 });
export const text = fc.constantFrom('', 'a', 'B', 'ab', 'Ab');
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
            key: fc.option(key, { freq: 12 }),
            value: fc.option(
              fc.record({
                i: nullable(small),
                j: nullable(small),
                l: nullable(small),
                t: nullable(text),
                b: nullable(fc.boolean()),
              }),
              { freq: 12 },
            ),
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
    { minLength: 1, maxLength: 30, size: 'max' },
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
  /** Columns that the SELECT may name as its key; it names one alone. */
  readonly equal: readonly string[];
  readonly columns: Columns;
  readonly rows: (inputs: readonly Given[]) => readonly Row[];
}

export const ALONE: From = {
  sql: 's',
  key: 'k',
  equal: ['k'],
  columns: { of: { INT: ['i', 'j'], BIGINT: ['l'], STRING: ['k', 't'], BOOLEAN: ['b'] } },
  rows: (given) =>
    given.flatMap(({ topic, key: own, value, timestamp }, at) =>
      topic === 's'
        ? [{ key: own, fields: { k: own, ...value }, ms: timestamp, at, isEmpty: value === null }]
        : [],
    ),
};

export function joined(isLeft: boolean): From {
  return {
    sql: `s ${isLeft ? 'LEFT ' : ''}JOIN p ON s.k = p.k`,
    key: 's.k',
    equal: ['s.k', 'p.k'],
    columns: {
      of: { INT: ['i', 'j', 'w'], BIGINT: ['l'], STRING: ['s.k', 't', 'u'], BOOLEAN: ['b'] },
    },
    rows(given) {
      const table = new Map<Scalar, Fields | null>();
      const rows: Row[] = [];
      for (const [at, { topic, key: own, value, timestamp }] of given.entries()) {
        if (topic === 'p') {
          table.set(own, value);
          continue;
        }
        if (own === null || value === null) continue;
        const other = table.get(own) ?? null;
        if (other === null && !isLeft) continue;
        const fields = { 's.k': own, w: null, u: null, ...value, ...other };
        rows.push({ key: own, fields, ms: timestamp, at, isEmpty: false });
      }
      return rows;
    },
  };
}

/** The value, or null where the expression fails. */
export function valueOf({ run }: Node, fields: Fields): Scalar {
  try {
    return run(fields);
  } catch (thrown) {
    if (thrown instanceof Failure) return null;
    throw thrown;
  }
}

/** The list of a SELECT, without its key. */
export const listOf = (items: readonly Node[]): string =>
  items.map(({ sql }, index) => `${sql} AS c${index}`).join(', ');

/** What that list gives. */
export const cellsOf = (items: readonly Node[], { fields }: Row): Fields =>
  Object.fromEntries(items.map((item, index) => [`C${index}`, valueOf(item, fields)]));

/** A row without a value passes where nothing is asked of it. */
export const passing = (rows: readonly Row[], where: Node | null): readonly Row[] =>
  rows.filter(
    ({ fields, isEmpty }) => where === null || (!isEmpty && valueOf(where, fields) === true),
  );

export const clause = (word: string, of: Node | null): string =>
  of === null ? '' : ` ${word} ${of.sql}`;
