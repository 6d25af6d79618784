// Processors in code of a page's own Worker: state in IndexedDB, which a reload goes on from.

import { expect, test } from 'vitest';
import { bet, STREAMS } from '../support/fraud.ts';
import { freshDatabase, openTest } from './open.ts';

const worker = (): Worker =>
  new Worker(new URL('./processors-worker.ts', import.meta.url), { type: 'module' });

test('it begins with its streams, is asked, gives bad records up and goes on after a reload', async () => {
  const database = freshDatabase();
  const first = await openTest({ database, worker });
  expect(await first.errorOf('FRAUD')).toMatchObject({ code: 'UNKNOWN_SOURCE' });
  await first.execute(STREAMS);
  expect(await first.errorOf('FRAUD')).toBeNull();
  await first.produce('bets', [bet('ann', 1), bet('ann', -1), bet('ann', 2)]);
  await first.idle();
  await first.close();
  const second = await openTest({ database, worker });
  await second.produce('bets', [bet('ann', 4)]);
  await second.idle();
  const rows = await second.query("SELECT * FROM fraud_totals WHERE user = 'ann';");
  expect(await rows.all()).toEqual([{ USER: 'ann', N: 3, TOTAL: 7 }]);
  const { topics } = await second.stats();
  expect(topics).toMatchObject({ alerts: { in: 3 } });
});
