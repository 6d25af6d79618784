// The stream of the processing log in a page: push and pull queries over it.

import { expect, test } from 'vitest';
import { PROBLEM_RECORDS, PROBLEM_STATEMENTS, PROBLEMS } from '../support/processing-log.ts';
import { openTest } from './open.ts';

test('push and pull queries give the place, the column and the reason of every problem', async () => {
  const engine = await openTest({ properties: { 'auto.offset.reset': 'earliest' } });
  const select = 'SELECT *, ROWTIME FROM ksql_processing_log';
  expect(await (await engine.query(`${select};`)).all()).toEqual([]);
  await engine.execute(PROBLEM_STATEMENTS);
  await engine.produce('bad', PROBLEM_RECORDS);
  await engine.idle();
  const pulled = await (await engine.query(`${select};`)).all();
  const pushed = await (await engine.query(`${select} EMIT CHANGES LIMIT 3;`)).all();
  expect(pushed).toEqual(pulled);
  const found = pulled.map(({ OFFSET, CODE, ROWTIME }) => [Number(OFFSET), CODE, Number(ROWTIME)]);
  expect(found).toEqual(PROBLEMS);
  for (const row of pulled) {
    expect(row).toMatchObject({ TOPIC: 'bad', PARTITION: 0 });
    expect(row['MESSAGE']).not.toBe('');
  }
});
