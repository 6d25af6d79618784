// Tasks, the catalog and everything put back to an older state, alone and together, under load: tables are a recount of the logs, and no command is lost.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { BetsEdge, isTask, QUERY } from '../../support/bets-edge.ts';

let edge: BetsEdge;
beforeEach(async () => {
  edge = await BetsEdge.start();
}, 60_000);
afterEach(() => edge.stop());

test('a task that was put back makes the same records again, and none comes twice', async () => {
  await edge.bet(40);
  await edge.settled();
  using first = await edge.backup();
  for (let round = 0; round < 3; round++) {
    await edge.bet(30);
    await edge.settled();
    await edge.putBack(first, isTask);
    await edge.settled();
    await edge.putBack(first, (name) => name.endsWith(`${QUERY}/1/0`));
    await edge.bet(11);
    await edge.settled();
  }
  expect(await edge.errors()).toEqual([]);
});
