// Tables of sliding windows on both kinds of storage, opened again between records, against a recount.

import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { recount, slidingRows } from '../../support/sliding-recount.ts';
import { Folder } from '../sqlite/file.ts';

const folder = new Folder();
afterAll(() => folder.remove());
let files = 0;

const WINDOW = { sizeMs: 10, graceMs: 6 };
const SQL = `CREATE STREAM s (k STRING KEY, v BIGINT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE t AS SELECT k, COUNT(*) AS n, MIN(v) AS least, COLLECT_LIST(v) AS vs FROM s
    WINDOW SLIDING (SIZE 10 MILLISECONDS, GRACE PERIOD 6 MILLISECONDS) GROUP BY k;`;

/** Opens an engine of its own; the next call opens the same again. */
function inMemory(): () => Promise<Engine> {
  const host = memoryHost();
  return () => openEngine({ host });
}

function inFile(): () => Promise<Engine> {
  const file = folder.file(`${++files}.db`);
  return () => open({ storage: { file, durability: 'relaxed' } });
}

test.each([
  ['memory', inMemory, 40],
  ['a SQLite file', inFile, 15],
] as const)('in %s a table holds what a recount gives', async (_, storage, numRuns) => {
  const property = fc.asyncProperty(
    slidingRows,
    fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
    async (rows, lengths) => {
      const opened = storage();
      let from = 0;
      for (let turn = 0; from < rows.length; turn++) {
        await using engine = await opened();
        if (turn === 0) await engine.execute(SQL);
        const to = from + (lengths[turn % lengths.length] ?? 1);
        await engine.produce(
          's',
          rows
            .slice(from, to)
            .map(({ key, value, ms }) => ({ key, value: `{"V":${value}}`, timestamp: ms })),
        );
        await engine.idle();
        from = to;
      }
      await using engine = await opened();
      const answer = await engine.query(
        'SELECT k, WINDOWSTART AS f, WINDOWEND AS u, n, least, vs FROM t ORDER BY k, f;',
      );
      const expected = recount(WINDOW, rows, () => '').standing.map(
        ({ key, startMs, rows: held }) => {
          const values = held.map(({ value }) => value);
          const bounds = { F: startMs, U: startMs + WINDOW.sizeMs };
          return { K: key, ...bounds, N: held.length, LEAST: Math.min(...values), VS: values };
        },
      );
      expected.sort((a, b) => (a.K === b.K ? a.F - b.F : a.K < b.K ? -1 : 1));
      expect(await answer.all()).toEqual(expected);
    },
  );
  await fc.assert(property, { numRuns });
});
