// What a partition object does by its alarm and with its storage: merging, turns, damage, and no more room.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { partitionName, processorName } from '../../edge/names.ts';
import { Partition } from '../../edge/objects/partition.ts';
import { unwrap } from '../../edge/wire.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { PARTITION_BYTES_MAX, PRODUCERS_KEPT_MAX } from '../../runtime/base/limits.ts';
import { readFrames } from '../../runtime/client/frames.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import type { ProducerStamp, TopicSpec } from '../../runtime/ports/log.ts';
import { producerId, sumOf } from '../../runtime/ports/plain-append.ts';
import { MERGE_BYTES_MAX, MERGE_BYTES_MIN } from '../../runtime/ports/rewrite.ts';
import { recordBatch, refused, topicSpec, valuesFrom } from '../contracts/log.ts';

const AT = { topic: 't', partition: 0 };
let tenants = 0;

async function partition(spec: Partial<TopicSpec> = {}) {
  const tenant = `upkeep-${tenants++}`;
  const log = new RemoteLog({ env, tenant });
  await log.create({ ...topicSpec('t'), ...spec });
  const stub = env.PARTITION.get(env.PARTITION.idFromName(partitionName(tenant, AT)));
  const rows = () =>
    runInDurableObject(stub, (_, { storage }) =>
      storage.sql
        .exec<{ base: number; count: number; size: number }>(
          'SELECT base, count, length(data) AS size FROM segment ORDER BY base',
        )
        .toArray(),
    );
  return { log, stub, rows };
}

test('the alarm merges small batches; readers, producers and offsets notice nothing', async () => {
  const { log, stub, rows } = await partition();
  const values = Array.from(
    { length: 40 },
    (_, i) => `${i} ${'x'.repeat(i === 20 ? 70_000 : 9_000)}`,
  );
  const stamp = (sequence: number): ProducerStamp => {
    return { id: producerId(1, 'writer'), epoch: 1, sequence };
  };
  const bytesOf = (i: number, value = values[i] ?? '') =>
    singleRecord(encodeUtf8(`k${i}`), encodeUtf8(value), i);
  for (const i of values.keys()) await log.append(AT, bytesOf(i), stamp(i));
  const read = await valuesFrom(log, 't');
  const large = (await rows()).find(({ base }) => base === 20);
  for (let turns = 0; turns < 5; turns++) await runDurableObjectAlarm(stub);
  const merged = await rows();
  expect(merged.length).toBeLessThan(8);
  for (const { size } of merged)
    expect(size).toBeLessThanOrEqual(MERGE_BYTES_MAX + MERGE_BYTES_MIN);
  expect(merged).toContainEqual(large);
  expect(merged.at(-1)).toMatchObject({ base: 39, count: 1 });
  expect(await valuesFrom(log, 't')).toEqual(read);
  expect(await valuesFrom(log, 't', 0, 7)).toEqual(values.slice(7));
  expect(await log.offsetForTime(AT, 33)).toBe(33);
  const repeat = await log.append(AT, bytesOf(5), stamp(5));
  expect(repeat).toMatchObject({ base: 5, duplicate: true });
  await refused(log.append(AT, bytesOf(5, 'other'), stamp(5)), 'SEQUENCE_REUSED');
  expect((await log.append(AT, bytesOf(40), stamp(40))).base).toBe(40);
});

test('upkeep waits for no subscriber that does not answer', async () => {
  const { log, stub, rows } = await partition({ retentionMs: 1 });
  await log.append(AT, singleRecord(null, encodeUtf8('old'), 1));
  await log.append(AT, singleRecord(null, encodeUtf8('new'), Date.now() + 60_000));
  const told = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<{ ok: true; value: boolean }>();
  const wake = () => {
    told.resolve();
    return answer.promise;
  };
  const subscriber = processorName('upkeep', 'slow/0/0');
  await runInDurableObject(stub, async (object, { storage }) => {
    const partition = object as unknown as { env: object; alarm(): Promise<void> };
    const own = partition.env;
    const namespace = { idFromName: (name: string) => name, get: () => ({ wake }) };
    partition.env = { ...own, PROCESSOR: namespace };
    // Nobody has told it yet.
    storage.sql.exec('INSERT INTO subscriber VALUES (?)', subscriber);
    (object as Partition).upkeep(0);
    const alarm = partition.alarm();
    await told.promise;
    const [first] = storage.sql
      .exec<{ base: number }>('SELECT min(base) AS base FROM segment')
      .toArray();
    answer.resolve({ ok: true, value: true });
    await alarm;
    partition.env = own;
    expect(first).toEqual({ base: 1 });
  });
  expect(await rows()).toMatchObject([{ base: 1 }]);
});

test('the alarm goes on by itself until a compaction is done', async () => {
  const { log, stub, rows } = await partition({ compacted: true });
  for (let i = 0; i < 60; i++) {
    const value = encodeUtf8('x'.repeat(60_000));
    await log.append(AT, singleRecord(encodeUtf8(`k${i % 3}`), value, i));
  }
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await expect.poll(async () => (await rows()).length).toBeLessThan(5);
  const { batches } = await log.read(AT, 0, 1);
  expect(batches).toHaveLength(1);
  expect(await log.bounds(AT)).toMatchObject({ start: 0, highWatermark: 60 });
});

test('what is read from memory is what is read from storage, whatever is asked for, and whatever becomes of it meanwhile', async () => {
  const { log, stub } = await partition();
  const bytesOf = (i: number) =>
    singleRecord(null, new Uint8Array(i === 7 ? 70_000 : 9_000).fill(i), i);
  const reads = async () => {
    const found: string[] = [];
    for (let from = 0; from <= 14; from++) {
      for (const bytesMax of [1, bytesOf(0).length, 20_000, 1 << 20]) {
        const { batches, highWatermark } = await log.read(AT, from, bytesMax);
        const texts = batches.map(({ base, count, bytes }) => `${base} ${count} ${sumOf(bytes)}`);
        found.push(`${texts.join()} of ${highWatermark}`);
      }
    }
    return found;
  };
  for (let i = 0; i < 14; i++) {
    await log.append(AT, bytesOf(i));
    // After each append but the last few: a reader that keeps up.
    expect((await log.read(AT, i, 1)).batches).toMatchObject([{ base: i, count: 1 }]);
  }
  const before = await reads();
  await evictDurableObject(stub);
  expect(await reads()).toEqual(before);
  await log.append(AT, bytesOf(14));
  await log.trim(AT, 14);
  expect((await log.read(AT, 14, 1)).batches).toHaveLength(1);
  await refused(log.read(AT, 13, 1), 'OFFSET_OUT_OF_RANGE');
  await runInDurableObject(stub, (object) => {
    (object as Partition).upkeep(Date.now());
  });
  expect(await valuesFrom(log, 't', 0, 14)).toHaveLength(1);
});

test('of more producers than are kept in memory each goes on where it was, and a repeat is one', async () => {
  const { log } = await partition();
  const append = (producer: number, sequence: number) =>
    log.append(AT, recordBatch([`${producer} ${sequence}`]), {
      id: producerId(1, `p${producer}`),
      epoch: 1,
      sequence,
    });
  const producers = Array.from({ length: PRODUCERS_KEPT_MAX + 1 }, (_, producer) => producer);
  for (let sequence = 0; sequence < 2; sequence++) {
    for (const producer of producers)
      expect((await append(producer, sequence)).duplicate).toBe(false);
  }
  const last = producers.at(-1) ?? 0;
  for (const producer of [0, 1, last - 1, last]) {
    const base = producers.length + producer;
    expect(await append(producer, 1)).toMatchObject({ base, duplicate: true });
    await refused(append(producer, 3), 'OUT_OF_ORDER_SEQUENCE');
  }
});

test('a bit that has flipped in storage is CORRUPT, to readers and to upkeep, with its place', async () => {
  const { log, stub } = await partition();
  for (let i = 0; i < 20; i++) await log.append(AT, recordBatch([`value ${i}`], i));
  await runInDurableObject(stub, (_, { storage }) => {
    const row = storage.sql
      .exec<{ data: ArrayBuffer }>('SELECT data FROM segment WHERE base = 3')
      .one();
    const bytes = new Uint8Array(row.data);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 4;
    storage.sql.exec('UPDATE segment SET data = ? WHERE base = 3', bytes);
  });
  // The instance that appended it has it in memory.
  await evictDurableObject(stub);
  const place = { topic: 't', partition: 0, offset: 3 };
  expect((await refused(log.read(AT, 3, 1), 'CORRUPT')).detail).toEqual(place);
  expect((await refused(log.read(AT, 0, 1 << 20), 'CORRUPT')).detail).toEqual(place);
  expect((await refused(log.offsetForTime(AT, 3), 'CORRUPT')).detail).toEqual(place);
  await runInDurableObject(stub, (object) => {
    expect(() => (object as Partition).upkeep(Date.now())).toThrow(/fails its checks/);
  });
  expect((await refused(log.read(AT, 3, 1), 'CORRUPT')).detail).toEqual(place);
  expect((await log.read(AT, 2, 1)).batches).toHaveLength(1);
  expect(await valuesFrom(log, 't', 0, 4)).toHaveLength(16);
});

test('a bit that flips behind the first read is CORRUPT to those who are given records at once, to readers of raw batches when they check', async () => {
  const { log, stub } = await partition();
  for (let i = 0; i < 3; i++) await log.append(AT, recordBatch([`value ${i}`], i));
  await evictDurableObject(stub);
  const query = { from: 0, bytesMax: 1 << 20, waitMs: 0, incarnation: null };
  const frames = async () =>
    readFrames(new Uint8Array(await (await log.frames(AT, query)).arrayBuffer()), AT, 0);
  expect(await frames()).toHaveLength(3);
  const flip = () =>
    runInDurableObject(stub, (_, { storage }) => {
      const row = storage.sql
        .exec<{ data: ArrayBuffer }>('SELECT data FROM segment WHERE base = 1')
        .one();
      const bytes = new Uint8Array(row.data);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 4;
      storage.sql.exec('UPDATE segment SET data = ? WHERE base = 1', bytes);
    });
  await flip();
  const place = { topic: 't', partition: 0, offset: 1 };
  expect((await refused(log.read(AT, 1, 1), 'CORRUPT')).detail).toEqual(place);
  // The object has verified this one before, and passes it on: its reader does not take it.
  expect((await refused(frames(), 'CORRUPT')).detail).toEqual(place);
  // Another instance verifies it again.
  await evictDurableObject(stub);
  expect((await refused(log.frames(AT, query), 'CORRUPT')).detail).toEqual(place);
  await flip();
  expect(await frames()).toHaveLength(3);
});

test('from 80 % on the partition says so, from 95 % on it refuses appends but not repeats; retention makes room', async () => {
  const { log, stub } = await partition({ retentionBytes: 1_000 });
  const bytesMax = 400_000;
  await runInDurableObject(stub, async (_, state) => {
    // The same object and its storage, in an environment with a small limit.
    const object = new Partition(state, { ...env, PARTITION_BYTES_MAX: String(bytesMax) });
    const append = (i: number) =>
      unwrap(
        object.append(
          singleRecord(encodeUtf8(`${i}`), new Uint8Array(20_000), i),
          { id: producerId(1, 'writer'), epoch: 1, sequence: i },
          null,
        ),
      );
    const seen = new Set<string>();
    let appended = 0;
    let error: unknown = null;
    for (; error === null && appended < 100; appended++) {
      const { storage, storageBytes } = await unwrap(object.usage());
      expect(storage).toBe(
        storageBytes >= bytesMax * 0.95
          ? 'full'
          : storageBytes >= bytesMax * 0.8
            ? 'nearlyFull'
            : 'ok',
      );
      seen.add(storage);
      error = await append(appended).then(
        () => null,
        (thrown: unknown) => thrown,
      );
    }
    expect([...seen]).toEqual(['ok', 'nearlyFull', 'full']);
    expect(error).toMatchObject({ code: 'STORAGE_FULL', detail: { storageBytesMax: bytesMax } });
    const last = appended - 2;
    expect(await append(last)).toMatchObject({ base: last, duplicate: true });
    while (object.upkeep(Date.now()));
    expect((await unwrap(object.usage())).storage).toBe('ok');
    expect(await append(last + 1)).toMatchObject({ base: last + 1, duplicate: false });
  });
  expect((await log.usage(AT)).storage).toBe('ok');
  expect((await log.usage(AT)).storageBytes).toBeLessThan(PARTITION_BYTES_MAX);
});
