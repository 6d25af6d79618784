// A cache of an aggregation: the last change of each key of a block of offsets, the same however the input is cut, on every path.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { CACHE_BLOCK_OFFSETS_MAX, COMMIT_INTERVAL_MS_MAX } from '../../../runtime/base/limits.ts';
import { produce } from '../../../runtime/engine/insert.ts';
import { readRecords } from '../../../runtime/engine/records.ts';
import { createSystemTopics, ensureTopic, internalTopic } from '../../../runtime/engine/system.ts';
import { loadFunctions } from '../../../runtime/engine/functions.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { Plan, Step } from '../../../runtime/plan/step.ts';
import { Task } from '../../../runtime/task/task.ts';
import { tasksOf } from '../../../runtime/task/topology.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { Session } from '../plan/session.ts';

const SOURCE = `CREATE STREAM events (k STRING, g INT, x DOUBLE)
  WITH (KAFKA_TOPIC='events', PARTITIONS=1, VALUE_FORMAT='JSON');`;
const CACHED = { 'cache.max.bytes.buffering': '1000000' };
const INTERVAL_MS = 2000;
/** Offsets of a block here, so that a few records make several. */
const BLOCK_OFFSETS = 16;
const registry = builtinRegistry();

/** Keys of one and of two columns, windows of every kind, rows that HAVING takes back. */
const QUERIES = [
  'SELECT k, COUNT(*) AS n, SUM(x) AS total, MIN(x) AS least FROM events WINDOW TUMBLING (SIZE 100 MILLISECONDS, GRACE PERIOD 50 MILLISECONDS) GROUP BY k EMIT CHANGES;',
  'SELECT k, g, COUNT(*) AS n, AVG(x) AS mean FROM events GROUP BY k, g EMIT CHANGES;',
  'SELECT g, COUNT(*) AS n, MAX(x) AS most FROM events WINDOW HOPPING (SIZE 100 MILLISECONDS, ADVANCE BY 30 MILLISECONDS) GROUP BY g EMIT CHANGES;',
  'SELECT k, COUNT(*) AS n, SUM(x) AS total FROM events GROUP BY k HAVING SUM(x) > 0 EMIT CHANGES;',
  'SELECT k, COUNT(*) AS n, LATEST_BY_OFFSET(k) AS latest FROM events WINDOW SESSION (20 MILLISECONDS) GROUP BY k EMIT CHANGES;',
  'SELECT k, UNIX_TIMESTAMP() AS now, COUNT(*) AS n FROM events GROUP BY k EMIT CHANGES;',
];

function planOf(query: string, properties: Readonly<Record<string, string>>): Plan {
  const session = new Session(properties);
  session.run(`${SOURCE} CREATE TABLE t WITH (KEY_FORMAT='JSON') AS ${query}`);
  const [plan] = session.plans.values();
  if (plan === undefined) throw new Error('there is no plan');
  const small = (step: Step): Step =>
    step.step === 'cache' ? { ...step, blockOffsets: BLOCK_OFFSETS } : step;
  return {
    ...plan,
    subtopologies: plan.subtopologies.map((part) => ({ ...part, steps: part.steps.map(small) })),
  };
}

interface Sent {
  readonly k: string | null;
  readonly g: number;
  readonly x: number;
  readonly timestamp: number;
}

/** One plan over logs in memory, turn by turn, under a clock that stands still. */
class Application {
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly #host = memoryHost({ kernel: kernelModule(), clock: this.clock });
  readonly #plan: Plan;
  #tasks: Task[] = [];

  private constructor(plan: Plan) {
    this.#plan = plan;
  }

  static async open(plan: Plan): Promise<Application> {
    const application = new Application(plan);
    const { log } = application.#host;
    await loadFunctions(plan, registry);
    await createSystemTopics(log);
    const internal = plan.internalTopics.map(({ name }) => internalTopic(name));
    const topics = ['events', 'T'].map((name) => ({ ...internalTopic(name), internal: false }));
    for (const topic of [...topics, ...internal]) await ensureTopic(log, topic);
    application.#start();
    return application;
  }

  #start(): void {
    const { log, store, clock, kernel } = this.#host;
    const rest = { formats: FORMATS, registry, commitIntervalMs: 0 };
    this.#tasks = tasksOf(this.#plan).map(
      (name) => new Task({ name, plan: this.#plan, log, store, clock, kernel, ...rest }),
    );
  }

  async restart(): Promise<void> {
    for (const task of this.#tasks) await task.stop();
    this.#start();
  }

  async send(records: readonly Sent[]): Promise<void> {
    const { log, clock } = this.#host;
    const sent = records.map(({ timestamp, ...value }) => {
      return { key: null, value: JSON.stringify(value), timestamp };
    });
    await produce(log, clock, { topic: 'events', spare: 0 }, sent);
  }

  /** Turns until nothing is left to do without the clock. */
  async run(): Promise<void> {
    for (let isBusy = true; isBusy;) {
      isBusy = false;
      for (const task of this.#tasks) {
        const { kind } = await task.turn();
        if (kind === 'ended') throw task.error ?? new Error('the task has ended');
        isBusy ||= kind === 'progress';
      }
    }
  }

  /** What the query has written, as `key value timestamp`. */
  async written(): Promise<string[]> {
    const records = await readRecords(this.#host.log, 'T', { partition: 0 });
    return records.map(({ key, value, timestamp }) => {
      const text = (bytes: Uint8Array | null): string =>
        bytes === null ? 'null' : decodeUtf8(bytes);
      return `${text(key)} ${text(value)} ${timestamp}`;
    });
  }
}

const records: fc.Arbitrary<Sent[]> = fc.array(
  fc.record({
    k: fc.constantFrom('a', 'b', 'c', 'd', 'e', null),
    g: fc.integer({ min: 0, max: 3 }),
    x: fc.integer({ min: -8, max: 8 }).map((x) => x / 4),
    timestamp: fc.integer({ min: 0, max: 200 }),
  }),
  { minLength: 1, maxLength: 100 },
);

/** How the input comes: lengths of appended batches, over and over, and after which of them the tasks are opened again. */
const comings = fc.record({
  cuts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
  restarts: fc.array(fc.nat(12), { maxLength: 4 }),
});

async function outcome(
  plan: Plan,
  sent: readonly Sent[],
  { cuts, restarts }: { readonly cuts: readonly number[]; readonly restarts: readonly number[] },
): Promise<string[]> {
  const application = await Application.open(plan);
  let at = 0;
  for (let cut = 0; at < sent.length; cut++) {
    const part = sent.slice(at, at + (cuts[cut % cuts.length] as number));
    await application.send(part);
    at += part.length;
    await application.run();
    if (restarts.includes(cut)) await application.restart();
  }
  await application.run();
  application.clock.advance(INTERVAL_MS);
  await application.run();
  return await application.written();
}

const WHOLE = { cuts: [100], restarts: [] };

for (const fuse of ['auto', 'never']) {
  test.each(QUERIES)(`cuts, restarts and paths do not show, fuse ${fuse}: %s`, async (query) => {
    const given = { ...CACHED, 'millrace.fuse': fuse };
    const kernel = planOf(query, given);
    const row = planOf(query, { ...given, 'millrace.path': 'row' });
    await fc.assert(
      fc.asyncProperty(records, comings, comings, async (sent, one, other) => {
        const expected = await outcome(kernel, sent, WHOLE);
        expect(await outcome(kernel, sent, one)).toEqual(expected);
        expect(await outcome(row, sent, other)).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  });
}

test('of the changes of a block the last one of each key is shown, in the order of their first ones', async () => {
  const query = 'SELECT k, COUNT(*) AS n, SUM(x) AS total FROM events GROUP BY k EMIT CHANGES;';
  const cached = planOf(query, CACHED);
  const plain = planOf(query, {});
  await fc.assert(
    fc.asyncProperty(records, async (given) => {
      const sent = given.map((record) => ({ ...record, k: record.k ?? 'null' }));
      const changes = await outcome(plain, sent, WHOLE);
      expect(changes).toHaveLength(sent.length);
      const expected: string[] = [];
      for (let from = 0; from < sent.length; from += BLOCK_OFFSETS) {
        const last = new Map<string, string>();
        sent
          .slice(from, from + BLOCK_OFFSETS)
          .forEach(({ k }, i) => last.set(k, changes[from + i] as string));
        expected.push(...last.values());
      }
      expect(await outcome(cached, sent, WHOLE)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

const COUNTED = 'SELECT k, COUNT(*) AS n FROM events GROUP BY k EMIT CHANGES;';
const ONE = { k: 'a', g: 0, x: 0, timestamp: 0 };

test('a block that is not full waits for the clock, its commit with it', async () => {
  const application = await Application.open(
    planOf(COUNTED, { ...CACHED, 'commit.interval.ms': '500' }),
  );
  await application.send([ONE]);
  await application.run();
  application.clock.advance(499);
  await application.send([ONE]);
  await application.run();
  expect(await application.written()).toEqual([]);
  application.clock.advance(1);
  await application.run();
  expect(await application.written()).toEqual(['"a" {"N":2} 0']);
  // A full one does not wait: it began at offset 0.
  await application.send(Array.from({ length: BLOCK_OFFSETS }, () => ONE));
  await application.run();
  expect(await application.written()).toEqual(['"a" {"N":2} 0', '"a" {"N":16} 0']);
});

test('a block has CACHE_BLOCK_OFFSETS_MAX offsets, and the commit interval at most COMMIT_INTERVAL_MS_MAX', () => {
  const run = (ms: number): Plan | undefined => {
    const session = new Session({ ...CACHED, 'commit.interval.ms': String(ms) });
    session.run(`${SOURCE} CREATE TABLE t AS ${COUNTED}`);
    return [...session.plans.values()][0];
  };
  const steps = run(COMMIT_INTERVAL_MS_MAX)?.subtopologies.flatMap((part) => part.steps) ?? [];
  expect(steps.find(({ step }) => step === 'cache')).toMatchObject({
    blockOffsets: CACHE_BLOCK_OFFSETS_MAX,
    intervalMs: COMMIT_INTERVAL_MS_MAX,
  });
  expect(() => run(COMMIT_INTERVAL_MS_MAX + 1)).toThrow(/commit\.interval\.ms is 30001/);
});
