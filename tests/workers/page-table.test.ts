// Pages of state in an object's own database: folded, read by key and in order, cut and taken together, kept in memory within bounds.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Change, PageTables } from '../../edge/adapters/page-table.ts';
import { PAGE_BYTES_MAX, StatePage } from '../../edge/adapters/state-page.ts';
import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import { TaskCorrupted } from '../../runtime/base/errors.ts';
import { STATE_PAGES_KEPT_BYTES_MAX, STATE_PAGES_KEPT_MAX } from '../../runtime/base/limits.ts';
import type { Entry } from '../../runtime/ports/store.ts';
import { filled, inObject, isSame } from './objects.ts';

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
