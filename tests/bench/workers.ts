// Suite `workers`: one persistent query over four partitions of JSON, its tasks in one thread and spread over Workers; knows the public engine alone.

import { availableParallelism } from 'node:os';

import { inThread } from './in-thread.ts';
import { runCase, type SuiteResult } from './run.ts';
import type { PooledWork } from './workers-worker.ts';

const KEYS = 10_000;
const ROUNDS = 7;
const WARMUPS = 3;

async function measured(query: PooledWork['query'], events: number, rounds: number) {
  const subjects = [];
  for (const workers of [1, 2] as const) {
    const work: PooledWork = { events, keys: KEYS, query, workers };
    subjects.push(await inThread(`workers: ${workers}`, 'workers-worker.ts', work));
  }
  try {
    return await runCase(
      {
        case: `json, 4 partitions, ${query} path, a change per event`,
        unit: 'M events/s',
        amount: events,
        subjects,
        ratios: [['workers: 2', 'workers: 1']],
      },
      rounds,
      WARMUPS,
    );
  } finally {
    await Promise.all(subjects.map((subject) => subject.end()));
  }
}

/** Measured from the text of the query, the topic being filled, until all changes are committed in the table's topic. */
export async function workersSuite(full: boolean): Promise<SuiteResult> {
  const rounds = full ? ROUNDS : 3;
  const events = full ? 400_000 : 80_000;
  const done = [];
  for (const query of ['kernel', 'row'] as const) done.push(await measured(query, events, rounds));
  return {
    suite: 'workers',
    cases: done.flatMap(({ results }) => results),
    ratios: Object.fromEntries(done.flatMap(({ ratios }) => ratios)),
    notes: [
      `The machine has ${availableParallelism()} cores: two Workers share them with the engine's own thread, which reads the log and commits.`,
      'Rows and their order are compared between the subjects in every round.',
    ],
  };
}
