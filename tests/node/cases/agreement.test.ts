// Queries of all shapes over all types: whole and in pieces, beside a whole kernel, with what a page has of it and without one, restarted on either, in memory and in a file, in Workers, over one partition and several, they give the same.

import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { systemClock } from '../../../runtime/memory/system-clock.ts';
import * as keysInPages from '../../../runtime/operators/kernel-keys.ts';
import { KERNEL_KEYS, WHOLE_KERNEL } from '../../../runtime/operators/parts.ts';
import { ROW_PATH } from '../../../runtime/plan/parts.ts';
import { sqliteHost } from '../../../runtime/sqlite/sqlite-host.ts';
import { GROUP_BLOCKS } from '../../../runtime/state/parts.ts';
import { JSON_MODULE, KERNEL_DECODERS } from '../../../runtime/task/parts.ts';
import { type Draw, draws } from '../../support/draws.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { takeAway } from '../../support/taken-parts.ts';
import { pullCondition } from '../../support/wide-pulls.ts';
import { type WideQuery, wideQuery, wideRecords } from '../../support/wide-queries.ts';
import { outcome, piecesOf, type Way, type WideRun } from '../../support/wide-runs.ts';
import { Folder } from '../sqlite/file.ts';
import { HANGS_MS } from '../../support/waits.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 30);
/** On a busy machine. */
const QUERY_MS_MAX = 1_000;
const RECORDS_MAX = 120;
/** By which each table is asked. */
const CONDITIONS = 4;
/** Where each is taken to its end before the next. */
const SINGLE_RECORDS_MAX = 40;
/** One query in so many is over as many records, and groups; over more than a batch has in a run of its own. */
const LARGE_ONE_IN = 20;
const LARGE_RECORDS_MAX = Number(process.env['RECORDS'] ?? 1_500);
const BESIDE_WHOLE_KERNEL = [
  ROW_PATH.code.WHOLE_KERNEL,
  KERNEL_DECODERS,
  GROUP_BLOCKS,
  WHOLE_KERNEL,
];

/** What a page has of the kernel at first; its decoder of JSON is there by now. */
const HALVES = [kernelModule('aggregates')];
const DECODER = { configurable: true, value: { module: kernelModule('json') } };

const folder = new Folder();
afterAll(() => folder.remove());
let files = 0;

const never = (): boolean => false;

type Kernels = readonly (WebAssembly.Module | null)[];

/** One log and store; each time that it is opened, with the next of the kernels. */
function inMemory(kernels: Kernels): Way['host'] {
  const host = memoryHost();
  let opened = 0;
  return async () => ({ ...host, kernel: kernels[opened++ % kernels.length] ?? null });
}

function inFile(kernels: Kernels): Way['host'] {
  const file = folder.file(`${++files}.db`);
  let opened = 0;
  return () => {
    const kernel = kernels[opened++ % kernels.length] ?? null;
    const clock = systemClock;
    return sqliteHost({ file, durability: 'relaxed', clock, kernel, commitIntervalMs: 0 });
  };
}

/** Without anything that stands beside a whole kernel. */
async function plainOutcome(run: WideRun, way: Way) {
  const putBack = takeAway(BESIDE_WHOLE_KERNEL);
  const whole = KERNEL_KEYS.code;
  KERNEL_KEYS.given(keysInPages);
  // Not for good: others see it come.
  Object.defineProperty(JSON_MODULE, 'fetched', DECODER);
  try {
    return await outcome(run, way);
  } finally {
    Reflect.deleteProperty(JSON_MODULE, 'fetched');
    KERNEL_KEYS.given(whole);
    putBack();
  }
}

/** A WHERE over the table gives the rows for which it is true, as the SELECT shows it. */
async function expectPulls(engine: Engine, query: WideQuery, draw: Draw): Promise<void> {
  const rowsOf = async (sql: string) => (await engine.query(sql)).all();
  const rows = await rowsOf('SELECT * FROM r;');
  for (let asked = 0; asked < CONDITIONS; asked++) {
    const where = pullCondition(draw, query, rows, 1 + draw(3));
    const found = await rowsOf(`SELECT * FROM r WHERE ${where};`);
    const all = await rowsOf(`SELECT *, (${where}) AS holds FROM r;`);
    const expected = all.flatMap(({ HOLDS: holds, ...row }) => (holds === true ? [row] : []));
    expect(found, `WHERE ${where}`).toEqual(expected);
    const limit = draw(4);
    const first = await rowsOf(`SELECT * FROM r WHERE ${where} LIMIT ${limit};`);
    expect(first, `WHERE ${where} LIMIT ${limit}`).toEqual(expected.slice(0, limit));
  }
}

interface Drawn {
  readonly run: WideRun;
  readonly ways: readonly Way[];
  /** The same records, cut otherwise where that means nothing. */
  readonly others: WideRun['pieces'];
}

function drawn(draw: Draw): Drawn {
  const partitions = draw(4) === 0 ? 2 + draw(2) : 1;
  const isLarge = partitions === 1 && draw(LARGE_ONE_IN) === 0;
  const query = wideQuery(draw, { partitions });
  // Of several partitions a row may go to several tasks and from these to one: a record at a time, then.
  const isSingly = partitions > 1 && query.isJoin;
  const recordsMax = isLarge ? LARGE_RECORDS_MAX : isSingly ? SINGLE_RECORDS_MAX : RECORDS_MAX;
  const records = wideRecords(draw, query, 1 + draw(recordsMax), isLarge ? recordsMax : 0);
  const pieces = piecesOf(records, draw, { max: isSingly ? 1 : records.length, partitions });
  const isLate = query.isRacing || (partitions === 1 && draw(4) === 0);
  // What comes of one topic alone does not hang on how it is cut, nor what waits for the query to begin; but what several queries write does.
  const isFree = partitions === 1 && (query.topics.length === 1 || (isLate && !query.isMixed));
  const others = isFree
    ? piecesOf(records, draw, { max: isLarge ? 1_000 : 20, partitions })
    : pieces;
  // An internal topic beside another input has its rows when the tasks have their turns.
  const fuse = !query.isJoin && draw(2) === 0 ? 'never' : 'auto';
  const hidesLate = fuse === 'never' || partitions > 1;
  const kernel = kernelModule();
  const restarts = (): boolean => draw(2 + (pieces.length >> 2)) === 0;
  const host = (kernels: Kernels): Way['host'] =>
    draw(6) === 0 ? inFile(kernels) : inMemory(kernels);
  const ask = async (engine: Engine): Promise<void> => {
    if (query.isTable) await expectPulls(engine, query, draw);
  };
  const whole: Way = { path: 'auto', restarts: never, host: inMemory([kernel]), ask };
  const ways: Way[] = [whole, { path: 'auto', fuse, restarts, host: host([kernel, null]) }];
  // What several tasks write to one partition comes in another order where they are side by side, and which rows are late hangs on it.
  if (partitions > 1 && !query.isOverWindows)
    ways.push({ path: 'auto', workers: 2, restarts, host: inMemory([kernel]) });
  ways.push({ path: 'row', fuse, restarts, host: host([kernel]) });
  return { run: { query, pieces, isLate, hidesLate }, ways, others };
}

test(
  `${QUERIES} queries of any shape give the same in every way`,
  async () => {
    let given = 0;
    const property = fc.asyncProperty(fc.noShrink(fc.integer()), async (seed) => {
      const { run, ways, others } = drawn(draws(seed));
      const plain = { host: inMemory([null]), path: 'row', restarts: never } as const;
      const expected = await plainOutcome(run, plain);
      const at = `seed ${seed}: ${run.query.sql.at(-1)}`;
      const founds = [() => plainOutcome(run, { ...plain, host: inMemory(HALVES), path: 'auto' })];
      for (const way of ways) {
        const pieces = way === ways.at(-1) ? others : run.pieces;
        founds.push(() => outcome({ ...run, pieces }, way));
      }
      for (const find of founds) {
        const found = await find();
        // This takes a tenth of the time of what tells the difference.
        const same = isDeepStrictEqual(found, expected) ? expected : found;
        expect(same, at).toEqual(expected);
      }
      if (expected !== null) given++;
    });
    await fc.assert(property, { numRuns: QUERIES });
    // Few are refused: a function may not be for a type that was drawn.
    expect(given).toBeGreaterThan(QUERIES / 2);
  },
  HANGS_MS + QUERIES * QUERY_MS_MAX,
);
