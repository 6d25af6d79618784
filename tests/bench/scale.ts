// Suite `scale`: the time of an event as keys, open windows and queries over one topic get many; knows the public engine and the kernel.

import { QUERIES_MAX } from '../../runtime/base/limits.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import { Kernel } from '../../runtime/kernel/instance.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { fillColumnar } from './engine-source.ts';
import { BATCH_ROWS, makeEvents, keyBytesOf } from './events.ts';
import { program, SIZE_MS } from './kernel-subjects.ts';
import {
  type Aim,
  type MeasuredCase,
  runCase,
  type Subject,
  suiteOf,
  type SuiteResult,
} from './run.ts';

const KEYS = [100, 10_000, 1_000_000];
const OPEN_WINDOWS = [1, 10, 100, 1000];
const QUERIES = [1, 8, 100, QUERIES_MAX];
/** Groups of all open windows together. */
const GROUPS = 10_000;
/** Slowest by fastest time of an event, and of an event in windows. */
const SPREAD_MAX = 6;
const WINDOWS_SPREAD_MAX = 1.5;
const SHARED_RECORDS = 2_000;
/** Of windows, whose runs take a millisecond or two: one that others disturb must not be the median. */
const WINDOW_ROUNDS = 15;
/** Rounds of a few milliseconds that do not count, until what runs is compiled. */
const WARMUPS = 5;
/** What 1,000,000 keys make of so many fits KERNEL_MEMORY_BYTES_MAX and RESIDENT_STATE_BYTES_MAX. */
const KEYED_EVENTS_MAX = 400_000;

/** Runs subjects that are named by a number; each is compared with the first. */
async function compared(
  name: string,
  amount: number,
  subjects: readonly Subject[],
  rounds: number,
  spreadMax: number,
  warmups?: number,
): Promise<MeasuredCase> {
  const [first, ...others] = subjects.map(({ subject }) => subject);
  const ratios = others.map((other): [string, string] => [first ?? '', other]);
  const bench = { case: name, unit: 'M events/s', amount, subjects, ratios };
  const done = await runCase(bench, rounds, warmups);
  const aims = ratios.map(([a, b]): Aim => ({
    ratio: `${name}: ${a}/${b}`,
    bound: 'at most',
    value: spreadMax,
  }));
  return { done, aims };
}

const QUERY = `SELECT k, COUNT(*) AS n, SUM(x) AS total, MIN(x) AS least, MAX(x) AS most, AVG(x) AS mean
  FROM events WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY k EMIT CHANGES;`;

/** Fills the topic and lets go of what it was made from: a million names would weigh on every collection of garbage. */
async function fill(engine: Engine, count: number, keys: number): Promise<number> {
  const events = makeEvents(count, keys);
  await fillColumnar(engine, 'events', events);
  return events.count;
}

/** The whole engine over so many keys: SQL in, a change per event out. */
async function overKeys(count: number, rounds: number): Promise<MeasuredCase> {
  const engines: Engine[] = [];
  const subjects: Subject[] = [];
  let amount = 0;
  for (const keys of KEYS) {
    const engine = await open({ host: memoryHost({ kernel: kernelModule() }) });
    engines.push(engine);
    const records = await fill(engine, count, keys);
    amount = records;
    const run = async (): Promise<number> => {
      const properties = { 'auto.offset.reset': 'earliest' };
      await using rows = await engine.query(QUERY, { properties });
      let seen = 0;
      for await (const batch of rows.batches()) {
        seen += batch.length;
        if (seen >= records) break;
      }
      return seen;
    };
    subjects.push({ subject: `${keys} keys`, prepare: () => run });
  }
  const measured = await compared('engine, keys', amount, subjects, rounds, SPREAD_MAX);
  await Promise.all(engines.map((engine) => engine.close()));
  return measured;
}

/** The kernel with so many windows open at once, which the events hit at random; the number of groups stays. */
function inWindows(windows: number, count: number): Subject {
  const { batches, names } = makeEvents(count, GROUPS);
  const rows = batches.map(({ length, codes, value }) => ({
    length,
    selection: null,
    ids: codes.map((code) => Math.floor(code / windows)),
    rowtime: Float64Array.from(codes, (code) => (code % windows) * SIZE_MS),
    arguments: [{ values: value, validity: null }],
  }));
  return {
    subject: `${windows} open windows`,
    prepare: () => {
      const kernel = new Kernel(kernelModule(), program('groups', SIZE_MS, windows * SIZE_MS));
      for (let from = 0; from < names.length; from += BATCH_ROWS)
        kernel.intern(keyBytesOf(names.slice(from, from + BATCH_ROWS)));
      for (const batch of rows.slice(0, 16)) kernel.process(batch);
      return () => {
        for (const batch of rows) {
          const { late, refused } = kernel.process(batch);
          if (late.length > 0 || refused !== null) throw new Error('a row did not count');
        }
        return count;
      };
    },
  };
}

/** So many persistent queries over one topic of JSON, none of which lets a row through: what is left is reading. */
async function sharing(queries: number): Promise<{ subject: Subject; engine: Engine }> {
  const engine = await open({ host: memoryHost({ kernel: kernelModule() }) });
  await engine.execute(`CREATE STREAM events (k STRING, x DOUBLE)
    WITH (KAFKA_TOPIC='events', PARTITIONS=1, VALUE_FORMAT='JSON');`);
  for (let i = 0; i < queries; i += 1)
    await engine.execute(
      `CREATE STREAM far_${i} AS SELECT k, x FROM events WHERE x > 1000 EMIT CHANGES;`,
    );
  const records = Array.from({ length: SHARED_RECORDS }, (_, i) => ({
    key: null,
    value: `{"station":"north","k":"sensor-${i % 100}","x":${i % 1000},"unit":"K","n":${i}}`,
  }));
  const run = async (): Promise<number> => {
    await engine.produce('events', records);
    await engine.idle();
    return records.length;
  };
  return { subject: { subject: `${queries} queries`, prepare: () => run }, engine };
}

async function overQueries(rounds: number): Promise<MeasuredCase> {
  const all = [];
  for (const queries of QUERIES) all.push(await sharing(queries));
  const subjects = all.map(({ subject }) => subject);
  const name = 'queries over one topic';
  const measured = await compared(name, SHARED_RECORDS, subjects, rounds, SPREAD_MAX, WARMUPS);
  await Promise.all(all.map(({ engine }) => engine.close()));
  return measured;
}

/** Ratios are the first subject's speed by another's: how many times as long an event takes there. */
export async function scaleSuite(full: boolean): Promise<SuiteResult> {
  const rounds = full ? 7 : 2;
  const count = full ? 2_000_000 : 100_000;
  const windows = OPEN_WINDOWS.map((number) => inWindows(number, count));
  const amount = Math.floor(count / BATCH_ROWS) * BATCH_ROWS;
  const all = [
    await overKeys(Math.min(count, KEYED_EVENTS_MAX), rounds),
    await compared('kernel, open windows', amount, windows, WINDOW_ROUNDS, WINDOWS_SPREAD_MAX),
    await overQueries(rounds),
  ];
  return suiteOf('scale', all, [
    'Ratios say how many times as long an event takes.',
    `A database has at most ${QUERIES_MAX} persistent queries.`,
  ]);
}
