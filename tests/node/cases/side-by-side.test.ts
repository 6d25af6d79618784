// Several queries over one topic in one engine, which gets records without waiting and starts anew meanwhile, give what each of them gives alone.

import process from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { LimitError, StatementError } from '../../../runtime/base/errors.ts';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { type Draw, draws } from '../../support/draws.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { picked } from '../../support/wide-expressions.ts';
import { type Shape, wideQuery, type WideRecord, wideRecords } from '../../support/wide-queries.ts';
import { HANGS_MS } from '../../support/waits.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 15);
/** On a busy machine. */
const QUERY_MS_MAX = 2_000;
const RECORDS_MAX = Number(process.env['RECORDS'] ?? 200);

const STREAM: readonly Shape[] = [
  { from: 's', makes: 'projection' },
  { from: 's', makes: 'groups' },
  { from: 's', makes: 'windows' },
];
const TABLE: readonly Shape[] = [
  { from: 'p', makes: 'projection' },
  { from: 'p', makes: 'regroups' },
];

/** A query that makes a stream or table of its own name. */
interface Named {
  readonly name: string;
  readonly sql: string;
  readonly properties: Readonly<Record<string, string>>;
}

interface Drawn {
  readonly source: string;
  readonly queries: readonly Named[];
  readonly records: readonly WideRecord[];
}

function drawn(draw: Draw): Drawn {
  const shapes = draw(4) === 0 ? TABLE : STREAM;
  const first = wideQuery(draw, { shapes });
  const [source = ''] = first.sql;
  const texts: string[] = [];
  while (texts.length < 2 + draw(3)) {
    const { sql } = wideQuery(draw, { shapes, key: first.key });
    texts.push(sql.at(-1) ?? '');
  }
  const queries = texts.map((sql, at) => ({
    name: `R${at}`,
    sql: sql.replace(/^CREATE (\w+) r\b/, `CREATE $1 r${at}`),
    properties: {
      'millrace.path': picked(draw, ['auto', 'auto', 'row']),
      'millrace.fuse': picked(draw, ['auto', 'auto', 'never']),
    },
  }));
  const records = wideRecords(draw, first, 1 + draw(RECORDS_MAX), draw(2) * RECORDS_MAX);
  return { source, queries, records };
}

async function create(engine: Engine, { sql, properties }: Named): Promise<void> {
  try {
    await engine.execute(sql, { properties });
  } catch (thrown) {
    if (!(thrown instanceof StatementError)) throw thrown;
  }
}

/** A query that is refused makes nothing, and one whose DECIMAL overflows ends. */
async function resultsOf(engine: Engine, queries: readonly Named[]): Promise<unknown> {
  try {
    await engine.idle();
  } catch (thrown) {
    if (thrown instanceof LimitError) return null;
    throw thrown;
  }
  const lines: Record<string, readonly string[]> = {};
  for (const { name } of queries) {
    const records = await engine.topicRecords(name).catch(() => []);
    lines[name] = records.map(({ key, value, timestamp }) =>
      [key?.join() ?? '-', value === null ? '-' : decodeUtf8(value), timestamp].join(' '),
    );
  }
  return lines;
}

async function alone({ source, records }: Drawn, query: Named): Promise<unknown> {
  await using engine = await openEngine({ host: memoryHost({ kernel: null }) });
  await engine.execute(source);
  await create(engine, query);
  await engine.produce(records[0]?.topic ?? '', records);
  return await resultsOf(engine, [query]);
}

async function together({ source, queries, records }: Drawn, draw: Draw): Promise<unknown> {
  const host = memoryHost({ kernel: draw(4) === 0 ? null : kernelModule() });
  let engine = await openEngine({ host });
  await engine.execute(source);
  // Some begin when records are there.
  const waiting = queries.filter(() => draw(4) === 0);
  for (const query of queries) if (!waiting.includes(query)) await create(engine, query);
  for (let from = 0; from < records.length;) {
    const piece = records.slice(from, (from += 1 + draw(RECORDS_MAX)));
    await engine.produce(piece[0]?.topic ?? '', piece);
    const next = draw(3) === 0 ? waiting.shift() : undefined;
    if (next !== undefined) await create(engine, next);
    if (draw(4) > 0) continue;
    await engine.close();
    engine = await openEngine({ host });
  }
  for (const query of waiting) await create(engine, query);
  const results = await resultsOf(engine, queries);
  await engine.close();
  return results;
}

test(
  `${QUERIES} times several queries side by side give what each gives alone`,
  async () => {
    const property = fc.asyncProperty(fc.noShrink(fc.integer()), async (seed) => {
      const draw = draws(seed);
      const given = drawn(draw);
      const expected: Record<string, unknown> = {};
      for (const query of given.queries) {
        const own = await alone(given, query);
        if (own === null) return;
        Object.assign(expected, own);
      }
      const sql = given.queries.map((query) => query.sql).join('\n');
      expect(await together(given, draw), `seed ${seed}:\n${sql}`).toEqual(expected);
    });
    await fc.assert(property, { numRuns: QUERIES });
  },
  HANGS_MS + QUERIES * QUERY_MS_MAX,
);
