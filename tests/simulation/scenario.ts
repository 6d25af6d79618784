// One simulated run: events trickle in while crashes, lost replies, repeats, take-overs and restores strike; then everything is recounted.

import { expect } from 'vitest';
import { PortError } from '../../runtime/base/errors.ts';
import { readEntries } from '../../runtime/engine/catalog-topic.ts';
import { type FaultPlan, seededFaults, seededRandom } from '../../runtime/memory/faults.ts';
import { backup as backupOf, restore } from '../../runtime/memory/backup.ts';
import type { TaskState } from '../../runtime/memory/query-store.ts';
import { type DurablePorts, TestDriver } from '../../runtime/memory/test-driver.ts';
import type { Log } from '../../runtime/ports/log.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import { taskId, tasksOf } from '../../runtime/task/topology.ts';
import {
  changesIn,
  eventsOf,
  recordOf,
  recount,
  repartitioned,
  type SimulatedEvent,
  statements,
} from './events.ts';

export interface Scenario {
  readonly seed: number;
  readonly partitions: 1 | 2;
  readonly events: number;
  readonly faults: FaultPlan;
  /** How likely a take-over and a restore are after each portion of input. */
  readonly takeOvers: number;
  readonly restores: number;
  readonly kernel?: WebAssembly.Module | undefined;
  /** A mutant's adapters. */
  readonly wrap?: ((ports: DurablePorts) => DurablePorts) | undefined;
}

/** What struck, so that a suite can tell that its faults do strike. */
export interface Struck {
  readonly crashes: number;
  readonly takeOvers: number;
  readonly restores: number;
}

/** A scenario drawn from a seed. */
export function scenarioOf(seed: number): Scenario {
  return {
    seed,
    partitions: seed % 2 === 0 ? 1 : 2,
    events: 150,
    faults: seededFaults(seed),
    takeOvers: seed % 3 === 0 ? 0.2 : 0,
    restores: seed % 5 < 2 ? 0.2 : 0,
    wrap: seed % 4 < 2 ? inCalls : undefined,
  };
}

/** A log that takes several appends in one call. */
function inCalls({ log, store }: DurablePorts): DurablePorts {
  const appendAll: Log['appendAll'] = async (at, batches) => {
    const refusals: (Error | null)[] = [];
    for (const { bytes, stamp } of batches)
      refusals.push(await log.append(at, bytes, stamp).then(() => null, asRefusal));
    return refusals;
  };
  const own = { appendAll };
  return {
    store,
    log: new Proxy(log, {
      get(target, key) {
        const value: unknown = Reflect.get(key in own ? own : target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
  };
}

function asRefusal(thrown: unknown): PortError {
  if (!(thrown instanceof PortError)) throw thrown;
  return thrown;
}

/** Runs it and checks every output against a recount. */
export async function simulate(scenario: Scenario): Promise<Struck> {
  const { seed, partitions, kernel, wrap } = scenario;
  await using driver = new TestDriver({ delivery: 'outbox', kernel, wrap });
  await driver.execute(statements(partitions));
  const plans = await plansOf(driver);
  const events = eventsOf(seed, scenario.events);
  const random = seededRandom(seed ^ 0xfee1);
  const backups: { task: string; backup: TaskState }[] = [];
  let takeOvers = 0;
  let restores = 0;
  driver.arm(scenario.faults);
  for (let from = 0; from < events.length;) {
    const portion = events.slice(from, from + 1 + Math.floor(random() * 20));
    from += portion.length;
    await driver.pipe('events', portion.map(recordOf));
    if (random() < 0.7) await driver.run();
    else await settled(driver);
    if (random() < 0.5) backups.push(...backup(driver, plans));
    if (random() < scenario.takeOvers) {
      driver.takeOver();
      takeOvers += 1;
    }
    if (random() < scenario.restores && backups.length > 0) {
      restores += 1;
      driver.crash();
      const chosen = backups[Math.floor(random() * backups.length)];
      if (chosen !== undefined) restore(driver.durable.store, chosen.task, chosen.backup);
    }
  }
  driver.disarm();
  driver.crash();
  await driver.settle();
  await check(driver, plans, events, scenario);
  return { crashes: driver.crashes, takeOvers, restores };
}

/** A query that another life has taken over goes on there, and ends here. */
async function settled(driver: TestDriver): Promise<void> {
  try {
    await driver.settle();
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'FENCED') throw thrown;
  }
}

export async function plansOf(driver: TestDriver): Promise<readonly Plan[]> {
  const entries = await readEntries(driver.durable.log);
  return entries.flatMap(({ change }) => (change.change === 'query' ? [change.plan] : []));
}

function backup(driver: TestDriver, plans: readonly Plan[]) {
  return plans.flatMap(tasksOf).flatMap((name) => {
    const task = taskId(name);
    const state = backupOf(driver.durable.store, task);
    return state === null ? [] : [{ task, backup: state }];
  });
}

async function check(
  driver: TestDriver,
  plans: readonly Plan[],
  events: readonly SimulatedEvent[],
  { partitions }: Scenario,
): Promise<void> {
  const [totals, evens] = plans;
  if (totals === undefined || evens === undefined) throw new Error('there are two queries');
  const good = events.filter((event) => !event.isBad);
  let late: number[] = [];
  let out = 0;
  const arrived: number[] = [];
  const table = new Map<string, string>();
  for (let partition = 0; partition < partitions; partition++) {
    const rows = await repartitioned(driver.durable.log, totals, partition);
    arrived.push(...rows.map(({ n }) => n));
    // With one partition the order of arrival is known; with two it is what the log says, each task's own order kept.
    if (partitions === 1) expect(rows).toEqual(good.map(({ g, n, ts }) => ({ g, n, ts })));
    const expected = recount(rows);
    expect(await changesIn(driver.durable.log, partition)).toEqual(expected.changes);
    late = [...late, ...expected.late];
    out += expected.changes.length;
    for (const [key, value] of expected.table) table.set(key, value);
  }
  expect(arrived.sort((a, b) => a - b)).toEqual(good.map(({ n }) => n));
  expect(await pulled(driver)).toEqual(table);
  expect(await evensIn(driver, partitions)).toEqual(
    good.filter(({ n }) => n % 2 === 0).map(({ n }) => n),
  );
  const { queries } = await driver.stats();
  const bad = events.length - good.length;
  expect(queries[totals.query]).toMatchObject({
    in: events.length,
    out,
    late: late.length,
    errors: bad,
  });
  expect(queries[evens.query]).toMatchObject({ in: events.length, errors: bad });
  await checkProcessingLog(driver, [totals.query, evens.query], bad, late.length);
}

async function pulled(driver: TestDriver): Promise<Map<string, string>> {
  const rows = await driver.query('SELECT g, windowstart, c, s, m FROM totals');
  return new Map(
    rows.map(({ G, WINDOWSTART, C, S, M }) => [
      `${G as string} ${WINDOWSTART as number}`,
      `{"C":${C as number},"S":${S as number},"M":${M as number}}`,
    ]),
  );
}

async function evensIn(driver: TestDriver, partitions: number): Promise<number[]> {
  const found: number[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    for (const { value } of await driver.texts('EVENS', partition)) {
      found.push((JSON.parse(value ?? '') as { N: number }).N);
    }
  }
  return found.sort((a, b) => a - b);
}

/** Every bad record once for each query that read it, every late row once. */
async function checkProcessingLog(
  driver: TestDriver,
  queries: readonly string[],
  bad: number,
  late: number,
): Promise<void> {
  const entries = (await driver.texts('__processing_log')).map(
    ({ value }) =>
      JSON.parse(value ?? '') as { query: string; code: string; partition: number; offset: number },
  );
  const count = (query: string, code: string) =>
    entries.filter((entry) => entry.query === query && entry.code === code);
  for (const query of queries) {
    const places = count(query, 'DESERIALIZATION').map(
      ({ partition, offset }) => `${partition} ${offset}`,
    );
    expect(places.length).toBe(bad);
    expect(new Set(places).size).toBe(bad);
  }
  expect(count(queries[0] ?? '', 'LATE').length).toBe(late);
}
