// The processor's store in its own runtime: deltas, their folding into pages, and what a new instance finds.

import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Change, PageTables } from '../../edge/adapters/page-table.ts';
import { SqliteStore } from '../../edge/adapters/sqlite-store.ts';
import { PAGE_BYTES_MAX, StatePage } from '../../edge/adapters/state-page.ts';
import { rowsWrittenBy } from '../../edge/metrics/meters.ts';
import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { TaskCorrupted } from '../../runtime/base/errors.ts';
import {
  STATE_KEY_BYTES_MAX,
  STATE_PAGES_KEPT_BYTES_MAX,
  STATE_PAGES_KEPT_MAX,
  STATE_VALUE_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { RecordCrash } from '../../runtime/task/crash.ts';
import type { Commit, Entry, StateBytes, StateReader } from '../../runtime/ports/store.ts';

async function inObject<T>(
  name: string,
  body: (storage: DurableObjectStorage) => Promise<T>,
): Promise<T> {
  const stub = env.PROCESSOR.get(env.PROCESSOR.idFromName(name));
  return runInDurableObject(stub, (_object, state) => body(state.storage));
}

function commitOf(after: number, changes: readonly StateBytes[]): Commit {
  return { after, offsets: [], streamTimes: [], counters: [], changes, outbox: [] };
}

function change(key: string, value: string | null): StateBytes {
  return { table: '1', key: encodeUtf8(key), value: value === null ? null : encodeUtf8(value) };
}

function rows(reader: StateReader | null, from: string | null, to: string | null): string[] {
  const text = new TextDecoder();
  const bytes = (bound: string | null) => (bound === null ? null : encodeUtf8(bound));
  const found = reader?.scan('1', { from: bytes(from), to: bytes(to) }) ?? [];
  return [...found].map(({ key, value }) => `${text.decode(key)}=${text.decode(value)}`);
}

function count(storage: DurableObjectStorage, table: string): number {
  return storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;
}

test('a commit writes one delta row, however many keys it changes', async () => {
  await inObject('one-delta', async (storage) => {
    const store = new SqliteStore(storage);
    const { commit } = await store.load('q/0/0');
    const changes = Array.from({ length: 500 }, (_, i) => change(`k${i}`, `v${i}`));
    await store.commit('q/0/0', commitOf(commit, changes));
    expect(count(storage, 'delta')).toBe(1);
    expect(count(storage, 'page')).toBe(0);
  });
});

test('folded and unfolded changes read the same, in a new instance too', async () => {
  await inObject('folds', async (storage) => {
    const store = new SqliteStore(storage);
    let { commit } = await store.load('q/0/0');
    const model = new Map<string, string>();
    const big = 'x'.repeat(40_000);
    for (let turn = 0; turn < 70; turn++) {
      const key = `k${String((turn * 7) % 40).padStart(2, '0')}`;
      const changes = turn % 9 === 8 ? [change(key, null)] : [change(key, `${turn}${big}`)];
      if (turn % 9 === 8) model.delete(key);
      else model.set(key, `${turn}${big}`);
      await store.commit('q/0/0', commitOf(commit++, changes));
    }
    const expected = [...model]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`);
    expect(count(storage, 'page')).toBeGreaterThan(0);
    expect(count(storage, 'delta')).toBeGreaterThan(0);
    const again = new SqliteStore(storage);
    for (const reader of [await store.reader('q/0/0'), await again.reader('q/0/0')]) {
      expect(rows(reader, null, null)).toEqual(expected);
      expect(rows(reader, 'k10', 'k20')).toEqual(
        expected.filter((row) => row.slice(0, 3) >= 'k10' && row.slice(0, 3) < 'k20'),
      );
      for (let i = 0; i < 40; i++) {
        const key = `k${String(i).padStart(2, '0')}`;
        const value = reader?.get('1', encodeUtf8(key)) ?? null;
        expect(value === null ? null : new TextDecoder().decode(value)).toBe(
          model.get(key) ?? null,
        );
      }
    }
  });
});

test('at 10,000 groups a commit a thousand records writes at most 50 rows', async () => {
  await inObject('rows-written', async (storage) => {
    const written = rowsWrittenBy(storage.sql);
    const store = new SqliteStore(storage);
    let { commit } = await store.load('q/0/0');
    const commits = 50;
    const state = 's'.repeat(24);
    const turn = async (from: number): Promise<void> => {
      const keys = Array.from({ length: 1000 }, (_, i) => ((from + i) * 7919) % 10_000);
      const changes = keys.map((key) => change(`group-${key}`, state));
      const outbox = [
        { to: { topic: 't', partition: 0 }, sequence: from, count: 1000, bytes: new Uint8Array(8) },
      ];
      await store.commit('q/0/0', { ...commitOf(commit++, changes), outbox });
      await store.acknowledge('q/0/0', { topic: 't', partition: 0 }, from + 1000);
    };
    for (let i = 0; i < commits; i++) await turn(i * 1000);
    expect(count(storage, 'page')).toBeGreaterThan(0);
    const perCommit = written() / commits;
    expect(perCommit).toBeLessThan(20);
    expect(rows(await store.reader('q/0/0'), null, null)).toHaveLength(10_000);
  });
});

test('acknowledged appends go with the next commit; those that an earlier instance has left go at once', async () => {
  await inObject('acknowledged', async (storage) => {
    const to = { topic: 't', partition: 0 };
    const append = (sequence: number) => [{ to, sequence, count: 1, bytes: new Uint8Array(8) }];
    const store = new SqliteStore(storage);
    const { commit } = await store.load('q/0/0');
    await store.commit('q/0/0', { ...commitOf(commit, []), outbox: append(0) });
    await store.acknowledge('q/0/0', to, 1);
    expect(count(storage, 'outbox')).toBe(1);
    await store.commit('q/0/0', { ...commitOf(commit + 1, []), outbox: append(1) });
    expect(count(storage, 'outbox')).toBe(1);
    await store.commit('q/0/0', { ...commitOf(commit + 2, []), outbox: append(2) });
    // This instance dies; the next one adds to what is there before any of it is acknowledged.
    const next = new SqliteStore(storage);
    const restored = await next.load('q/0/0');
    expect(restored.pending.map(({ sequence }) => sequence)).toEqual([1, 2]);
    await next.commit('q/0/0', { ...commitOf(restored.commit, []), outbox: append(3) });
    await next.acknowledge('q/0/0', to, 2);
    expect(count(storage, 'outbox')).toBe(2);
    await next.acknowledge('q/0/0', to, 4);
    expect(count(storage, 'outbox')).toBe(0);
    await next.commit('q/0/0', { ...commitOf(restored.commit + 1, []), outbox: append(4) });
    await next.acknowledge('q/0/0', to, 5);
    expect(count(storage, 'outbox')).toBe(1);
  });
});

test('state that an older version has written is refused, until it is made again or forgotten', async () => {
  await inObject('older', async (storage) => {
    storage.sql.exec('CREATE TABLE state(task INTEGER, tbl TEXT, key BLOB, value BLOB)');
    const before = new SqliteStore(storage);
    await before.load('q/0/0');
    await before.load('q/0/1');
    storage.sql.exec("INSERT INTO state SELECT id, '1', x'00', x'00' FROM task");
    const store = new SqliteStore(storage);
    await expect(store.load('q/0/0')).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('older version') as string,
    });
    await store.rebuild('q/0/0', () => ({
      offsets: [],
      streamTimes: [],
      changes: [change('a', '1')],
    }));
    expect(rows((await store.load('q/0/0')).reader, null, null)).toEqual(['a=1']);
    await expect(store.load('q/0/1')).rejects.toMatchObject({ code: 'CORRUPT' });
    await store.remove('q/0/1');
    expect(count(storage, 'state')).toBe(0);
    expect(rows((await store.load('q/0/1')).reader, null, null)).toEqual([]);
  });
});

test('no row of state is above 64 KiB but for a single larger value', async () => {
  await inObject('rows', async (storage) => {
    const store = new SqliteStore(storage);
    const { commit } = await store.load('q/0/0');
    const changes = Array.from({ length: 20 }, (_, i) => change(`k${i}`, 'y'.repeat(10_000)));
    await store.commit(
      'q/0/0',
      commitOf(commit, [...changes, change('large', 'z'.repeat(200_000))]),
    );
    const sizes = storage.sql
      .exec<{ size: number }>('SELECT length(data) AS size FROM delta ORDER BY id')
      .toArray()
      .map(({ size }) => size);
    expect(sizes.slice(0, -1).every((size) => size <= 65_536)).toBe(true);
    expect(sizes.at(-1)).toBeGreaterThan(200_000);
  });
});

/** What Cloudflare lets a row of an object's database be. */
const PLATFORM_ROW_BYTES_MAX = 2_000_000;

function longestRow({ sql }: DurableObjectStorage): number {
  const lengths = [
    'SELECT length(data) FROM delta',
    'SELECT length(first) + length(data) FROM page',
    'SELECT length(data) FROM rest',
  ];
  const select = `SELECT max(n) AS longest FROM (SELECT 0 AS n UNION ALL ${lengths.join(' UNION ALL ')})`;
  return sql.exec<{ longest: number }>(select).one().longest;
}

function filled(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 10) + seed) & 255;
  return bytes;
}

/** Quicker than a comparison that could show where they differ. */
function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : compareBytes(a, b) === 0;
}

test('the longest state under the longest key is kept in rows that the platform takes, and nothing of it stays when it goes', async () => {
  await inObject('longest', async (storage) => {
    const key = filled(STATE_KEY_BYTES_MAX, 1);
    const other = encodeUtf8('k');
    let { commit } = await new SqliteStore(storage).load('q/0/0');
    let before: Uint8Array | null = null;
    const lengths = [STATE_VALUE_BYTES_MAX, 1_048_576, 3_000_000, STATE_VALUE_BYTES_MAX, 10, null];
    for (const [nth, length] of lengths.entries()) {
      const store = new SqliteStore(storage);
      const restored = await store.load('q/0/0');
      expect(isSame(restored.reader.get('1', key), before)).toBe(true);
      commit = restored.commit;
      const value = length === null ? null : filled(length, nth);
      const changes = [
        { table: '1', key, value },
        { table: '1', key: other, value: encodeUtf8('beside') },
      ];
      await store.commit('q/0/0', commitOf(commit, changes));
      before = value;
      expect(isSame(restored.reader.get('1', key), value)).toBe(true);
      expect(longestRow(storage)).toBeLessThan(PLATFORM_ROW_BYTES_MAX);
      // Folded by the next commit, where it is long.
      await store.commit('q/0/0', commitOf(commit + 1, []));
      expect(longestRow(storage)).toBeLessThan(PLATFORM_ROW_BYTES_MAX);
      expect(restored.reader.get('1', other)).toEqual(encodeUtf8('beside'));
    }
    const store = new SqliteStore(storage);
    ({ commit } = await store.load('q/0/0'));
    await store.commit(
      'q/0/0',
      commitOf(commit, [{ table: '1', key: other, value: filled(3_000_000, 1) }]),
    );
    await store.commit('q/0/0', commitOf(commit + 1, [change('k', 'short')]));
    await store.commit('q/0/0', commitOf(commit + 2, []));
    expect(count(storage, 'rest')).toBeGreaterThan(0);
    await store.remove('q/0/0');
    expect(['rest', 'delta', 'page'].map((table) => count(storage, table))).toEqual([0, 0, 0]);
  });
});

test('a longer one is refused as its records’ fault, and nothing is changed', async () => {
  await inObject('too-long', async (storage) => {
    const store = new SqliteStore(storage);
    const { commit, reader } = await store.load('q/0/0');
    const key = encodeUtf8('k');
    for (const [long, limit] of [
      [
        { table: '1', key, value: new Uint8Array(STATE_VALUE_BYTES_MAX + 1) },
        'STATE_VALUE_BYTES_MAX',
      ],
      [
        { table: '1', key: new Uint8Array(STATE_KEY_BYTES_MAX + 1), value: null },
        'STATE_KEY_BYTES_MAX',
      ],
    ] as const) {
      const refused = store.commit('q/0/0', {
        ...commitOf(commit, [change('a', '1'), long]),
        taken: 7,
      });
      const thrown: unknown = await refused.catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(RecordCrash);
      expect(thrown).toMatchObject({ taken: 7, message: expect.stringContaining(limit) as string });
    }
    expect(rows(reader, null, null)).toEqual([]);
    expect(count(storage, 'delta')).toBe(0);
  });
});

test('damaged state is refused, not read', async () => {
  await inObject('damaged', async (storage) => {
    const store = new SqliteStore(storage);
    const { commit } = await store.load('q/0/0');
    await store.commit('q/0/0', commitOf(commit, [change('a', '1')]));
    const data = new Uint8Array(
      storage.sql.exec<{ data: ArrayBuffer }>('SELECT data FROM delta').one().data,
    );
    data[10] = (data[10] ?? 0) ^ 1;
    storage.sql.exec('UPDATE delta SET data = ?', data);
    await expect(new SqliteStore(storage).load('q/0/0')).rejects.toMatchObject({ code: 'CORRUPT' });
  });
});

test('a commit that fails leaves nothing behind and shows nothing', async () => {
  await inObject('failed', async (storage) => {
    const store = new SqliteStore(storage);
    const { commit, reader } = await store.load('q/0/0');
    const outbox = [
      { to: { topic: 't', partition: 0 }, sequence: 0, count: 1, bytes: new Uint8Array(8) },
    ];
    storage.sql.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    const failing = store.commit('q/0/0', { ...commitOf(commit, [change('a', '1')]), outbox });
    await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(rows(reader, null, null)).toEqual([]);
    expect(count(storage, 'delta')).toBe(0);
    storage.sql.exec('DROP TRIGGER refuse');
    await store.commit('q/0/0', { ...commitOf(commit, [change('a', '2')]), outbox });
    expect(rows(reader, null, null)).toEqual(['a=2']);
  });
});

const TASK = 7;
const TABLE = '1';

/** A key of the number's four bytes, so that numbers and keys have one order. */
function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, number);
  return key;
}

function sorted(changes: readonly Change[]): Change[] {
  const last = new Map(changes.map((change) => [String(change.key), change]));
  return [...last.values()].sort((a, b) => compareBytes(a.key, b.key));
}

interface PageRow {
  [column: string]: SqlStorageValue;
  first: ArrayBuffer;
  data: ArrayBuffer;
}

function pagesOf(sql: SqlStorage): { first: Uint8Array; page: StatePage }[] {
  return sql
    .exec<PageRow>('SELECT first, data FROM page ORDER BY task, tbl, first')
    .toArray()
    .map(({ first, data }) => {
      return { first: new Uint8Array(first), page: new StatePage(new Uint8Array(data)) };
    });
}

/** What is wrong with the pages: one is too long, or empty, or holds keys that are not of its range or not in their order. */
function faults(sql: SqlStorage): string[] {
  const found: string[] = [];
  const pages = pagesOf(sql);
  pages.forEach(({ first, page }, i) => {
    if (page.count === 0) found.push(`page ${i} is empty`);
    if (page.count > 1 && page.bytes.length > PAGE_BYTES_MAX) found.push(`page ${i} is too long`);
    const next = pages[i + 1]?.first ?? null;
    let before: Uint8Array | null = null;
    for (let at = 0; at < page.count; at++) {
      const key = page.key(at);
      const isWithin =
        compareBytes(first, key) <= 0 && (next === null || compareBytes(key, next) < 0);
      if (!isWithin) found.push(`page ${i} holds a key of another page`);
      if (before !== null && compareBytes(before, key) >= 0)
        found.push(`page ${i} is not in order`);
      before = key;
    }
  });
  return found;
}

async function inSql(name: string, body: (sql: SqlStorage) => void): Promise<void> {
  await inObject(`pages ${name}`, async ({ sql }) => body(sql));
}

const plain = (entries: Iterable<Entry>): [string, string][] =>
  [...entries].map(({ key, value }) => [String(key), String(value)]);

test('any folds read as one sorted map, by key and by range', async () => {
  const key = fc.uint8Array({ maxLength: 3 });
  const value = fc
    .tuple(fc.constantFrom(0, 8, 8, 700, 700, 5000, 9000), fc.nat(255))
    .map(([length, byte]) => new Uint8Array(length).fill(byte));
  const change = fc.record({ key, value: fc.option(value, { freq: 3 }) });
  const folds = fc.array(fc.array(change, { minLength: 1, maxLength: 60 }), { maxLength: 6 });
  await inSql('folds', (sql) => {
    fc.assert(
      fc.property(
        folds,
        fc.array(fc.tuple(fc.option(key), fc.option(key)), { maxLength: 5 }),
        (turns, ranges) => {
          const tables = new PageTables(sql);
          tables.removeAll(TASK);
          const model = new Map<string, Entry>();
          for (const turn of turns) {
            const changes = sorted(turn);
            tables.fold(TASK, TABLE, changes);
            for (const { key: changed, value: to } of changes) {
              if (to === null) model.delete(String(changed));
              else model.set(String(changed), { key: changed, value: to });
            }
            expect(faults(sql)).toEqual([]);
          }
          const entries = [...model.values()].sort((a, b) => compareBytes(a.key, b.key));
          expect(plain(tables.scan(TASK, TABLE, { from: null, to: null }))).toEqual(plain(entries));
          for (const [from, to] of ranges) {
            const within = entries.filter(
              (entry) =>
                (from === null || compareBytes(entry.key, from) >= 0) &&
                (to === null || compareBytes(entry.key, to) < 0),
            );
            expect(plain(tables.scan(TASK, TABLE, { from, to }))).toEqual(plain(within));
          }
          for (const { key: changed } of turns.flat()) {
            expect(tables.get(TASK, TABLE, changed)).toEqual(
              model.get(String(changed))?.value ?? null,
            );
          }
          expect(tables.get(TASK + 1, TABLE, keyOf(0))).toBeNull();
          expect([...tables.scan(TASK, '2', { from: null, to: null })]).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('pages that deletions have emptied are gone, and short ones are taken together', async () => {
  await inSql('deletions', (sql) => {
    const tables = new PageTables(sql);
    const all = Array.from({ length: 4000 }, (_, i) => ({
      key: keyOf(i),
      value: new Uint8Array(24),
    }));
    tables.fold(TASK, TABLE, all);
    const before = pagesOf(sql).length;
    expect(before).toBeGreaterThan(15);
    tables.fold(
      TASK,
      TABLE,
      all.filter((_, i) => i % 16 > 0).map(({ key }) => ({ key, value: null })),
    );
    expect(faults(sql)).toEqual([]);
    expect(pagesOf(sql).length).toBeLessThan(before / 3);
    expect([...tables.scan(TASK, TABLE, { from: null, to: null })]).toHaveLength(250);
    tables.fold(
      TASK,
      TABLE,
      all.map(({ key }) => ({ key, value: null })),
    );
    expect(pagesOf(sql)).toEqual([]);
  });
});

test('no more pages stay in memory than STATE_PAGES_KEPT_MAX', async () => {
  await inSql('kept', (sql) => {
    const tables = new PageTables(sql);
    const count = STATE_PAGES_KEPT_MAX + 1;
    const changes = Array.from({ length: count }, (_, i) => ({
      key: keyOf(i),
      value: new Uint8Array(PAGE_BYTES_MAX),
    }));
    tables.fold(TASK, TABLE, changes);
    expect(pagesOf(sql)).toHaveLength(count);
    for (const { key } of changes)
      expect(tables.get(TASK, TABLE, key)).toHaveLength(PAGE_BYTES_MAX);
    expect(tables.kept).toBe(STATE_PAGES_KEPT_MAX);
    tables.fold(TASK, TABLE, [{ key: keyOf(count - 1), value: keyOf(1) }]);
    expect(tables.get(TASK, TABLE, keyOf(count - 1))).toEqual(keyOf(1));
  });
});

test('pages of long values stay in memory within STATE_PAGES_KEPT_BYTES_MAX', async () => {
  await inSql('kept bytes', (sql) => {
    const tables = new PageTables(sql);
    const length = STATE_PAGES_KEPT_BYTES_MAX / 4;
    const changes = Array.from({ length: 6 }, (_, i) => ({
      key: keyOf(i),
      value: filled(length, i),
    }));
    tables.fold(TASK, TABLE, changes);
    for (const { key, value } of changes)
      expect(isSame(tables.get(TASK, TABLE, key), value)).toBe(true);
    expect(tables.kept).toBe(3);
    tables.fold(TASK, TABLE, [{ key: keyOf(5), value: keyOf(1) }]);
    expect(tables.kept).toBe(2);
    for (const { key, value } of changes.slice(0, 3))
      expect(isSame(tables.get(TASK, TABLE, key), value)).toBe(true);
    expect(tables.kept).toBe(3);
  });
});

test('a damaged page is refused, wherever the damage is', async () => {
  await inSql('damage', (sql) => {
    new PageTables(sql).fold(TASK, TABLE, [{ key: keyOf(1), value: keyOf(2) }]);
    const { data } = sql.exec<{ data: ArrayBuffer }>('SELECT data FROM page').one();
    for (let at = 0; at < data.byteLength; at++) {
      const damaged = new Uint8Array(data.slice(0));
      damaged[at] = (damaged[at] ?? 0) ^ 16;
      sql.exec('UPDATE page SET data = ?', damaged);
      const tables = new PageTables(sql);
      expect(() => tables.get(TASK, TABLE, keyOf(1))).toThrow(TaskCorrupted);
      expect(() => [...tables.scan(TASK, TABLE, { from: null, to: null })]).toThrow(TaskCorrupted);
      expect(() => tables.fold(TASK, TABLE, [{ key: keyOf(1), value: null }])).toThrow(
        TaskCorrupted,
      );
    }
    sql.exec("UPDATE page SET data = x'00'");
    expect(() => new PageTables(sql).get(TASK, TABLE, keyOf(1))).toThrow(TaskCorrupted);
  });
});
