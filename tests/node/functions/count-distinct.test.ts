// COUNT_DISTINCT: its error, its two forms of a state, and that a state is the same bytes everywhere.

import { expect, test } from 'vitest';
import { STRING, type Value } from '../../../runtime/data/type.ts';
import { bodyOf, folded } from '../../support/aggregates.ts';

const body = bodyOf({ name: 'COUNT_DISTINCT', types: [STRING] });
const keys = (from: number, to: number): Value[][] =>
  Array.from({ length: to - from }, (_, i) => [`user-${from + i}`]);

test.each([1, 10, 100, 1_000, 10_000, 30_000])('of %d values it counts all but 2 percent', (n) => {
  const count = Number(body.result(folded(body, keys(0, n))));
  expect(Math.abs(count - n)).toBeLessThanOrEqual(Math.max(n * 0.02, n < 200 ? 0 : 1));
});

test('the same values in another order, in parts or twice are the same bytes, sparse or dense', () => {
  for (const n of [300, 5_461, 5_600, 9_000]) {
    const rows = keys(0, n);
    const whole = folded(body, rows);
    expect(folded(body, [...rows].reverse())).toEqual(whole);
    expect(folded(body, [...rows, ...rows.slice(0, 50)])).toEqual(whole);
    const into = folded(body, rows.slice(0, n / 2));
    body.merge?.(into, folded(body, rows.slice(n / 3)));
    expect(into).toEqual(whole);
  }
});

test('the sparse form stands while it is shorter', () => {
  const lengthOf = (n: number): number => (folded(body, keys(0, n))[0] as Uint8Array).length;
  expect(lengthOf(2)).toBe(6);
  expect(lengthOf(5_000)).toBeLessThan(16_384);
  expect(lengthOf(10_000)).toBe(16_384);
});

test('what is counted on from row to row is what a look at the whole state counts', () => {
  const cells = body.initial();
  keys(0, 12_000).forEach((row, offset) => {
    const before = (cells[0] as Uint8Array).slice();
    const shown = body.result([before]);
    body.add(cells, row, offset);
    const after = body.result(cells);
    if (offset % 97 !== 0) return;
    expect(after).toBe(body.result([(cells[0] as Uint8Array).slice()]));
    // The state before is as it was, for whoever has it.
    expect(body.result([before])).toBe(shown);
  });
});

test('a copy goes its own way, sparse or dense', () => {
  for (const n of [3, 300, 9_000]) {
    const cells = folded(body, keys(0, n));
    const shown = body.result(cells);
    const copy = body.copy?.(cells) ?? [];
    for (const row of keys(n, n + 500)) body.add(copy, row, 0);
    expect(cells).toEqual(folded(body, keys(0, n)));
    expect(body.result(cells)).toBe(shown);
    expect(copy).toEqual(folded(body, keys(0, n + 500)));
    expect(body.result(copy)).toBe(body.result(folded(body, keys(0, n + 500))));
  }
});

test('stored states are read by later versions: the hash is the same for ever', () => {
  expect([...(folded(body, [['a'], ['b'], ['日本']])[0] as Uint8Array)]).toMatchInlineSnapshot(`
    [
      1,
      76,
      1,
      130,
      75,
      9,
      130,
      73,
      12,
    ]
  `);
});
