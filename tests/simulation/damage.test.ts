// State that is damaged at any moment, under all other faults: it is made again, and no output is lost, sent twice or another one.

import { expect, test } from 'vitest';
import { PortError, TaskCorrupted } from '../../runtime/base/errors.ts';
import { seededRandom } from '../../runtime/memory/faults.ts';
import type { DurablePorts } from '../../runtime/memory/test-driver.ts';
import type { Restored, StateReader, TaskId } from '../../runtime/ports/store.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { type Scenario, scenarioOf, simulate } from './scenario.ts';
import { HANGS_MS } from '../support/waits.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 20);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);

/** How a damage shows: when the state is loaded, or when it is read. */
type Damage = 'load' | 'read';

/** Damages the state of each task once, at a commit or a load that the seed chooses; `rebuild` mends it. */
class Damaging {
  readonly #random: () => number;
  readonly #left = new Set<TaskId>();
  readonly #seen = new Set<TaskId>();
  readonly #damaged = new Map<TaskId, Damage>();
  readonly #isLoud: boolean;
  rebuilt = 0;

  /** @param isLoud a mutant: what is made again is sent again */
  constructor(seed: number, isLoud = false) {
    this.#isLoud = isLoud;
    this.#random = seededRandom(seed ^ 0xdaba);
  }

  readonly wrap = ({ log, store }: DurablePorts): DurablePorts => ({
    log,
    store: {
      load: async (task) => {
        this.#maybe(task);
        const restored = await store.load(task);
        if (this.#damaged.get(task) === 'load')
          throw new PortError('CORRUPT', 'a delta is damaged');
        return { ...restored, reader: this.#readerOf(task, restored) };
      },
      commit: async (task, commit) => {
        this.#maybe(task);
        return store.commit(task, commit);
      },
      acknowledge: (...given) => store.acknowledge(...given),
      reader: (task) => store.reader(task),
      rebuild: (task, begin) =>
        store.rebuild(task, (committed) => {
          const begun = begin(committed);
          if (begun === null) return begun;
          this.rebuilt += 1;
          this.#damaged.delete(task);
          return this.#isLoud ? { ...begun, streamTimes: [], changes: [] } : begun;
        }),
      remove: (task) => store.remove(task),
    },
  });

  #maybe(task: TaskId): void {
    if (!this.#seen.has(task)) this.#left.add(task);
    this.#seen.add(task);
    if (!this.#left.has(task) || this.#random() > 0.08) return;
    this.#left.delete(task);
    this.#damaged.set(task, this.#random() < 0.5 ? 'load' : 'read');
  }

  #readerOf(task: TaskId, { reader }: Restored): StateReader {
    const check = (): void => {
      if (this.#damaged.has(task)) throw new TaskCorrupted('a row is damaged');
    };
    return {
      get: (table, key) => {
        check();
        return reader.get(table, key);
      },
      scan: (table, range) => {
        check();
        return reader.scan(table, range);
      },
    };
  }
}

async function run(scenario: Scenario): Promise<Damaging> {
  const damaging = new Damaging(scenario.seed);
  try {
    await simulate({ ...scenario, wrap: damaging.wrap });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const command = `SEED=${scenario.seed} SEEDS=1 npx vitest run --project node tests/simulation/damage`;
    throw new Error(`${command}: ${message}`, { cause: thrown });
  }
  return damaging;
}

test(
  'outputs equal a recount, whatever is damaged when',
  async () => {
    let rebuilt = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      rebuilt += (await run({ ...scenarioOf(seed), events: 100 })).rebuilt;
    }
    expect(rebuilt).toBeGreaterThan(SEEDS / 2);
  },
  HANGS_MS + SEEDS * 1_000,
);

test('outputs equal a recount on the kernel path', async () => {
  let rebuilt = 0;
  for (let seed = 1; seed <= 4; seed++) {
    rebuilt += (await run({ ...scenarioOf(seed), events: 100, kernel: kernelModule() })).rebuilt;
  }
  expect(rebuilt).toBeGreaterThan(2);
});

test('a mutant that sends again what it makes again is caught', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, (_, seed) => {
      const scenario = { ...scenarioOf(seed + 1), events: 60 };
      return simulate({ ...scenario, wrap: new Damaging(scenario.seed, true).wrap });
    }),
  );
  expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
});
