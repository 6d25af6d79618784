// Sources of generated queries: streams and tables over topics of their own names, and what other queries make of these, all with the same columns; knows no query over them.

import type { Draw } from './draws.ts';
import { COLUMNS, expression, KINDS, picked } from './wide-expressions.ts';
import type { WideKey } from './wide-keys.ts';

/** Those over a topic of their own name. */
export type TopicName = 's' | 'z' | 'p' | 'q' | 'o';
export type SourceName = TopicName | 'v' | 'y' | 'ws' | 'zs';

interface Source {
  readonly kind: 'STREAM' | 'TABLE';
  /** That its rows come from. */
  readonly topics: readonly TopicName[];
  readonly isWindowed?: boolean;
}

export const SOURCES: Readonly<Record<SourceName, Source>> = {
  s: { kind: 'STREAM', topics: ['s'] },
  z: { kind: 'STREAM', topics: ['z'] },
  p: { kind: 'TABLE', topics: ['p'] },
  q: { kind: 'TABLE', topics: ['q'] },
  o: { kind: 'TABLE', topics: ['o'] },
  // Two queries write it.
  v: { kind: 'STREAM', topics: ['s', 'z'] },
  // The last row of each key.
  y: { kind: 'TABLE', topics: ['s'] },
  ws: { kind: 'STREAM', topics: ['s'], isWindowed: true },
  zs: { kind: 'STREAM', topics: ['z'], isWindowed: true },
};

export const WINDOWS = [
  'TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)',
  'HOPPING (SIZE 10 MILLISECONDS, ADVANCE BY 3 MILLISECONDS, GRACE PERIOD 0 MILLISECONDS)',
  'HOPPING (SIZE 100 MILLISECONDS, ADVANCE BY 7 MILLISECONDS)',
  'SLIDING (SIZE 7 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)',
  'SESSION (3 MILLISECONDS, GRACE PERIOD 4 MILLISECONDS)',
  'SESSION (20 MILLISECONDS)',
];
const COLUMN_LIST = KINDS.map((kind) => `${COLUMNS[kind][0]} ${COLUMNS[kind][1]}`).join(', ');
const LATEST_LIST = KINDS.map((kind) => {
  const [name] = COLUMNS[kind];
  return `LATEST_BY_OFFSET(${name}, false) AS ${name}`;
}).join(', ');

export interface SourceOptions {
  readonly key: WideKey;
  /** Of each topic. */
  readonly partitions: number;
}

/** Statements that make the sources, and those that these are made of. */
export function sourceStatements(
  draw: Draw,
  names: readonly SourceName[],
  options: SourceOptions,
): readonly string[] {
  // Windowed streams are joined where their windows are of one size.
  const window = picked(draw, WINDOWS);
  const bases = names.flatMap((name) => SOURCES[name].topics);
  return [...new Set([...bases, ...names])].flatMap((name) =>
    statementsFor(draw, name, window, options),
  );
}

function statementsFor(
  draw: Draw,
  name: SourceName,
  window: string,
  options: SourceOptions,
): readonly string[] {
  const { key, partitions } = options;
  const by = key.isPair ? 'k, k2' : 'k';
  const reads = { sources: [''], key: key.kind };
  const where = (): string =>
    draw(2) === 0 ? '' : ` WHERE ${expression(draw, 'BOOLEAN', reads, 1)}`;
  switch (name) {
    case 'v':
      return ['CREATE STREAM v AS SELECT * FROM s', 'INSERT INTO v SELECT * FROM z'].map(
        (query) => `${query}${where()};`,
      );
    case 'y':
      return [`CREATE TABLE y AS SELECT ${by}, ${LATEST_LIST} FROM s${where()} GROUP BY ${by};`];
    case 'ws':
    case 'zs': {
      const [from] = SOURCES[name].topics;
      const [type] = window.split(' ');
      const size = /SIZE (\d+ MILLISECONDS)/.exec(window)?.[1];
      const sized = size === undefined ? '' : `, WINDOW_SIZE='${size}'`;
      return [
        `CREATE TABLE ${name}_made AS SELECT ${by}, ${LATEST_LIST} FROM ${from} WINDOW ${window}${where()} GROUP BY ${by};`,
        declared(name, `${name.toUpperCase()}_MADE`, key, `WINDOW_TYPE='${type}'${sized}`),
      ];
    }
    default:
      // A query that begins late finds all records.
      return [declared(name, name, key, `PARTITIONS=${partitions}, CLEANUP_POLICY='delete'`)];
  }
}

function declared(name: SourceName, topic: string, key: WideKey, more: string): string {
  const { kind } = SOURCES[name];
  const role = kind === 'TABLE' ? 'PRIMARY KEY' : 'KEY';
  const other = key.isPair ? ` k2 INT ${role},` : '';
  return `CREATE ${kind} ${name} (k ${COLUMNS[key.kind][1]} ${role},${other} ${COLUMN_LIST}) WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='${key.format}', VALUE_FORMAT='JSON', ${more});`;
}
