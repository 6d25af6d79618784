// What an object asks of its host when it is put back: our side of a port that no local host has; the host's side is not played.

import { expect, test } from 'vitest';
import { EarlierState } from '../../edge/objects/earlier-state.ts';

const TO_MS = Date.UTC(2026, 0, 1);

/** A state that writes down what it is asked, in order. */
function noting(getBookmarkForTime: (toMs: number) => Promise<string>) {
  const asked: string[] = [];
  const ended = Promise.withResolvers<void>();
  const storage = {
    getBookmarkForTime: (toMs: number) => {
      asked.push(`bookmark of ${toMs}`);
      return getBookmarkForTime(toMs);
    },
    onNextSessionRestoreBookmark: async (bookmark: string) => {
      await scheduler.wait(5);
      asked.push(`restore ${bookmark}`);
      return 'undo';
    },
  };
  const ctx = {
    storage,
    waitUntil: (promise: Promise<unknown>) => void asked.push(`kept ${promise instanceof Promise}`),
    abort: () => {
      asked.push('abort');
      ended.resolve();
    },
  } as unknown as DurableObjectState;
  return { asked, ended: ended.promise, ctx };
}

test('the next life is ordered before this one ends, which it does behind its answer', async () => {
  const { asked, ended, ctx } = noting(async () => 'then');
  const state = new EarlierState(ctx);
  expect(await state.putBack(TO_MS)).toBe(state.instance);
  expect(asked).toEqual([`bookmark of ${TO_MS}`, 'restore then', 'kept true']);
  await ended;
  expect(asked.at(-1)).toBe('abort');
  expect(new EarlierState(ctx).instance).not.toBe(state.instance);
});

test('a host that keeps no state of that time ends nothing, and says why', async () => {
  const { asked, ctx } = noting(async () => {
    throw new Error('older than 30 days');
  });
  await expect(new EarlierState(ctx).putBack(TO_MS)).rejects.toMatchObject({
    name: 'StatementError',
    code: 'UNSUPPORTED',
    message: expect.stringMatching(/2026-01-01T00:00:00.000Z.*older than 30 days/),
  });
  await scheduler.wait(10);
  expect(asked).toEqual([`bookmark of ${TO_MS}`]);
});
