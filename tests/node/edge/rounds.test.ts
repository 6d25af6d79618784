// Rounds over a list in parts: each item once a round, whatever becomes of the list meanwhile.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rounds } from '../../../edge/objects/rounds.ts';
import { SWEPT_TASKS_MAX } from '../../../runtime/base/limits.ts';

/** The parts of one round. */
function round(rounds: Rounds, items: readonly number[]): (readonly number[])[] {
  const parts: (readonly number[])[] = [];
  do parts.push(rounds.part(items));
  while (!rounds.isOver);
  return parts;
}

test('SWEPT_TASKS_MAX tasks are one part, and one more is another', () => {
  const rounds = new Rounds(SWEPT_TASKS_MAX);
  const lengths = (count: number): number[] =>
    round(
      rounds,
      Array.from({ length: count }, (_, i) => i),
    ).map(({ length }) => length);
  expect(lengths(SWEPT_TASKS_MAX)).toEqual([SWEPT_TASKS_MAX]);
  expect(lengths(SWEPT_TASKS_MAX + 1)).toEqual([SWEPT_TASKS_MAX, 1]);
  expect(lengths(0)).toEqual([0]);
});

test('a round has each item once, in parts no longer than may be', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (most, items) => {
        const rounds = new Rounds(most);
        for (let i = 0; i < 2; i++) {
          const parts = round(rounds, items);
          expect(parts.flat()).toEqual(items);
          expect(parts.every(({ length }) => length <= most)).toBe(true);
        }
      },
    ),
  );
});

test('a list that has become shorter begins anew', () => {
  const rounds = new Rounds(2);
  expect(rounds.part([1, 2, 3, 4, 5])).toEqual([1, 2]);
  expect(rounds.part([1])).toEqual([]);
  expect(rounds.isOver).toBe(true);
  expect(rounds.part([1])).toEqual([1]);
});
