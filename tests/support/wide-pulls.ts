// Conditions of pull queries over what generated queries make, as text: of its key, its window's bounds and its time; knows no engine.

import type { Draw } from './draws.ts';
import { type Kind, picked } from './wide-expressions.ts';
import type { WideQuery } from './wide-queries.ts';

/** A row of the result, by column. */
export type PulledRow = Readonly<Record<string, unknown>>;

/** Of kinds that have an order, or may be equal; some are of no value of the type. */
const LITERALS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  INT: ['0', '1', '2', '-1', '2147483647', '1.5', '3000000000', '1e0', "LEN('ab')", '1 + 1'],
  BIGINT: ['0', '7', '9007199254740993', '9007199254740992', '-9223372036854775808', '7.5', '-4e2'],
  DOUBLE: ['0.25', '0', '-0.0', '-0e0', '3', '1e300', "CAST('NaN' AS DOUBLE)", '-2'],
  STRING: ["''", "'a'", "'ab'", "'B'", "'1'", "UCASE('ab')"],
  BOOLEAN: ['true', 'false'],
  DECIMAL: ['0.5', '0.50', '-12.25', '9999.99', '0', '10', '0.505', '5e-1'],
  TIMESTAMP: [
    "'1970-01-01T00:00:00.000'",
    "'2023-11-14T22:13:20.000'",
    "'1969-12-31T23:59:59.999'",
  ],
  DATE: ["'1970-01-01'", "'2022-01-08'", "'1969-12-31'", 'FROM_DAYS(0)'],
  TIME: ["'00:00:00'", "'01:00:00'", "'23:59:59.999'"],
  BYTES: ["TO_BYTES('', 'utf8')", "TO_BYTES('a', 'utf8')", "TO_BYTES('0001', 'hex')"],
  INTS: ['ARRAY[1]', 'ARRAY[1, 2]', 'ARRAY[3, NULL, 3]'],
  STRUCT: ["STRUCT(x := 1, y := 'q')"],
};
const TIMES = ['0', '10', '20', '21', '25', '30', '33', '100', '10.5', '-1'];
const OPERATORS = ['=', '<', '<=', '>', '>=', '<>'];
const WHOLE: readonly Kind[] = ['INT', 'BIGINT'];
/** Those without an order. */
const UNORDERED: readonly Kind[] = ['BOOLEAN', 'INTS', 'STRUCT'];

/** A condition, at most so many operations deep. @param rows of the result, whose keys and bounds it may name */
export function pullCondition(
  draw: Draw,
  query: WideQuery,
  rows: readonly PulledRow[],
  depth: number,
): string {
  if (query.isWindowed && rows.length > 0 && draw(2) === 0)
    return spanOf(draw, query, picked(draw, rows));
  const inner = (): string => pullCondition(draw, query, rows, depth - 1);
  switch (depth === 0 ? 0 : draw(5)) {
    case 0:
      return comparison(draw, query);
    case 1:
      return `NOT (${inner()})`;
    case 2:
      return `(${inner()} OR ${inner()})`;
    default:
      return `(${inner()} AND ${inner()})`;
  }
}

/** Windows of the row's key on one side of its own, or next to it. */
function spanOf(draw: Draw, { keys }: WideQuery, row: PulledRow): string {
  const known = keys.filter(({ kind }) => kind in LITERALS);
  const equal = known.map(({ name, kind }) => {
    const own = row[name.toUpperCase()];
    if (typeof own === 'string' && kind === 'STRING')
      return `${name} = '${own.replaceAll("'", "''")}'`;
    if ((typeof own === 'number' || typeof own === 'bigint') && WHOLE.includes(kind))
      return `${name} = ${own}`;
    return `${name} = ${picked(draw, LITERALS[kind] ?? [])}`;
  });
  const bound = picked(draw, ['WINDOWSTART', 'WINDOWEND']);
  const ms = Number(row[bound]) + draw(3) - 1;
  return [...equal, `${bound} ${picked(draw, OPERATORS)} ${ms}`].join(' AND ');
}

function comparison(draw: Draw, { keys, isWindowed }: WideQuery): string {
  const known = keys.map(({ name, kind }) => ({
    name,
    list: LITERALS[kind] ?? [],
    isOrdered: !UNORDERED.includes(kind),
  }));
  const names = isWindowed ? ['WINDOWSTART', 'WINDOWEND', 'ROWTIME'] : ['ROWTIME'];
  const { name, list, isOrdered } = picked(draw, [
    ...[...known, ...known].filter((column) => column.list.length > 0),
    ...names.map((time) => ({ name: time, list: TIMES, isOrdered: true })),
  ]);
  const one = (): string => picked(draw, list);
  switch (draw(isOrdered ? 8 : 4)) {
    case 0:
      return `${name} IN (${Array.from({ length: 1 + draw(3) }, one).join(', ')})`;
    case 1:
      return `${name} IS ${picked(draw, ['', 'NOT '])}NULL`;
    case 2:
      return `${name} IS ${picked(draw, ['', 'NOT '])}DISTINCT FROM ${one()}`;
    case 3:
      return `${name} ${picked(draw, ['=', '<>'])} ${one()}`;
    case 4:
      return `${name} BETWEEN ${one()} AND ${one()}`;
    case 5:
      return `${one()} ${picked(draw, OPERATORS)} ${name}`;
    default:
      return `${name} ${picked(draw, OPERATORS)} ${one()}`;
  }
}
