// A partition in IndexedDB is kept small by itself, between appends, and those go on meanwhile.

import { expect, test } from 'vitest';
import type { PartitionRow, SegmentRow } from '../../runtime/browser/database.ts';
import { RETENTION_SWEEP_MS } from '../../runtime/ports/upkeep.ts';
import { policyOf } from '../../runtime/ports/topic-policy.ts';
import { recordBatch, refused, topicSpec, valuesFrom } from '../contracts/log.ts';
import { IdbLog } from '../../runtime/browser/idb-log.ts';
import { openIdb } from './idb.ts';

const AT = { topic: 't', partition: 0 };

test('an append, ten minutes after the last look, lets go what retention allows', async () => {
  const { log, now, advance, dispose } = await openIdb();
  const append = (value: string) => log.append(AT, recordBatch([value], now()));
  await log.create({ ...topicSpec('t'), retentionMs: RETENTION_SWEEP_MS - 1 });
  for (const value of ['a', 'b', 'c']) await append(value);
  advance(RETENTION_SWEEP_MS);
  await append('d');
  // Its code is fetched first, which a machine that tests many things at once does slowly.
  await expect.poll(async () => (await log.bounds(AT)).start).toBe(3);
  await append('e');
  expect(await valuesFrom(log, 't', 0, 3)).toEqual(['d', 'e']);
  await dispose();
});

test('a database of before sizes were counted is counted once', async () => {
  const { log, rows, upkeep, dispose } = await openIdb();
  const size = recordBatch(['a']).length;
  await log.create(topicSpec('t'));
  for (const value of ['a', 'b', 'c']) await log.append(AT, recordBatch([value]));
  const row = (await rows.get('partitions', ['t', 0])) as PartitionRow;
  expect(row.lengthBytes).toBe(3 * size);
  const policy = policyOf({ ...topicSpec('t'), retentionBytes: 2 * size });
  await rows.put('partitions', { ...row, lengthBytes: undefined, policy }, ['t', 0]);
  await log.append(AT, recordBatch(['d']));
  await upkeep(AT, 0);
  expect((await rows.get('partitions', ['t', 0]))?.lengthBytes).toBe(2 * size);
  expect(await valuesFrom(log, 't', 0, 2)).toEqual(['c', 'd']);
  await dispose();
});

test('a bit that has flipped is CORRUPT, with its place, and upkeep covers nothing up', async () => {
  const { log: before, database, rows, upkeep, now, dispose } = await openIdb(undefined, null);
  await before.create({ ...topicSpec('t'), compacted: true });
  for (const value of ['a', 'b', 'c', 'd']) await before.append(AT, recordBatch([value], 1));
  // As after a restart: it has nothing in memory.
  const log = new IdbLog({ database, now, durability: 'relaxed', sweepMs: null });
  const row = (await rows.get('segments', ['t', 0, 1])) as SegmentRow;
  const bytes = row.bytes.slice();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await rows.put('segments', { ...row, bytes }, ['t', 0, 1]);
  const place = { ...AT, offset: 1 };
  expect((await refused(log.read(AT, 1, 1), 'CORRUPT')).detail).toEqual(place);
  expect((await refused(upkeep(AT, 0), 'CORRUPT')).detail).toEqual(place);
  expect((await refused(log.read(AT, 0, 1 << 20), 'CORRUPT')).detail).toEqual(place);
  expect(await valuesFrom(log, 't', 0, 2)).toEqual(['c', 'd']);
  await rows.delete('segments', ['t', 0, 1]);
  expect((await refused(log.read(AT, 0, 1 << 20), 'CORRUPT')).detail).toEqual(place);
  await dispose();
});
