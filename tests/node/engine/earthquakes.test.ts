// The main job in Node: the earthquakes of vega-datasets, on both paths, fused and repartitioned, over one partition and four.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeUtf8, decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { partitionOf } from '../../../runtime/base/hash.ts';
import { positionOf } from '../../../runtime/data/batch.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { jsonText } from '../../../runtime/data/json-text.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import {
  type EarthquakesFile,
  QUAKES_EXPECTED,
  QUAKES_LATE_BY_GRACE,
  QUAKES_STREAM,
  QUAKES_TABLE,
  type QuakeChange,
  quakePieces,
  quakeRecords,
  type QuakeRecord,
  QUAKES_STREAM_OF_FOUR,
  recountPartitions,
  recountQuakes,
  tableOf,
} from '../../support/earthquakes.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const file = resolve(
  import.meta.dirname,
  '../../../node_modules/vega-datasets/data/earthquakes.json',
);
const records = quakeRecords(JSON.parse(readFileSync(file, 'utf8')) as EarthquakesFile);
const expected = recountQuakes(records);
const QUERY = 'CTAS_QUAKES_PER_HOUR_1';
const HOUR_MS = 3_600_000;

interface Variant {
  readonly path: 'row' | 'kernel';
  readonly fuse: 'auto' | 'never';
  /** Where records are decoded; on the row path not in the kernel whatever it says. */
  readonly decoder: 'auto' | 'row';
}

const variants: readonly Variant[] = (['auto', 'never'] as const).flatMap((fuse): Variant[] => [
  { path: 'row', fuse, decoder: 'auto' },
  { path: 'kernel', fuse, decoder: 'auto' },
  { path: 'kernel', fuse, decoder: 'row' },
]);

async function started({ path, fuse, decoder }: Variant, statements: string): Promise<Engine> {
  const host = memoryHost({ kernel: kernelModule() });
  const properties = {
    'millrace.path': path,
    'millrace.fuse': fuse,
    'millrace.decoder': decoder,
  };
  const engine = await open({ host, properties });
  await engine.execute(statements);
  return engine;
}

const produced = ({ key, value }: QuakeRecord) => ({ key, value: JSON.stringify(value) });

/** The changes in one partition of the table's topic, read as bytes. */
async function changesIn(engine: Engine, partition = 0): Promise<QuakeChange[]> {
  const found = await engine.topicRecords('QUAKES_PER_HOUR', { partition });
  return found.map(({ key, value, timestamp }) => {
    const bytes = key ?? new Uint8Array();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const windowStart = Number(view.getBigInt64(bytes.length - 8));
    return {
      key: decodeUtf8(bytes, 0, bytes.length - 8),
      windowStart,
      windowEnd: windowStart + HOUR_MS,
      value: decodeUtf8(value ?? new Uint8Array()),
      rowtime: timestamp,
    };
  });
}

async function pulledTable(engine: Engine): Promise<Map<string, QuakeChange>> {
  const select =
    'SELECT net, windowstart, windowend, n, strongest, significance FROM quakes_per_hour';
  await using rows = await engine.query(select);
  const table = new Map<string, QuakeChange>();
  for await (const batch of rows.batches()) {
    for (let i = 0; i < batch.length; i++) {
      const at = positionOf(batch, i);
      const texts = batch.columns.map((column) => jsonText(column.type, valueAt(column, at)));
      const [net, start, end, n, strongest, significance] = texts;
      const key = JSON.parse(net ?? '') as string;
      table.set(`${key} ${start}`, {
        key,
        windowStart: Number(start),
        windowEnd: Number(end),
        value: `{"N":${n},"STRONGEST":${strongest},"SIGNIFICANCE":${significance}}`,
        rowtime: batch.rowtime[at] ?? 0,
      });
    }
  }
  return table;
}

test('the recount gives the numbers that are known', () => {
  expect(records.length).toBe(QUAKES_EXPECTED.records);
  expect(expected.late).toBe(QUAKES_EXPECTED.late);
  expect(expected.changes.length).toBe(QUAKES_EXPECTED.changes);
  expect(tableOf(expected.changes).size).toBe(QUAKES_EXPECTED.rows);
});

describe.each(variants)(
  'on the $path path, millrace.fuse $fuse, millrace.decoder $decoder',
  (variant) => {
    test('the engine makes the recounted changes and table', async () => {
      await using engine = await started(variant, QUAKES_STREAM + QUAKES_TABLE);
      await engine.produce('quakes', records.map(produced));
      await engine.idle();
      expect(await changesIn(engine)).toEqual(expected.changes);
      expect(await pulledTable(engine)).toEqual(tableOf(expected.changes));
      const { topics, queries } = await engine.stats();
      expect(topics['quakes']).toEqual({ in: QUAKES_EXPECTED.records });
      expect(queries[QUERY]).toMatchObject({
        in: QUAKES_EXPECTED.records,
        late: QUAKES_EXPECTED.late,
        out: QUAKES_EXPECTED.changes,
        errors: 0,
      });
    });

    test('the records may come one by one', async () => {
      await using engine = await started(variant, QUAKES_STREAM + QUAKES_TABLE);
      for (const record of records.slice(0, 400)) {
        await engine.produce('quakes', [produced(record)]);
        await engine.idle();
      }
      expect(await changesIn(engine)).toEqual(recountQuakes(records.slice(0, 400)).changes);
    });

    test.each(QUAKES_LATE_BY_GRACE)(
      'with %i hours of grace %i records are late',
      async (hours, late) => {
        const table = QUAKES_TABLE.replace('GRACE PERIOD 6 HOURS', `GRACE PERIOD ${hours} HOURS`);
        await using engine = await started(variant, QUAKES_STREAM + table);
        await engine.produce('quakes', records.map(produced));
        await engine.idle();
        expect((await engine.stats()).queries[QUERY]?.late).toBe(late);
        expect(await changesIn(engine)).toEqual(recountQuakes(records, hours * HOUR_MS).changes);
      },
    );
  },
);

describe.each(variants.filter(({ fuse }) => fuse === 'auto'))(
  'over four partitions and an internal topic of four, $path path',
  (variant) => {
    test('fed one by one each partition of the table is recounted from the records of its networks', async () => {
      await using engine = await started(variant, QUAKES_STREAM_OF_FOUR + QUAKES_TABLE);
      // One by one, so that the four tasks write to the internal topic in the order of arrival.
      for (const record of records) {
        await engine.produce('quakes', [produced(record)]);
        await engine.idle();
      }
      let late = 0;
      let changes = 0;
      for (let partition = 0; partition < 4; partition++) {
        const own = records.filter(
          ({ value }) => partitionOf(encodeUtf8(String(value['net'])), 4) === partition,
        );
        const model = recountQuakes(own);
        expect(await changesIn(engine, partition)).toEqual(model.changes);
        late += model.late;
        changes += model.changes.length;
      }
      const { queries } = await engine.stats();
      expect(queries[QUERY]).toMatchObject({ in: records.length, late, out: changes });
      expect(queries[QUERY]?.late).not.toBe(QUAKES_EXPECTED.late);
    });

    test('fed in pieces the changes and the table are those of every place', async () => {
      await using engine = await started(variant, QUAKES_STREAM_OF_FOUR + QUAKES_TABLE);
      for (const piece of quakePieces(records)) {
        await engine.produce('quakes', piece.map(produced));
        await engine.idle();
      }
      const model = recountPartitions(records);
      for (const [partition, { changes }] of model.entries()) {
        expect(changes.length).toBeGreaterThan(0);
        expect(await changesIn(engine, partition)).toEqual(changes);
      }
      expect(await pulledTable(engine)).toEqual(tableOf(model.flatMap(({ changes }) => changes)));
      const { queries } = await engine.stats();
      expect(queries[QUERY]?.late).toBe(model.reduce((sum, { late }) => sum + late, 0));
    });
  },
);
