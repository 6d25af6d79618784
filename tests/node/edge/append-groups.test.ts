// Appends that share a call: who joins whom, whose answer is whose, and what bounds it; then many requests at once on plain workerd.

import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

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
        arrived: () => new Promise((resolve) => setImmediate(resolve)),
      },
    );
  }
}

test('those of one round and partition share a call, in their order, each with its own answer', async () => {
  const fake = new Fake();
  const answers = [1, 2, 255, 3].map((record) => fake.add('a', append(record)));
  const other = fake.add('b', append(9));
  const settled = await Promise.allSettled(answers);
  expect(
    settled.map((one) => (one.status === 'fulfilled' ? one.value.base : one.reason.code)),
  ).toEqual([1, 2, 'FENCED', 3]);
  expect((await other).base).toBe(9);
  expect(fake.calls).toEqual([[1, 2, 255, 3], [9]]);
  await fake.add('a', append(4));
  expect(fake.calls).toHaveLength(3);
  expect(fake.kept).toHaveLength(3);
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
  const many = Array.from({ length: APPEND_GROUP_APPENDS_MAX + 1 }, (_, i) => i % 200);
  await Promise.all(many.map((record) => fake.add('a', append(record))));
  expect(fake.calls.map(({ length }) => length)).toEqual([APPEND_GROUP_APPENDS_MAX, 1]);
  fake.calls.length = 0;
  const half = APPEND_GROUP_BYTES_MAX / 2;
  await Promise.all([half, half, 1].map((length, i) => fake.add('a', append(i, length))));
  expect(fake.calls).toEqual([[0, 1], [2]]);
});

test('who waits for another request is told when there is no answer in time', async () => {
  const { setTimeout: real } = globalThis;
  const waits: number[] = [];
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    waits.push(ms);
    return real(run, 0);
  }) as typeof setTimeout;
  try {
    const fake = new Fake();
    fake.answer = () => new Promise(() => undefined);
    void fake.add('a', append(1));
    await expect(fake.add('a', append(2))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(waits).toEqual([APPEND_GROUP_WAIT_MS_MAX]);
  } finally {
    globalThis.setTimeout = real;
  }
});

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
}, 60_000);
afterAll(() => edge.stop());

/** Sends a request and is gone before there is an answer. */
function sendAndLeave(text: string): Promise<void> {
  const socket = connect(Number(new URL(edge.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.write(
      `POST /topics/many/records HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      () => {
        socket.destroy();
        resolve();
      },
    );
  });
}

test('many requests at once, some of whose clients leave: the others have their own offsets, each once', async () => {
  expect((await send(edge, 'POST', '/topics', { name: 'many' })).status).toBe(201);
  const offsets = new Map<number, number>();
  let sent = 0;
  for (let round = 0; round < 8; round++) {
    const leaving = Array.from({ length: 8 }, () => sendAndLeave('{"records":[{"value":-1}]}'));
    const staying = Array.from({ length: 24 }, async () => {
      const value = sent++;
      const bad = value % 7 === 0;
      const record = bad ? { value, partition: 3 } : { value };
      const { status, body } = await send(edge, 'POST', '/topics/many/records', {
        records: [record],
      });
      expect(status).toBe(bad ? 404 : 200);
      if (bad) return;
      const { offset } = (body as { offsets: { offset: number }[] }).offsets[0] ?? { offset: -1 };
      expect(offsets.has(offset)).toBe(false);
      offsets.set(offset, value);
    });
    await Promise.all([...leaving, ...staying]);
  }
  const read = await send(edge, 'GET', '/topics/many/partitions/0/records');
  const { records } = read.body as { records: { offset: number; value: number }[] };
  const stored = new Map(records.map(({ offset, value }) => [offset, value]));
  for (const [offset, value] of offsets) expect(stored.get(offset)).toBe(value);
  expect(records.filter(({ value }) => value >= 0)).toHaveLength(offsets.size);
});
