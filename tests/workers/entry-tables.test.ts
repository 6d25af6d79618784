// What a catalog notes in its own database: its statements stay few however many there were, and how many topics it may have.

import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryTables } from '../../edge/objects/entry-tables.ts';
import { TopicTables } from '../../edge/objects/topic-tables.ts';
import {
  CATALOG_ENTRIES_OVER_MAX,
  CATALOG_ENTRY_BYTES_MAX,
  PARTITIONS_MAX,
  TOPICS_MAX,
  TOPICS_PARTITIONS_MAX,
} from '../../runtime/base/limits.ts';
import { STRING } from '../../runtime/data/type.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import type { CatalogChange } from '../../runtime/engine/changes.ts';
import { PROCESSING_LOG } from '../../runtime/engine/system.ts';
import type { Plan } from '../../runtime/plan/step.ts';

async function inCatalog(name: string, body: (sql: SqlStorage) => void): Promise<void> {
  const stub = env.CATALOG.get(env.CATALOG.idFromName(`t:entries:catalog:${name}`));
  await runInDurableObject(stub, (_, { storage }) => {
    expect(new TopicTables(storage.sql).list()).toEqual([]);
    body(storage.sql);
  });
}

function sourceOf(name: string, topic: string, query: string | null = null): Source {
  return { ...PROCESSING_LOG, name, topic, query };
}

function queryChange(id: string, made: number, isPaused = false): CatalogChange {
  const name = `T_${id}`;
  const query = { id, statement: `made ${made}`, reads: ['S0'], writes: name, paused: isPaused };
  const plan = { query: id, statement: `made ${made}` } as unknown as Plan;
  return { change: 'query', query, source: sourceOf(name, name, id), plan };
}

/** All that a catalog says, in its order. */
function told(entries: EntryTables): unknown {
  const { sources, queries, types, properties, ended } = entries.catalog;
  const planned = [...queries.keys()].map((id) => [id, entries.planned(id), entries.isPaused(id)]);
  const catalog = [sources, queries, types, properties].map((map) => [...map]);
  return [entries.number, catalog, [...ended], planned, entries.plans.length];
}

const rowsOf = (sql: SqlStorage): number =>
  sql.exec<{ n: number }>('SELECT count(*) AS n FROM entry').one().n;

const names = [...Array.from({ length: 6 }, (_, i) => `S${i}`), PROCESSING_LOG.name];

/** Changes that fit what there is, by a number that chooses. */
function changeFor({ catalog }: EntryTables, chosen: number, nth: number): CatalogChange {
  const ids = [...catalog.queries.keys()];
  const id = ids[chosen % Math.max(ids.length, 1)];
  const one = `Q${chosen % 5}`;
  switch (chosen % 9) {
    case 0:
      return { change: 'source', source: sourceOf(names[chosen % 7] ?? '', `topic-${nth}`) };
    case 1:
      return { change: 'type', name: `TYPE${chosen % 4}`, type: nth % 3 === 0 ? null : STRING };
    case 2:
      return { change: 'property', name: `p${chosen % 4}`, value: String(nth) };
    case 3:
      if (id !== undefined) return { change: 'terminate', queries: [id] };
      break;
    case 4:
      if (id !== undefined) return { change: 'pause', queries: [id], paused: nth % 2 === 0 };
      break;
    case 5: {
      const all = [...catalog.sources.values()];
      const source = all[chosen % Math.max(all.length, 1)];
      if (source === undefined || (source.name === 'S0' && ids.length > 0)) break;
      // One whose query has been ended stays by itself.
      const terminates = catalog.queries.has(source.query ?? '') ? source.query : null;
      return { change: 'drop', name: source.name, terminates, topic: null };
    }
    default:
  }
  return queryChange(one, nth, nth % 4 === 0);
}

test('whatever statements there were, a new instance knows what the one before knew, and there are never many entries', async () => {
  const most = CATALOG_ENTRIES_OVER_MAX + 1;
  await inCatalog('any', (sql) => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 40, maxLength: 120 }), (chosen) => {
        sql.exec('DELETE FROM entry');
        let entries = new EntryTables(sql);
        // Near to where entries are made fewer, and over it more than once.
        for (let i = 0; i < 2 * CATALOG_ENTRIES_OVER_MAX + 60; i++) {
          const nth = chosen[i % chosen.length] ?? 0;
          entries.add(`statement ${i}`, changeFor(entries, nth + i, i), (write) => write());
          if (i % CATALOG_ENTRIES_OVER_MAX > 30 && i % 97 > 0) continue;
          const again = new EntryTables(sql);
          expect(told(again)).toEqual(told(entries));
          expect(rowsOf(sql)).toBeLessThanOrEqual(most + 50);
          entries = again;
        }
      }),
      { numRuns: 5 },
    );
  });
});

test('a statement that comes again and again takes no more room than CATALOG_ENTRIES_OVER_MAX of them', async () => {
  await inCatalog('again', (sql) => {
    const entries = new EntryTables(sql);
    let rows = 0;
    for (let i = 0; i < 3 * CATALOG_ENTRIES_OVER_MAX; i++) {
      entries.add('', { change: 'property', name: 'p', value: String(i) }, (write) => write());
      rows = Math.max(rows, rowsOf(sql));
    }
    expect(rows).toBeLessThanOrEqual(CATALOG_ENTRIES_OVER_MAX + 1);
    expect(new EntryTables(sql).number).toBe(3 * CATALOG_ENTRIES_OVER_MAX);
    expect(new TopicTables(sql).list()).toEqual([]);
  });
});

test('an entry that failed to be written changes nothing, where entries are made fewer too', async () => {
  await inCatalog('failed', (sql) => {
    const entries = new EntryTables(sql);
    const add = (value: string, fails: boolean): void =>
      void entries.add('', { change: 'property', name: 'p', value }, (write) => {
        if (fails) throw new Error('no');
        write();
      });
    for (let i = 1; i < CATALOG_ENTRIES_OVER_MAX; i++) add(String(i), false);
    const before = told(entries);
    expect(() => add('failed', true)).toThrow('no');
    expect(told(entries)).toEqual(before);
    expect(told(new EntryTables(sql))).toEqual(before);
    add('last', false);
    expect(told(new EntryTables(sql))).toEqual(told(entries));
    expect(rowsOf(sql)).toBe(2);
  });
});

test('an entry of the greatest length is taken, and one that is longer is refused', async () => {
  await inCatalog('long', (sql) => {
    const entries = new EntryTables(sql);
    const add = (length: number): void =>
      void entries.add('', { change: 'property', name: 'p', value: 'x'.repeat(length) }, (write) =>
        write(),
      );
    add(0);
    const { length } = sql
      .exec<{ length: number }>('SELECT length(entry) AS length FROM entry')
      .one();
    add(CATALOG_ENTRY_BYTES_MAX - length);
    expect(() => add(CATALOG_ENTRY_BYTES_MAX - length + 1)).toThrow(/CATALOG_ENTRY_BYTES_MAX/);
    expect(entries.number).toBe(2);
  });
});

test('a tenant has as many topics, and partitions of them together, as may be', async () => {
  await inCatalog('topics', (sql) => {
    const topics = new TopicTables(sql);
    const create = (name: string, partitions: number): void =>
      void topics.create('entries', {
        name,
        partitions,
        internal: false,
        retentionMs: null,
        compacted: false,
      });
    create('first', 1);
    const fill = (count: number, partitions: number): void => {
      sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO topic SELECT 'filled' || i, ?, internal, generation, incarnation, tenant, policy FROM n, topic WHERE name = 'first'`,
        count,
        partitions,
      );
    };
    fill(TOPICS_MAX - 2, 1);
    create('last', 1);
    expect(() => create('more', 1)).toThrow(/TOPICS_MAX/);
    topics.remove('last');
    create('another', 1);
    sql.exec("DELETE FROM topic WHERE name <> 'first'");
    fill(TOPICS_PARTITIONS_MAX / PARTITIONS_MAX - 1, PARTITIONS_MAX);
    create('fits', PARTITIONS_MAX - 1);
    expect(() => create('more', 1)).toThrow(/TOPICS_PARTITIONS_MAX/);
  });
});
