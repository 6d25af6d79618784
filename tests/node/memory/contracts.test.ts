// The memory adapters pass the suites of their ports; the limits of theirs are tested at their maximum.

import { expect, test } from 'vitest';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { MemoryStore } from '../../../runtime/memory/memory-store.ts';
import { queueTransportPair } from '../../../runtime/memory/queue-transport.ts';
import { systemClock } from '../../../runtime/memory/system-clock.ts';
import { describeClock } from '../../contracts/clock.ts';
import { describeAdmission } from '../../contracts/log-admission.ts';
import { describeCompaction } from '../../contracts/log-compaction.ts';
import { describeHistories } from '../../contracts/log-history.ts';
import { describeRetention, describeUpkeep } from '../../contracts/log-retention.ts';
import {
  describeLog,
  type LogUnderTest,
  recordBatch,
  refused,
  topicSpec,
  valuesFrom,
} from '../../contracts/log.ts';
import { describeStore } from '../../contracts/store.ts';
import { describeTransport } from '../../contracts/transport.ts';

const START_MS = 1_700_000_000_000;

async function memoryLog(): Promise<LogUnderTest> {
  const clock = new ManualClock(START_MS);
  const log = new MemoryLog(clock);
  return {
    log,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    upkeep: async (at, aheadMs) => {
      clock.advance(aheadMs);
      return log.upkeep(at);
    },
  };
}

describeLog('MemoryLog', memoryLog);
describeAdmission('MemoryLog', memoryLog);
describeRetention('MemoryLog', memoryLog);
describeUpkeep('MemoryLog', memoryLog);
describeCompaction('MemoryLog', memoryLog, 100);
describeHistories('MemoryLog', memoryLog, 20);

describeStore('MemoryStore with an outbox', async () => {
  const clock = new ManualClock(START_MS);
  return { log: new MemoryLog(clock), store: new MemoryStore({ clock }) };
});

describeStore('MemoryStore that commits to its log', async () => {
  const clock = new ManualClock(START_MS);
  const log = new MemoryLog(clock);
  return { log, store: new MemoryStore({ clock, deliverTo: log }) };
});

describeTransport('a pair of queues', async () => queueTransportPair());

describeClock('ManualClock', () => {
  const clock = new ManualClock(START_MS);
  return { clock, pass: async (ms) => clock.advance(ms) };
});

describeClock('systemClock', () => ({
  clock: systemClock,
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

test('a commit whose delivery is refused changes neither state nor log', async () => {
  const clock = new ManualClock(START_MS);
  const log = new MemoryLog(clock);
  const store = new MemoryStore({ clock, deliverTo: log });
  await log.create(topicSpec('out'));
  const { commit } = await store.load('q/0/0');
  const good = {
    to: { topic: 'out', partition: 0 },
    sequence: 0,
    count: 1,
    bytes: recordBatch(['a']),
  };
  const bad = {
    to: { topic: 'absent', partition: 0 },
    sequence: 0,
    count: 1,
    bytes: recordBatch(['b']),
  };
  const changes = [{ table: '1', key: Uint8Array.of(1), value: Uint8Array.of(1) }];
  const parts = { offsets: [], streamTimes: [], counters: [], changes };
  await refused(
    store.commit('q/0/0', { ...parts, after: commit, outbox: [good, bad] }),
    'UNKNOWN_TOPIC',
  );
  expect(await valuesFrom(log, 'out')).toEqual([]);
  expect(await store.reader('q/0/0')).toBeNull();
  await store.commit('q/0/0', { ...parts, after: commit, outbox: [good] });
  expect(await valuesFrom(log, 'out')).toEqual(['a']);
});

test('state beyond the limit is refused by name, and removing makes room', async () => {
  const clock = new ManualClock(START_MS);
  const entryBytes = 96 + 2 + 100;
  const store = new MemoryStore({ clock, stateBytesMax: 2 * entryBytes });
  const set = (key: number, value: Uint8Array | null) => ({
    table: '1',
    key: Uint8Array.of(key),
    value,
  });
  const parts = { offsets: [], streamTimes: [], counters: [], outbox: [] };
  const { commit } = await store.load('q/0/0');
  const value = new Uint8Array(100);
  await store.commit('q/0/0', { ...parts, after: commit, changes: [set(1, value), set(2, value)] });
  const error = await refused(
    store.commit('q/0/0', { ...parts, after: commit + 1, changes: [set(3, new Uint8Array(0))] }),
    'STORAGE_FULL',
  );
  expect(error.detail).toEqual({ limit: 'RESIDENT_STATE_BYTES_MAX' });
  await store.commit('q/0/0', {
    ...parts,
    after: commit + 1,
    changes: [set(1, null), set(3, value)],
  });
});

test('batches go that are older than their topic keeps, the newest never', async () => {
  const clock = new ManualClock(START_MS);
  const log = new MemoryLog(clock);
  const hourMs = 3_600_000;
  await log.create({ ...topicSpec('t'), retentionMs: hourMs });
  const at = { topic: 't', partition: 0 };
  const append = (value: string) => log.append(at, recordBatch([value], clock.now()));
  await append('a');
  clock.advance(hourMs / 2);
  await append('b');
  clock.advance(hourMs / 2 + 1);
  await append('c');
  expect(await log.bounds(at)).toMatchObject({ start: 1, highWatermark: 3 });
  await refused(log.read(at, 0, 1), 'OFFSET_OUT_OF_RANGE');
  clock.advance(10 * hourMs);
  await log.append(at, recordBatch(['old'], 1));
  expect(await log.bounds(at)).toMatchObject({ start: 3, highWatermark: 4 });
  expect(await valuesFrom(log, 't', 0, 3)).toEqual(['old']);
});
