// The public test driver: the example of its documentation, its clock, its crashes, its faults.

import { expect, test } from 'vitest';
import {
  FAULTS,
  faultAt,
  ManualClock,
  seededFaults,
  TestDriver,
} from '../../../runtime/testing.ts';

const STREAM =
  "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');";
const DOUBLED = 'CREATE STREAM doubled AS SELECT k, v * 2 AS v FROM s;';

test('runs the example of its documentation', async () => {
  await using driver = new TestDriver();
  await driver.execute(STREAM);
  await driver.execute(DOUBLED);
  await driver.pipe('s', [{ key: 'a', value: '{"V": 21}', timestamp: 0 }]);
  await driver.settle();
  expect(await driver.texts('DOUBLED')).toEqual([
    { partition: 0, offset: 0, timestamp: 0, key: 'a', value: '{"V":42}' },
  ]);
});

test('stamps records with a clock that only the test turns', async () => {
  await using driver = new TestDriver({ startMs: 1000 });
  await driver.execute(STREAM + DOUBLED);
  await driver.pipe('s', [{ key: 'a', value: '{"V":1}' }]);
  driver.advance(500);
  await driver.pipe('s', [{ key: 'a', value: '{"V":2}' }]);
  await driver.settle();
  expect((await driver.texts('DOUBLED')).map(({ timestamp }) => timestamp)).toEqual([1000, 1500]);
  expect(() => driver.advance(-1)).toThrow('does not go back');
});

test('goes on after a crash with what was durable', async () => {
  await using driver = new TestDriver({ delivery: 'outbox' });
  await driver.execute(`${STREAM} CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`);
  for (let i = 0; i < 5; i++) {
    await driver.pipe('s', [{ key: 'a', value: '{"V":1}' }]);
    // Every other crash comes before the engine has done what it had begun.
    await (i % 2 === 0 ? driver.settle() : driver.run());
    driver.crash();
  }
  await driver.settle();
  expect(driver.crashes).toBe(5);
  expect((await driver.texts('T')).map(({ value }) => value)).toEqual(
    [1, 2, 3, 4, 5].map((n) => `{"N":${n}}`),
  );
  expect(await driver.query('SELECT n FROM t;')).toEqual([{ N: 5 }]);
});

test.each([
  [[{ key: 'a', value: null }], "a header has no option 'key', but name, value"],
  [[{ value: null }], 'a header: name is string, not undefined'],
  [[{ name: 'a', value: 'text' }], "a header: value is object | null, not 'text'"],
  [[null], 'a header takes an object, not null'],
  [{ a: 'b' }, 'headers is an array of { name, value }'],
])('refuses the headers %j', async (headers, message) => {
  await using driver = new TestDriver();
  await driver.execute(STREAM);
  const piped = driver.pipe('s', [{ value: '{}', headers: headers as never }]);
  await expect(piped).rejects.toThrow(new TypeError(message));
  expect(await driver.records('s')).toEqual([]);
});

test('fences an engine that was taken over', async () => {
  await using driver = new TestDriver({ delivery: 'outbox' });
  await driver.execute(STREAM + DOUBLED);
  driver.takeOver();
  await driver.settle();
  await driver.pipe('s', [{ key: 'a', value: '{"V":1}' }]);
  await driver.settle();
  expect((await driver.texts('DOUBLED')).length).toBe(1);
});

test('a plan of faults is the same for the same seed, and every kind of fault has its seeds', () => {
  const drawn = (seed: number) => {
    const plan = seededFaults(seed, 0.3);
    return Array.from({ length: 200 }, () => plan.at('log.append'));
  };
  expect(drawn(7)).toEqual(drawn(7));
  const kinds = new Set(Array.from({ length: 30 }, (_, seed) => drawn(seed)).flat());
  expect([...kinds].sort()).toEqual([...FAULTS, 'none'].sort());
  const once = faultAt(3, 'lostReply');
  expect([1, 2, 3, 4].map(() => once.at('x'))).toEqual(['none', 'none', 'lostReply', 'none']);
});

test('a manual clock calls what came due, in order of time', () => {
  const clock = new ManualClock(0);
  const woken: string[] = [];
  clock.wakeAt(20, () => woken.push(`b at ${clock.now()}`));
  clock.wakeAt(10, () => {
    woken.push(`a at ${clock.now()}`);
    clock.wakeAt(15, () => woken.push(`c at ${clock.now()}`));
  });
  expect(clock.nextMs).toBe(10);
  clock.advance(30);
  expect(woken).toEqual(['a at 10', 'c at 15', 'b at 20']);
  expect(clock.nextMs).toBeNull();
});
