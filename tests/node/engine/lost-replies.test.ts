// Statements whose entry in the catalog is written and not answered: they are done once, and the engine opens again.

import { expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';
import { type Fault, Life } from '../../../runtime/memory/faults.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE STREAM o (a INT) WITH (KAFKA_TOPIC='o', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM u AS SELECT * FROM s;`;
const REFUSED = { code: 'UNAVAILABLE' };

/** An engine over a host that answers as the faults say, in the order of the operations that they name. */
async function failing() {
  const host = memoryHost();
  const faults: (readonly [operation: string, fault: Fault])[] = [];
  const at = (operation: string): Fault =>
    faults[0]?.[0] === operation ? (faults.shift()?.[1] ?? 'none') : 'none';
  const engine = await open({
    host: { ...host, log: new Life({ at }, () => undefined).log(host.log) },
  });
  await engine.execute(STREAM);
  return { host, engine, faults };
}

test.each([
  ['DROP STREAM o;'],
  ['TERMINATE CSAS_U_1;'],
  ['CREATE STREAM t AS SELECT * FROM s;'],
  ['CREATE TYPE t AS INT;'],
])('%s is done though nobody answers, and is not done twice', async (statement) => {
  const { host, engine, faults } = await failing();
  faults.push(['log.append', 'lostReply']);
  await engine.execute(statement);
  expect(faults).toEqual([]);
  await expect(engine.execute(statement)).rejects.toMatchObject({ name: 'StatementError' });
  const { sources, queries } = engine.catalog;
  await engine.close();
  await using again = await open({ host });
  expect([...again.catalog.sources.keys()]).toEqual([...sources.keys()]);
  expect([...again.catalog.queries.keys()]).toEqual([...queries.keys()]);
});

test('where nobody says whether it is done, no other is until the engine is opened again', async () => {
  const { host, engine, faults } = await failing();
  faults.push(['log.append', 'lostReply'], ['log.bounds', 'unavailable']);
  await expect(engine.execute('DROP STREAM o;')).rejects.toMatchObject(REFUSED);
  for (const statement of ['DROP STREAM o;', 'CREATE STREAM t AS SELECT * FROM s;'])
    await expect(engine.execute(statement)).rejects.toMatchObject({
      ...REFUSED,
      message: 'a statement that was not answered is done: open anew',
    });
  await engine.close();
  await using again = await open({ host });
  expect(again.catalog.sources.has('O')).toBe(false);
  await again.execute('CREATE STREAM t AS SELECT * FROM s;');
});

test.each([[[]], [[['log.bounds', 'unavailable']]]] as const)(
  'one that was not done can be given again, behind %j',
  async (more) => {
    const { host, engine, faults } = await failing();
    faults.push(['log.append', 'unavailable'], ...more);
    await expect(engine.execute('DROP STREAM o;')).rejects.toMatchObject(REFUSED);
    await engine.execute('DROP STREAM o; CREATE STREAM t AS SELECT * FROM s;');
    await engine.close();
    await using again = await open({ host });
    expect(again.catalog.sources.has('O')).toBe(false);
    expect(again.catalog.queries.has('CSAS_T_2')).toBe(true);
  },
);
