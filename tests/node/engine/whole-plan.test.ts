// A query that was planned for a whole kernel where there is none, as in a page: it goes on where it was, and back on the kernel again.

import { afterEach, expect, test } from 'vitest';
import { openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { WHOLE_KERNEL } from '../../../runtime/operators/parts.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { takeAway } from '../../support/taken-parts.ts';

let putBack = (): void => undefined;
afterEach(() => putBack());

const SQL = `
  CREATE STREAM given (k STRING KEY, n INT, x DOUBLE) WITH (KAFKA_TOPIC='given', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE last AS SELECT k, LATEST_BY_OFFSET(n) AS l, EARLIEST_BY_OFFSET(x) AS e, STDDEV_SAMP(n) AS v FROM given GROUP BY k;
  CREATE TABLE plain AS SELECT k, SUM(n) AS s FROM given GROUP BY k;
  CREATE TABLE visits AS SELECT k, COUNT(*) AS c FROM given WINDOW SESSION (1 HOUR) GROUP BY k;`;

test('a plan with what only whole kernels have goes on without one, and on one again', async () => {
  const host = memoryHost({ kernel: kernelModule() });
  const values = [4, null, 6, 8, 10, 3];
  const expected = [
    { L: 4, E: 2, V: 0 },
    { L: 4, E: 2, V: 0 },
    { L: 6, E: 2, V: 2 },
    { L: 8, E: 2, V: 4 },
    { L: 10, E: 2, V: 20 / 3 },
    { L: 3, E: 2, V: 8.2 },
  ];
  for (const [i, n] of values.entries()) {
    const isWhole = i % 3 !== 1;
    if (!isWhole) putBack = takeAway([WHOLE_KERNEL]);
    const engine = await openEngine({ host });
    if (i === 0) await engine.execute(SQL);
    await engine.insert('given', { k: 'a', n, x: n === null ? null : n / 2 });
    await engine.idle();
    expect(await (await engine.query("SELECT * FROM last WHERE k = 'a';")).all()).toEqual([
      { K: 'a', ...expected[i] },
    ]);
    expect(await (await engine.query("SELECT k, c FROM visits WHERE k = 'a';")).all()).toEqual([
      { K: 'a', C: i + 1 },
    ]);
    const [last, plain, visits] = await Promise.all(
      ['CTAS_LAST_1', 'CTAS_PLAIN_2', 'CTAS_VISITS_3'].map(async (id) =>
        JSON.stringify(await engine.execute(`EXPLAIN ${id};`)),
      ),
    );
    for (const explained of [last, visits]) {
      expect(explained?.includes('aggregate [row: the host has no whole kernel]')).toBe(!isWhole);
      expect(explained?.includes('aggregate [kernel]')).toBe(isWhole);
    }
    expect(plain).toContain('aggregate [kernel]');
    await engine.close();
    putBack();
  }
});
