// Suite `engine`: one query of SQL from filled topics to its last change, row path and kernel path; knows the public engine alone.

import process from 'node:process';

import { CHROMIUM_MISSING, findChromium } from '../support/chromium.ts';
import type { EngineWork } from './engine-worker.ts';
import { BATCH_ROWS } from './events.ts';
import { idbCommitCase } from './idb-commit.ts';
import { inThread } from './in-thread.ts';
import { nexmarkCases } from './nexmark.ts';
import { aimOf, type MeasuredCase, runCase, suiteOf, type SuiteResult } from './run.ts';

const KEYS = 10_000;
const ROUNDS = 9;
/** Code is compiled anew as it gets hot: the engine has more of it than a loop. */
const WARMUPS = 3;
/** Of a case in short: so much that a window closes, and that the median of some rounds says something. */
const COLUMNAR_SHORT = { events: 1_000_000, rounds: 7 };
const JSON_SHORT = { events: 50_000, rounds: 2 };
const FILE = 'engine-worker.ts';
/** The whole engine takes at most one and a half times the time of the kernel alone. */
const ENGINE_TO_KERNEL_MIN = 1 / 1.5;

type Source = EngineWork['source'];
type Query = Exclude<EngineWork['query'], 'bare' | null>;

const FUSE_NAMES: Readonly<Record<Query['fuse'], string>> = {
  never: 'repartitioned',
  auto: 'fused',
};

async function measured(
  source: Source,
  fuse: Query['fuse'],
  { events: count, rounds }: typeof COLUMNAR_SHORT,
): Promise<MeasuredCase> {
  const work = { source, events: count, keys: KEYS };
  const hasBare = source === 'columnar';
  const subjects = [
    await inThread('kernel path', FILE, { ...work, query: { path: 'kernel', fuse } }),
    await inThread('row path', FILE, { ...work, query: { path: 'row', fuse } }),
    await inThread('nested Map', FILE, { ...work, query: null }),
    ...(hasBare ? [await inThread('bare kernel', FILE, { ...work, query: 'bare' })] : []),
  ];
  const ratios: [string, string][] = [
    ['kernel path', 'row path'],
    ['row path', 'nested Map'],
  ];
  if (hasBare) ratios.push(['kernel path', 'bare kernel']);
  const name = `${source}, ${FUSE_NAMES[fuse]}, a change per event`;
  const least = Number(ENGINE_TO_KERNEL_MIN.toFixed(3));
  const isAsked = hasBare && fuse === 'auto';
  const aims = isAsked ? [aimOf(name, ['kernel path', 'bare kernel'], least)] : [];
  const bench = {
    case: name,
    unit: 'M events/s',
    amount: Math.floor(count / BATCH_ROWS) * BATCH_ROWS,
    subjects,
    ratios,
  };
  try {
    return { done: await runCase(bench, rounds, WARMUPS), aims };
  } finally {
    await Promise.all(subjects.map((subject) => subject.end()));
  }
}

/**
 * Measured from the text of the query, the topics being filled, to the change of the last event in the hands of the reader: planning,
 * tasks, commits and the internal topic are within. The nested Map has the keys as strings in arrays and reads no log.
 */
export async function engineSuite(full: boolean): Promise<SuiteResult> {
  const rounds = full ? ROUNDS : 2;
  const all = await nexmarkCases(full ? 250_000 : 40_000, rounds);
  const columnar = full ? { events: 2_000_000, rounds } : COLUMNAR_SHORT;
  const json = full ? { events: 250_000, rounds } : JSON_SHORT;
  for (const fuse of ['never', 'auto'] as const)
    all.push(await measured('columnar', fuse, columnar));
  for (const fuse of ['never', 'auto'] as const) all.push(await measured('json', fuse, json));
  if (findChromium() === null) process.stderr.write(`${CHROMIUM_MISSING}\n`);
  else if (full) all.push({ done: await idbCommitCase(), aims: [] });
  return suiteOf('engine', all, [
    'Every row of each query is compared with the hand-written JavaScript before it is measured.',
  ]);
}
