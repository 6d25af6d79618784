// Suite `engine`: one query of SQL from filled topics to its last change, row path and kernel path; knows the public engine alone.

import { once } from 'node:events';
import { resolve } from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';

import { CHROMIUM_MISSING, findChromium } from '../support/chromium.ts';
import type { EngineWork } from './engine-worker.ts';
import { BATCH_ROWS } from './events.ts';
import { idbCommitCase } from './idb-commit.ts';
import { runCase, type Subject, type SuiteResult } from './run.ts';

const KEYS = 10_000;
const ROUNDS = 9;
/** Code is compiled anew as it gets hot: the engine has more of it than a loop. */
const WARMUPS = 3;
const FILE = resolve(import.meta.dirname, 'engine-worker.ts');

type Source = EngineWork['source'];
type Query = NonNullable<EngineWork['query']>;

const FUSE_NAMES: Readonly<Record<Query['fuse'], string>> = {
  never: 'repartitioned',
  auto: 'fused',
};

/** A subject in a thread of its own; its answer comes by message, which takes a tenth of a millisecond. */
async function inThread(subject: string, work: EngineWork): Promise<Subject & { end(): unknown }> {
  const worker = new Worker(FILE, { workerData: work });
  await once(worker, 'message');
  const run = async (): Promise<number> => {
    worker.postMessage('run', []);
    const [sum] = (await once(worker, 'message')) as [number];
    return sum;
  };
  return { subject, prepare: () => run, end: () => worker.terminate() };
}

async function measured(
  source: Source,
  fuse: Query['fuse'],
  count: number,
): ReturnType<typeof runCase> {
  const work = { source, events: count, keys: KEYS };
  const subjects = [
    await inThread('kernel path', { ...work, query: { path: 'kernel', fuse } }),
    await inThread('row path', { ...work, query: { path: 'row', fuse } }),
    await inThread('nested Map', { ...work, query: null }),
  ];
  const bench = {
    case: `${source}, ${FUSE_NAMES[fuse]}, a change per event`,
    unit: 'M events/s',
    amount: Math.floor(count / BATCH_ROWS) * BATCH_ROWS,
    subjects,
    ratios: [
      ['kernel path', 'row path'],
      ['row path', 'nested Map'],
    ] as const,
  };
  try {
    return await runCase(bench, ROUNDS, WARMUPS);
  } finally {
    await Promise.all(subjects.map((subject) => subject.end()));
  }
}

/**
 * Measured from the text of the query, the topics being filled, to the change of the last event in the hands of the reader: planning,
 * tasks, commits and the internal topic are within. The nested Map has the keys as strings in arrays and reads no log.
 */
export async function engineSuite(): Promise<SuiteResult> {
  const done = [];
  for (const fuse of ['never', 'auto'] as const)
    done.push(await measured('columnar', fuse, 2_000_000));
  for (const fuse of ['never', 'auto'] as const) done.push(await measured('json', fuse, 250_000));
  if (findChromium() === null) process.stderr.write(`${CHROMIUM_MISSING}\n`);
  else done.push(await idbCommitCase());
  return {
    suite: 'engine',
    cases: done.flatMap(({ results }) => results),
    ratios: Object.fromEntries(done.flatMap(({ ratios }) => ratios)),
  };
}
