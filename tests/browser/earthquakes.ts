// The earthquakes run through an engine of the browser, and what came out, in the shape of the expected changes; knows no adapter.

import type { BrowserEngine } from '../../runtime/browser/index.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { decodeUtf8 } from '../../runtime/base/bytes.ts';
import {
  type EarthquakesFile,
  type QuakeChange,
  quakeRecords,
  QUAKES_STREAM,
  QUAKES_TABLE,
} from '../support/earthquakes.ts';

const DATA = new URL('../../node_modules/vega-datasets/data/earthquakes.json', import.meta.url);

export const RECORDS = quakeRecords((await (await fetch(DATA)).json()) as EarthquakesFile);

export async function createQuakes(engine: BrowserEngine): Promise<void> {
  await engine.execute(QUAKES_STREAM);
  await engine.execute(QUAKES_TABLE);
}

/** Feeds records `from .. to` as they arrived. */
export async function feed(
  engine: Pick<Engine | BrowserEngine, 'produce'>,
  from = 0,
  to = RECORDS.length,
): Promise<void> {
  await engine.produce(
    'quakes',
    RECORDS.slice(from, to).map(({ key, value }) => ({ key, value: JSON.stringify(value) })),
  );
}

/** Every record of the table's topic: what a consumer of it has seen, byte by byte. */
export async function changes(
  engine: Pick<Engine | BrowserEngine, 'topicRecords'>,
): Promise<QuakeChange[]> {
  const records = await engine.topicRecords('QUAKES_PER_HOUR');
  return records.map(({ key, value, timestamp }) => {
    if (key === null || value === null) throw new Error('a change has key and value');
    const bounds = new DataView(key.buffer, key.byteOffset + key.length - 8);
    const windowStart = Number(bounds.getBigInt64(0));
    return {
      key: decodeUtf8(key.subarray(0, key.length - 8)),
      windowStart,
      windowEnd: windowStart + 3_600_000,
      value: decodeUtf8(value),
      rowtime: timestamp,
    };
  });
}
