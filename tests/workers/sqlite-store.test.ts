// The processor's store in its own runtime: deltas, their folding, and what a new instance finds.

import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { SqliteStore } from '../../edge/adapters/sqlite-store.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import type { Commit, StateBytes, StateReader } from '../../runtime/ports/store.ts';

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
    expect(count(storage, 'state')).toBe(0);
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
    expect(count(storage, 'state')).toBeGreaterThan(0);
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
