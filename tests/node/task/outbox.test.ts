// The outbox against a log that knows more, or less, than the state it was restored from.

import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { OUTBOX_APPENDS_MAX } from '../../../runtime/base/limits.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { faultAt, Life, NO_FAULTS } from '../../../runtime/memory/faults.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { MemoryStore } from '../../../runtime/memory/memory-store.ts';
import type { Log } from '../../../runtime/ports/log.ts';
import type { OutboxAppend } from '../../../runtime/ports/store.ts';
import { Outbox } from '../../../runtime/task/outbox.ts';
import { recordBatch, refused, topicSpec, valuesFrom } from '../../contracts/log.ts';

const TASK = 'Q_1/0/0';
const to = { topic: 'out', partition: 0 };

const append = (sequence: number, values: readonly string[], topic = 'out'): OutboxAppend => ({
  to: { topic, partition: 0 },
  sequence,
  count: values.length,
  bytes: recordBatch(values),
});

async function made() {
  const clock = new ManualClock(1_700_000_000_000);
  const log = new MemoryLog(clock);
  const store = new MemoryStore({ clock });
  await log.create(topicSpec('out'));
  const outboxOf = (epoch: number, pending: readonly OutboxAppend[], over: Log = log) =>
    new Outbox(
      {
        task: TASK,
        producer: { id: '1700000000000.q', epoch },
        log: over,
        store,
        clock,
        // Values are one letter each, so a cut is easily made without decoding.
        cut: (_to, bytes, skip) => recordBatch(letters(bytes).slice(skip)),
      },
      pending,
    );
  return { clock, log, outboxOf };
}

/** The values of a batch of one-letter records. */
function letters(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes);
  return Array.from(text.slice(text.lastIndexOf('key ') + 5));
}

test('sends in order, and is empty when all is acknowledged', async () => {
  const { log, outboxOf } = await made();
  const outbox = outboxOf(1, [append(0, ['a']), append(1, ['b', 'c'])]);
  outbox.offer([append(3, ['d'])]);
  expect(outbox.isEmpty).toBe(false);
  expect(await outbox.deliver()).toEqual({ retryAtMs: null });
  expect(outbox.isEmpty).toBe(true);
  expect(await valuesFrom(log, 'out')).toEqual(['a', 'b', 'c', 'd']);
});

test('leaves out what the destination has, and cuts the batch that it has in part', async () => {
  const { log, outboxOf } = await made();
  await outboxOf(1, [append(0, ['a', 'b', 'c', 'd', 'e'])]).deliver();
  // Restored to before these records, with other cuts: one below, one across, one beyond.
  await outboxOf(2, [
    append(0, ['a', 'b']),
    append(2, ['c', 'd', 'e', 'f']),
    append(6, ['g']),
  ]).deliver();
  expect(await valuesFrom(log, 'out')).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
});

test('stops when the destination has lost what it had acknowledged', async () => {
  const { log, outboxOf } = await made();
  await outboxOf(1, [append(0, ['a'])]).deliver();
  const error = await refused(outboxOf(1, [append(3, ['d'])]).deliver(), 'OUT_OF_ORDER_SEQUENCE');
  expect(error.message).toContain('has lost records');
  expect(await valuesFrom(log, 'out')).toEqual(['a']);
});

test('stops when a newer epoch owns the task', async () => {
  const { outboxOf } = await made();
  await outboxOf(2, [append(0, ['a'])]).deliver();
  const late = outboxOf(1, [append(1, ['b'])]);
  await refused(late.deliver(), 'FENCED');
  expect(late.isEmpty).toBe(false);
});

test('waits longer after each passing fault, and sends the same again', async () => {
  const { clock, log, outboxOf } = await made();
  let failures = 0;
  const life = new Life({ at: () => (failures++ < 4 ? 'lostReply' : 'none') }, () => undefined);
  const outbox = outboxOf(1, [append(0, ['a'])], life.log(log));
  const waits: number[] = [];
  for (;;) {
    const { retryAtMs } = await outbox.deliver();
    if (retryAtMs === null) break;
    waits.push(retryAtMs - clock.now());
    clock.advanceTo(retryAtMs);
  }
  expect(waits).toEqual([50, 100, 200, 400]);
  expect(await valuesFrom(log, 'out')).toEqual(['a']);
});

test('a clock that is set back does not put the next try off', async () => {
  const { clock, log, outboxOf } = await made();
  let failures = 0;
  const life = new Life({ at: () => (failures++ < 1 ? 'lostReply' : 'none') }, () => undefined);
  const outbox = outboxOf(1, [append(0, ['a'])], life.log(log));
  const { retryAtMs } = await outbox.deliver();
  expect(retryAtMs).toBe(clock.now() + 50);
  const real = clock.now.bind(clock);
  clock.now = () => real() - 3_600_000;
  const { retryAtMs: againMs } = await outbox.deliver();
  expect(againMs).toBe(clock.now() + 30_000);
  clock.advance(30_000);
  expect(await outbox.deliver()).toEqual({ retryAtMs: null });
  expect(await valuesFrom(log, 'out')).toEqual(['a']);
});

/** The log with calls that take several appends; each is noted by its sequences. */
function inCalls(log: MemoryLog, calls: number[][]): Log {
  const appendAll: Log['appendAll'] = async (at, batches) => {
    calls.push(batches.map(({ stamp }) => stamp.sequence));
    const refusals: (Error | null)[] = [];
    for (const { bytes, stamp } of batches)
      refusals.push(
        await log.append(at, bytes, stamp).then(
          () => null,
          (error: Error) => error,
        ),
      );
    return refusals;
  };
  const life = new Life(NO_FAULTS, () => undefined);
  return { ...life.log(log), appendAll };
}

test('what waits goes in one call, at most 32 appends and 1 MiB, and leaves as if each had gone by itself', async () => {
  const { log, outboxOf } = await made();
  await outboxOf(1, [append(0, ['a', 'b', 'c'])]).deliver();
  const calls: number[][] = [];
  // Restored to before these records, with other cuts: the second is cut by what the destination has.
  const outbox = outboxOf(
    2,
    [append(0, ['a', 'b']), append(2, ['c', 'd']), append(4, ['e'])],
    inCalls(log, calls),
  );
  const letter = (i: number): string => String.fromCharCode(102 + (i % 20));
  outbox.offer(Array.from({ length: 40 }, (_, i) => append(5 + i, [letter(i)])));
  expect(await outbox.deliver()).toEqual({ retryAtMs: null });
  expect(outbox.isEmpty).toBe(true);
  expect(await valuesFrom(log, 'out')).toEqual([
    'a',
    'b',
    'c',
    'd',
    'e',
    ...Array.from({ length: 40 }, (_, i) => letter(i)),
  ]);
  // The first call stops at the batch that is cut, the next begin with it.
  expect(calls.map((call) => [call[0], call.length])).toEqual([
    [0, 32],
    [3, 32],
    [35, 10],
  ]);
});

test('a call carries 1 MiB unless one append is more, and a lone append goes by itself', async () => {
  const { log, outboxOf } = await made();
  const calls: number[][] = [];
  const long = (sequence: number, bytes: number): OutboxAppend => ({
    to,
    sequence,
    count: 1,
    bytes: singleRecord(null, new Uint8Array(bytes), 0),
  });
  const sizes = [300_000, 300_000, 300_000, 300_000, 800_000, 800_000];
  const pending = sizes.map((bytes, i) => long(i, bytes));
  await outboxOf(1, pending, inCalls(log, calls)).deliver();
  expect(calls).toEqual([[0, 1, 2]]);
  expect((await log.bounds(to)).highWatermark).toBe(6);
});

test('what comes behind a refusal waits with it, whatever became of it', async () => {
  const { clock, log, outboxOf } = await made();
  const calls: number[][] = [];
  const over = inCalls(log, calls);
  let isRefused = true;
  const outbox = outboxOf(1, [append(0, ['a']), append(1, ['b']), append(2, ['c'])], {
    ...over,
    appendAll: async (at, batches) => {
      const refusals =
        (await over.appendAll?.(at, isRefused ? batches.slice(0, 1) : batches)) ?? [];
      if (!isRefused) return refusals;
      isRefused = false;
      return [
        ...refusals,
        new PortError('OVERLOADED', 'later'),
        new PortError('OVERLOADED', 'later'),
      ];
    },
  });
  const { retryAtMs } = await outbox.deliver();
  expect(retryAtMs).toBe(clock.now() + 50);
  clock.advanceTo(retryAtMs ?? 0);
  await outbox.deliver();
  expect(calls).toEqual([[0], [1, 2]]);
  expect(await valuesFrom(log, 'out')).toEqual(['a', 'b', 'c']);
});

test('a destination that fails does not hold up another one', async () => {
  const { log, outboxOf } = await made();
  await log.create(topicSpec('other'));
  const life = new Life(faultAt(1, 'unavailable'), () => undefined);
  const outbox = outboxOf(1, [append(0, ['a']), append(0, ['x'], 'other')], life.log(log));
  const { retryAtMs } = await outbox.deliver();
  expect(retryAtMs).not.toBeNull();
  expect(await valuesFrom(log, 'out')).toEqual([]);
  expect(await valuesFrom(log, 'other')).toEqual(['x']);
});

test('is full with OUTBOX_APPENDS_MAX appends, and not before', async () => {
  const { outboxOf } = await made();
  const bytes = recordBatch(['a']);
  const outbox = outboxOf(1, []);
  for (let sequence = 0; sequence < OUTBOX_APPENDS_MAX; sequence++) {
    expect(outbox.isFull).toBe(false);
    outbox.offer([{ to, sequence, count: 1, bytes }]);
  }
  expect(outbox.isFull).toBe(true);
});
