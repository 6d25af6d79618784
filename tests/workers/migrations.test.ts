// Migrations in the SQLite of an object: what is remembered, in which order, and how much.

import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { Migrations } from '../../edge/objects/migrations.ts';
import { MIGRATIONS_MAX } from '../../runtime/base/limits.ts';

const script = { sql: '', properties: new Map(), variables: new Map() };

test('a catalog remembers so many migrations and no more, and applies none twice', async () => {
  const stub = env.CATALOG.get(env.CATALOG.idFromName('t:migrations:catalog:main'));
  await runInDurableObject(stub, (_, { storage }) => {
    const migrations = new Migrations(storage.sql);
    const of = (i: number) => ({ name: `m${i}`, version: null, sha256: String(i), script });
    for (let i = 0; i < MIGRATIONS_MAX; i++) migrations.begin(of(i))?.end(null);
    expect(migrations.list()).toHaveLength(MIGRATIONS_MAX);
    expect(() => migrations.begin(of(MIGRATIONS_MAX))).toThrow('and no more');
    expect(migrations.begin(of(0))).toBeNull();
    expect(() => migrations.begin({ ...of(0), sha256: 'x' })).toThrow('with another text');
  });
});
