// Keys of any type do what texts do that are written as they are, and windowed keys what texts of their bytes do: grouped, joined, and as new keys, on either path.

import process from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { HANGS_MS } from '../../support/waits.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 60);
/** On a busy machine. */
const QUERY_MS_MAX = 300;

/** By type, values that are no two the same, in JSON as it is written; signs of zero and NaN are told apart. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  INT: ['0', '1', '-1', '2147483647', '-2147483648'],
  BIGINT: ['0', '9007199254740993', '9007199254740992', '-9223372036854775808'],
  DOUBLE: ['0.0', '-0.0', '0.25', '"NaN"', '1e300', '5e-324', '"-Infinity"'],
  BOOLEAN: ['true', 'false'],
  'DECIMAL(6, 2)': ['0.50', '-12.25', '9999.99', '0.00'],
  'DECIMAL(30, 10)': ['0.0000000001', '12345678901234567890.5000000001', '0.0000000000'],
  TIMESTAMP: ['0', '1700000000000', '-1'],
  DATE: ['0', '19000', '-1'],
  TIME: ['0', '3600000', '86399999'],
  BYTES: ['""', '"AAE="', '"/w=="'],
  'ARRAY<DOUBLE>': ['[]', '[1.0]', '[null]', '[-0.0]', '[0.0]', '["NaN"]'],
  'STRUCT<x INT, y STRING>': ['{"X":1,"Y":"q"}', '{"X":null,"Y":"q"}', '{"X":1,"Y":null}'],
};

const WINDOWS = [
  '',
  'WINDOW TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)',
  'WINDOW HOPPING (SIZE 10 MILLISECONDS, ADVANCE BY 3 MILLISECONDS)',
  'WINDOW SESSION (3 MILLISECONDS, GRACE PERIOD 4 MILLISECONDS)',
];
const NEAR = 'WITHIN (3 MILLISECONDS, 20 MILLISECONDS) GRACE PERIOD 7 MILLISECONDS';

/** Queries over the streams s and z and the tables p and q. */
const QUERIES_OVER: readonly string[] = [
  ...WINDOWS.map(
    (window) =>
      `TABLE r AS SELECT c, COUNT(*) AS n, COLLECT_LIST(v) AS vs FROM s ${window} GROUP BY c`,
  ),
  ...WINDOWS.map(
    (window) => `TABLE r AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM s ${window} GROUP BY k`,
  ),
  'TABLE r AS SELECT c, k, COUNT(*) AS n FROM s GROUP BY c, k',
  'TABLE r AS SELECT c, COUNT(*) AS n, SUM(v) AS total FROM p GROUP BY c HAVING COUNT(*) > 1',
  'STREAM r AS SELECT c, v FROM s PARTITION BY c',
  'STREAM r AS SELECT s.c, s.v, p.v FROM s LEFT JOIN p ON s.c = p.k',
  'STREAM r AS SELECT s.k, s.v, p.v FROM s JOIN p ON s.k = p.k',
  `STREAM r AS SELECT s.c, s.v, z.v FROM s LEFT JOIN z ${NEAR} ON s.c = z.c`,
  `STREAM r AS SELECT s.k, s.v, z.v FROM s JOIN z ${NEAR} ON s.k = z.k`,
  'TABLE r AS SELECT p.k, p.v, q.v FROM p LEFT JOIN q ON p.k = q.k',
  'TABLE r AS SELECT p.k, p.v, q.v FROM p LEFT JOIN q ON p.c = q.k',
];

interface Given {
  readonly topic: string;
  /** In JSON. */
  readonly key: string;
  readonly column: string;
  /** A row without a value, or a tombstone. */
  readonly isGone: boolean;
  readonly timestamp: number;
}

const given = (values: readonly string[], topics: readonly string[]): fc.Arbitrary<Given[]> =>
  fc
    .array(
      fc.record({
        topic: fc.constantFrom(...topics),
        key: fc.constantFrom(...values),
        column: fc.constantFrom(...values, 'null'),
        isGone: fc.integer({ min: 0, max: 8 }).map((n) => n === 0),
        behind: fc.integer({ min: -8, max: 1 }),
      }),
      { minLength: 1, maxLength: 60 },
    )
    .map((rows) =>
      rows.map(({ behind, ...row }, at) => ({ ...row, timestamp: Math.max(0, 20 + at + behind) })),
    );

interface Way {
  readonly isRow: boolean;
  readonly isKernel: boolean;
}

const ways: fc.Arbitrary<Way> = fc.record({ isRow: fc.boolean(), isKernel: fc.boolean() });

async function opened({ isRow, isKernel }: Way): Promise<Engine> {
  const host = memoryHost({ kernel: isKernel ? kernelModule() : null });
  return open({ host, properties: { 'millrace.path': isRow ? 'row' : 'auto' } });
}

/** What came of each key, which is left out, in the order of the texts. @param boundsLength of the window's bounds behind a key */
async function resultOf(engine: Engine, boundsLength: number): Promise<readonly string[]> {
  const byKey = new Map<string, unknown[]>();
  for (const { key, value, timestamp } of await engine.topicRecords('R')) {
    const bytes = [...(key ?? [])];
    const own = bytes.splice(0, bytes.length - boundsLength).join();
    byKey.set(own, [
      ...(byKey.get(own) ?? []),
      [bytes, value === null ? null : decodeUtf8(value), timestamp],
    ]);
  }
  return [...byKey.values()].map((list) => JSON.stringify(list)).sort();
}

async function run(
  type: string,
  query: string,
  rows: readonly Given[],
  way: Way,
): Promise<readonly string[]> {
  await using engine = await opened(way);
  const sources = ['s', 'z', 'p', 'q'].map((name) => {
    const [kind, role] = 'sz'.includes(name) ? ['STREAM', 'KEY'] : ['TABLE', 'PRIMARY KEY'];
    return `CREATE ${kind} ${name} (k ${type} ${role}, c ${type}, v INT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, FORMAT='JSON');`;
  });
  await engine.execute(`${sources.join('')} CREATE ${query};`);
  const written = (json: string): string =>
    type === 'STRING' && json !== 'null' ? JSON.stringify(json) : json;
  for (const [at, { topic, key, column, isGone, timestamp }] of rows.entries()) {
    const value = isGone ? null : `{"C":${written(column)},"V":${at}}`;
    await engine.produce(topic, [{ key: written(key), value, timestamp }]);
    // What comes of one topic may wait for more of it.
    if (rows[at + 1]?.topic !== topic) await engine.idle();
  }
  await engine.idle();
  const isWindowed = query.includes('WINDOW');
  return await resultOf(engine, query.includes('SESSION') ? 16 : isWindowed ? 8 : 0);
}

test(
  `${QUERIES} queries over keys of any type give what they give over texts`,
  async () => {
    const drawn = fc
      .tuple(fc.constantFrom(...Object.keys(TYPES)), fc.constantFrom(...QUERIES_OVER))
      .chain(([type, query]) => {
        const topics = ['s', 'z', 'p', 'q'].filter((name) =>
          new RegExp(`(FROM|JOIN) ${name}\\b`).test(query),
        );
        return fc.tuple(
          fc.constant(type),
          fc.constant(query),
          given(TYPES[type] ?? [], topics),
          ways,
        );
      });
    const property = fc.asyncProperty(drawn, async ([type, query, rows, way]) => {
      const expected = await run('STRING', query, rows, { isRow: true, isKernel: false });
      expect(await run(type, query, rows, way)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: QUERIES });
  },
  HANGS_MS + QUERIES * QUERY_MS_MAX,
);

const OVER_WINDOWED: readonly string[] = [
  'SELECT k, v + 1 AS w FROM ws WHERE v % 3 > 0',
  `SELECT ws.k, ws.v, zs.v FROM ws LEFT JOIN zs ${NEAR} ON ws.k = zs.k`,
  `SELECT ws.k, ws.v, zs.v FROM ws JOIN zs WITHIN 5 MILLISECONDS ON ws.k = zs.k`,
];

test(
  `${QUERIES} queries over windowed streams give what they give over streams whose keys are texts of the windowed keys`,
  async () => {
    const drawn = fc.record({
      window: fc.constantFrom(...WINDOWS.slice(1)),
      query: fc.constantFrom(...OVER_WINDOWED),
      rows: given(['a', 'b', 'ab'], ['s', 'z']),
      way: ways,
    });
    const property = fc.asyncProperty(drawn, async ({ window, query, rows, way }) => {
      await using windowed = await opened(way);
      await using plain = await opened({ isRow: true, isKernel: false });
      const [, type = ''] = window.split(' ');
      const size = window.includes('SIZE') ? ", WINDOW_SIZE='10 MILLISECONDS'" : '';
      for (const [name, over] of [
        ['s', 'ws'],
        ['z', 'zs'],
      ] as const) {
        await windowed.execute(`
          CREATE STREAM ${name} (k STRING KEY, v INT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');
          CREATE TABLE ${name}_made AS SELECT k, SUM(v) AS v FROM ${name} ${window} GROUP BY k;
          CREATE STREAM ${over} (k STRING KEY, v INT)
            WITH (KAFKA_TOPIC='${name.toUpperCase()}_MADE', VALUE_FORMAT='JSON', WINDOW_TYPE='${type}'${size});`);
        await plain.execute(`
          CREATE STREAM ${over} (k STRING KEY, v INT)
            WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`);
      }
      await windowed.execute(`CREATE STREAM r AS ${query};`);
      await plain.execute(`CREATE STREAM r AS ${query};`);
      const taken = new Map<string, number>();
      for (const [at, { topic, key, isGone, timestamp }] of rows.entries()) {
        const value = isGone ? null : `{"V":${at}}`;
        await windowed.produce(topic, [{ key, value, timestamp }]);
        await windowed.idle();
        const made = await windowed.topicRecords(`${topic.toUpperCase()}_MADE`);
        const more = made.slice(taken.get(topic) ?? 0);
        taken.set(topic, made.length);
        const texts = more.map((record) => ({ ...record, key: (record.key ?? []).join() }));
        await plain.produce(topic, texts);
        await plain.idle();
      }
      expect(await resultOf(windowed, 0)).toEqual(await resultOf(plain, 0));
    });
    await fc.assert(property, { numRuns: QUERIES });
  },
  HANGS_MS + QUERIES * QUERY_MS_MAX,
);
