// `idle` covers what was called before it, though none of it is waited for, whatever it has to wait for itself.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Engine, open } from '../../../runtime/index.ts';
import { PARTS_BY_FOLDER, takeAway } from '../../support/taken-parts.ts';

const file = join(tmpdir(), `millrace-idle-${crypto.randomUUID()}.db`);
afterAll(() => {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
});

const TABLE = `CREATE STREAM s (k STRING KEY, p DECIMAL(4, 2)) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES;`;

async function table(engine: Engine): Promise<readonly string[]> {
  const rows = await (await engine.query('SELECT k, n FROM t;')).all();
  return rows.map(({ K, N }) => `${K as string} ${N as number}`).sort();
}

test.each([
  ['memory', 'memory' as const],
  ['SQLite', { file }],
])('rows that are on their way over %s are in the table after idle', async (_, storage) => {
  await using engine = await open({ storage });
  await engine.execute(TABLE);
  // So that their code can be taken away again.
  await engine.insert('s', { k: 'a', p: '1.25' });
  await engine.produce('s', [{ key: 'a', value: '{}' }]);
  await engine.idle();
  const putBack = takeAway(PARTS_BY_FOLDER.flatMap(([, parts]) => parts));
  try {
    void engine.insert('s', { k: 'b', p: '1.25' });
    const refused = engine.insert('s', { k: 'd', p: 'refused' }).catch(({ code }) => code);
    await engine.idle();
    expect(await table(engine)).toEqual(['a 2', 'b 1']);
    void engine.produce('s', [{ key: 'b', value: '{}' }]);
    await engine.idle();
    expect(await table(engine)).toEqual(['a 2', 'b 2']);
    void engine.execute("INSERT INTO s (k, p) VALUES ('c', 1.25);");
    void engine.insert('s', [{ k: 'a' }, { k: 'c' }]);
    await engine.idle();
    expect(await table(engine)).toEqual(['a 3', 'b 2', 'c 2']);
    expect(await refused).toBe('TYPE_MISMATCH');
  } finally {
    putBack();
  }
});
