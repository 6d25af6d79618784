// Blocks of state are copied to arrays that come back, and to no others.

import { expect, test } from 'vitest';

import { copied } from '../../../runtime/ports/block-copies.ts';
import type { StateBlock } from '../../../runtime/ports/store.ts';

const names = { key: () => new Uint8Array(1) };

function block(first: number, length: number): StateBlock {
  return {
    table: 't',
    names,
    ids: Uint32Array.from({ length }, (_, i) => first + i),
    starts: new Float64Array(length).fill(first),
    values: new Uint8Array(length * 8).fill(first),
    valueBytes: 8,
    closedMs: first,
  };
}

const shown = ({ ids, starts, values, closedMs }: StateBlock) => [ids, starts, values, closedMs];

test('a block holds what it was copied from, in arrays that were given back where they have room', () => {
  const first = copied(block(1, 5));
  const second = copied(block(2, 5));
  expect(second.ids.buffer).not.toBe(first.ids.buffer);
  expect([first, second].map(shown)).toEqual([block(1, 5), block(2, 5)].map(shown));
  first.giveBack?.();
  const third = copied(block(3, 4));
  expect(third.values.buffer).toBe(first.values.buffer);
  third.giveBack?.();
  const longer = copied(block(4, 6));
  expect(longer.ids.buffer).not.toBe(first.ids.buffer);
  expect([second, third, longer].map(shown)).toEqual(
    [block(2, 5), block(3, 4), block(4, 6)].map(shown),
  );
  const others = copied({ ...block(5, 5), names: { ...names } });
  expect(others.ids.buffer).not.toBe(first.ids.buffer);
});
