// Makes the input of the examples from the packages that hold their data; knows no engine.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type EarthquakesFile, quakeRecords } from '../tests/support/earthquakes.ts';

const ROOT = resolve(import.meta.dirname, '..');
const EARTHQUAKES = resolve(ROOT, 'node_modules/vega-datasets/data/earthquakes.json');
const QUAKES = resolve(ROOT, 'examples/earthquakes/quakes.ndjson');

/**
 * Writes examples/earthquakes/quakes.ndjson: one earthquake a line, in the order of arrival. The data has no time of arrival: `updated`, the
 * time of the last revision, stands in for it.
 * @returns the file's path
 */
export function prepareEarthquakes(): string {
  const file = JSON.parse(readFileSync(EARTHQUAKES, 'utf8')) as EarthquakesFile;
  const lines = quakeRecords(file).map(({ key, value }) => JSON.stringify({ id: key, ...value }));
  const text = `${lines.join('\n')}\n`;
  // A file that is right already may be open elsewhere.
  if (!existsSync(QUAKES) || readFileSync(QUAKES, 'utf8') !== text) writeFileSync(QUAKES, text);
  return QUAKES;
}

if (import.meta.main) console.log(`wrote ${prepareEarthquakes()}`);
