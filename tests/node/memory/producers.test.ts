// A partition's memory of producers at its bounds.

import { expect, test } from 'vitest';
import { PRODUCER_IDLE_MS_MAX, PRODUCERS_MAX } from '../../../runtime/base/limits.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { producerId } from '../../../runtime/ports/plain-append.ts';
import { toForget } from '../../../runtime/ports/producers.ts';
import { recordBatch, refused, topicSpec } from '../../contracts/log.ts';

const START_MS = 1_700_000_000_000;

test('remembers PRODUCERS_MAX producers, then forgets the one idle for longest and refuses its repeat', async () => {
  const clock = new ManualClock(START_MS);
  const log = new MemoryLog(clock);
  await log.create(topicSpec('t'));
  const at = { topic: 't', partition: 0 };
  const bytes = recordBatch(['a']);
  const send = (id: string, sequence = 0) => log.append(at, bytes, { id, epoch: 1, sequence });
  const ids: string[] = [];
  for (let i = 0; i < PRODUCERS_MAX; i++) {
    clock.advance(1);
    const id = producerId(clock.now(), `p${i}`);
    ids.push(id);
    await send(id);
  }
  const [first = '', second = ''] = ids;
  expect((await send(first)).duplicate).toBe(true);
  clock.advance(1);
  const late = producerId(clock.now(), 'late');
  expect((await send(late)).duplicate).toBe(false);
  // The first was busy again a moment ago; the second went.
  expect((await send(first)).duplicate).toBe(true);
  await refused(send(second), 'UNKNOWN_PRODUCER');
  expect((await send(late)).duplicate).toBe(true);
});

test('forgets all that are idle for too long, and none that are not', () => {
  const nowMs = START_MS;
  const at = (lastMs: number, name: string) => ({ id: producerId(lastMs - 5, name), lastMs });
  const idle = [
    at(nowMs - PRODUCER_IDLE_MS_MAX - 1, 'a'),
    at(nowMs - PRODUCER_IDLE_MS_MAX - 2, 'b'),
  ];
  const busy = [at(nowMs - PRODUCER_IDLE_MS_MAX, 'c'), at(nowMs, 'd')];
  const { ids, forgottenMs } = toForget([...busy, ...idle], nowMs);
  expect([...ids].sort()).toEqual(idle.map(({ id }) => id).sort());
  expect(forgottenMs).toBe(nowMs - PRODUCER_IDLE_MS_MAX - 6);
  expect(toForget(busy, nowMs)).toEqual({ ids: [], forgottenMs: -Infinity });
});
