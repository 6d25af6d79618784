// One simulated run in which objects are put back to older states, alone and together, among all other faults; and a recount of what is left.

import { expect } from 'vitest';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import { readRecords } from '../../runtime/engine/records.ts';
import { seededFaults, seededRandom } from '../../runtime/memory/faults.ts';
import { ManualClock } from '../../runtime/memory/manual-clock.ts';
import { TestDriver } from '../../runtime/memory/test-driver.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { TopicDescription } from '../../runtime/ports/log.ts';
import { taskId } from '../../runtime/task/topology.ts';
import { changesIn, eventsOf, recordOf, recount, repartitioned, statements } from './events.ts';
import { PutBackHost, type TaskBackup } from './put-back-host.ts';
import { type LogBackup, PutBackLog } from './put-back-log.ts';
import { plansOf } from './scenario.ts';

const EVENTS = 90;

/** All objects at one moment. */
interface Moment {
  /** Every task has committed something, and none is on its way from an earlier incarnation. */
  readonly isWhole: boolean;
  /** How many restores were before. */
  readonly era: number;
  readonly logs: LogBackup;
  readonly tasks: ReadonlyMap<string, TaskBackup>;
}

interface Wanted {
  readonly era?: number;
  readonly latest?: Moment;
  readonly isWhole?: boolean;
}

export interface Mutant {
  readonly isForgetful?: boolean;
  readonly isUnheld?: boolean;
}

interface Application {
  readonly plans: readonly Plan[];
  readonly topics: readonly TopicDescription[];
}

export async function application(partitions: number): Promise<Application> {
  await using driver = new TestDriver({ delivery: 'outbox' });
  await driver.execute(statements(partitions));
  return { plans: await plansOf(driver), topics: await driver.durable.log.list() };
}

const applications = Promise.all([application(1), application(2)]);

/** What struck. */
export interface Struck {
  readonly crashes: number;
  readonly movedOn: number;
  readonly held: number;
  readonly foundOut: number;
  readonly ended: number;
  readonly repaired: number;
}

class Simulation {
  readonly #random: () => number;
  readonly #log: PutBackLog;
  readonly #host: PutBackHost;
  readonly #partitions: number;
  readonly #plans: readonly Plan[];
  #era = 0;
  /** From the oldest on; all of one history. */
  #moments: Moment[] = [];
  /** Something was put back without all that belongs to it: a query may have ended, but must not be wrong. */
  #isTorn = false;
  ended = 0;
  repaired = 0;

  constructor(seed: number, { plans, topics }: Application, mutant: Mutant) {
    this.#random = seededRandom(seed ^ 0xbac4);
    const clock = new ManualClock(1_700_000_000_000);
    this.#log = new PutBackLog(clock, topics, mutant);
    this.#host = new PutBackHost({ clock, log: this.#log, plans, ...mutant });
    this.#plans = plans;
    this.#partitions = topics.find(({ name }) => name === 'events')?.partitions ?? 0;
  }

  async run(seed: number): Promise<Struck> {
    await this.#log.open();
    this.#host.arm(seededFaults(seed, 0.03));
    const events = eventsOf(seed, EVENTS);
    for (let from = 0; from < events.length;) {
      const portion = events.slice(from, from + 1 + Math.floor(this.#random() * 15));
      from += portion.length;
      for (const event of portion) {
        const { key, value, timestamp } = recordOf(event);
        const at = { topic: 'events', partition: event.n % this.#partitions };
        const bytes = singleRecord(encodeUtf8(key), encodeUtf8(value), timestamp);
        await this.#log.produce(at, bytes);
      }
      await this.#host.run(this.#random() < 0.5 ? 2 : Infinity);
      if (!this.#isTorn && this.#random() < 0.6) this.#keep();
      if (this.#moments.some((one) => one.isWhole) && this.#random() < 0.4) await this.#putBack();
    }
    this.#host.arm({ at: () => 'none' });
    await this.#host.run();
    await this.#judge();
    if (this.#isTorn) await this.#repair();
    await this.#host.run();
    agree(this.#host.errors, []);
    await this.#check();
    const { crashes, movedOn, held } = this.#host;
    const { ended, repaired } = this;
    return { crashes, movedOn, held, foundOut: this.#log.foundOut, ended, repaired };
  }

  #keep(): void {
    const tasks = this.#host.names.map((name) => [taskId(name), this.#host.backup(name)] as const);
    const isWhole = tasks.every(([, backup]) => this.#log.isPresent(backup));
    this.#moments.push({
      isWhole,
      era: this.#era,
      logs: this.#log.backup(),
      tasks: new Map(tasks),
    });
  }

  async #putBack(): Promise<void> {
    this.#host.crash();
    if (this.#isTorn) {
      await this.#host.run();
      await this.#judge();
      return this.#repair();
    }
    const drawn = this.#random();
    if (drawn < 0.35)
      this.#putBackTasks(this.#moment({ era: this.#era }), () => this.#random() < 0.6);
    else if (drawn < 0.6) await this.#repair();
    else if (drawn < 0.8) await this.#tear('events', true);
    else await this.#tearOne();
  }

  /** One of them; of that era, and no later one. Tasks cannot be put back to before their first commits. */
  #moment({ era = -1, latest, isWhole = true }: Wanted = {}): Moment | undefined {
    const last = latest === undefined ? this.#moments.length : this.#moments.indexOf(latest) + 1;
    const found = this.#moments
      .slice(0, last)
      .filter((one) => (era < 0 || one.era === era) && (one.isWhole || !isWhole));
    return found[Math.floor(this.#random() * found.length)];
  }

  #putBackTasks(moment: Moment | undefined, isChosen: () => boolean): void {
    for (const name of this.#host.names) {
      const backup = moment?.tasks.get(taskId(name));
      if (backup !== undefined && isChosen()) this.#host.putBack(name, backup);
    }
  }

  #announce(): void {
    for (const { topic, partition } of this.#log.places)
      if (partition === 0) this.#log.renew(topic);
  }

  /** All logs to one moment, all tasks to that or an earlier one behind the last restore before it. */
  async #repair(): Promise<void> {
    const moment = this.#moment();
    if (moment === undefined) throw new Error('there is one to be put back to');
    this.#announce();
    this.#host.crash();
    for (const at of this.#log.places) await this.#log.putBack(moment.logs, at);
    this.#putBackTasks(this.#moment({ era: moment.era, latest: moment }), () => true);
    this.#announce();
    this.#host.resume();
    this.#moments = this.#moments.slice(0, this.#moments.indexOf(moment) + 1);
    this.#era += 1;
    this.#isTorn = false;
    this.repaired += 1;
  }

  /** One topic, and all tasks with it or none, but not what they write. */
  async #tear(topic: string, withTasks: boolean): Promise<void> {
    // The first ones are of when tasks had hardly begun.
    const [first] = this.#moments;
    const moment = this.#random() < 0.5 ? first : this.#moment({ isWhole: false });
    if (moment === undefined) throw new Error('there is one to be put back to');
    this.#announce();
    for (const at of this.#log.places)
      if (at.topic === topic) await this.#log.putBack(moment.logs, at);
    if (withTasks)
      this.#putBackTasks(
        this.#moment({ era: moment.era, latest: moment, isWhole: false }),
        () => true,
      );
    this.#announce();
    this.#era += 1;
    this.#isTorn = true;
  }

  /** One partition, and nobody says so: tasks are woken as it begins again. */
  async #tearOne(): Promise<void> {
    const { places } = this.#log;
    const at = places[Math.floor(this.#random() * places.length)];
    const moment = this.#moment({ isWhole: false });
    if (at !== undefined && moment !== undefined) await this.#log.putBack(moment.logs, at);
    this.#isTorn = true;
    await this.#host.run();
  }

  /** A query that has not ended is right, whatever was put back. Of what it has written records may be gone until it writes again. */
  async #judge(): Promise<void> {
    if (this.#host.errors.length > 0) this.ended += 1;
    else await this.#check(this.#isTorn);
  }

  async #check(mayLack = false): Promise<void> {
    const [totals] = this.#plans;
    if (totals === undefined) throw new Error('there are two queries');
    const numbers: number[] = [];
    const inLog: number[] = [];
    for (let partition = 0; partition < this.#partitions; partition++) {
      const rows = await repartitioned(this.#log, totals, partition);
      numbers.push(...rows.map(({ n }) => n));
      const { changes } = recount(rows);
      const found = await changesIn(this.#log, partition);
      agree(found, mayLack ? changes.slice(0, found.length) : changes);
      for (const { value } of await readRecords(this.#log, 'events', { partition })) {
        const n = numberIn(new TextDecoder().decode(value ?? new Uint8Array()));
        if (n !== null) inLog.push(n);
      }
    }
    const sorted = numbers.sort((a, b) => a - b);
    const expected = inLog.sort((a, b) => a - b);
    const has = new Set(expected);
    if (mayLack)
      agree(
        sorted.filter((n) => !has.has(n)),
        [],
      );
    else agree(sorted, expected);
  }
}

function agree(found: unknown, expected: unknown): void {
  expect(found).toEqual(expected);
}

function numberIn(value: string): number | null {
  try {
    return (JSON.parse(value) as { N: number }).N;
  } catch {
    return null; // It was damaged on purpose.
  }
}

export async function simulate(seed: number, mutant: Mutant = {}): Promise<Struck> {
  const one = (await applications)[seed % 2];
  if (one === undefined) throw new Error('there are two applications');
  try {
    return await new Simulation(seed, one, mutant).run(seed);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const command = `SEED=${seed} SEEDS=1 npx vitest run --project node tests/simulation/put-back`;
    throw new Error(`${command}: ${message}`, { cause: thrown });
  }
}
