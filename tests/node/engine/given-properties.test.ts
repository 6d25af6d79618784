// Properties that are given with a call, or when an engine is opened: they are what SET takes, under any of their names.

import { expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  INSERT INTO s (k, a) VALUES ('x', 1);`;
const ALL = 'SELECT a FROM s EMIT CHANGES LIMIT 1;';

test.each([
  [{ 'auto.offset.rest': 'earliest' }, 'unknown property auto.offset.rest'],
  [{ 'auto.offset.reset': 'first' }, "auto.offset.reset cannot be 'first'"],
  [{ 'millrace.path': 'fast' }, "millrace.path cannot be 'fast'"],
  [{ 'millrace.idle.timeout.ms': '-5' }, "millrace.idle.timeout.ms cannot be '-5'"],
  [{ 'millrace.idle.timeout.ms': 'soon' }, "millrace.idle.timeout.ms cannot be 'soon'"],
  [{ 'ksql.service.id': 'x' }, 'the property ksql.service.id cannot be set by a session'],
])('%j is refused by each call, and nothing is done', async (properties, message) => {
  await expect(open({ properties })).rejects.toThrow(message);
  const engine = await open();
  await engine.execute(STREAM);
  await expect(engine.query(ALL, { properties })).rejects.toMatchObject({
    code: 'INVALID',
    message,
  });
  await expect(engine.execute('DROP STREAM s;', { properties })).rejects.toThrow(message);
  expect(engine.catalog.source('S')).not.toBeNull();
  await engine.close();
});

test.each([
  'auto.offset.reset',
  'ksql.streams.auto.offset.reset',
  'ksql.streams.consumer.auto.offset.reset',
])('%s says where a push query starts', async (name) => {
  const properties = { [name]: 'earliest', 'ksql.streams.num.stream.threads': '4' };
  const engine = await open();
  await engine.execute(STREAM);
  expect(await (await engine.query(ALL, { properties })).all()).toEqual([{ A: 1 }]);
  await engine.close();
  const opened = await open({ properties });
  await opened.execute(STREAM);
  expect(await (await opened.query(ALL)).all()).toEqual([{ A: 1 }]);
  await opened.close();
});

test('what a call sets is gone after it, and what SET sets stays', async () => {
  const engine = await open();
  const properties = { 'auto.offset.reset': 'latest' };
  await engine.execute("SET 'millrace.path' = 'row';", { properties });
  const shown = async (): Promise<string> =>
    JSON.stringify(await engine.execute('SHOW PROPERTIES;'));
  expect(await shown()).not.toContain('millrace.path');
  await engine.execute("SET 'millrace.path' = 'row';");
  expect(await shown()).toContain('millrace.path');
  await engine.close();
});
