// What a task lets go of its internal topics once their records are committed.

import { expect, test } from 'vitest';
import {
  OWN_REPARTITION_RECORDS_MAX,
  REPARTITION_RECORDS_MAX,
} from '../../../runtime/base/limits.ts';
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

test.each([
  ['the log of all', REPARTITION_RECORDS_MAX, undefined],
  ['the log of one query', OWN_REPARTITION_RECORDS_MAX, false],
])(
  'in %s its greatest number of records stays, and half of it beyond',
  async (_, most, checksums) => {
    expect(await trimmedAt([most], checksums)).toEqual([]);
    expect(await trimmedAt([most, most + 1], checksums)).toEqual([most / 2 + 1]);
    expect(await trimmedAt([most + 1, most + 2, 1.5 * most + 2], checksums)).toEqual([
      most / 2 + 1,
      most + 2,
    ]);
  },
);
