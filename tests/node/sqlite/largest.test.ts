// The largest record, key, row and state of a group, in a database file and back.

import { afterAll, expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';
import { FILLED, fillLargest, GONE_ON, goOnLargest, largestOf } from '../../support/largest.ts';
import { Folder } from './file.ts';

const folder = new Folder();
afterAll(() => folder.remove());

test.each([1, 2])(
  'what is largest is committed and read back from a file, with %i Workers',
  async (workers) => {
    const storage = { file: folder.file(`${workers}.db`), durability: 'relaxed' } as const;
    {
      await using engine = await open({ storage, workers });
      await fillLargest(engine);
      expect(await largestOf(engine)).toEqual(FILLED);
    }
    await using engine = await open({ storage, workers });
    expect(await largestOf(engine)).toEqual(FILLED);
    await goOnLargest(engine);
    expect(await largestOf(engine)).toEqual(GONE_ON);
  },
);
