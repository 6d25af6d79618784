// Queries of every shape and type as text, and records for them, of which nobody knows what they give: for tests that run them in several ways; knows no engine.

import type { Draw } from './draws.ts';
import {
  COLUMNS,
  expression,
  filled,
  FLAT,
  type Kind,
  KINDS,
  oneOfMany,
  picked,
} from './wide-expressions.ts';
import { keyBytes, STRING_KEY, wideKey, type WideKey } from './wide-keys.ts';
import {
  type SourceName,
  SOURCES,
  sourceStatements,
  type TopicName,
  WINDOWS,
} from './wide-sources.ts';

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

const WITHINS = [
  'WITHIN 5 MILLISECONDS',
  'WITHIN (3 MILLISECONDS, 20 MILLISECONDS) GRACE PERIOD 7 MILLISECONDS',
  'WITHIN 100 MILLISECONDS GRACE PERIOD 0 MILLISECONDS',
];

export interface Shape {
  /** What stands behind FROM. */
  readonly from: string;
  /** What reads it. */
  readonly makes: 'projection' | 'groups' | 'windows' | 'regroups';
  /** What it gives hangs on more than the order of the records of each topic, where it runs while they come. */
  readonly isRacing?: boolean;
}

const SHAPES: readonly Shape[] = [
  { from: 's', makes: 'projection' },
  { from: 's', makes: 'groups' },
  { from: 's', makes: 'windows' },
  { from: 's', makes: 'windows' },
  { from: 's', makes: 'windows' },
  { from: 's ?JOIN p ON s.FOREIGN = p.k', makes: 'projection' },
  { from: 's ?JOIN p ON s.k = p.k', makes: 'windows' },
  { from: 's ?JOIN z WITHIN ON s.k = z.k', makes: 'projection' },
  { from: 's ?JOIN z WITHIN ON s.k = z.FOREIGN', makes: 'windows' },
  { from: 's ?JOIN z WITHIN ON s.k = z.k ?JOIN p ON s.k = p.k', makes: 'projection' },
  { from: 's ?JOIN p ON s.k = p.k ?JOIN q ON s.k = q.k', makes: 'groups' },
  { from: 'p ?JOIN q ON p.k = q.k', makes: 'projection' },
  { from: 'p ?JOIN q ON p.FOREIGN = q.k', makes: 'projection' },
  { from: 'p ?JOIN q ON p.k = q.k ?JOIN o ON p.k = o.k', makes: 'projection' },
  { from: 'p', makes: 'regroups' },
  { from: 'p', makes: 'regroups' },
  // Sources that other queries make.
  { from: 'v', makes: 'projection' },
  { from: 'v', makes: 'windows' },
  { from: 'y', makes: 'regroups' },
  { from: 's ?JOIN y ON s.k = y.k', makes: 'projection', isRacing: true },
  { from: 'y ?JOIN p ON y.k = p.k', makes: 'projection' },
  // Windowed sources.
  { from: 'ws', makes: 'projection' },
  { from: 'ws', makes: 'groups' },
  { from: 'ws', makes: 'windows' },
  { from: 'ws ?JOIN zs WITHIN ON ws.k = zs.k', makes: 'projection' },
  // Sources that are joined with themselves.
  { from: 's AS s ?JOIN s AS s2 WITHIN ON s.k = s2.k', makes: 'projection' },
  { from: 's AS s ?JOIN s AS s2 WITHIN ON s.k = s2.FOREIGN', makes: 'windows' },
  { from: 'p AS p ?JOIN p AS p2 ON p.k = p2.k', makes: 'projection' },
  { from: 'p AS p ?JOIN p AS p2 ON p.FOREIGN = p2.k', makes: 'projection' },
];

export interface WideRecord {
  readonly topic: TopicName;
  readonly key: Uint8Array | null;
  readonly value: string | null;
  readonly timestamp: number;
}

/** A column of the result's key. */
export interface KeyColumn {
  readonly name: string;
  readonly kind: Kind;
}

export interface WideQuery {
  /** Of sources, then of the query, which makes R. */
  readonly sql: readonly string[];
  /** Of R, as what follows. */
  readonly isTable: boolean;
  readonly isWindowed: boolean;
  /** As far as they are known. */
  readonly keys: readonly KeyColumn[];
  /** Topics that it reads. */
  readonly topics: readonly TopicName[];
  readonly key: WideKey;
  /** Of each topic. */
  readonly partitions: number;
  readonly isJoin: boolean;
  /** Several queries write what it reads. */
  readonly isMixed: boolean;
  /** What it reads has keys with windows: rows of one key come from several partitions, and several tasks bring them together. */
  readonly isOverWindows: boolean;
  readonly isRacing: boolean;
}

export interface WideOptions {
  /** Of each topic; absent: 1. */
  readonly partitions?: number;
  /** Absent: all. */
  readonly shapes?: readonly Shape[];
  /** Absent: any. */
  readonly key?: WideKey;
}

export function wideQuery(
  draw: Draw,
  { partitions = 1, shapes = SHAPES, ...given }: WideOptions = {},
): WideQuery {
  const { from: shape, makes, isRacing = false } = picked(draw, shapes);
  const isJoin = shape.includes('JOIN');
  const drawn = given.key ?? wideKey(draw);
  const key = isJoin && drawn.isPair ? STRING_KEY : drawn;
  const from = shape
    .replaceAll('?', () => picked(draw, ['', 'LEFT ']))
    .replaceAll('WITHIN', () => picked(draw, WITHINS))
    .replaceAll('FOREIGN', COLUMNS[key.kind][0]);
  const names = [...from.matchAll(/(?:^|JOIN )(\w+)(?: AS (\w+))?/g)].map(
    ([, name = '', alias = name]) => ({ name: name as SourceName, alias }),
  );
  const [first] = names as [{ readonly name: SourceName; readonly alias: string }];
  const source = SOURCES[first.name];
  const topics = [...new Set(names.flatMap(({ name }) => SOURCES[name].topics))];
  const statements = sourceStatements(
    draw,
    names.map(({ name }) => name),
    { key, partitions },
  );
  const aliases = names.map(({ alias }) => alias);
  const { isWindowed: isWindowedFrom = false } = source;
  const reads = { sources: aliases, key: key.kind };
  const one = (kind: Kind, depth: number): string => expression(draw, kind, reads, depth);
  const list = (count: number, item: () => string): string =>
    Array.from({ length: 1 + draw(count) }, (_, i) => `${item()} AS c${i}`).join(', ');
  const where = draw(2) === 0 ? '' : ` WHERE ${one('BOOLEAN', 1 + draw(3))}`;
  const own = /^s .*JOIN p ON s\.(\w+) = p\.k/.exec(from)?.[1] ?? 'k';
  const keyColumns: KeyColumn[] = [
    { name: isJoin ? `${first.alias}.${own}` : 'k', kind: key.kind },
    ...(key.isPair ? [{ name: 'k2', kind: 'INT' as const }] : []),
  ];
  const isTable = makes !== 'projection' || source.kind === 'TABLE';
  const format = picked(draw, [" WITH (KEY_FORMAT='JSON')", " WITH (KEY_FORMAT='JSON')", '']);
  const head = `CREATE ${isTable ? 'TABLE' : 'STREAM'} r${format} AS SELECT`;
  const made = (query: string, by: readonly KeyColumn[], isWindowed: boolean): WideQuery => ({
    sql: [...statements, query],
    isTable,
    isWindowed,
    keys: by.map(({ kind }, i) => ({ name: `g${i}`, kind })),
    topics,
    key,
    partitions,
    isJoin,
    isMixed: shape.includes('v'),
    isOverWindows: isWindowedFrom,
    isRacing,
  });
  const listed = (by: readonly KeyColumn[]): string =>
    by.map(({ name }, i) => `${name} AS g${i}`).join(', ');
  const isBounded = !isJoin && (isWindowedFrom || makes === 'windows') && draw(2) === 0;
  const bounds = isBounded ? ', WINDOWSTART AS f, WINDOWEND AS u' : '';
  if (makes === 'projection') {
    if (draw(10) === 0) return made(`${head} * FROM ${from}${where};`, [], isWindowedFrom);
    const items = list(4, () => one(picked(draw, draw(2) === 0 ? KINDS : FLAT), 1 + draw(3)));
    const isMoved = !isTable && !isJoin && !isWindowedFrom && draw(2) === 0;
    const kinds = Array.from({ length: 1 + draw(2) }, () =>
      picked(draw, draw(4) === 0 ? KINDS : FLAT),
    );
    const by = isMoved ? kinds.map((kind) => ({ name: one(kind, draw(2)), kind })) : keyColumns;
    const moved = isMoved ? ` PARTITION BY ${by.map(({ name }) => name).join(', ')}` : '';
    const exploded = isTable || draw(6) > 0 ? '' : `, EXPLODE(${one('INTS', 1)}) AS x`;
    return made(
      `${head} ${listed(by)}, ${items}${bounds}${exploded} FROM ${from}${where}${moved};`,
      by,
      isWindowedFrom,
    );
  }
  const calls = list(4, () =>
    filled(draw, picked(draw, makes === 'regroups' ? UNDOABLE : AGGREGATES), reads, draw(3)),
  );
  const others = Array.from({ length: 1 + draw(2) }, () => {
    const kind = picked(draw, draw(4) === 0 ? KINDS : FLAT);
    return { kind, name: one(kind, draw(2)) };
  });
  const by = draw(2) === 0 ? keyColumns : others;
  const window = makes === 'windows' ? ` WINDOW ${picked(draw, WINDOWS)}` : '';
  const having = draw(3) === 0 ? ` HAVING COUNT(*) ${picked(draw, ['>', '<', '<>'])} 2` : '';
  const final = window !== '' && draw(3) === 0 ? ' EMIT FINAL' : '';
  return made(
    `${head} ${listed(by)}, ${calls}${makes === 'windows' ? bounds : ''} FROM ${from}${window}${where} GROUP BY ${by.map(({ name }) => name).join(', ')}${having}${final};`,
    by,
    window !== '',
  );
}

/**
 * Records whose times go forward for the most part; few are broken, and those of a table have a key.
 * @param spread how many other keys and values there may be
 */
export function wideRecords(
  draw: Draw,
  { topics, key, partitions }: WideQuery,
  count: number,
  spread = 0,
): WideRecord[] {
  let ms = 20;
  return Array.from({ length: count }, () => {
    const topic = picked(draw, topics);
    ms = Math.max(0, ms + (draw(6) === 0 ? draw(60) - 45 : draw(6)));
    const cells = KINDS.flatMap((kind) => {
      const [name, , values] = COLUMNS[kind];
      const isOther = spread > 0 && draw(2) === 0;
      const some = isOther ? oneOfMany(draw, kind, spread) : picked(draw, values);
      const value = draw(8) === 0 ? 'null' : some;
      return draw(20) === 0 ? [] : [`"${name.toUpperCase()}":${value}`];
    });
    const isKeyless = SOURCES[topic].kind === 'STREAM' && draw(20) === 0;
    return {
      topic,
      key: isKeyless ? null : keyBytes(draw, key, { spread, isOdd: partitions === 1 }),
      value: draw(12) === 0 ? null : draw(40) === 0 ? '{"I":' : `{${cells.join(',')}}`,
      timestamp: ms,
    };
  });
}
