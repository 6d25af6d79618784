// The largest record, key, row and state of a group, in IndexedDB and back.

import { expect, test } from 'vitest';
import { FILLED, fillLargest, GONE_ON, goOnLargest, largestOf } from '../support/largest.ts';
import { freshDatabase, openTest } from './open.ts';

test.each([1, 2])(
  'what is largest is committed and read back from IndexedDB, with %i Workers',
  async (workers) => {
    const options = { database: freshDatabase(), workers };
    const first = await openTest(options);
    await fillLargest(first);
    expect(await largestOf(first)).toEqual(FILLED);
    await first.close();
    const again = await openTest(options);
    expect(await largestOf(again)).toEqual(FILLED);
    await goOnLargest(again);
    expect(await largestOf(again)).toEqual(GONE_ON);
  },
);
