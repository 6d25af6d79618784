// The main job on the command line: the example, its 971 changes against a recount, and its statistics.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareEarthquakes } from '../../../scripts/prepare-examples.ts';
import {
  type EarthquakesFile,
  QUAKES_EXPECTED,
  type QuakeChange,
  quakePartition,
  quakePieces,
  quakeRecords,
  QUAKES_STREAM_OF_FOUR,
  QUAKES_TABLE,
  recountPartitions,
  recountQuakes,
  tableOf,
} from '../../support/earthquakes.ts';
import { type Ended, Workplace } from './command.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const file = resolve(ROOT, 'node_modules/vega-datasets/data/earthquakes.json');
const records = quakeRecords(JSON.parse(readFileSync(file, 'utf8')) as EarthquakesFile);
const workplace = new Workplace();

let ended: Ended;

beforeAll(async () => {
  const app = resolve(ROOT, 'examples/earthquakes/app.sql');
  const input = `quakes=${prepareEarthquakes()}`;
  ended = await workplace.process('run', app, '--input', input, '--stats', 'stats.json');
});

afterAll(() => workplace.remove());

/** A result line as the recount has it: the value as it is written. */
function changeOf(line: string): QuakeChange {
  const parts =
    /^\{"source":"QUAKES_PER_HOUR","key":\{"NET":"(.*)"\},"window":\{"start":(\d+),"end":(\d+)\},"value":(\{.*\}),"rowtime":(\d+)\}$/.exec(
      line,
    );
  const [, key = '', start, end, value = '', rowtime] = parts ?? [];
  return {
    key,
    windowStart: Number(start),
    windowEnd: Number(end),
    value,
    rowtime: Number(rowtime),
  };
}

describe('examples/earthquakes', () => {
  test('ends well and says nothing on stderr', () => {
    expect({ status: ended.status, stderr: ended.stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('prints the recounted changes, in order and to the last digit', () => {
    const changes = ended.stdout.trimEnd().split('\n').map(changeOf);
    expect(changes).toHaveLength(QUAKES_EXPECTED.changes);
    expect(changes).toEqual(recountQuakes(records).changes);
    expect(tableOf(changes).size).toBe(QUAKES_EXPECTED.rows);
  });

  test('counts what came in, what was late and what went out', () => {
    const { late, changes } = QUAKES_EXPECTED;
    expect(JSON.parse(workplace.read('stats.json'))).toEqual({
      topics: { quakes: { in: QUAKES_EXPECTED.records } },
      queries: { CTAS_QUAKES_PER_HOUR_1: { late, out: changes } },
    });
  });

  test('its input has a line for each earthquake, in the order of arrival', () => {
    const lines = readFileSync(prepareEarthquakes(), 'utf8').trimEnd().split('\n');
    const updated = lines.map((line) => (JSON.parse(line) as { updated: number }).updated);
    expect(updated).toHaveLength(QUAKES_EXPECTED.records);
    expect(updated).toEqual([...updated].sort((a, b) => a - b));
  });
});

test('over four partitions and an internal topic of four the changes of each are those of every place', async () => {
  workplace.write('four.sql', `${QUAKES_STREAM_OF_FOUR}\n${QUAKES_TABLE}`);
  const inputs = quakePieces(records).flatMap((piece, i) => {
    const lines = piece.map(({ key, value }) => JSON.stringify({ id: key, ...value }));
    workplace.write(`${i}.ndjson`, `${lines.join('\n')}\n`);
    return ['--input', `quakes=@${i}.ndjson`];
  });
  const args = ['run', '@four.sql', ...inputs, '--stats', '@four.json'];
  const { status, stdout, stderr } = await workplace.millrace(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const changes = stdout.trimEnd().split('\n').map(changeOf);
  const model = recountPartitions(records);
  for (const [partition, expected] of model.entries()) {
    const own = changes.filter(({ key }) => quakePartition(key) === partition);
    expect(own).toEqual(expected.changes);
    expect(tableOf(own)).toEqual(tableOf(expected.changes));
  }
  const late = model.reduce((sum, one) => sum + one.late, 0);
  expect(JSON.parse(workplace.read('four.json'))).toEqual({
    topics: { quakes: { in: QUAKES_EXPECTED.records } },
    queries: { CTAS_QUAKES_PER_HOUR_1: { late, out: changes.length } },
  });
});
