// One object, or several, put back to an older state among all other faults: no query is silently wrong, and what is put back together comes out equal to a recount.

import { describe, expect, test } from 'vitest';
import { begunOnLost, madeOfLost } from '../../edge/objects/after-restore.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import { ManualClock } from '../../runtime/memory/manual-clock.ts';
import { PutBackLog } from './put-back-log.ts';
import { application, type Mutant, simulate, type Struck } from './put-back-scenario.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 1000);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const BLOCK = 100;

const blocks = Array.from({ length: Math.ceil(SEEDS / BLOCK) }, (_, i) => FIRST_SEED + i * BLOCK);

test.each(blocks)('no query is wrong, seeds from %i', async (first) => {
  const sum = { crashes: 0, movedOn: 0, held: 0, foundOut: 0, ended: 0, repaired: 0 };
  const last = Math.min(first + BLOCK, FIRST_SEED + SEEDS);
  for (let seed = first; seed < last; seed++) {
    const struck = await simulate(seed);
    for (const kind of Object.keys(sum) as (keyof Struck)[]) sum[kind] += struck[kind];
  }
  // A block as a whole has met everything.
  const isWhole = last - first === BLOCK;
  for (const kind of Object.keys(sum) as (keyof Struck)[])
    expect({ kind, met: sum[kind] > 0 || !isWhole }).toEqual({ kind, met: true });
});

describe('a mutant is caught', () => {
  async function caught(mutant: Mutant): Promise<number> {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, seed) => simulate(seed + 1, mutant)),
    );
    // By an output that is wrong, or a query that ends, not by a fault of the simulation.
    const isFound = (reason: unknown): boolean =>
      reason instanceof Error &&
      reason.cause instanceof Error &&
      reason.cause.name === 'AssertionError';
    return outcomes.filter((one) => one.status === 'rejected' && isFound(one.reason)).length;
  }

  test('that forgets the new incarnation', async () => {
    expect(await caught({ isForgetful: true })).toBeGreaterThan(0);
  });

  test('that takes for its own what it had made of lost records', async () => {
    expect(await caught({ isUnheld: true })).toBeGreaterThan(0);
  });
});

test('what a task has written it is asked for wherever it may have, though it knows nothing of it', async () => {
  const { plans, topics } = await application(2);
  const [plan] = plans;
  if (plan === undefined) throw new Error('there are two queries');
  const log = new PutBackLog(new ManualClock(1_700_000_000_000), topics);
  await log.open();
  const task = { plan, name: { query: plan.query, subtopology: 0, partition: 0 } };
  const producer = { id: '1.task', epoch: 1 };
  const nothing = { producer, sequences: [] };
  expect(await madeOfLost(log, task, nothing)).toBeNull();
  const to = { topic: plan.internalTopics[0]?.name ?? '', partition: 1 };
  await log.append(to, singleRecord(null, new Uint8Array(1), 1), { ...producer, sequence: 0 });
  expect((await madeOfLost(log, task, nothing))?.message).toMatch(/repartition' partition 1 holds/);
  const all = { producer, sequences: [{ to, next: 1 }] };
  expect(await madeOfLost(log, task, all)).toBeNull();
  // Of one that has committed nothing it is what it will make again, unless its input was put back.
  expect(await begunOnLost(log, task, nothing)).toBeNull();
  log.renew('events');
  expect((await begunOnLost(log, task, nothing))?.code).toBe('OUT_OF_ORDER_SEQUENCE');
  expect(await begunOnLost(log, task, all)).toBeNull();
});
