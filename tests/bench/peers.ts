// Suite `peers`: the kernel suite's query beside other libraries in JavaScript, incrementally and as a batch; knows no SQL of ours.

import { makeEvents, type Events } from './events.ts';
import { kernelChanges, kernelStates, laterEvents, SIZE_MS, type Work } from './kernel-subjects.ts';
import { DUCKDB_MISSING, duckDb, openDuckDb } from './peers-duckdb.ts';
import { arquero, dbIvm, rxjs, sqlite } from './peers-subjects.ts';
import { aimOf, type MeasuredCase, runCase, suiteOf, type SuiteResult } from './run.ts';

const KEYS = [100, 10_000, 1_000_000];
const INCREMENTAL_MIN = 20;
const DUCKDB_MIN = 5;

function workOf(events: Events): Work {
  return { events, later: laterEvents(events), emission: 'results', advanceMs: SIZE_MS };
}

async function incrementally(count: number, keys: number, rounds: number): Promise<MeasuredCase> {
  const events = makeEvents(count, keys);
  const name = `incrementally, ${keys} keys, ${events.count} events`;
  const peers = [rxjs(events), dbIvm(events)];
  const ratios = peers.map(({ subject }): [string, string] => ['kernel', subject]);
  const done = await runCase(
    {
      case: name,
      unit: 'M events/s',
      amount: events.count,
      subjects: [kernelChanges(workOf(events)), ...peers],
      ratios,
    },
    rounds,
  );
  const aims = ratios.map((pair) => aimOf(name, pair, INCREMENTAL_MIN));
  return { done, aims };
}

async function asBatch(
  count: number,
  keys: number,
  rounds: number,
  duck: Awaited<ReturnType<typeof openDuckDb>>,
): Promise<MeasuredCase> {
  const events = makeEvents(count, keys);
  const name = `as a batch, ${keys} keys, ${events.count} events`;
  const databases = [sqlite(events), ...(duck === null ? [] : [duckDb(duck, events)])];
  const peers = [arquero(events), ...databases];
  try {
    const done = await runCase(
      {
        case: name,
        unit: 'M events/s',
        amount: events.count,
        subjects: [kernelStates(workOf(events)), ...peers],
        ratios: peers.map(({ subject }) => ['kernel', subject]),
      },
      rounds,
    );
    const aims = peers
      .filter(({ subject }) => subject.startsWith('duckdb'))
      .map(({ subject }) => aimOf(name, ['kernel', subject], DUCKDB_MIN));
    return { done, aims };
  } finally {
    for (const database of databases) database.end();
  }
}

/**
 * Over rows or columns in memory, ingest excluded. Incrementally: after every 4,096 rows each changed group is read once, the checksum
 * being over all of them. As a batch: one query over all rows, its groups read once at the end.
 */
export async function peersSuite(full: boolean): Promise<SuiteResult> {
  const all: MeasuredCase[] = [];
  const rounds = full ? 3 : 1;
  for (const keys of KEYS) all.push(await incrementally(full ? 100_000 : 20_000, keys, rounds));
  const duck = await openDuckDb();
  for (const keys of KEYS) all.push(await asBatch(full ? 2_000_000 : 200_000, keys, rounds, duck));
  return suiteOf('peers', all, [
    duck === null ? DUCKDB_MISSING : `duckdb-wasm is DuckDB ${duck.getVersion()}, on one thread.`,
    'arquero is 7.2.1.',
  ]);
}
