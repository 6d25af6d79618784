// Appends that share a call: who joins whom, whose answer is whose, and what bounds it.

import { expect, test, vi } from 'vitest';
import { AppendGroups } from '../../../edge/append-groups.ts';
import type { Append } from '../../../edge/objects/append-queue.ts';
import { toWire, type Wire } from '../../../edge/wire.ts';
import { PortError } from '../../../runtime/base/errors.ts';
import {
  APPEND_GROUP_APPENDS_MAX,
  APPEND_GROUP_BYTES_MAX,
  APPEND_GROUP_WAIT_MS_MAX,
} from '../../../runtime/base/limits.ts';
import type { AppendResult } from '../../../runtime/ports/log.ts';

const append = (record: number, lengthBytes = 1): Append => {
  const bytes = new Uint8Array(lengthBytes);
  bytes[0] = record;
  return { bytes, stamp: null, incarnation: null };
};

/** A partition that answers each append with its first byte and refuses 255. */
class Fake {
  readonly calls: number[][] = [];
  readonly kept: Promise<unknown>[] = [];
  readonly groups = new AppendGroups();
  answer: (appends: readonly Append[]) => Promise<readonly Wire<AppendResult>[]> = async (
    appends,
  ) =>
    appends.map(({ bytes: [base = 0] }) =>
      base === 255
        ? { ok: false, error: toWire(new PortError('FENCED', 'refused')) }
        : {
            ok: true,
            value: { base, count: 1, duplicate: false, highWatermark: 0, incarnation: '' },
          },
    );

  /** Resolves once what has arrived has been looked at; never: the request has been dropped. */
  arrived = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  add(name: string, given: Append): Promise<AppendResult> {
    return this.groups.append(
      name,
      given,
      (appends) => {
        this.calls.push(appends.map(({ bytes }) => bytes[0] ?? 0));
        return this.answer(appends);
      },
      {
        waitUntil: (promise) => void this.kept.push(promise),
        arrived: this.arrived,
      },
    );
  }
}

test('where nothing is under way an append goes at once; those of one round behind it share a call, in their order, each with its own answer', async () => {
  const fake = new Fake();
  const first = [fake.add('a', append(0))];
  expect(fake.calls).toEqual([[0]]);
  const answers = [1, 2, 255, 3].map((record) => fake.add('a', append(record)));
  const other = fake.add('b', append(9));
  const settled = await Promise.allSettled(answers);
  expect(
    settled.map((one) => (one.status === 'fulfilled' ? one.value.base : one.reason.code)),
  ).toEqual([1, 2, 'FENCED', 3]);
  expect((await Promise.all([...first, other])).map(({ base }) => base)).toEqual([0, 9]);
  expect(fake.calls).toEqual([[0], [1, 2, 255, 3], [9]]);
  // The last call was of one: the next goes at once again.
  const alone = fake.add('a', append(4));
  expect(fake.calls.at(-1)).toEqual([4]);
  await Promise.all([alone, fake.add('a', append(5)), fake.add('a', append(6))]);
  // The last was of two: nothing is under way, and the next waits for company all the same.
  await Promise.all([7, 8].map((record) => fake.add('a', append(record))));
  expect(fake.calls.slice(-2)).toEqual([
    [5, 6],
    [7, 8],
  ]);
  expect(fake.kept).toHaveLength(6);
});

test('a call that fails is UNAVAILABLE to all of its appends, and to no other', async () => {
  const fake = new Fake();
  const { answer } = fake;
  fake.answer = () => Promise.reject(new Error('gone'));
  const settled = await Promise.allSettled([1, 2].map((record) => fake.add('a', append(record))));
  for (const one of settled) expect(one).toMatchObject({ reason: { code: 'UNAVAILABLE' } });
  fake.answer = answer;
  expect((await fake.add('a', append(3))).base).toBe(3);
  await Promise.all(fake.kept);
});

test('a call takes as many appends and bytes as it may; what is beyond goes in the next', async () => {
  const fake = new Fake();
  const many = Array.from({ length: APPEND_GROUP_APPENDS_MAX + 2 }, (_, i) => i % 200);
  await Promise.all(many.map((record) => fake.add('a', append(record))));
  expect(fake.calls.map(({ length }) => length)).toEqual([1, APPEND_GROUP_APPENDS_MAX, 1]);
  fake.calls.length = 0;
  const half = APPEND_GROUP_BYTES_MAX / 2;
  await Promise.all([1, half, half, 1].map((length, i) => fake.add('a', append(i, length))));
  expect(fake.calls).toEqual([[0], [1, 2], [3]]);
});

test('who waits for another request is told when there is no answer in time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const fake = new Fake();
    fake.answer = () => new Promise(() => undefined);
    void fake.add('a', append(0));
    void fake.add('a', append(1));
    const waiting = fake.add('a', append(2)).catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(APPEND_GROUP_WAIT_MS_MAX - 1);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiting).toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    vi.useRealTimers();
  }
});

test('a call that was dropped before it was made is joined by nobody once one has waited for it in vain', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const fake = new Fake();
    const { answer, arrived } = fake;
    fake.answer = () => new Promise(() => undefined);
    void fake.add('a', append(0));
    fake.arrived = () => new Promise(() => undefined);
    void fake.add('a', append(1));
    const waiting = fake.add('a', append(2)).catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(APPEND_GROUP_WAIT_MS_MAX);
    expect(await waiting).toMatchObject({ code: 'UNAVAILABLE' });
    Object.assign(fake, { answer, arrived });
    expect((await fake.add('a', append(3))).base).toBe(3);
    expect(fake.calls).toEqual([[0], [3]]);
  } finally {
    vi.useRealTimers();
  }
});
