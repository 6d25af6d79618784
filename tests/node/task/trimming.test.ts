// What a task lets go of its internal topics once their records are committed.

import { expect, test } from 'vitest';
import { REPARTITION_RECORDS_MAX } from '../../../runtime/base/limits.ts';
import type { Plan } from '../../../runtime/plan/step.ts';
import type { TopicPartition } from '../../../runtime/ports/log.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { Trimming } from '../../../runtime/task/trimming.ts';

class CountingLog extends MemoryLog {
  readonly trimmed: number[] = [];

  override async trim(_at: TopicPartition, before: number): Promise<void> {
    this.trimmed.push(before);
  }
}

const INTERNAL = { topic: 'internal', partition: 0 };
const plan = { internalTopics: [{ name: INTERNAL.topic, partitions: 1 }] } as unknown as Plan;

/** What is let go as positions are committed one after the other. */
async function trimmedAt(
  positions: readonly number[],
  internalChecksums?: boolean,
): Promise<readonly number[]> {
  const log = new CountingLog(new ManualClock());
  const trimming = new Trimming({ log, plan, internalChecksums });
  for (const next of positions) {
    const user = { at: { topic: 'user', partition: 0 }, next, incarnation: '' };
    await trimming.trim([user, { at: INTERNAL, next, incarnation: '' }]);
  }
  return log.trimmed;
}

test('in the log of all the greatest number of records stays, and half of it beyond', async () => {
  const most = REPARTITION_RECORDS_MAX;
  expect(await trimmedAt([most])).toEqual([]);
  expect(await trimmedAt([most, most + 1])).toEqual([most / 2 + 1]);
  expect(await trimmedAt([most + 1, most + 2, 1.5 * most + 2])).toEqual([most / 2 + 1, most + 2]);
});

test('in the log of one query nothing stays behind what is committed', async () => {
  expect(await trimmedAt([0, 1, 1, 4_096], false)).toEqual([1, 4_096]);
});
