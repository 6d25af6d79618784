// Many are asked some at a time: answers stand in the order of what was asked, and after the first that fails nobody else is asked.

import { expect, test } from 'vitest';
import { inLanes } from '../../../edge/lanes.ts';
import { OBJECTS_ASKED_MAX } from '../../../runtime/base/limits.ts';

test('OBJECTS_ASKED_MAX are asked at a time, one that is slow holds up none, and answers keep their order', async () => {
  const items = Array.from({ length: 3 * OBJECTS_ASKED_MAX }, (_, i) => i);
  const slow = Promise.withResolvers<void>();
  let [underWay, most, answered] = [0, 0, 0];
  const asked = inLanes(items, async (item) => {
    most = Math.max(most, (underWay += 1));
    await (item === 1 ? slow.promise : new Promise((resolve) => setTimeout(resolve, 1)));
    underWay -= 1;
    answered += 1;
    return item * 2;
  });
  await expect.poll(() => answered).toBe(items.length - 1);
  slow.resolve();
  expect(await asked).toEqual(items.map((item) => item * 2));
  expect(most).toBe(OBJECTS_ASKED_MAX);
  expect(await inLanes([], async () => 1)).toEqual([]);
});

test('the first that fails is what is told, and nobody is asked behind it', async () => {
  const asked: number[] = [];
  const items = Array.from({ length: 10 * OBJECTS_ASKED_MAX }, (_, i) => i);
  const all = inLanes(items, async (item) => {
    asked.push(item);
    await new Promise((resolve) => setTimeout(resolve, item === 3 ? 1 : 20));
    if (item === 3) throw new Error('no answer');
  });
  await expect(all).rejects.toThrow('no answer');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked).toEqual(items.slice(0, OBJECTS_ASKED_MAX));
});
