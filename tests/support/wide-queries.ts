// Queries of every shape and type as text, and records for them, of which nobody knows what they give: for tests that run them in several ways; knows no engine.

import type { Draw } from './draws.ts';

type Kind =
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
  | 'TIMESTAMP';

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
    'CAST({INT/BIGINT/DOUBLE/BOOLEAN/DECIMAL} AS STRING)',
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
    '({INT/STRING/INTS/STRUCT/DECIMAL} IS NULL)',
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
};

/** Columns of every source, by kind: their name, their type and values in JSON. */
const COLUMNS: Readonly<
  Record<Kind, readonly [name: string, type: string, values: readonly string[]]>
> = {
  INT: ['i', 'INT', ['0', '1', '2', '3', '-1', '2147483647', '1.0', '"5"']],
  BIGINT: ['l', 'BIGINT', ['0', '7', '-400', '9007199254740993', '-9223372036854775808']],
  DOUBLE: ['d', 'DOUBLE', ['0.25', '-2', '1e300', '-0', '5e-324', '3']],
  STRING: ['t', 'STRING', ['""', '"a"', '"B"', '"ab"', '"ä\\u0041"', '"1"', '7']],
  BOOLEAN: ['b', 'BOOLEAN', ['true', 'false']],
  DECIMAL: ['e', 'DECIMAL(6, 2)', ['0.5', '-12.25', '9999.99', '1e1', '"3.50"']],
  INTS: ['a', 'ARRAY<INT>', ['[]', '[1]', '[3,null,3]', '[2,1,0]']],
  TEXTS: ['w', 'ARRAY<STRING>', ['[]', '["a",null]', '["b","b"]']],
  MAP: ['m', 'MAP<STRING, INT>', ['{}', '{"x":1}', '{"x":null,"y":2}']],
  STRUCT: ['r', 'STRUCT<x INT, y STRING>', ['{}', '{"X":1,"Y":"q"}', '{"y":"b","Z":[1]}']],
  TIMESTAMP: ['ts', 'TIMESTAMP', ['0', '1700000000000', '3600000']],
};
const KINDS = Object.keys(COLUMNS) as Kind[];
const FLAT: readonly Kind[] = [
  'INT',
  'BIGINT',
  'DOUBLE',
  'STRING',
  'BOOLEAN',
  'DECIMAL',
  'TIMESTAMP',
];

const AGGREGATES = [
  'COUNT(*)',
  'COUNT({INT/STRUCT/INTS/DECIMAL/STRING})',
  'SUM({INT/BIGINT/DOUBLE/DECIMAL})',
  'AVG({INT/BIGINT/DOUBLE})',
  'MIN({INT/BIGINT/DOUBLE/DECIMAL/STRING/TIMESTAMP})',
  'MAX({INT/BIGINT/DOUBLE/DECIMAL/STRING/TIMESTAMP})',
  'LATEST_BY_OFFSET({INT/STRING/STRUCT/MAP})',
  'LATEST_BY_OFFSET({DOUBLE/TEXTS}, 2, false)',
  'EARLIEST_BY_OFFSET({BIGINT/DECIMAL/STRING}, false)',
  'COLLECT_LIST({INT/DECIMAL/INTS/STRING})',
  'COLLECT_SET({STRING/DOUBLE/BOOLEAN})',
  'COUNT_DISTINCT({INT/STRING/DECIMAL/STRUCT})',
  'TOPK({INT/DOUBLE/STRING}, 2)',
  'TOPKDISTINCT({BIGINT/STRING}, 3)',
  'HISTOGRAM({STRING})',
  'STDDEV_SAMP({INT/DOUBLE})',
  'SUM_LIST({INTS})',
];
/** Those that take rows of a table back. */
const UNDOABLE = [0, 1, 2, 3, 9, 14, 16].map((index) => AGGREGATES[index] as string);

const WINDOWS = [
  'TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)',
  'HOPPING (SIZE 10 MILLISECONDS, ADVANCE BY 3 MILLISECONDS, GRACE PERIOD 0 MILLISECONDS)',
  'HOPPING (SIZE 100 MILLISECONDS, ADVANCE BY 7 MILLISECONDS)',
  'SLIDING (SIZE 7 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)',
  'SESSION (3 MILLISECONDS, GRACE PERIOD 4 MILLISECONDS)',
  'SESSION (20 MILLISECONDS)',
];
const WITHINS = [
  'WITHIN 5 MILLISECONDS',
  'WITHIN (3 MILLISECONDS, 20 MILLISECONDS) GRACE PERIOD 7 MILLISECONDS',
  'WITHIN 100 MILLISECONDS GRACE PERIOD 0 MILLISECONDS',
];

/** Names of the sources: streams and tables, each over a topic of its own name. */
const SOURCES = { s: 'STREAM', z: 'STREAM', p: 'TABLE', q: 'TABLE', o: 'TABLE' } as const;
type SourceName = keyof typeof SOURCES;

/** What stands behind FROM, and what reads it. */
const SHAPES: readonly { readonly from: string; readonly makes: string }[] = [
  { from: 's', makes: 'projection' },
  { from: 's', makes: 'groups' },
  { from: 's', makes: 'windows' },
  { from: 's', makes: 'windows' },
  { from: 's', makes: 'windows' },
  { from: 's ?JOIN p ON s.t = p.k', makes: 'projection' },
  { from: 's ?JOIN p ON s.k = p.k', makes: 'windows' },
  { from: 's ?JOIN z WITHIN ON s.k = z.k', makes: 'projection' },
  { from: 's ?JOIN z WITHIN ON s.k = z.t', makes: 'windows' },
  { from: 's ?JOIN z WITHIN ON s.k = z.k ?JOIN p ON s.k = p.k', makes: 'projection' },
  { from: 's ?JOIN p ON s.k = p.k ?JOIN q ON s.k = q.k', makes: 'groups' },
  { from: 'p ?JOIN q ON p.k = q.k', makes: 'projection' },
  { from: 'p ?JOIN q ON p.t = q.k', makes: 'projection' },
  { from: 'p ?JOIN q ON p.k = q.k ?JOIN o ON p.k = o.k', makes: 'projection' },
  { from: 'p', makes: 'regroups' },
  { from: 'p', makes: 'regroups' },
];

export interface WideRecord {
  readonly topic: SourceName;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

export interface WideQuery {
  /** Of sources, then of the query, which makes R. */
  readonly sql: readonly string[];
  readonly isTable: boolean;
  /** Topics that it reads. */
  readonly topics: readonly SourceName[];
}

const picked = <T>(draw: Draw, items: readonly T[]): T => items[draw(items.length)] as T;

/** @param sources whose columns it reads, by their names where they are several */
function expression(draw: Draw, kind: Kind, sources: readonly string[], depth: number): string {
  const [name] = COLUMNS[kind];
  const leaf = sources.length === 1 ? name : `${picked(draw, sources)}.${name}`;
  if (depth === 0 || draw(4) === 0) return leaf;
  const inner = (of: Kind): string => expression(draw, of, sources, depth - 1);
  if (draw(10) === 0) return `COALESCE(${inner(kind)}, ${inner(kind)})`;
  if (draw(8) === 0) return `CASE WHEN ${inner('BOOLEAN')} THEN ${inner(kind)} END`;
  if (draw(10) === 0) return `NULLIF(${inner(kind)}, ${inner(kind)})`;
  return filled(draw, picked(draw, FORMS[kind]), sources, depth - 1);
}

function filled(draw: Draw, form: string, sources: readonly string[], depth: number): string {
  return form.replaceAll(/\{([A-Z/]+)\}/g, (_, kinds: string) =>
    expression(draw, picked(draw, kinds.split('/') as Kind[]), sources, depth),
  );
}

export function wideQuery(draw: Draw): WideQuery {
  const { from: shape, makes } = picked(draw, SHAPES);
  const from = shape
    .replaceAll('?', () => picked(draw, ['', 'LEFT ']))
    .replaceAll('WITHIN', () => picked(draw, WITHINS));
  const topics = (Object.keys(SOURCES) as SourceName[]).filter((name) =>
    new RegExp(`(^|JOIN )${name}\\b`).test(from),
  );
  const one = (kind: Kind, depth: number): string => expression(draw, kind, topics, depth);
  const list = (count: number, item: () => string): string =>
    Array.from({ length: 1 + draw(count) }, (_, i) => `${item()} AS c${i}`).join(', ');
  const where = draw(2) === 0 ? '' : ` WHERE ${one('BOOLEAN', 1 + draw(3))}`;
  const key = topics.length === 1 ? 'k' : from.includes('s.t =') ? 's.t' : `${topics[0]}.k`;
  const isTable = makes !== 'projection' || SOURCES[topics[0] as SourceName] === 'TABLE';
  const head = `CREATE ${isTable ? 'TABLE' : 'STREAM'} r WITH (KEY_FORMAT='JSON') AS SELECT`;
  const columns = KINDS.map((kind) => `${COLUMNS[kind][0]} ${COLUMNS[kind][1]}`).join(', ');
  const sources = topics.map((name) => {
    const role = SOURCES[name] === 'TABLE' ? 'PRIMARY KEY' : 'KEY';
    return `CREATE ${SOURCES[name]} ${name} (k STRING ${role}, ${columns}) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  });
  const made = (query: string): WideQuery => ({ sql: [...sources, query], isTable, topics });
  if (makes === 'projection') {
    const items = list(4, () => one(picked(draw, draw(2) === 0 ? KINDS : FLAT), 1 + draw(3)));
    const isMoved = topics.length === 1 && draw(2) === 0;
    const by = isMoved ? one(picked(draw, ['INT', 'STRING', 'BIGINT']), draw(2)) : key;
    return made(
      `${head} ${by} AS g, ${items} FROM ${from}${where}${isMoved ? ` PARTITION BY ${by}` : ''};`,
    );
  }
  const calls = list(4, () =>
    filled(draw, picked(draw, makes === 'regroups' ? UNDOABLE : AGGREGATES), topics, draw(3)),
  );
  const others = [one('STRING', draw(2)), one(picked(draw, FLAT), draw(2))];
  const by = draw(2) === 0 ? [key] : [...new Set(others.slice(0, 1 + draw(2)))];
  const keys = by.map((text, i) => `${text} AS g${i}`).join(', ');
  const window = makes === 'windows' ? ` WINDOW ${picked(draw, WINDOWS)}` : '';
  const having = draw(3) === 0 ? ` HAVING COUNT(*) ${picked(draw, ['>', '<', '<>'])} 2` : '';
  const final = window !== '' && draw(3) === 0 ? ' EMIT FINAL' : '';
  return made(
    `${head} ${keys}, ${calls} FROM ${from}${window}${where} GROUP BY ${by.join(', ')}${having}${final};`,
  );
}

/** Records whose times go forward for the most part; few are broken, and those of a table have a key. */
export function wideRecords(
  draw: Draw,
  topics: readonly SourceName[],
  count: number,
): WideRecord[] {
  let ms = 20;
  return Array.from({ length: count }, () => {
    const topic = picked(draw, topics);
    ms = Math.max(0, ms + (draw(6) === 0 ? draw(60) - 45 : draw(6)));
    const cells = KINDS.flatMap((kind) => {
      const [name, , values] = COLUMNS[kind];
      const value = draw(8) === 0 ? 'null' : picked(draw, values);
      return draw(20) === 0 ? [] : [`"${name.toUpperCase()}":${value}`];
    });
    const isKeyless = SOURCES[topic] === 'STREAM' && draw(20) === 0;
    return {
      topic,
      key: isKeyless ? null : picked(draw, ['a', 'ab', 'B', '']),
      value: draw(12) === 0 ? null : draw(40) === 0 ? '{"I":' : `{${cells.join(',')}}`,
      timestamp: ms,
    };
  });
}
