// The largest record, key, table row and state of a group, for engines of every host; knows no host.

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
const UNITS = FULL * UNITS_MAX + REST;

/** What there is to be seen of the largest things, and how many errors the queries have told of. */
export interface Largest {
  readonly lists: readonly unknown[];
  readonly copies: readonly unknown[];
  readonly errors: readonly number[];
}

/** After `fillLargest`, in this life of the engine or a later one. */
export const FILLED: Largest = {
  lists: [{ K: KEY, N: FULL + 1, UNITS }],
  copies: [{ K: KEY, V: CHARACTER.repeat(UNITS_MAX) }],
  errors: [0, 0],
};

/** After `goOnLargest`: what is beyond the largest state was refused and told, the row replaced. */
export const GONE_ON: Largest = {
  lists: [{ K: KEY, N: FULL + 2, UNITS: UNITS + 1 }],
  copies: [{ K: KEY, V: CHARACTER }],
  errors: [1, 0],
};

export async function largestOf(engine: LargestEngine): Promise<Largest> {
  const rowsOf = async (table: string): Promise<unknown[]> =>
    Array.fromAsync(await engine.query(`SELECT * FROM ${table};`));
  await engine.idle();
  return {
    lists: await rowsOf('lists'),
    copies: await rowsOf('copies'),
    errors: Object.values((await engine.stats()).queries).map(({ errors }) => errors),
  };
}

/** Fills a new engine: a record of VALUE_BYTES_MAX and KEY_BYTES_MAX, and so many of them that the state of their group has TEXT_LENGTH_MAX units. */
export async function fillLargest(engine: LargestEngine): Promise<void> {
  await engine.execute(SQL);
  for (let i = 0; i < FULL; i++) await engine.produce('texts', [recordOf(UNITS_MAX)]);
  await engine.produce('texts', [recordOf(REST)]);
  await engine.produce('rows_in', [recordOf(UNITS_MAX)]);
}

/** One record more for the group than fits, a small one behind it, and another row. */
export async function goOnLargest(engine: LargestEngine): Promise<void> {
  await engine.produce('texts', [recordOf(UNITS_MAX), recordOf(1)]);
  await engine.produce('rows_in', [recordOf(1)]);
}
