// Records that make their task throw: found by halving, given up after counted attempts, and nothing else lost.

import { expect, test } from 'vitest';
import { ATTEMPTS_MAX } from '../../../runtime/base/limits.ts';
import { BIGINT } from '../../../runtime/data/type.ts';
import type { ScalarOverload } from '../../../runtime/functions/registry.ts';
import { TestDriver } from '../../../runtime/memory/test-driver.ts';

/** A function with a bug of ours: it throws what no function may throw. */
function exploding(calls: bigint[]): ScalarOverload {
  return {
    kind: 'scalar',
    name: 'EXPLODING',
    category: 'TEST',
    description: 'Throws on multiples of 50.',
    parameters: [{ name: 'n', pattern: { pattern: 'type', type: BIGINT }, variadic: false }],
    returns: () => BIGINT,
    nullPropagating: true,
    body: () => (values) => {
      const [n] = values;
      if (typeof n !== 'bigint') return null;
      calls.push(n);
      if (n % 50n === 49n) throw new TypeError(`boom ${n}`);
      return n;
    },
  };
}

const STATEMENTS = `
  CREATE STREAM s (k STRING KEY, v BIGINT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM t AS SELECT k, EXPLODING(v) AS v FROM s;`;

const records = Array.from({ length: 120 }, (_, v) => ({
  key: 'k',
  value: `{"V":${v}}`,
  timestamp: v,
}));
const kept = records.map((_, v) => v).filter((v) => v % 50 !== 49);

async function outputs(driver: TestDriver): Promise<number[]> {
  return (await driver.texts('T')).map(({ value }) => (JSON.parse(value ?? '') as { V: number }).V);
}

async function letters(driver: TestDriver) {
  return (await driver.texts('__dead_letters')).map(
    ({ value }) => JSON.parse(value ?? '') as object,
  );
}

const expectedLetters = [49, 99].map((offset) => ({
  query: 'CSAS_T_1',
  task: 'CSAS_T_1/0/0',
  topic: 's',
  partition: 0,
  offset,
  attempts: ATTEMPTS_MAX,
  error: `boom ${offset}`,
}));

test('a record that crashes its task goes to the dead letters, and the others go through', async () => {
  const calls: bigint[] = [];
  await using driver = new TestDriver({ functions: [exploding(calls)] });
  await driver.execute(STATEMENTS);
  await driver.pipe('s', records);
  await driver.settle();
  expect(await outputs(driver)).toEqual(kept);
  expect(await letters(driver)).toEqual(expectedLetters);
  expect((await driver.stats()).queries['CSAS_T_1']).toMatchObject({
    in: 120,
    out: 118,
    errors: 2,
  });
  const log = await driver.texts('__processing_log');
  expect(log.map(({ value }) => value)).toEqual([
    expect.stringContaining('"offset":49,"field":"","code":"DEAD_LETTER","message":"boom 49"'),
    expect.stringContaining('"offset":99,"field":"","code":"DEAD_LETTER","message":"boom 99"'),
  ]);
  // Halving, doubling again after a success: a few times log2 of the turn, then the attempts at the record alone.
  expect(calls.filter((n) => n === 49n).length).toBeLessThanOrEqual(ATTEMPTS_MAX + 20);
});

test('attempts are counted across crashes of the process', async () => {
  const calls: bigint[] = [];
  await using driver = new TestDriver({ functions: [exploding(calls)] });
  await driver.execute(STATEMENTS);
  await driver.pipe('s', records.slice(49, 50));
  let crashes = 0;
  // The process dies after each commit of an attempt.
  driver.arm({
    at: (operation) => (operation === 'store.commit' && crashes++ < 2 ? 'crashAfter' : 'none'),
  });
  await driver.settle();
  expect(driver.crashes).toBe(2);
  expect(calls.length).toBe(ATTEMPTS_MAX);
  expect(await letters(driver)).toMatchObject([
    { offset: 0, attempts: ATTEMPTS_MAX, error: 'boom 49' },
  ]);
});
