// Hints of a partition: everybody is told in the end, and what a hint brings along is what a read would have given.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Hints } from '../../../edge/objects/hints.ts';
import { Tail } from '../../../edge/objects/tail.ts';
import { HINT_BYTES_MAX } from '../../../runtime/base/limits.ts';
import type { Fetched, FetchedBatch } from '../../../runtime/ports/log.ts';

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** How a subscriber answers. */
type Answer = 'known' | 'unknown' | 'lost';

/** A partition whose batches are as long as it is told, and who is told of them. */
class Fake {
  next = 0;
  readonly subscribers = new Set<string>();
  readonly told: {
    readonly name: string;
    readonly next: number;
    readonly brought: Fetched | null;
  }[] = [];
  answer: (name: string) => Answer | Promise<Answer> = () => 'known';
  readonly tail = new Tail();
  readonly hints = new Hints({
    bounds: () => ({ start: 0, highWatermark: this.next, incarnation: 'i' }),
    recent: (from) => this.tail.read(from, this.next, Infinity),
    subscribers: () => [...this.subscribers],
    unsubscribe: (name) => this.subscribers.delete(name),
    wake: async (name, next, brought) => {
      this.told.push({ name, next, brought });
      const answer = await this.answer(name);
      if (answer === 'lost') throw new Error('it does not answer');
      return answer === 'known';
    },
  });

  subscribe(name: string): void {
    this.subscribers.add(name);
    this.hints.subscribed(name);
  }

  append(...lengths: readonly number[]): void {
    const batches = lengths.map((length): FetchedBatch => {
      this.next += 10;
      return { base: this.next - 10, count: 10, bytes: new Uint8Array(length) };
    });
    this.tail.add(batches);
  }

  /** What the hints so far have brought: the bases of their batches; null: nothing. */
  get bases(): readonly (readonly number[] | null)[] {
    return this.told.map(({ brought }) => brought?.batches.map(({ base }) => base) ?? null);
  }
}

test('one that has been told of all before gets what has come since; one that has not must read', async () => {
  const fake = new Fake();
  fake.subscribe('a');
  fake.append(100);
  await fake.hints.tellAll();
  fake.append(100, 100);
  fake.subscribe('b');
  await fake.hints.tellAll();
  expect(fake.told.map(({ name, next }) => [name, next])).toEqual([
    ['a', 10],
    ['a', 30],
    ['b', 30],
  ]);
  expect(fake.bases).toEqual([null, [10, 20], null]);
  expect(fake.told[1]?.brought).toMatchObject({ start: 0, highWatermark: 30, incarnation: 'i' });
});

test('one that did not answer gets all that has come since when it does', async () => {
  const fake = new Fake();
  fake.subscribe('a');
  await fake.hints.tellAll();
  fake.answer = () => 'lost';
  for (let i = 0; i < 3; i++) {
    fake.append(1);
    await fake.hints.tellAll();
  }
  expect(fake.hints.isBehind).toBe(true);
  fake.answer = () => 'known';
  await fake.hints.tellAll();
  expect(fake.bases).toEqual([null, [0], [0, 10], [0, 10, 20], [0, 10, 20]]);
  expect(fake.hints.isBehind).toBe(false);
});

test('a hint brings HINT_BYTES_MAX bytes, and nothing where more has come', async () => {
  for (const [lengths, bases] of [
    [[HINT_BYTES_MAX], [0]],
    [[HINT_BYTES_MAX + 1], null],
    [
      [HINT_BYTES_MAX - 1, 1],
      [0, 10],
    ],
    [[HINT_BYTES_MAX, 1], null],
    [[1, HINT_BYTES_MAX + 1, 1], null],
  ] as const) {
    const fake = new Fake();
    fake.subscribe('a');
    await fake.hints.tellAll();
    fake.append(...lengths);
    await fake.hints.tellAll();
    expect(fake.bases).toEqual([null, bases]);
    fake.append(1);
    await fake.hints.tellAll();
    expect(fake.bases.at(-1)).toEqual([lengths.length * 10]);
  }
});

test('one that does not want to know is told no more, unless it has subscribed again meanwhile', async () => {
  const fake = new Fake();
  fake.subscribe('a');
  fake.answer = () => {
    fake.answer = () => 'known';
    fake.subscribe('a');
    return 'unknown';
  };
  await fake.hints.tellAll();
  expect([...fake.subscribers]).toEqual(['a']);
  fake.answer = () => 'unknown';
  fake.append(1);
  await fake.hints.tellAll();
  expect([...fake.subscribers]).toEqual([]);
});

test('one that takes long to answer holds up no other, and is told of all that came meanwhile at once', async () => {
  const fake = new Fake();
  fake.subscribe('slow');
  fake.subscribe('quick');
  await fake.hints.tellAll();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  fake.answer = (name) => (name === 'slow' ? promise : 'known');
  const told: Promise<void>[] = [];
  for (let i = 0; i < 3; i++) {
    fake.append(1);
    told.push(fake.hints.tellAll());
    await new Promise((over) => setTimeout(over, 0));
  }
  expect(fake.told.slice(2).map(({ name, next }) => [name, next])).toEqual([
    ['slow', 10],
    ['quick', 10],
    ['quick', 20],
    ['quick', 30],
  ]);
  expect(fake.hints.isBehind).toBe(true);
  resolve('known');
  await Promise.all(told);
  expect(fake.told.slice(6)).toMatchObject([{ name: 'slow', next: 30 }]);
  expect(fake.bases.at(-1)).toEqual([10, 20]);
  expect(fake.hints.isBehind).toBe(false);
});

test('an answer to what was told before a partition was closed says nothing of the one that is there now', async () => {
  const fake = new Fake();
  fake.subscribe('a');
  fake.append(1, 1);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  fake.answer = () => promise;
  const before = fake.hints.tellAll();
  fake.hints.closed();
  fake.next = 0;
  fake.tail.clear();
  resolve('known');
  await before;
  fake.answer = () => 'known';
  fake.append(1);
  await fake.hints.tellAll();
  expect(fake.told.map(({ next }) => next)).toEqual([20, 10]);
});

test(`what is brought follows what was told before, without a gap, to the end (SEED=${SEED})`, async () => {
  const step = fc.oneof(
    fc.record({
      append: fc.array(fc.integer({ min: 1, max: HINT_BYTES_MAX + 9_999 }), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
    fc.record({ subscribe: fc.constantFrom('a', 'b', 'c') }),
    fc.constant({ close: true }),
  );
  const answers = fc.infiniteStream(
    fc.constantFrom<Answer>('known', 'known', 'known', 'unknown', 'lost'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), answers, async (steps, given) => {
      const fake = new Fake();
      const acknowledged = new Map<string, number>();
      const faults: string[] = [];
      fake.answer = (name) => {
        const answer = given.next().value as Answer;
        const { next, brought } = fake.told.at(-1) ?? { next: -1, brought: null };
        let at = acknowledged.get(name);
        for (const { base, count } of brought?.batches ?? []) {
          if (base !== at) faults.push(`${at} is followed by ${base}`);
          at = base + count;
        }
        if (brought !== null && at !== next) faults.push(`${at} is not the end, ${next}`);
        if (answer === 'known') acknowledged.set(name, next);
        return answer;
      };
      for (const taken of steps) {
        if ('append' in taken) fake.append(...taken.append);
        else if ('subscribe' in taken) {
          acknowledged.delete(taken.subscribe);
          fake.subscribe(taken.subscribe);
        } else {
          acknowledged.clear();
          fake.next = 0;
          fake.subscribers.clear();
          fake.tail.clear();
          fake.hints.closed();
        }
        await fake.hints.tellAll();
      }
      fake.answer = () => 'known';
      await fake.hints.tellAll();
      expect(fake.hints.isBehind).toBe(false);
      expect(faults).toEqual([]);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
