// An engine whose database aborts transactions now and then ends with the same changes as one that was left in peace.

import { afterEach, expect, test, vi } from 'vitest';
import { openEngine } from '../../runtime/engine/engine.ts';
import { systemClock } from '../../runtime/memory/system-clock.ts';
import { QUAKES_STREAM, QUAKES_TABLE, recountQuakes } from '../support/earthquakes.ts';
import { changes, feed, RECORDS } from './earthquakes.ts';
import { draws } from '../support/draws.ts';
import { openIdb } from './idb.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Aborts the transaction of about one put in `every`; the sequence is the seed's. */
function abortNowAndThen(seed: number, every: number): () => number {
  const draw = draws(seed);
  let aborted = 0;
  const put = Reflect.get(IDBObjectStore.prototype, 'put') as (
    ...args: unknown[]
  ) => IDBRequest<IDBValidKey>;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
    this: IDBObjectStore,
    ...args: unknown[]
  ) {
    const request = put.apply(this, args);
    if (draw(every) === 0) {
      aborted += 1;
      this.transaction.abort();
    }
    return request;
  });
  return () => aborted;
}

test.each([1, 2, 3])('the earthquakes with aborted transactions, seed %i', async (seed) => {
  const idb = await openIdb();
  const host = {
    ...idb,
    clock: systemClock,
    kernel: null,
    commitIntervalMs: 0,
    close: idb.dispose,
  };
  await using engine = await openEngine({ host });
  await engine.execute(QUAKES_STREAM);
  await engine.execute(QUAKES_TABLE);
  const aborted = abortNowAndThen(seed, 12);
  for (let at = 0; at < RECORDS.length;) {
    const to = Math.min(RECORDS.length, at + 61);
    // What was refused was not appended: the same records again.
    const isFed = await feed(engine, at, to).then(
      () => true,
      () => false,
    );
    if (isFed) at = to;
    await engine.idle();
  }
  vi.restoreAllMocks();
  await engine.idle();
  expect(aborted(), `seed ${seed}`).toBeGreaterThan(2);
  expect(await changes(engine)).toEqual(recountQuakes(RECORDS).changes);
});
