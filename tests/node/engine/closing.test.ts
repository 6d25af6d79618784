// What becomes of what is under way as an engine is closed, over a host that could go on and over one that could not.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Engine, open } from '../../../runtime/index.ts';

const files: string[] = [];
afterAll(() => {
  for (const file of files)
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
});

function fileStorage(): { readonly file: string } {
  const file = join(tmpdir(), `millrace-closing-${crypto.randomUUID()}.db`);
  files.push(file);
  return { file };
}

const STREAM =
  "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=16, VALUE_FORMAT='JSON');";

/** What keeps the process running: timers above all. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;

describe.each([
  ['memory', () => 'memory' as const],
  ['SQLite', fileStorage],
])('over %s', (_, storage) => {
  const opened = async (): Promise<Engine> => {
    const engine = await open({ storage: storage() });
    await engine.execute(STREAM);
    return engine;
  };

  test('a push query that is being opened ends too', async () => {
    const engine = await opened();
    const asked = engine.query('SELECT * FROM s EMIT CHANGES;');
    await engine.close();
    expect(await (await asked).all()).toEqual([]);
  });

  test('lines that are waited for end, and those of a PRINT that is being opened', async () => {
    const engine = await opened();
    const lines = await engine.print('PRINT s;');
    const waiting = lines.next();
    const late = engine.print('PRINT s;');
    await engine.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await (await late).next()).toEqual({ done: true, value: undefined });
  });

  test('records that nobody has waited for are written', async () => {
    const engine = await opened();
    const records = Array.from({ length: 16 }, (__, partition) => ({ value: '{}', partition }));
    const produced = engine.produce('s', records);
    const inserted = engine.insert('s', [{ a: 1 }, { a: 2 }]);
    await engine.close();
    expect(await produced).toHaveLength(16);
    expect(await inserted).toHaveLength(2);
  });

  test('a statement that waits ends with its timer, and what comes behind it is not done', async () => {
    const engine = await opened();
    const before = timers();
    const answered: unknown[] = [];
    const refused = engine
      .execute('ASSERT TOPIC t TIMEOUT 60 SECONDS; CREATE STREAM late AS SELECT * FROM s;', {
        onEntity: (entity) => answered.push(entity),
      })
      .catch((thrown: unknown) => thrown);
    // It waits aside, or this would not be answered.
    await engine.execute('SHOW STREAMS;');
    await engine.close();
    expect(await refused).toMatchObject({ code: 'UNAVAILABLE', message: 'the engine is closed' });
    expect(timers()).toBeLessThanOrEqual(before);
    expect(answered).toEqual([]);
    expect(engine.catalog.sources.has('LATE')).toBe(false);
  });
});
