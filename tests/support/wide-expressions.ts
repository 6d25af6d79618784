// Expressions of every type as text, of which nobody knows what they give, and the columns that they read; knows no query.

import type { Draw } from './draws.ts';

export type Kind =
  | 'INT'
  | 'BIGINT'
  | 'DOUBLE'
  | 'STRING'
  | 'BOOLEAN'
  | 'DECIMAL'
  | 'INTS'
  | 'TEXTS'
  | 'MAP'
  | 'STRUCT'
  | 'TIMESTAMP'
  | 'DATE'
  | 'TIME'
  | 'BYTES';

/** What `{kind}` stands for is an expression of that kind; a slash parts kinds of which one is drawn. */
const FORMS: Readonly<Record<Kind, readonly string[]>> = {
  INT: [
    '({INT} + {INT})',
    '({INT} * {INT})',
    '({INT} % {INT})',
    '(12 / {INT})',
    'LEN({STRING})',
    'ABS({INT})',
    'ARRAY_LENGTH({INTS})',
    '{INTS}[1]',
    '{INTS}[-1]',
    "{MAP}['x']",
    '({STRUCT})->x',
    'CAST({BIGINT/DOUBLE/DECIMAL/STRING} AS INT)',
    'REDUCE({INTS}, 0, (s, x) => s + x)',
  ],
  BIGINT: [
    '({BIGINT} - {INT/BIGINT})',
    'CAST({INT/DOUBLE/STRING} AS BIGINT)',
    'UNIX_TIMESTAMP({TIMESTAMP})',
    'ROUND({DOUBLE})',
  ],
  DOUBLE: [
    '({DOUBLE} / {INT/BIGINT/DOUBLE})',
    '({DOUBLE} * {DOUBLE})',
    'CAST({INT/BIGINT/DECIMAL/STRING} AS DOUBLE)',
    'FLOOR({DOUBLE})',
    'SQRT({DOUBLE})',
  ],
  STRING: [
    'UCASE({STRING})',
    '({STRING} + {STRING})',
    'SUBSTRING({STRING}, {INT}, 2)',
    "REPLACE({STRING}, 'a', 'zz')",
    'CAST({INT/BIGINT/DOUBLE/BOOLEAN/DECIMAL/DATE/TIME/TIMESTAMP} AS STRING)',
    '({STRUCT})->y',
    '{TEXTS}[1]',
    "FORMAT_TIMESTAMP({TIMESTAMP}, 'yyyy-MM-dd HH:mm')",
    "ARRAY_JOIN({INTS}, '+')",
    'TO_JSON_STRING({STRUCT/MAP/INTS})',
  ],
  BOOLEAN: [
    '({INT} < {INT/BIGINT/DOUBLE/DECIMAL})',
    '({STRING} = {STRING})',
    '({DOUBLE} >= {DOUBLE})',
    '({TIMESTAMP} < {TIMESTAMP})',
    '({BOOLEAN} AND {BOOLEAN})',
    '({BOOLEAN} OR {BOOLEAN})',
    '(NOT {BOOLEAN})',
    '({INT/STRING/INTS/STRUCT/DECIMAL/BYTES} IS NULL)',
    '({DATE} = {DATE})',
    '({TIME} <= {TIME})',
    '({BYTES} < {BYTES})',
    '({INT/STRING/BIGINT} IS DISTINCT FROM NULL)',
    '({INT} IN (1, 2, {INT}))',
    "({STRING} NOT IN ('a', 'B'))",
    "({STRING} LIKE '%a%')",
    '({INT} BETWEEN {INT} AND {INT})',
    'ARRAY_CONTAINS({INTS}, {INT})',
  ],
  DECIMAL: [
    'CAST({INT/DOUBLE/STRING} AS DECIMAL(6, 2))',
    'CAST(({DECIMAL} + {DECIMAL}) AS DECIMAL(6, 2))',
    'ABS({DECIMAL})',
  ],
  INTS: [
    'ARRAY[{INT}, {INT}]',
    'ARRAY_DISTINCT({INTS})',
    'SLICE({INTS}, 1, 2)',
    'TRANSFORM({INTS}, x => x + 1)',
    'FILTER({INTS}, x => x > 0)',
  ],
  TEXTS: ['ARRAY[{STRING}, {STRING}]', "SPLIT({STRING}, 'b')", 'MAP_KEYS({MAP})'],
  MAP: ["MAP('x' := {INT}, 'y' := {INT})", 'AS_MAP({TEXTS}, {INTS})'],
  STRUCT: ['STRUCT(x := {INT}, y := {STRING})'],
  TIMESTAMP: ['TIMESTAMPADD(HOURS, {INT}, {TIMESTAMP})', 'FROM_UNIXTIME({BIGINT})'],
  DATE: ['CAST({TIMESTAMP} AS DATE)', 'DATEADD(DAYS, {INT}, {DATE})', 'FROM_DAYS({INT})'],
  TIME: ['CAST({TIMESTAMP} AS TIME)', 'TIMEADD(SECONDS, {INT}, {TIME})'],
  BYTES: ["TO_BYTES({STRING}, 'utf8')", '({BYTES} || {BYTES})'],
};

/** Columns of every source, by kind: their name, their type and values in JSON. */
export const COLUMNS: Readonly<
  Record<Kind, readonly [name: string, type: string, values: readonly string[]]>
> = {
  INT: ['i', 'INT', ['0', '1', '2', '3', '-1', '2147483647', '1.0', '"5"']],
  BIGINT: ['l', 'BIGINT', ['0', '7', '-400', '9007199254740993', '-9223372036854775808']],
  DOUBLE: ['d', 'DOUBLE', ['0.25', '-2', '1e300', '-0', '5e-324', '3', '0', '"NaN"']],
  STRING: ['t', 'STRING', ['""', '"a"', '"B"', '"ab"', '"ä\\u0041"', '"1"', '7']],
  BOOLEAN: ['b', 'BOOLEAN', ['true', 'false']],
  DECIMAL: ['e', 'DECIMAL(6, 2)', ['0.5', '-12.25', '9999.99', '1e1', '"3.50"']],
  INTS: ['a', 'ARRAY<INT>', ['[]', '[1]', '[3,null,3]', '[2,1,0]']],
  TEXTS: ['w', 'ARRAY<STRING>', ['[]', '["a",null]', '["b","b"]']],
  MAP: ['m', 'MAP<STRING, INT>', ['{}', '{"x":1}', '{"x":null,"y":2}']],
  STRUCT: ['r', 'STRUCT<x INT, y STRING>', ['{}', '{"X":1,"Y":"q"}', '{"y":"b","Z":[1]}']],
  TIMESTAMP: ['ts', 'TIMESTAMP', ['0', '1700000000000', '3600000', '-1']],
  DATE: ['dt', 'DATE', ['0', '19000', '-1']],
  TIME: ['tm', 'TIME', ['0', '3600000', '86399999']],
  BYTES: ['y', 'BYTES', ['""', '"AAE="', '"/w=="', '"YQ=="']],
};
/** What each row has of its record. */
const PLACES: Readonly<Partial<Record<Kind, string>>> = { BIGINT: 'ROWTIME', INT: 'ROWPARTITION' };
export const KINDS = Object.keys(COLUMNS) as Kind[];
export const FLAT: readonly Kind[] = [
  'INT',
  'BIGINT',
  'DOUBLE',
  'STRING',
  'BOOLEAN',
  'DECIMAL',
  'TIMESTAMP',
  'DATE',
  'TIME',
  'BYTES',
];

export const picked = <T>(draw: Draw, items: readonly T[]): T => items[draw(items.length)] as T;

/** A value in JSON that is one of so many, where the kind has as many. */
export function oneOfMany(draw: Draw, kind: Kind, spread: number): string {
  const of = draw(spread);
  switch (kind) {
    case 'STRING':
      return `"text ${of}"`;
    case 'DECIMAL':
      return (of / 100).toFixed(2);
    case 'DOUBLE':
      return `${of}.5`;
    case 'BOOLEAN':
      return `${of % 2 === 0}`;
    case 'BYTES':
      return JSON.stringify(btoa(String(of)));
    case 'INTS':
      return `[${of}]`;
    case 'TEXTS':
      return `["${of}"]`;
    case 'MAP':
      return `{"x":${of}}`;
    case 'STRUCT':
      return `{"X":${of},"Y":"q"}`;
    default:
      return `${of}`;
  }
}

/** What expressions read. */
export interface Reads {
  /** Sources, by their names where they are several. */
  readonly sources: readonly string[];
  /** The type of their column `k`. */
  readonly key: Kind;
}

export function expression(draw: Draw, kind: Kind, reads: Reads, depth: number): string {
  if (depth === 0 || draw(4) === 0) return leaf(draw, kind, reads);
  const inner = (of: Kind): string => expression(draw, of, reads, depth - 1);
  if (draw(10) === 0) return `COALESCE(${inner(kind)}, ${inner(kind)})`;
  if (draw(8) === 0) return `CASE WHEN ${inner('BOOLEAN')} THEN ${inner(kind)} END`;
  if (draw(10) === 0) return `NULLIF(${inner(kind)}, ${inner(kind)})`;
  return filled(draw, picked(draw, FORMS[kind]), reads, depth - 1);
}

function leaf(draw: Draw, kind: Kind, { sources, key }: Reads): string {
  const others = [kind === key ? 'k' : undefined, PLACES[kind]].filter((one) => one !== undefined);
  const isOther = others.length > 0 && draw(5) === 0;
  const name = isOther ? picked(draw, others) : COLUMNS[kind][0];
  return sources.length === 1 ? name : `${picked(draw, sources)}.${name}`;
}

export function filled(draw: Draw, form: string, reads: Reads, depth: number): string {
  return form.replaceAll(/\{([A-Z/]+)\}/g, (_, kinds: string) =>
    expression(draw, picked(draw, kinds.split('/') as Kind[]), reads, depth),
  );
}
