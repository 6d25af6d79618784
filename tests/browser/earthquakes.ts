// The earthquakes run through an engine of the browser, and what came out, in the shape of the expected changes; knows no adapter.

import { expect } from 'vitest';
import type { BrowserEngine } from '../../runtime/browser/index.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { decodeUtf8 } from '../../runtime/base/bytes.ts';
import {
  type EarthquakesFile,
  type QuakeChange,
  type QuakeRecord,
  quakePieces,
  quakeRecords,
  QUAKES_STREAM,
  QUAKES_STREAM_OF_FOUR,
  QUAKES_TABLE,
  recountPartitions,
} from '../support/earthquakes.ts';

const DATA = new URL('../../node_modules/vega-datasets/data/earthquakes.json', import.meta.url);

export const RECORDS = quakeRecords((await (await fetch(DATA)).json()) as EarthquakesFile);

export async function createQuakes(engine: BrowserEngine, stream = QUAKES_STREAM): Promise<void> {
  await engine.execute(stream);
  await engine.execute(QUAKES_TABLE);
}

/** Feeds records `from .. to` as they arrived. */
export async function feed(
  engine: Pick<Engine | BrowserEngine, 'produce'>,
  from = 0,
  to = RECORDS.length,
): Promise<void> {
  await feedPiece(engine, RECORDS.slice(from, to));
}

async function feedPiece(
  engine: Pick<Engine | BrowserEngine, 'produce'>,
  piece: readonly QuakeRecord[],
): Promise<void> {
  const records = piece.map(({ key, value }) => ({ key, value: JSON.stringify(value) }));
  await engine.produce('quakes', records);
}

/** Every record of a partition of the table's topic: what a consumer of it has seen, byte by byte. */
export async function changes(
  engine: Pick<Engine | BrowserEngine, 'topicRecords'>,
  partition = 0,
): Promise<QuakeChange[]> {
  const records = await engine.topicRecords('QUAKES_PER_HOUR', { partition });
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

/** Feeds all records over four partitions, piece by piece, and expects of each the changes that the reference model has; all of these, and the late ones. */
export async function expectFourPartitions(
  engine: BrowserEngine,
): Promise<{ readonly changes: QuakeChange[]; readonly late: number }> {
  await createQuakes(engine, QUAKES_STREAM_OF_FOUR);
  for (const piece of quakePieces(RECORDS)) {
    await feedPiece(engine, piece);
    await engine.idle();
  }
  const model = recountPartitions(RECORDS);
  for (const [partition, expected] of model.entries()) {
    expect(await changes(engine, partition)).toEqual(expected.changes);
  }
  return {
    changes: model.flatMap((one) => one.changes),
    late: model.reduce((sum, one) => sum + one.late, 0),
  };
}
