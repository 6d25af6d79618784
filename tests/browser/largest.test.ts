// The largest record, key, row and state of a group, in IndexedDB and back.

import { test } from 'vitest';
import { expectLargest, fillLargest, goOnLargest } from '../support/largest.ts';
import { freshDatabase, openTest } from './open.ts';

test.each([1, 2])(
  'what is largest is committed and read back from IndexedDB, with %i Workers',
  async (workers) => {
    const options = { database: freshDatabase(), workers };
    const first = await openTest(options);
    await fillLargest(first);
    await expectLargest(first);
    await first.close();
    const again = await openTest(options);
    await expectLargest(again);
    await goOnLargest(again);
  },
);
