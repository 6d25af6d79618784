// What few records need is fetched in the middle of a query's work, which goes on as if it had been there.

import { expect, test } from 'vitest';
import { openTest } from './open.ts';

const STREAM = `CREATE STREAM notes (id STRING KEY, text STRING, n INT)
  WITH (KAFKA_TOPIC='notes', PARTITIONS=1, VALUE_FORMAT='JSON');`;

const RECORDS = [
  { key: 'a', value: '{"text":"one","n":1}', timestamp: 10 },
  { key: 'b', value: '{"text":"two\\tt\\u00e9\\ud83d\\ude00","n":2}', timestamp: 20 },
  { key: 'a', value: '{"text":"three","n":?}', timestamp: 30 },
  { key: 'c', value: '{"text":"four","n":4}', timestamp: 40 },
  { key: 'a', value: '{"text":"five","n":5}', timestamp: 50 },
];

test.each(['indexeddb', 'memory'] as const)(
  'escapes, bad records, columns of the record, chosen rows and groups, over %s',
  async (storage) => {
    const engine = await openTest({ storage });
    await engine.execute(STREAM);
    const chosen = await engine.query(
      'SELECT id, text, ROWTIME AS t, ROWOFFSET AS o FROM notes WHERE n > 1 EMIT CHANGES LIMIT 3;',
    );
    const counted = await engine.query(
      'SELECT id, COUNT(*) AS c FROM notes GROUP BY id EMIT CHANGES LIMIT 4;',
    );
    await engine.produce('notes', RECORDS);
    expect((await chosen.all()).map((row) => ({ ...row }))).toEqual([
      { ID: 'b', TEXT: 'two\tt\u00e9\u{1f600}', T: 20, O: 1 },
      { ID: 'c', TEXT: 'four', T: 40, O: 3 },
      { ID: 'a', TEXT: 'five', T: 50, O: 4 },
    ]);
    expect((await counted.all()).map((row) => ({ ...row }))).toEqual([
      { ID: 'a', C: 1 },
      { ID: 'b', C: 1 },
      { ID: 'c', C: 1 },
      { ID: 'a', C: 2 },
    ]);
    const entries = await engine.topicRecords('__processing_log');
    const texts = entries.map(({ value }) => new TextDecoder().decode(value ?? new Uint8Array()));
    expect(texts.map((text) => JSON.parse(text) as unknown)).toContainEqual(
      expect.objectContaining({ topic: 'notes', offset: 2, code: 'DESERIALIZATION' }),
    );
    await engine.close();
  },
);

test('rows for a source that is not there are refused with the nearest name', async () => {
  const engine = await openTest({ storage: 'memory' });
  await engine.execute(STREAM);
  await expect(engine.insert('note', { id: 'a' })).rejects.toMatchObject({
    name: 'StatementError',
    code: 'UNKNOWN_SOURCE',
    hint: 'Did you mean NOTES?',
  });
  await engine.close();
});
