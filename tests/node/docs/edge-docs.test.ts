// The guide to running an edge tells of every event that an edge logs, and of no other.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const LOGGED = /\blog\(\s*'(?:info|warn|error)',\s*'([a-z-]+)'/g;

/** Of hosts that are no edge. */
const ELSEWHERE = new Set(['upkeep']);

test('the guide names each event of the logs', () => {
  const files = ['edge', 'runtime'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(ROOT, folder, path), 'utf8')),
  );
  const logged = files.flatMap((text) =>
    [...text.matchAll(LOGGED)].map(([, event]) => event ?? ''),
  );
  const guide = readFileSync(resolve(ROOT, 'docs/edge.md'), 'utf8');
  const [, table = ''] = /^\| Event \| Level .*?\n\|---.*?\n(.*?)\n\n/ms.exec(guide) ?? [];
  const told = table.split('\n').flatMap((line) => {
    const [, events = ''] = line.split('|');
    return [...events.matchAll(/`([a-z-]+)`/g)].map(([, event]) => event ?? '');
  });
  const expected = new Set(logged.filter((event) => !ELSEWHERE.has(event)));
  expect(expected.size).toBeGreaterThan(10);
  expect(told.toSorted()).toEqual([...expected].toSorted());
});
