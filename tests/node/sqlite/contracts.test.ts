// The adapters over a SQLite file pass the suites of their ports, and keep what a file is for.

import { DatabaseSync } from 'node:sqlite';
import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PortError, TaskCorrupted } from '../../../runtime/base/errors.ts';
import { PARTITIONS_MAX, PRODUCERS_MAX } from '../../../runtime/base/limits.ts';
import { producerId } from '../../../runtime/ports/plain-append.ts';
import { RETENTION_SWEEP_MS } from '../../../runtime/ports/upkeep.ts';
import { Database } from '../../../runtime/sqlite/database.ts';
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
import { DatabaseFile } from './file.ts';

async function sqliteLog(): Promise<LogUnderTest> {
  const under = new DatabaseFile();
  let { log } = under.open();
  return {
    log,
    now: () => under.clock.now(),
    advance: (ms) => under.clock.advance(ms),
    upkeep: async (at, aheadMs) => {
      under.clock.advance(aheadMs);
      return log.upkeep(at);
    },
    reopenLog: async () => ({ log } = under.open()).log,
    dispose: async () => under.remove(),
  };
}

describeLog('SqliteLog', sqliteLog);
describeAdmission('SqliteLog', sqliteLog);
describeRetention('SqliteLog', sqliteLog);
describeUpkeep('SqliteLog', sqliteLog);
describeCompaction('SqliteLog', sqliteLog, 25);
describeHistories('SqliteLog', sqliteLog, 8);

describeStore('SqliteStore', async () => {
  const under = new DatabaseFile();
  return {
    ...under.open(),
    reopen: async () => under.open().store,
    dispose: async () => under.remove(),
  };
});

const AT = { topic: 't', partition: 0 };
const TASK = 'CTAS_T_1/0/0';
const NOTHING = { offsets: [], streamTimes: [], counters: [], changes: [], outbox: [] };
const key = (n: number) => Uint8Array.of(n >> 8, n & 255);
const set = (n: number) => ({ table: '1', key: key(n), value: key(n) });

/** The code of what is thrown; null when nothing is. */
function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (thrown) {
    if (thrown instanceof PortError) return thrown.code;
    throw thrown;
  }
}

let under: DatabaseFile;
beforeEach(() => {
  under = new DatabaseFile();
});
afterEach(() => under.remove());

/** Another program changes the closed file. */
function tampered(sql: string): void {
  under.close();
  const database = new DatabaseSync(under.file);
  database.exec(sql);
  database.close();
}

describe('a database file', () => {
  test('has one opening at a time; the next is LOCKED until it is closed', () => {
    under.open();
    expect(codeOf(() => new Database(under.file, 'strict'))).toBe('LOCKED');
    under.close();
    expect(codeOf(() => under.open())).toBeNull();
  });

  test('leaves nothing beside it once it is closed', () => {
    under.open();
    expect(existsSync(`${under.file}-wal`)).toBe(true);
    under.close();
    expect(existsSync(`${under.file}-wal`)).toBe(false);
  });

  test('of another program, of a newer version or of no kind is CORRUPT, and stays as it is', () => {
    writeFileSync(under.file, 'no database, but a text that is long enough to be one'.repeat(20));
    expect(codeOf(() => under.open())).toBe('CORRUPT');
    const other = new DatabaseFile();
    const database = new DatabaseSync(other.file);
    database.exec('CREATE TABLE a(b)');
    database.close();
    expect(codeOf(() => other.open())).toBe('CORRUPT');
    other.remove();
    const newer = new DatabaseFile();
    newer.open();
    newer.close();
    const raised = new DatabaseSync(newer.file);
    raised.exec('PRAGMA user_version = 3');
    raised.close();
    expect(codeOf(() => newer.open())).toBe('CORRUPT');
    newer.remove();
  });

  test('in a folder that is not there is UNAVAILABLE', () => {
    expect(codeOf(() => new Database(under.folder.file('no/folder.db'), 'strict'))).toBe(
      'UNAVAILABLE',
    );
  });

  test('that is closed is UNAVAILABLE to whoever still calls', async () => {
    const { log, store } = under.open();
    await log.create(topicSpec('t'));
    const { reader } = await store.load(TASK);
    under.close();
    await refused(log.append(AT, recordBatch(['a'])), 'UNAVAILABLE');
    await refused(log.read(AT, 0, 1), 'UNAVAILABLE');
    await refused(store.load(TASK), 'UNAVAILABLE');
    expect(codeOf(() => reader.get('1', key(1)))).toBe('UNAVAILABLE');
  });
});

describe('the log in a file', () => {
  test('keeps topics, records, bounds and producers when it is opened again', async () => {
    const { log } = under.open();
    const created = await log.create({ ...topicSpec('t', 2), retentionMs: 5e9, compacted: true });
    const internal = await log.create({ ...topicSpec('a'), internal: true });
    const producer = { id: producerId(under.clock.now(), 'writer'), epoch: 1, sequence: 0 };
    await log.append(AT, recordBatch(['a', 'b'], under.clock.now()), producer);
    await log.append(AT, recordBatch(['c'], under.clock.now()));
    await log.trim(AT, 2);
    const again = under.open().log;
    expect(await again.list()).toEqual([created, internal]);
    expect(await again.bounds(AT)).toEqual({
      start: 2,
      highWatermark: 3,
      incarnation: created.incarnation,
    });
    const repeat = await again.append(AT, recordBatch(['a', 'b'], under.clock.now()), producer);
    expect(repeat).toMatchObject({ base: 0, duplicate: true });
    expect(await valuesFrom(again, 't', 0, 2)).toEqual(['c']);
  });

  test('judges each of the appends that are made in one turn by itself', async () => {
    const { log } = under.open();
    await log.create(topicSpec('t'));
    const producer = { id: producerId(under.clock.now(), 'writer'), epoch: 1 };
    const outcomes = await Promise.allSettled([
      log.append(AT, recordBatch(['a']), { ...producer, sequence: 0 }),
      log.append(AT, recordBatch(['c']), { ...producer, sequence: 2 }),
      log.append({ topic: 'absent', partition: 0 }, recordBatch(['x'])),
      log.append(AT, recordBatch(['b']), { ...producer, sequence: 1 }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(await valuesFrom(log, 't')).toEqual(['a', 'b']);
  });

  test('lets batches go that are older than the topic keeps, and keeps the newest', async () => {
    const { log } = under.open();
    const hourMs = 3_600_000;
    await log.create({ ...topicSpec('t'), retentionMs: hourMs });
    await log.create(topicSpec('kept'));
    const append = async (value: string) => {
      const batch = recordBatch([value], under.clock.now());
      await log.append({ topic: 'kept', partition: 0 }, batch);
      await log.append(AT, batch);
    };
    await append('a');
    under.clock.advance(hourMs / 2);
    await append('b');
    under.clock.advance(hourMs / 2 + 1);
    await append('c');
    expect(await log.bounds(AT)).toMatchObject({ start: 1, highWatermark: 3 });
    await refused(log.read(AT, 0, 1), 'OFFSET_OUT_OF_RANGE');
    under.clock.advance(10 * hourMs);
    await log.append(AT, recordBatch(['old'], 1));
    expect(await valuesFrom(log, 't', 0, 3)).toEqual(['old']);
    expect((await log.bounds(AT)).start).toBe(3);
    expect((await log.bounds({ topic: 'kept', partition: 0 })).start).toBe(0);
  });

  test('says CORRUPT for a batch that is not what was appended, or is gone', async () => {
    const { log } = under.open();
    await log.create(topicSpec('t'));
    for (const value of ['a', 'b', 'c']) await log.append(AT, recordBatch([value]));
    tampered('UPDATE segment SET data = CAST(data || 1 AS BLOB) WHERE base = 1');
    const damaged = under.open().log;
    expect((await damaged.read(AT, 0, 1)).batches).toHaveLength(1);
    expect((await refused(damaged.read(AT, 1, 1), 'CORRUPT')).detail).toEqual({
      ...AT,
      offset: 1,
    });
    tampered('DELETE FROM segment WHERE base = 1');
    const gone = under.open().log;
    await refused(gone.read(AT, 0, 1 << 20), 'CORRUPT');
    await refused(gone.read(AT, 1, 1), 'CORRUPT');
    expect(await valuesFrom(gone, 't', 0, 2)).toEqual(['c']);
  });

  test('says CORRUPT, with its place, for a bit that has flipped, and upkeep covers nothing up', async () => {
    const { log } = under.open();
    await log.create({ ...topicSpec('t'), compacted: true });
    for (const value of ['a', 'b', 'c', 'd']) await log.append(AT, recordBatch([value], 1));
    under.close();
    const database = new DatabaseSync(under.file);
    const row = database.prepare('SELECT data FROM segment WHERE base = 1').get();
    const bytes = row?.['data'] as Uint8Array;
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 16;
    database.prepare('UPDATE segment SET data = ? WHERE base = 1').run(bytes);
    database.close();
    const damaged = under.open().log;
    const place = { ...AT, offset: 1 };
    expect((await refused(damaged.read(AT, 1, 1), 'CORRUPT')).detail).toEqual(place);
    expect(codeOf(() => damaged.upkeep(AT))).toBe('CORRUPT');
    // An append is no worse for it, and who reads is told the same.
    const report = vi.spyOn(console, 'error').mockReturnValue();
    under.clock.advance(RETENTION_SWEEP_MS);
    await damaged.append(AT, recordBatch(['e'], 1));
    expect(report).toHaveBeenCalledWith(expect.stringContaining('offset 1'));
    report.mockRestore();
    expect((await refused(damaged.read(AT, 0, 1 << 20), 'CORRUPT')).detail).toEqual(place);
    expect(await valuesFrom(damaged, 't', 0, 2)).toEqual(['c', 'd', 'e']);
  });

  test('has as many partitions as a topic may', async () => {
    const { log } = under.open();
    await log.create(topicSpec('t', PARTITIONS_MAX));
    const last = { topic: 't', partition: PARTITIONS_MAX - 1 };
    expect((await log.append(last, recordBatch(['a']))).base).toBe(0);
    await expect(log.create(topicSpec('more', PARTITIONS_MAX + 1))).rejects.toThrow('PARTITIONS');
  });

  test('forgets the idlest producer of a partition that is full of them', async () => {
    const { log } = under.open();
    await log.create(topicSpec('t'));
    const stamp = (name: number) => {
      return { id: producerId(under.clock.now(), String(name)), epoch: 1, sequence: 0 };
    };
    const first = stamp(0);
    const bytes = recordBatch(['a']);
    await log.append(AT, bytes, first);
    under.clock.advance(1);
    const others = Array.from({ length: PRODUCERS_MAX - 1 }, (_, i) => stamp(i + 1));
    await Promise.all(others.map((one) => log.append(AT, bytes, one)));
    under.clock.advance(1);
    expect((await log.append(AT, bytes, first)).duplicate).toBe(true);
    await log.append(AT, bytes, stamp(PRODUCERS_MAX));
    expect((await log.append(AT, bytes, first)).duplicate).toBe(true);
    const outcomes = await Promise.allSettled(others.map((one) => log.append(AT, bytes, one)));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect((await log.bounds(AT)).highWatermark).toBe(PRODUCERS_MAX + 1);
  });
});

describe('the store in a file', () => {
  test('takes state, positions and outputs of a commit together, or none of them', async () => {
    const { log, store } = under.open();
    await log.create(topicSpec('t'));
    const { commit } = await store.load(TASK);
    const good = { to: AT, sequence: 0, count: 1, bytes: recordBatch(['a']) };
    const bad = { ...good, to: { topic: 'absent', partition: 0 } };
    const changes = [set(1)];
    await refused(
      store.commit(TASK, { ...NOTHING, after: commit, changes, outbox: [good, bad] }),
      'UNKNOWN_TOPIC',
    );
    expect(await store.reader(TASK)).toBeNull();
    expect(await valuesFrom(log, 't')).toEqual([]);
    const pending = await store.commit(TASK, {
      ...NOTHING,
      after: commit,
      changes,
      outbox: [good],
    });
    expect(pending).toEqual([]);
    expect(await valuesFrom(log, 't')).toEqual(['a']);
  });

  test('wakes the readers of what a commit has appended', async () => {
    const { log, store } = under.open();
    await log.create(topicSpec('t'));
    const { commit } = await store.load(TASK);
    const woken = new Promise<string>((resolve) => log.subscribe(AT, () => resolve('woken')));
    const outbox = [{ to: AT, sequence: 0, count: 1, bytes: recordBatch(['a']) }];
    await store.commit(TASK, { ...NOTHING, after: commit, outbox });
    expect(await woken).toBe('woken');
  });

  test('a scan that is left, or goes on between commits, holds nothing up', async () => {
    const { store } = under.open();
    const { commit, reader } = await store.load(TASK);
    const changes = Array.from({ length: 2000 }, (_, i) => set(i));
    await store.commit(TASK, { ...NOTHING, after: commit, changes });
    const left = reader.scan('1', { from: null, to: null })[Symbol.iterator]();
    expect(left.next().value?.key).toEqual(key(0));
    const slow = reader.scan('1', { from: key(10), to: key(1500) })[Symbol.iterator]();
    let seen = 0;
    for (let next = slow.next(); next.done !== true; next = slow.next()) {
      expect(next.value.key).toEqual(key(10 + seen++));
      if (seen % 500 !== 0) continue;
      const after = commit + seen / 500;
      await store.commit(TASK, { ...NOTHING, after, changes: [set(seen)] });
    }
    expect(seen).toBe(1490);
  });

  test('never shows a new task what a removed one left', async () => {
    const { store } = under.open();
    const first = await store.load(TASK);
    await store.commit(TASK, { ...NOTHING, after: first.commit, changes: [set(1)] });
    await store.remove(TASK);
    const again = await store.load(TASK);
    await store.commit(TASK, { ...NOTHING, after: again.commit, changes: [set(2)] });
    expect(first.reader.get('1', key(2))).toBeNull();
    expect(again.reader.get('1', key(1))).toBeNull();
  });

  test('says so when a row or a position is not what was committed', async () => {
    const { store } = under.open();
    const { commit } = await store.load(TASK);
    await store.commit(TASK, { ...NOTHING, after: commit, changes: [set(1)] });
    tampered("UPDATE state SET value = x'ff'");
    const damaged = await under.open().store.load(TASK);
    expect(() => damaged.reader.get('1', key(1))).toThrow(TaskCorrupted);
    expect(() => [...damaged.reader.scan('1', { from: null, to: null })]).toThrow(TaskCorrupted);
    tampered(`UPDATE task SET position = replace(position, '[]', '[1]')`);
    await refused(under.open().store.load(TASK), 'CORRUPT');
  });
});
