// Calls of aggregate functions beside what they give of all rows of a group; knows no group.

import fc from 'fast-check';
import { compared, type Columns, expressions, type Scalar } from './reference-expressions.ts';
import { type Result, type Row, valueOf } from './reference-rows.ts';

export interface Aggregate {
  readonly sql: string;
  readonly isNumber: boolean;
  readonly of: (rows: readonly Row[]) => Result;
}

type Fold = (values: readonly Scalar[]) => Result;

const present = (values: readonly Scalar[]): number[] =>
  values.filter((value): value is number => value !== null);
const falling = (values: readonly Scalar[]): number[] => present(values).sort((a, b) => b - a);
const ends = (values: readonly Scalar[]): readonly Scalar[] =>
  present(values).toSorted((a, b) => (a < b ? -1 : 1));

/** Of numbers, in the order of the rows. */
const NUMBERS: Readonly<Record<string, Fold>> = {
  COUNT: (values) => present(values).length,
  SUM: (values) => present(values).reduce((sum, value) => sum + value, 0),
  AVG: (values) => {
    const of = present(values);
    const mean = of.reduce((sum, value) => sum + value, 0) / Math.max(of.length, 1);
    return Math.trunc(mean * 60) || 0;
  },
  MIN: (values) => ends(values)[0] ?? null,
  MAX: (values) => ends(values).at(-1) ?? null,
  COUNT_DISTINCT: (values) => new Set(present(values)).size,
  COLLECT_LIST: (values) => values,
  COLLECT_SET: (values) => [...new Set(values)],
  TOPK: (values) => falling(values).slice(0, 2),
  TOPKDISTINCT: (values) => [...new Set(falling(values))].slice(0, 2),
};

/** Of texts. */
const TEXTS: Readonly<Record<string, Fold>> = {
  ...Object.fromEntries(
    ['COUNT', 'MIN', 'MAX', 'COUNT_DISTINCT', 'COLLECT_LIST', 'COLLECT_SET'].map((name) => [
      name,
      NUMBERS[name] as Fold,
    ]),
  ),
  HISTOGRAM: (values) => {
    const counts: Record<string, number> = {};
    for (const value of values) {
      if (typeof value === 'string') counts[value] = (counts[value] ?? 0) + 1;
    }
    return counts;
  },
};

/** Of either, in the order of their records, which is another where sessions are merged. */
const BY_OFFSET: Readonly<Record<string, Fold>> = {
  LATEST_BY_OFFSET: (values) => present(values).at(-1) ?? null,
  EARLIEST_BY_OFFSET: (values) => present(values)[0] ?? null,
};

const NOT_NUMBERS = ['COLLECT_LIST', 'COLLECT_SET', 'TOPK', 'TOPKDISTINCT', 'HISTOGRAM'];

/** The call of a function over expressions of a kind. */
function calls(
  kind: 'INT' | 'STRING',
  columns: Columns,
  folds: Readonly<Record<string, Fold>>,
): fc.Arbitrary<Aggregate> {
  return fc
    .tuple(fc.constantFrom(...Object.keys(folds)), expressions(kind, columns, 1))
    .map(([name, argument]) => {
      const limit = name.startsWith('TOPK') ? ', 2' : '';
      const call = `${name}(${argument.sql}${limit})`;
      return {
        // A case tells 1 from 1.0: so an average is a whole number.
        sql: name === 'AVG' ? `CAST(${call} * 60 AS INT)` : call,
        isNumber: kind === 'INT' && !NOT_NUMBERS.includes(name),
        of: (rows) => {
          const inOrder = name in BY_OFFSET ? rows.toSorted((a, b) => a.at - b.at) : rows;
          return (folds[name] as Fold)(inOrder.map(({ fields }) => valueOf(argument, fields)));
        },
      };
    });
}

/** @param names the functions, of numbers; absent: all */
export function aggregates(columns: Columns, names?: readonly string[]): fc.Arbitrary<Aggregate> {
  const all = fc.constant<Aggregate>({
    sql: 'COUNT(*)',
    isNumber: true,
    of: (rows) => rows.length,
  });
  if (names !== undefined) {
    const some = Object.fromEntries(names.map((name) => [name, NUMBERS[name] as Fold]));
    return fc.oneof(all, calls('INT', columns, some));
  }
  return fc.oneof(
    all,
    { weight: 3, arbitrary: calls('INT', columns, { ...NUMBERS, ...BY_OFFSET }) },
    calls('STRING', columns, { ...TEXTS, ...BY_OFFSET }),
  );
}

/** HAVING a comparison of a call that gives a number. */
export interface Judgement {
  readonly sql: string;
  readonly holds: (rows: readonly Row[]) => boolean;
}

export function judgement(
  call: Aggregate,
  op: Parameters<typeof compared>[0],
  limit: number,
): Judgement {
  return {
    sql: ` HAVING ${call.sql} ${op} ${limit}`,
    holds: (rows) => compared(op, call.of(rows) as Scalar, limit),
  };
}
