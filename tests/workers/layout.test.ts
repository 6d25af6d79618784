// Objects that another version of millrace has left: the catalog says so, and what to do, instead of failing somewhere.

import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { TopicTables } from '../../edge/objects/topic-tables.ts';

const SPEC = {
  name: 'clicks',
  partitions: 2,
  internal: false,
  retentionMs: null,
  compacted: false,
};

const OTHERS = {
  'of before topics had policies': `DROP TABLE topic;
    CREATE TABLE topic(name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, tenant TEXT NOT NULL);
    INSERT INTO topic VALUES ('clicks', 2, 'layouts');`,
  'of a later layout': "INSERT OR REPLACE INTO counter VALUES ('layout', 3);",
};

test.each(Object.entries(OTHERS))(
  'objects %s are refused, with what to do',
  async (name, others) => {
    const stub = env.CATALOG.get(env.CATALOG.idFromName(`t:layouts:catalog:${name}`));
    await runInDurableObject(stub, (_, { storage }) => {
      expect(new TopicTables(storage.sql).list()).toEqual([]);
      storage.sql.exec(others);
      const topics = new TopicTables(storage.sql);
      expect(topics.tenant).toBeNull();
      for (const asked of [
        () => topics.list(),
        () => topics.describe('clicks'),
        () => topics.version(),
        () => topics.create('layouts', SPEC),
      ]) {
        expect(asked).toThrow(/another version of millrace .*: deploy that version again/);
      }
    });
  },
);

test('objects of this layout, with its number or from before there was one, are read', async () => {
  const stub = env.CATALOG.get(env.CATALOG.idFromName('t:layouts:catalog:this'));
  await runInDurableObject(stub, (_, { storage }) => {
    new TopicTables(storage.sql).create('layouts', SPEC);
    expect(new TopicTables(storage.sql).describe('clicks')).toMatchObject({ partitions: 2 });
    storage.sql.exec("UPDATE counter SET value = 2 WHERE name = 'layout'");
    expect(new TopicTables(storage.sql).describe('clicks')).toMatchObject({ partitions: 2 });
    storage.sql.exec("DELETE FROM counter WHERE name = 'layout'");
    expect(new TopicTables(storage.sql).describe('clicks')).toMatchObject({ partitions: 2 });
  });
});
