// The two-object protocol under seeded faults: state and outputs come out equal to a recount; mutants of the protocol do not.

import { describe, expect, test } from 'vitest';
import { PortError } from '../../runtime/base/errors.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import { FAULTS, faultAt, NO_FAULTS } from '../../runtime/memory/faults.ts';
import type { DurablePorts } from '../../runtime/memory/test-driver.ts';
import type { OffsetEntry } from '../../runtime/ports/store.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { type Scenario, scenarioOf, simulate, type Struck } from './scenario.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 200);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const BLOCK = 25;

const blocks = Array.from({ length: Math.ceil(SEEDS / BLOCK) }, (_, i) => FIRST_SEED + i * BLOCK);

describe('with faults at every operation of the ports', () => {
  test.each(blocks)('outputs equal a recount, seeds from %i', async (first) => {
    const seeds = Array.from({ length: BLOCK }, (_, i) => first + i);
    const struck: Struck[] = [];
    for (const seed of seeds.filter((seed) => seed < FIRST_SEED + SEEDS)) {
      struck.push(await run(scenarioOf(seed)));
    }
    // A block as a whole has met every kind of blow.
    const isWhole = struck.length === BLOCK;
    expect(struck.some(({ crashes }) => crashes > 3) || !isWhole).toBe(true);
    expect(struck.some(({ takeOvers }) => takeOvers > 0) || !isWhole).toBe(true);
    expect(struck.some(({ restores }) => restores > 0) || !isWhole).toBe(true);
  });

  test('outputs equal a recount on the kernel path', async () => {
    let crashes = 0;
    for (let seed = 1; seed <= 10; seed++) {
      crashes += (await run({ ...scenarioOf(seed), kernel: kernelModule() })).crashes;
    }
    expect(crashes).toBeGreaterThan(10);
  });
});

/** Simulates, and names the seed when it fails. */
async function run(scenario: Scenario): Promise<Struck> {
  try {
    return await simulate(scenario);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const command = `SEED=${scenario.seed} SEEDS=1 npx vitest run --project node tests/simulation`;
    throw new Error(`${command}: ${message}`, { cause: thrown });
  }
}

describe('with one fault, at each operation in turn', () => {
  const base = { ...scenarioOf(2), events: 40, takeOvers: 0, restores: 0 };

  test.each(FAULTS)('%s changes nothing', async (fault) => {
    let nth = 0;
    for (let operations = Infinity; nth < operations;) {
      nth += 1;
      const faults = faultAt(nth, fault);
      await simulate({ ...base, faults });
      operations = faults.operations;
    }
    expect(nth).toBeGreaterThan(40);
  });
});

test('a seed gives the same operations each time, however fast the machine is', async () => {
  const counts = new Set<number>();
  for (let run = 0; run < 20; run++) {
    const faults = faultAt(Infinity, 'lostReply');
    await simulate({ ...scenarioOf(2), events: 40, faults });
    counts.add(faults.operations);
  }
  expect(counts.size).toBe(1);
});

/** Forgets who appends: repeats are appended again. */
const withoutDedupe = ({ log, store }: DurablePorts): DurablePorts => ({
  store,
  log: {
    create: (topic) => log.create(topic),
    remove: (topic) => log.remove(topic),
    describe: (topic) => log.describe(topic),
    list: () => log.list(),
    append: (at, bytes) => log.append(at, bytes),
    read: (...given) => log.read(...given),
    bounds: (at) => log.bounds(at),
    offsetForTime: (at, ms) => log.offsetForTime(at, ms),
    trim: (at, before) => log.trim(at, before),
    subscribe: (at, wake) => log.subscribe(at, wake),
  },
});

/** Takes a batch that it has in part, as a restored task may send it, for one that it has. */
const withoutCuts = ({ log, store }: DurablePorts): DurablePorts => ({
  store,
  log: {
    create: (topic) => log.create(topic),
    remove: (topic) => log.remove(topic),
    describe: (topic) => log.describe(topic),
    list: () => log.list(),
    append: async (at, bytes, producer, incarnation) => {
      try {
        return await log.append(at, bytes, producer, incarnation);
      } catch (thrown) {
        const { count } = parseRecordBatch(bytes);
        const expected = thrown instanceof PortError ? Number(thrown.detail['expected']) : NaN;
        const skip = expected - (producer?.sequence ?? 0);
        if (!(skip > 0 && skip < count)) throw thrown;
        const { highWatermark, incarnation: known } = await log.bounds(at);
        return { base: null, count, duplicate: true, highWatermark, incarnation: known };
      }
    },
    read: (...given) => log.read(...given),
    bounds: (at) => log.bounds(at),
    offsetForTime: (at, ms) => log.offsetForTime(at, ms),
    trim: (at, before) => log.trim(at, before),
    subscribe: (at, wake) => log.subscribe(at, wake),
  },
});

/** Writes each commit's offsets with the next one. */
const withLateOffsets = ({ log, store }: DurablePorts): DurablePorts => {
  const late = new Map<string, readonly OffsetEntry[]>();
  return {
    log,
    store: {
      load: (task) => {
        late.delete(task);
        return store.load(task);
      },
      commit: (task, commit) => {
        const offsets = late.get(task) ?? [];
        late.set(task, commit.offsets);
        return store.commit(task, { ...commit, offsets });
      },
      acknowledge: (...given) => store.acknowledge(...given),
      reader: (task) => store.reader(task),
      rebuild: (...given) => store.rebuild(...given),
      remove: (task) => store.remove(task),
    },
  };
};

describe('a mutant of the protocol is caught', () => {
  /** The first seed that finds the mutant out; null when none of twenty does. */
  async function caught(
    wrap: (ports: DurablePorts) => DurablePorts,
    restores = 0,
  ): Promise<number | null> {
    for (let seed = 2; seed <= 20; seed++) {
      const isFound = await simulate({ ...scenarioOf(seed), restores, wrap }).then(
        () => false,
        () => true,
      );
      if (isFound) return seed;
    }
    return null;
  }

  test('that does not drop repeats', async () => {
    expect(await caught(withoutDedupe)).not.toBeNull();
    // Without faults nothing is repeated, and the mutant gives no sign of itself.
    await simulate({
      ...scenarioOf(1),
      faults: NO_FAULTS,
      takeOvers: 0,
      restores: 0,
      wrap: withoutDedupe,
    });
  });

  test('that loses the rest of a batch that was cut otherwise before a restore', async () => {
    expect(await caught(withoutCuts, 0.3)).not.toBeNull();
  });

  test('that commits offsets after the state they belong to', async () => {
    expect(await caught(withLateOffsets)).not.toBeNull();
  });
});
