// A browser whose storage is full: what was acknowledged stays, queries wait, and all goes on when there is room.

import { afterEach, expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { PortError } from '../../runtime/browser/index.ts';
import { freshDatabase, openTest } from './open.ts';

const SQL = `CREATE STREAM s (k STRING KEY, n INTEGER)
    WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE TABLE t AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;`;
const QUERY = 'CTAS_T_1';

/** Longer than either side waits. */
const POLL = { interval: 100 };

/** @param bytes what the browser lets the site have; null: what it gives by itself */
async function quota(bytes: number | null): Promise<void> {
  // Vitest leaves the types to the provider's package.
  const session = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
  const { origin } = location;
  const size = bytes === null ? {} : { quotaSize: bytes };
  await session.send('Storage.overrideQuotaForOrigin', { origin, ...size });
}

afterEach(() => quota(null));

function codeOf(thrown: unknown): string {
  return thrown instanceof PortError ? thrown.code : String(thrown);
}

test('a full storage loses nothing, and holds queries up until there is room', async () => {
  const database = freshDatabase();
  const full = { code: 'STORAGE_FULL' };
  const row = { k: 'a', n: 1 };
  await quota(600_000);
  const engine = await openTest({ database, workers: 2 });
  await engine.execute(SQL);
  await engine.insert('s', row);
  await engine.idle();
  await quota(1000);
  // What Chromium last heard of the quota it goes by for half a minute, unless a write is longer than that.
  let count = 1;
  const value = JSON.stringify({ N: 2, T: 'x'.repeat(180_000) });
  const long = Array.from({ length: 4 }, () => ({ key: 'a', value }));
  const filled = () => engine.produce('s', long).then(() => (count += 4), codeOf);
  await expect.poll(filled, POLL).toBe('STORAGE_FULL');
  await expect(engine.insert('s', row)).rejects.toMatchObject(full);
  await expect(engine.execute('CREATE STREAM v AS SELECT * FROM s;')).rejects.toMatchObject(full);
  expect((await engine.stats()).topics).toMatchObject({ s: { in: count } });
  await engine.close();

  // A query that begins again has something to write at once.
  const again = await openTest({ database, workers: 2 });
  await expect(again.idle()).rejects.toMatchObject(full);
  expect(await again.errorOf(QUERY)).toMatchObject(full);
  await quota(null);
  await again.insert('s', row);
  await expect.poll(() => again.errorOf(QUERY), POLL).toBeNull();
  await again.idle();
  const rows = await again.query('SELECT * FROM t;');
  expect(await rows.all()).toEqual([{ K: 'a', C: count + 1 }]);
});
