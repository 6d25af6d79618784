// The demo's recount, its comparison, its clock and its verdicts, against the recount of the tests; opens no browser.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compare } from '../../../demo/check.ts';
import { HOUR_MS } from '../../../demo/format.ts';
import type { Quake } from '../../../demo/quakes.ts';
import { recount } from '../../../demo/recount.ts';
import { Replay } from '../../../demo/replay.ts';
import { createTable, CREATE_STREAM, pieces } from '../../../demo/sql.ts';
import { Verdicts } from '../../../demo/verdicts.ts';
import {
  type EarthquakesFile,
  QUAKES_EXPECTED,
  QUAKES_LATE_BY_GRACE,
  quakeRecords,
  recountQuakes,
} from '../../support/earthquakes.ts';

const file = resolve(
  import.meta.dirname,
  '../../../node_modules/vega-datasets/data/earthquakes.json',
);
const records = quakeRecords(JSON.parse(readFileSync(file, 'utf8')) as EarthquakesFile);
const values = records.map(({ value }) => JSON.stringify(value));
const graceMs = 6 * HOUR_MS;
const quakes = records.map(({ key, value }, index): Quake => {
  const { net, mag, place, time, updated } = value;
  return {
    key,
    value: values[index] ?? '',
    net: String(net),
    mag: Number(mag),
    place: String(place),
    timeMs: Number(time),
    arrivalMs: Number(updated),
  };
});

describe('recount', () => {
  test.each(QUAKES_LATE_BY_GRACE)(
    'finds the late records of a grace of %i hours',
    (hours, late) => {
      expect(recount(values, hours * HOUR_MS).late).toBe(late);
    },
  );

  test('makes the rows that the tests expect of the engine', () => {
    const last = new Map(
      recountQuakes(records).changes.map((change) => [
        `${change.key} ${change.windowStart}`,
        change,
      ]),
    );
    const { hours } = recount(values, graceMs);
    expect(hours.size).toBe(QUAKES_EXPECTED.rows);
    for (const [key, { n, strongest, significance }] of hours) {
      const { N, STRONGEST, SIGNIFICANCE } = JSON.parse(last.get(key)?.value ?? '{}');
      expect([key, n, strongest, significance]).toEqual([key, N, STRONGEST, SIGNIFICANCE]);
    }
  });
});

describe('compare', () => {
  test('finds no difference between a table and itself', () => {
    const table = recount(values, graceMs);
    expect(compare(table, recount(values, graceMs))).toEqual({
      rows: QUAKES_EXPECTED.rows,
      differences: [],
    });
  });

  test('names the row whose value was tampered with', () => {
    const [first = '', ...rest] = values;
    const tampered = [first.replace(/"sig":\d+/, '"sig":999'), ...rest];
    const { differences } = compare(recount(values, graceMs), recount(tampered, graceMs));
    const { net, time } = JSON.parse(first) as { net: string; time: number };
    expect(differences).toHaveLength(1);
    expect(differences[0]).toContain(`${net} ${time - (time % HOUR_MS)}: recounted`);
    expect(differences[0]).toContain('999');
  });

  test('misses no row on either side, and no late record', () => {
    const [first = ''] = values;
    const all = recount(values, graceMs);
    const one = recount([first], graceMs);
    expect(compare(all, one).differences).toContain(
      `late records: recounted ${QUAKES_EXPECTED.late}, the engine says 0`,
    );
    expect(compare(one, all).differences.join()).toContain('recounted no row');
    expect(compare(all, one).differences.join()).toContain('in the table no row');
  });
});

describe('Verdicts', () => {
  test.each(QUAKES_LATE_BY_GRACE)(
    'reads off the changes which records were late, at a grace of %i hours',
    (hours, late) => {
      const { changes } = recountQuakes(records, hours * HOUR_MS);
      const verdicts = new Verdicts(quakes);
      for (const { key, windowStart } of changes) verdicts.change(key, windowStart);
      verdicts.settle(quakes.length, changes.length);
      const all = quakes.map((_, index) => verdicts.of(index));
      expect(all.filter((verdict) => verdict === 'late')).toHaveLength(late);
      expect(all.filter((verdict) => verdict === 'counted')).toHaveLength(changes.length);
      let streamTimeMs = -Infinity;
      const byRule = quakes.map(({ timeMs }) => {
        streamTimeMs = Math.max(streamTimeMs, timeMs);
        const endMs = timeMs - (timeMs % HOUR_MS) + HOUR_MS;
        return endMs <= streamTimeMs - hours * HOUR_MS ? 'late' : 'counted';
      });
      expect(all).toEqual(byRule);
    },
  );

  test('leaves records open while changes may still come for them', () => {
    const verdicts = new Verdicts(quakes);
    verdicts.settle(5, 1);
    expect(verdicts.settled).toBe(0);
    expect(verdicts.of(0)).toBe('pending');
  });

  test('refuses a change that no record can have made', () => {
    const verdicts = new Verdicts(quakes);
    expect(() => verdicts.change('nowhere', 0)).toThrow('no record left can have changed nowhere');
  });
});

describe('Replay', () => {
  test('lets every record arrive once, in order, and then ends', () => {
    const replay = new Replay(quakes, 100_000);
    const arrived: Quake[] = [];
    for (let frames = 0; !replay.isFinished && frames < 10_000; frames++) {
      arrived.push(...replay.advance(16));
    }
    expect(arrived).toEqual(quakes);
    expect(replay.advance(16)).toEqual([]);
    replay.restart();
    expect(replay.advance(0)).toEqual(quakes.slice(0, 1));
  });

  test('stands still while it is paused, and does not make up for a hidden tab', () => {
    const replay = new Replay(quakes, 1000);
    replay.isPlaying = false;
    expect(replay.advance(1_000_000)).toEqual([]);
    const before = replay.nowMs;
    replay.isPlaying = true;
    replay.advance(1_000_000);
    expect(replay.nowMs - before).toBe(250_000);
  });
});

test('the coloured pieces of a statement are the statement', () => {
  for (const sql of [CREATE_STREAM, createTable(6)]) {
    expect(
      pieces(sql)
        .map(({ text }) => text)
        .join(''),
    ).toBe(sql);
  }
  expect(pieces("SIZE 1 HOUR, 'x'").map(({ kind }) => kind)).toEqual([
    'keyword',
    'plain',
    'number',
    'plain',
    'keyword',
    'plain',
    'text',
  ]);
});
