// The processor's store in its own runtime: deltas, their folding into pages, and what a new instance finds.

import { expect, test } from 'vitest';
import { SqliteStore } from '../../edge/adapters/sqlite-store.ts';
import { rowsWrittenBy } from '../../edge/metrics/meters.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX } from '../../runtime/base/limits.ts';
import { RecordCrash } from '../../runtime/task/crash.ts';
import type { Commit, StateBytes, StateReader } from '../../runtime/ports/store.ts';
import { filled, inObject, isSame } from './objects.ts';

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
