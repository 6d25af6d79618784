// The page's line to a Worker that answers when the test says so: how many calls of `produce` are under way, and what becomes of the others.

import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { PRODUCE_BYTES_MAX, PRODUCE_UNDER_WAY_MAX } from '../../../runtime/base/limits.ts';
import type { PackedRecords } from '../../../runtime/browser/packed-records.ts';
import { RemoteEngine } from '../../../runtime/browser/remote.ts';
import { unpacked } from '../../../runtime/browser/unpacked-records.ts';
import type { Call } from '../../../runtime/ports/answers.ts';

/** A call that the Worker has been sent. */
interface Sent {
  readonly method: string;
  /** Values of the records, one a call of the page, by topic. */
  readonly values: readonly string[];
  /** Answers it; of `produce` with the offsets from there on. */
  answer(offset?: number): void;
}

/** A page's engine, and what its Worker was sent, one entry a message. */
function connected() {
  const events = new EventTarget();
  const sent: Sent[] = [];
  const reply = (data: unknown): void =>
    void events.dispatchEvent(new MessageEvent('message', { data }));
  const worker = {
    addEventListener: events.addEventListener.bind(events),
    terminate: () => undefined,
    postMessage(message: unknown) {
      const data = structuredClone(message) as unknown[];
      for (let i = 0; i < data.length; i += 2) {
        const { id, method, given } = data[i + 1] as Call;
        if (method !== 'produce') {
          sent.push({ method, values: [], answer: () => reply([0, { id, value: null }]) });
          continue;
        }
        const records = unpacked(given[1] as PackedRecords);
        const values = records.map(({ value }) => new TextDecoder().decode(value ?? undefined));
        const answer = (offset = 0): void => {
          const places = values.flatMap((_, n) => [0, offset + n]);
          reply([0, { id, value: { places, errors: [] } }]);
        };
        sent.push({ method, values, answer });
      }
    },
  };
  const remote = new RemoteEngine(worker as unknown as Worker, () => undefined);
  const produce = (value: string, topic = 'a') => remote.produce(topic, [{ value }]);
  return { remote, sent, produce, values: () => sent.map(({ values }) => values.join()) };
}

/** Everything that is done at once has been done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a lone record leaves at once; behind PRODUCE_UNDER_WAY_MAX messages records are gathered until one is answered', async () => {
  const { sent, produce, values } = connected();
  const alone: string[] = [];
  for (let n = 0; n < PRODUCE_UNDER_WAY_MAX; n++) {
    alone.push(`${n}`);
    void produce(`${n}`);
    await settled();
    expect(values()).toEqual(alone);
  }
  const gathered = [];
  for (const value of ['x', 'y', 'z']) {
    gathered.push(produce(value));
    await settled();
  }
  expect(values()).toEqual(alone);
  sent[1]?.answer(1);
  await settled();
  expect(values()).toEqual([...alone, 'x,y,z']);
  sent[0]?.answer();
  sent[2]?.answer(2);
  expect(await Promise.all(gathered)).toEqual(
    [2, 3, 4].map((offset) => [{ partition: 0, offset }]),
  );
  void produce('next');
  await settled();
  expect(values().at(-1)).toBe('next');
});

test('what is gathered leaves before another call, before records for another topic, and when it is full', async () => {
  const { remote, sent, produce, values } = connected();
  for (let n = 0; n < PRODUCE_UNDER_WAY_MAX; n++) {
    void produce(`${n}`);
    await settled();
  }
  void produce('before the call');
  void remote.call('stats', []);
  await settled();
  expect(sent.slice(PRODUCE_UNDER_WAY_MAX).map(({ method }) => method)).toEqual([
    'produce',
    'stats',
  ]);
  void produce('of a');
  void produce('of b', 'b');
  await settled();
  expect(values().at(-1)).toBe('of a');
  const full = 'x'.repeat(PRODUCE_BYTES_MAX);
  void produce(full, 'b');
  void produce('behind it', 'b');
  await settled();
  expect(values().at(-1)).toBe(`of b,${full}`);
  for (const call of sent.slice()) call.answer();
  await settled();
  expect(values().at(-1)).toBe('behind it');
});

test('when the Worker ends, calls under way and calls that were gathered are refused', async () => {
  const { remote, produce } = connected();
  const outcomes = [];
  for (let n = 0; n < PRODUCE_UNDER_WAY_MAX + 2; n++) {
    outcomes.push(produce(`${n}`).catch((thrown: unknown) => thrown));
    await settled();
  }
  const error = new PortError('UNAVAILABLE', 'the Worker has ended');
  remote.end(error);
  expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => error));
  await expect(produce('late')).rejects.toBe(error);
});
