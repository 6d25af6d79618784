// A database file that is put back to a copy of before: the engine over it goes on from there, and nothing within it is lost or doubled.

import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';
import { Folder } from './file.ts';
import { NUMBERS_SQL } from './numbers.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const SUFFIXES = ['', '-wal', '-shm'];

function copied(from: string, to: string): void {
  for (const suffix of SUFFIXES) {
    rmSync(to + suffix, { force: true });
    if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
  }
}

test.each([1, 2])(
  'a file that is put back goes on from there, with %i Workers',
  async (workers) => {
    const file = folder.file(`${workers}.db`);
    const kept = folder.file(`${workers}-kept.db`);
    const opened = () => open({ storage: { file, durability: 'relaxed' }, workers });
    /** Inserts so many and waits for all that is made of them. */
    const filled = async (from: number, to: number): Promise<void> => {
      await using engine = await opened();
      for (let n = from; n < to; n++) await engine.insert('numbers', { k: `k${n % 3}`, n });
      await engine.idle();
    };
    {
      await using engine = await opened();
      await engine.execute(NUMBERS_SQL);
    }
    await filled(0, 20);
    copied(file, kept);
    await filled(20, 50);
    copied(kept, file);
    await filled(100, 125);

    await using engine = await opened();
    const { topics } = await engine.stats();
    expect(topics).toMatchObject({ numbers: { in: 45 }, DOUBLED: { in: 45 }, SUMS: { in: 45 } });
    const there = [...Array(20).keys(), ...Array.from({ length: 25 }, (_, i) => 100 + i)];
    for (const k of [0, 1, 2]) {
      const own = there.filter((n) => n % 3 === k);
      const sql = `SELECT * FROM sums WHERE k = 'k${k}';`;
      const total = own.reduce((sum, n) => sum + n, 0);
      expect(await Array.fromAsync(await engine.query(sql))).toEqual([
        { K: `k${k}`, ROWS_IN: own.length, TOTAL: total },
      ]);
    }
  },
);
