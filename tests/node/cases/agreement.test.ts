// Queries of all shapes over all types: whole and in pieces, beside a whole kernel and without one, restarted on either, in memory and in a file, they give the same.

import process from 'node:process';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { LimitError, StatementError } from '../../../runtime/base/errors.ts';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { systemClock } from '../../../runtime/memory/system-clock.ts';
import { JOIN_RUNS } from '../../../runtime/operators/join-runs-part.ts';
import { WHOLE_KERNEL } from '../../../runtime/operators/parts.ts';
import { ROW_PATH } from '../../../runtime/plan/parts.ts';
import type { Host } from '../../../runtime/ports/host.ts';
import { sqliteHost } from '../../../runtime/sqlite/sqlite-host.ts';
import { GROUP_BLOCKS, KEPT_COLUMNS } from '../../../runtime/state/parts.ts';
import { KERNEL_DECODERS } from '../../../runtime/task/parts.ts';
import { type Draw, draws } from '../../support/draws.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { takeAway } from '../../support/taken-parts.ts';
import {
  type WideQuery,
  wideQuery,
  type WideRecord,
  wideRecords,
} from '../../support/wide-queries.ts';
import { Folder } from '../sqlite/file.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 30);
/** On a busy machine. */
const QUERY_MS_MAX = 1_000;
const BESIDE_WHOLE_KERNEL = [
  ROW_PATH.code.WHOLE_KERNEL,
  KERNEL_DECODERS,
  KEPT_COLUMNS,
  GROUP_BLOCKS,
  WHOLE_KERNEL,
  JOIN_RUNS,
];

const folder = new Folder();
afterAll(() => folder.remove());
let files = 0;

interface Way {
  /** Opens the host, again after each restart. */
  readonly host: () => Promise<Host>;
  readonly path: 'auto' | 'row';
  /** Whether it starts anew now. */
  readonly restarts: () => boolean;
}

const never = (): boolean => false;

/** One log and store; each time that it is opened, with the next of the kernels. */
function inMemory(kernels: readonly (WebAssembly.Module | null)[]): Way['host'] {
  const host = memoryHost();
  let opened = 0;
  return async () => ({ ...host, kernel: kernels[opened++ % kernels.length] ?? null });
}

function inFile(): Way['host'] {
  const file = folder.file(`${++files}.db`);
  return () =>
    sqliteHost({
      file,
      durability: 'relaxed',
      clock: systemClock,
      kernel: kernelModule(),
      commitIntervalMs: 0,
    });
}

/** What can be seen of a query; null: it is refused; a text: why it has ended. */
async function outcome(
  { sql, isTable }: WideQuery,
  pieces: readonly (readonly WideRecord[])[],
  { host, path, restarts }: Way,
): Promise<unknown> {
  const properties = { 'auto.offset.reset': 'earliest', 'millrace.path': path };
  const opened = async (): Promise<Engine> => openEngine({ host: await host(), properties });
  let engine = await opened();
  const settle = async (): Promise<void> => {
    if (restarts()) {
      await engine.close();
      engine = await opened();
    }
    await engine.idle();
  };
  try {
    for (const statement of sql) await engine.execute(statement);
    for (const piece of pieces) {
      // One topic at a time, so that what is at hand does not hang on how fast the engine is.
      for (const topic of new Set(piece.map((record) => record.topic))) {
        await engine.produce(
          topic,
          piece.filter((record) => record.topic === topic),
        );
        await settle();
      }
    }
    const text = (bytes: Uint8Array | null) => bytes && decodeUtf8(bytes);
    const records = await engine.topicRecords('R');
    const problems = await engine.topicRecords('__processing_log').catch(() => []);
    return {
      records: records.map(({ key, value, timestamp }) => [text(key), text(value), timestamp]),
      rows: isTable ? await (await engine.query('SELECT * FROM r;')).all() : null,
      problems: problems
        .map(({ value }) => {
          const { topic, offset, code } = JSON.parse(text(value) ?? '') as Record<string, unknown>;
          return JSON.stringify([topic, offset, code]);
        })
        .sort(),
    };
  } catch (thrown) {
    if (thrown instanceof StatementError) return null;
    // A DECIMAL that overflows ends the query, and what its commit held is undone.
    if (thrown instanceof LimitError) return thrown.message;
    throw thrown;
  } finally {
    await engine.close();
  }
}

/** Without anything that stands beside a whole kernel, as in pages, and without a kernel. */
async function plainOutcome(query: WideQuery, pieces: readonly (readonly WideRecord[])[]) {
  const putBack = takeAway(BESIDE_WHOLE_KERNEL);
  try {
    return await outcome(query, pieces, { host: inMemory([null]), path: 'row', restarts: never });
  } finally {
    putBack();
  }
}

/** Pieces of up to so many records. */
function cut(records: readonly WideRecord[], draw: Draw, max: number): WideRecord[][] {
  const pieces: WideRecord[][] = [];
  for (let from = 0; from < records.length;) {
    const to = from + 1 + draw(max);
    pieces.push(records.slice(from, to));
    from = to;
  }
  return pieces;
}

test(
  `${QUERIES} queries of any shape give the same in every way`,
  async () => {
    const kernel = kernelModule();
    let given = 0;
    const property = fc.asyncProperty(
      fc.noShrink(fc.integer()),
      fc.integer({ min: 1, max: 120 }),
      async (seed, count) => {
        const draw = draws(seed);
        const query = wideQuery(draw);
        const records = wideRecords(draw, query.topics, count);
        const pieces = cut(records, draw, count);
        const expected = await plainOutcome(query, pieces);
        const at = `seed ${seed}: ${query.sql.at(-1)}`;
        const whole = { path: 'auto', restarts: never } as const;
        const restarts = (): boolean => draw(2) === 0;
        const ways: readonly Way[] = [
          { ...whole, host: inMemory([kernel]) },
          { path: 'auto', restarts, host: draw(4) === 0 ? inFile() : inMemory([kernel, null]) },
        ];
        for (const way of ways) expect(await outcome(query, pieces, way), at).toEqual(expected);
        // What comes of one topic alone does not hang on how it is cut.
        const others = query.topics.length > 1 ? pieces : cut(records, draw, 20);
        const row = { path: 'row', restarts, host: inMemory([kernel]) } as const;
        expect(await outcome(query, others, row), at).toEqual(expected);
        if (expected !== null) given++;
      },
    );
    await fc.assert(property, { numRuns: QUERIES });
    // Few are refused: a function may not be for a type that was drawn.
    expect(given).toBeGreaterThan(QUERIES / 2);
  },
  60_000 + QUERIES * QUERY_MS_MAX,
);
