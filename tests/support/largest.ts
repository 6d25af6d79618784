// The largest record, key, table row and state of a group, for engines of every host; knows no host.

import { expect } from 'vitest';
import { KEY_BYTES_MAX, TEXT_LENGTH_MAX, VALUE_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { Engine } from '../../runtime/engine/engine.ts';

export type LargestEngine = Pick<Engine, 'execute' | 'query' | 'idle' | 'stats'> & {
  produce(topic: string, records: readonly { key: string; value: string }[]): Promise<unknown>;
};

const SQL = `
  CREATE STREAM texts (k STRING KEY, v STRING)
    WITH (KAFKA_TOPIC='texts', PARTITIONS=1, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');
  CREATE TABLE rows_in (k STRING PRIMARY KEY, v STRING)
    WITH (KAFKA_TOPIC='rows_in', PARTITIONS=1, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');
  CREATE TABLE lists AS
    SELECT k, ARRAY_LENGTH(COLLECT_LIST(v)) AS n, LEN(ARRAY_JOIN(COLLECT_LIST(v), '')) AS units
    FROM texts GROUP BY k;
  CREATE TABLE copies AS SELECT k, v FROM rows_in;`;

const KEY = 'k'.repeat(KEY_BYTES_MAX);
/** Three bytes in UTF-8, one unit of a text. */
const CHARACTER = '漢';
const UNITS_MAX = Math.floor((VALUE_BYTES_MAX - '{"V":""}'.length) / 3);
const recordOf = (units: number) => {
  const value = JSON.stringify({ V: CHARACTER.repeat(units) });
  // White space makes up for what no character fills.
  return { key: KEY, value: units === UNITS_MAX ? value.padEnd(value.length + 1) : value };
};
/** Lists are weighed: 1 an item and 1 each for the list, the cells, the new value and its list. */
const FULL = Math.floor(TEXT_LENGTH_MAX / (UNITS_MAX + 1));
const REST = TEXT_LENGTH_MAX - FULL * (UNITS_MAX + 1) - 4;
const LIST = { K: KEY, N: FULL + 1, UNITS: FULL * UNITS_MAX + REST };

const errorsOf = async (engine: LargestEngine): Promise<number[]> =>
  Object.values((await engine.stats()).queries).map(({ errors }) => errors);

const rowsOf = async (engine: LargestEngine, table: string): Promise<unknown[]> =>
  Array.fromAsync(await engine.query(`SELECT * FROM ${table};`));

/** Fills a new engine: a record of VALUE_BYTES_MAX and KEY_BYTES_MAX, and so many of them that the state of their group has TEXT_LENGTH_MAX units. */
export async function fillLargest(engine: LargestEngine): Promise<void> {
  await engine.execute(SQL);
  for (let i = 0; i < FULL; i++) await engine.produce('texts', [recordOf(UNITS_MAX)]);
  await engine.produce('texts', [recordOf(REST)]);
  await engine.produce('rows_in', [recordOf(UNITS_MAX)]);
  await engine.idle();
  expect(await errorsOf(engine)).toEqual([0, 0]);
}

/** What is there is whole. Asked of one that was filled, in this life or in an earlier one. */
export async function expectLargest(engine: LargestEngine): Promise<void> {
  expect(await rowsOf(engine, 'lists')).toEqual([LIST]);
  expect(await rowsOf(engine, 'copies')).toEqual([{ K: KEY, V: CHARACTER.repeat(UNITS_MAX) }]);
}

/** It goes on: what is beyond the largest state is refused and told, the row is replaced. */
export async function goOnLargest(engine: LargestEngine): Promise<void> {
  await engine.produce('texts', [recordOf(UNITS_MAX), recordOf(1)]);
  await engine.produce('rows_in', [recordOf(1)]);
  await engine.idle();
  expect(await errorsOf(engine)).toEqual([1, 0]);
  const { N, UNITS } = LIST;
  expect(await rowsOf(engine, 'lists')).toEqual([{ K: KEY, N: N + 1, UNITS: UNITS + 1 }]);
  expect(await rowsOf(engine, 'copies')).toEqual([{ K: KEY, V: CHARACTER }]);
}
