// What a log over IndexedDB reads of what it has in memory is what the database has, whatever is done to it, and no more is kept than may be.

import { afterEach, expect, test, vi } from 'vitest';
import { LOG_TAIL_BATCHES_MAX, LOG_TAIL_BYTES_MAX } from '../../runtime/base/limits.ts';
import { IdbLog } from '../../runtime/browser/idb-log.ts';
import { LogTail } from '../../runtime/browser/log-tail.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import type { Log, TopicPartition } from '../../runtime/ports/log.ts';
import { START } from '../../runtime/ports/position.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import { recordBatch, topicSpec, valuesFrom } from '../contracts/log.ts';
import { draws } from '../support/draws.ts';
import { openFollowed } from './idb.ts';

const AT = { topic: 't', partition: 0 };

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts the transactions that read alone. */
function countReads(): () => number {
  const { calls } = vi.spyOn(IDBDatabase.prototype, 'transaction').mock;
  return () => calls.filter(([, mode]) => mode !== 'readwrite').length;
}

/** What a read gives, or how it is refused. */
async function outcome(log: Log, at: TopicPartition, from: number, bytesMax: number) {
  return await log.read(at, from, bytesMax).catch((thrown: unknown) => {
    if (!(thrown instanceof PortError)) throw thrown;
    return { code: thrown.code, detail: thrown.detail };
  });
}

test('who follows a topic asks the database for nothing; what is behind it comes from there', async () => {
  const { log, database, now, dispose } = await openFollowed();
  await log.create(topicSpec('t'));
  for (const value of ['a', 'b']) await log.append(AT, recordBatch([value]));
  await log.describe('t');
  const reads = countReads();
  const text = 'c'.repeat(100);
  for (let at = 2; at < 50; at++) {
    await log.append(AT, recordBatch([`${text} ${at}`]));
    expect(await log.describe('t')).toMatchObject({ name: 't', partitions: 1 });
    expect((await log.read(AT, at, 1)).batches).toMatchObject([{ base: at, count: 1 }]);
    expect((await log.read(AT, at + 1, 1)).batches).toEqual([]);
  }
  expect(reads()).toBe(0);
  const anew = new IdbLog({ database, now, durability: 'relaxed' });
  expect(await valuesFrom(anew, 't')).toEqual(await valuesFrom(log, 't'));
  expect(reads()).toBeGreaterThan(0);
  await dispose();
});

test('of LOG_TAIL_BATCHES_MAX batches all are read from memory, and the one before them is not', async () => {
  const { log, dispose } = await openFollowed();
  await log.create(topicSpec('t'));
  const appends = Array.from({ length: LOG_TAIL_BATCHES_MAX + 1 }, (_, i) =>
    log.append(AT, recordBatch([String(i)])),
  );
  await Promise.all(appends);
  const reads = countReads();
  expect((await log.read(AT, 1, 1)).batches).toMatchObject([{ base: 1 }]);
  expect(reads()).toBe(0);
  expect((await log.read(AT, 0, 1)).batches).toMatchObject([{ base: 0 }]);
  expect(reads()).toBe(1);
  await dispose();
});

test('of LOG_TAIL_BYTES_MAX bytes, over all partitions, those stay that were appended last', async () => {
  const { log, dispose } = await openFollowed();
  await log.create(topicSpec('t', 2));
  const sized = (valueBytes: number): Uint8Array => {
    const builder = new RecordBatchBuilder();
    builder.append(null, new Uint8Array(valueBytes), 1);
    return builder.finish() ?? new Uint8Array();
  };
  const eighth = LOG_TAIL_BYTES_MAX / 8;
  for (const partition of [0, 1, 1, 1, 1, 1, 1, 1]) {
    // What a batch has beside its value is as long for all of about that size.
    const bytes = sized(eighth - (sized(eighth - 1000).length - (eighth - 1000)));
    expect(bytes.length).toBe(eighth);
    await log.append({ topic: 't', partition }, bytes);
  }
  const reads = countReads();
  const first = (partition: number) => log.read({ topic: 't', partition }, 0, eighth);
  for (const partition of [0, 1]) expect((await first(partition)).batches).toHaveLength(1);
  expect(reads()).toBe(0);
  await log.append({ topic: 't', partition: 1 }, recordBatch(['one more']));
  await first(1);
  expect(reads()).toBe(0);
  await first(0);
  expect(reads()).toBe(1);
  await dispose();
});

test('where transactions are told of out of their order the database is asked', () => {
  const tail = new LogTail();
  const row = { start: 0, incarnation: 'i', forgottenMs: 0, producers: 0 };
  const appended = (base: number) => {
    const highWatermark = base + 1;
    const result = { base, count: 1, duplicate: false, highWatermark, incarnation: 'i' };
    tail.appended({ at: AT, result, row: { ...row, highWatermark }, bytes: recordBatch(['a']) });
  };
  const next = (from: number) => tail.read(AT, from, 1)?.batches.map(({ base }) => base);
  appended(0);
  appended(2);
  expect([next(0), next(2), next(3)]).toEqual([undefined, [2], []]);
  appended(1);
  expect([next(2), next(3)]).toEqual([undefined, undefined]);
  appended(3);
  expect([next(2), next(3), next(4)]).toEqual([undefined, [3], []]);
});

const SEEDS = Array.from({ length: 4 }, (_, i) => (Date.now() + i * 7919) & 0x7fff_ffff);

test.each(SEEDS)('reads are the same as without it, seed %i', async (seed) => {
  const draw = draws(seed);
  const { log, store, database, upkeep, now, dispose } = await openFollowed();
  const plain = new IdbLog({ database, now, durability: 'relaxed', sweepMs: null });
  const topics = ['plain', 'expiring', 'compacted'] as const;
  const create = (topic: (typeof topics)[number]) =>
    log.create({
      ...topicSpec(topic, 2),
      compacted: topic === 'compacted',
      retentionMs: topic === 'expiring' ? 1000 : null,
    });
  for (const topic of topics) await create(topic);
  let { commit } = await store.load('task');
  const sequences = new Map<string, number>();
  const batch = (): Uint8Array =>
    recordBatch(
      Array.from({ length: 1 + draw(3) }, () => String(draw(5))),
      now(),
    );
  const committed = async (at: TopicPartition): Promise<void> => {
    const outbox = Array.from({ length: 1 + draw(2) }, () => {
      const bytes = batch();
      const { count } = parseRecordBatch(bytes);
      const sequence = sequences.get(partitionKey(at)) ?? 0;
      sequences.set(partitionKey(at), sequence + count);
      return { to: at, sequence, count, bytes };
    });
    await store.commit('task', { ...START, changes: [], outbox, after: commit });
    commit += 1;
  };
  for (let step = 0; step < 150; step++) {
    const topic = topics[draw(topics.length)] ?? 'plain';
    const at = { topic, partition: draw(2) };
    const does = draw(12);
    if (does < 5) {
      const appends = Array.from({ length: 1 + draw(3) }, () => log.append(at, batch()));
      await Promise.all(appends);
    } else if (does < 8) await Promise.all([committed(at), log.append(at, batch())]);
    else if (does === 8) await log.trim(at, draw(20));
    else if (does < 11) await upkeep(at, draw(2000));
    else {
      await log.remove(topic);
      await create(topic);
      for (const partition of [0, 1]) sequences.delete(partitionKey({ topic, partition }));
    }
    const { highWatermark } = await plain.bounds(at);
    for (let from = 0; from <= highWatermark + 1; from += 1 + draw(3)) {
      const bytesMax = [1, 200, 1 << 20][draw(3)] ?? 1;
      expect(await outcome(log, at, from, bytesMax), `step ${step}, from ${from}`).toEqual(
        await outcome(plain, at, from, bytesMax),
      );
    }
    expect(await log.describe(topic)).toEqual(await plain.describe(topic));
  }
  await dispose();
});
