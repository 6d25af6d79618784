// Suite `engine`: one query of SQL from filled topics to its last change, row path and kernel path; knows the public engine alone.

import process from 'node:process';

import { memoryHost } from '../../runtime/memory/memory-host.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import { valueAt } from '../../runtime/data/column.ts';
import { positionOf, type Batch } from '../../runtime/data/batch.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { CHROMIUM_MISSING, findChromium } from '../support/chromium.ts';
import { fillColumnar, fillJson } from './engine-source.ts';
import { makeEvents, type EventBatch, type Events } from './events.ts';
import { idbCommitCase } from './idb-commit.ts';
import { NestedMap } from './reference-map.ts';
import { runCase, type Case, type Subject, type SuiteResult } from './run.ts';

const SIZE_MS = 60_000;
const GRACE_MS = 10_000;
const KEYS = 10_000;
const ROUNDS = 9;
/** Code is compiled anew as it gets hot: the engine has more of it than a loop. */
const WARMUPS = 3;

type Path = 'row' | 'kernel';
type Fuse = 'auto' | 'never';

const FUSE_NAMES: Readonly<Record<Fuse, string>> = { auto: 'fused', never: 'repartitioned' };

function queryOf(source: string): string {
  return `SELECT k, WINDOWSTART AS started, COUNT(*) AS n, SUM(x) AS total, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean
    FROM ${source} WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY k EMIT CHANGES;`;
}

/** What the subjects agree on: SUM in the last row of each batch (exact, as the values are), added up. */
function lastTotal(batch: Batch): number {
  const total = batch.columns[3];
  const value = total === undefined ? null : valueAt(total, positionOf(batch, batch.length - 1));
  return typeof value === 'number' ? value : NaN;
}

/** A push query, read as batches until the change of the last event has come. */
function pushed(engine: Engine, source: string, path: Path, fuse: Fuse, count: number): Subject {
  const properties = {
    'auto.offset.reset': 'earliest',
    'millrace.path': path,
    'millrace.fuse': fuse,
  };
  return {
    subject: `${path} path`,
    prepare: () => async () => {
      await using rows = await engine.query(queryOf(source), { properties });
      let seen = 0;
      let sum = 0;
      for await (const batch of rows.batches()) {
        seen += batch.length;
        sum += lastTotal(batch);
        if (seen >= count) break;
      }
      return sum + seen;
    },
  };
}

/** Events whose keys are codes alone: a million references would be looked at by every collection, whoever causes it. */
function withoutKeys(events: Events): Events {
  return { ...events, batches: events.batches.map((batch) => ({ ...batch, keys: [] })) };
}

function withKeys({ names }: Events, batch: EventBatch): EventBatch {
  return { ...batch, keys: Array.from(batch.codes, (code) => names[code] ?? '') };
}

/** The work without a log, a commit or columns: a result object per event. */
function nestedMap(events: Events): Subject {
  return {
    subject: 'nested Map',
    prepare: () => {
      const map = new NestedMap(SIZE_MS, GRACE_MS, 'rows');
      const batches = events.batches.map((batch) => withKeys(events, batch));
      return () => {
        let sum = 0;
        for (const batch of batches) {
          const rows = map.process(batch);
          const last = rows.at(-1) as { sum: number } | undefined;
          sum += rows.length + (last?.sum ?? NaN);
        }
        return sum;
      };
    },
  };
}

function caseOf(engine: Engine, source: string, fuse: Fuse, events: Events): Case {
  return {
    case: `${source}, ${FUSE_NAMES[fuse]}, a change per event`,
    unit: 'M events/s',
    amount: events.count,
    subjects: [
      pushed(engine, source, 'kernel', fuse, events.count),
      pushed(engine, source, 'row', fuse, events.count),
      nestedMap(events),
    ],
    ratios: [
      ['kernel path', 'row path'],
      ['row path', 'nested Map'],
    ],
  };
}

/**
 * Measured from the text of the query, the topics being filled, to the change of the last event in the hands of the reader: planning,
 * tasks, commits and the internal topic are within. The nested Map has the keys as strings in arrays and reads no log.
 */
export async function engineSuite(): Promise<SuiteResult> {
  const host = memoryHost({ kernel: kernelModule() });
  await using engine = await open({ host });
  const done = [];
  for (const [source, fill, count] of [
    ['columnar', fillColumnar, 2_000_000],
    ['json', fillJson, 250_000],
  ] as const) {
    const filled = makeEvents(count, KEYS);
    await fill(engine, source, filled);
    const events = withoutKeys(filled);
    for (const fuse of ['never', 'auto'] as const) {
      done.push(await runCase(caseOf(engine, source, fuse, events), ROUNDS, WARMUPS));
    }
  }
  if (findChromium() === null) process.stderr.write(`${CHROMIUM_MISSING}\n`);
  else done.push(await idbCommitCase());
  return {
    suite: 'engine',
    cases: done.flatMap(({ results }) => results),
    ratios: Object.fromEntries(done.flatMap(({ ratios }) => ratios)),
  };
}
