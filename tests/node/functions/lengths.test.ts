// How much one call, one operator and one constructor may make: as much as the limit, and null beyond it, whichever way it grows.

import { expect, test } from 'vitest';
import { TEXT_LENGTH_MAX } from '../../../runtime/base/limits.ts';
import { TestDriver } from '../../../runtime/memory/test-driver.ts';

const HALF = TEXT_LENGTH_MAX / 2;
const QUARTER = TEXT_LENGTH_MAX / 4;
const text = (length: number): string => `RPAD('', ${length}, 'x')`;
const numbers = (count: number): string => `GENERATE_SERIES(1, ${count})`;

/** Of the expression's value, which is `more` beyond the limit. */
type Made = (more: number) => string;

const made: Readonly<Record<string, Made>> = {
  padding: (more) => `LEN(${text(TEXT_LENGTH_MAX + more)})`,
  'an operator': (more) => `LEN(${text(HALF)} + ${text(HALF + more)})`,
  'an encoding': (more) => `LEN(ENCODE(${text(HALF + more)}, 'utf8', 'hex'))`,
  'joined items': (more) => `LEN(ARRAY_JOIN(ARRAY['', '', ''], ${text(HALF + more)}))`,
  'items of an array': (more) => `LEN(ARRAY[${text(HALF - 1)}, ${text(HALF - 1 + more)}][1])`,
  'a field of a struct': (more) =>
    `LEN(STRUCT(A := ${text(HALF - 1)}, B := ${text(HALF - 1 + more)})->A)`,
  'an entry of a map': (more) => `LEN(MAP('a' := ${text(TEXT_LENGTH_MAX - 3 + more)})['a'])`,
  'arrays that are put together': (more) => {
    const whole = [QUARTER, QUARTER, QUARTER, QUARTER - 1 + more].map(numbers);
    return `ARRAY_LENGTH(${whole.reduce((all, each) => `ARRAY_CONCAT(${all}, ${each})`)})`;
  },
  'what a lambda makes': (more) =>
    `ARRAY_LENGTH(TRANSFORM(${numbers(2)}, n => RPAD('', ${HALF - 1} + (n - 1) * ${more}, 'x')))`,
  'entries that lambdas make': (more) =>
    `LEN(TRANSFORM(MAP('a' := 'b'), (k, v) => k, (k, v) => ${text(TEXT_LENGTH_MAX - 3 + more)})['a'])`,
};

test('bytes are split into as many parts as there may be', async () => {
  await using driver = new TestDriver();
  const split = (length: number, delimiter: string): string =>
    `ARRAY_LENGTH(SPLIT(TO_BYTES(RPAD('', ${length}, 'ab'), 'utf8'), TO_BYTES('${delimiter}', 'utf8')))`;
  await driver.execute(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM o AS SELECT k,
      ${split(QUARTER, '')} AS a, ${split(QUARTER + 1, '')} AS b,
      ${split(HALF, 'a')} AS c, ${split(HALF + 1, 'a')} AS d FROM s;`);
  await driver.pipe('s', [{ key: 'a', value: '{"V":1}', timestamp: 0 }]);
  await driver.settle();
  const [row] = await driver.texts('O');
  expect(row?.value).toBe(`{"A":${QUARTER},"B":null,"C":${QUARTER + 1},"D":null}`);
});

test.each(Object.keys(made))('%s', async (name) => {
  await using driver = new TestDriver();
  const [most, beyond] = [0, 1].map((more) => made[name]?.(more));
  await driver.execute(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM o AS SELECT k, ${most} > 0 AS most, ${beyond} AS beyond FROM s;`);
  await driver.pipe('s', [{ key: 'a', value: '{"V":1}', timestamp: 0 }]);
  await driver.settle();
  const [row] = await driver.texts('O');
  expect(row?.value).toBe('{"MOST":true,"BEYOND":null}');
  expect((await driver.texts('__processing_log'))[0]?.value).toContain(`${TEXT_LENGTH_MAX}`);
});

test('a value that doubles with each item of a list stops where it would be too long', async () => {
  await using driver = new TestDriver();
  await driver.execute(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM o AS SELECT k,
        REDUCE(${numbers(60)}, 'a', (s, n) => s + s) AS a,
        REDUCE(${numbers(60)}, '"', (s, n) => TO_JSON_STRING(s)) AS b,
        ARRAY_LENGTH(REDUCE(${numbers(60)}, ARRAY[1], (s, n) => ARRAY_CONCAT(s, s))) AS c,
        ARRAY_LENGTH(REDUCE(${numbers(60)}, ARRAY[${numbers(5)}], (s, n) => ARRAY_CONCAT(s, s))) AS d
      FROM s;`);
  await driver.pipe('s', [{ key: 'a', value: '{"V":1}', timestamp: 0 }]);
  await driver.settle();
  const [row] = await driver.texts('O');
  expect(row?.value).toBe('{"A":null,"B":null,"C":null,"D":null}');
});
