// Calls of `produce` on their way as one, from the page's end to the log: each has places or an error of its own, and is appended once.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { PRODUCE_BYTES_MAX, PRODUCE_CALLS_MAX } from '../../../runtime/base/limits.ts';
import { Appends } from '../../../runtime/browser/appends.ts';
import { placed } from '../../../runtime/browser/packed-places.ts';
import { RecordPacker } from '../../../runtime/browser/packed-records.ts';
import { ProduceCalls } from '../../../runtime/browser/produce-calls.ts';
import { unpacked } from '../../../runtime/browser/unpacked-records.ts';
import type { ProducedPlaces } from '../../../runtime/browser/worker.ts';
import { Engine } from '../../../runtime/engine/engine.ts';
import { openCore } from '../../../runtime/engine/engine-core.ts';
import type { ProducedAt, ProducedRecord } from '../../../runtime/engine/insert.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const PARTITIONS = 3;
const at = (topic: string, partition: number) => ({ topic, partition });
const text = (bytes: Uint8Array | null) =>
  bytes === null ? null : new TextDecoder().decode(bytes);

/** An engine with topics `a` and `b`, and the page's calls to it. */
async function connected() {
  const host = memoryHost();
  const core = await openCore({ host });
  const engine = new Engine(core);
  const policy = { retentionMs: null, compacted: false, internal: false };
  for (const name of ['a', 'b']) await host.log.create({ name, partitions: PARTITIONS, ...policy });
  const appends = new Appends((...given) => core.produce(...given));
  const send = async (calls: ProduceCalls): Promise<void> =>
    calls.send(async (_method, [topic, records, counts]): Promise<ProducedPlaces> => {
      const { places, errors } = await appends.add(topic, structuredClone(records), counts);
      return { places: placed(places), errors };
    });
  /** Every value of a topic, by partition. */
  const values = async (topic: string) => {
    const partitions = Array.from({ length: PARTITIONS }, async (_, partition) =>
      (await engine.topicRecords(topic, { partition })).map(({ value }) => text(value)),
    );
    return Promise.all(partitions);
  };
  return { host, core, send, values };
}

const outcome = (promise: Promise<readonly ProducedAt[]>) =>
  promise.catch((thrown: unknown) => (thrown as PortError).code);

test('calls that were gathered are one record batch, and each has its own places', async () => {
  const { host, send } = await connected();
  const calls = new ProduceCalls('a');
  const first = calls.add([{ key: null, value: '1', partition: 1 }]);
  const second = calls.add([
    { key: null, value: '2', partition: 1 },
    { key: null, value: '3', partition: 1 },
  ]);
  const none = calls.add([]);
  await send(calls);
  expect(await first).toEqual([{ partition: 1, offset: 0 }]);
  expect(await second).toEqual([
    { partition: 1, offset: 1 },
    { partition: 1, offset: 2 },
  ]);
  expect(await none).toEqual([]);
  const { batches } = await host.log.read(at('a', 1), 0, 1e6);
  expect(batches.map(({ count }) => count)).toEqual([3]);
});

test('records that change behind the call are appended as they were', async () => {
  const { send, values } = await connected();
  const calls = new ProduceCalls('a');
  const value = Uint8Array.from(new TextEncoder().encode('as it was'));
  const record = { key: null, value: value as Uint8Array | string, partition: 0 };
  void calls.add([record]);
  value.fill(0);
  record.value = 'again';
  record.partition = 1;
  void calls.add([record]);
  record.value = 'too late';
  await send(calls);
  expect(await values('a')).toEqual([['as it was'], ['again'], []]);
});

test('a call with what is no record is refused, and the others are not touched', async () => {
  const { send, values } = await connected();
  const calls = new ProduceCalls('a');
  void calls.add([{ value: 'good', partition: 0 }]);
  const bad = calls.add([
    { value: 'never', partition: 0 },
    { value: 5 as unknown as string, partition: 0 },
  ]);
  await expect(bad).rejects.toThrow('text, bytes or null');
  void calls.add([{ value: 'good too', partition: 0 }]);
  await send(calls);
  expect(await values('a')).toEqual([['good', 'good too'], [], []]);
});

test('calls are full at PRODUCE_CALLS_MAX calls, and at PRODUCE_BYTES_MAX bytes', () => {
  const many = new ProduceCalls('a');
  for (let n = 0; n < PRODUCE_CALLS_MAX; n++) {
    expect(many.isFull).toBe(false);
    void many.add([]);
  }
  expect(many.isFull).toBe(true);
  const long = new ProduceCalls('a');
  void long.add([{ value: 'x'.repeat(PRODUCE_BYTES_MAX - 1) }]);
  expect(long.isFull).toBe(false);
  void long.add([{ value: 'x' }]);
  expect(long.isFull).toBe(true);
});

test('what comes in at once for one topic is one record batch; topics keep their order', async () => {
  const { host, send, values } = await connected();
  const sent = ['a', 'a', 'b', 'a'].map((topic, n) => {
    const calls = new ProduceCalls(topic);
    const places = calls.add([{ value: `${n}`, partition: 0 }]);
    return { places, sending: send(calls) };
  });
  await Promise.all(sent.map(({ sending }) => sending));
  const offsets = await Promise.all(sent.map(async ({ places }) => (await places)[0]?.offset));
  expect(offsets).toEqual([0, 1, 0, 2]);
  expect((await values('a'))[0]).toEqual(['0', '1', '3']);
  const { batches } = await host.log.read(at('a', 0), 0, 1e6);
  expect(batches.map(({ count }) => count)).toEqual([2, 1]);
});

test('calls of which some are refused: each has its own error, the others are appended once and in order', async () => {
  const refused: Record<string, (value: string) => ProducedRecord[]> = {
    UNKNOWN_PARTITION: (value) => [{ value, partition: PARTITIONS }],
    INVALID_TIMESTAMP: (value) => [{ value, partition: 0, timestamp: -1 }],
    RECORD_TOO_LARGE: (value) => [{ value, key: 'x'.repeat(70_000), partition: 0 }],
  };
  const kinds = fc.constantFrom('good', ...Object.keys(refused));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.tuple(kinds, fc.nat(2), fc.nat(2)), { maxLength: 5 }), { maxLength: 4 }),
      async (messages) => {
        const { send, values } = await connected();
        const expected: string[][] = Array.from({ length: PARTITIONS }, () => []);
        const outcomes: [Promise<unknown>, unknown][] = [];
        let n = 0;
        const sending = messages.map((message) => {
          const calls = new ProduceCalls('a');
          for (const [kind, partition, more] of message) {
            const value = `${n++}`;
            const good = Array.from({ length: more + 1 }, () => ({ value, partition }));
            const records = refused[kind]?.(value) ?? good;
            const places =
              kind === 'good'
                ? good.map(() => ({
                    partition,
                    offset: (expected[partition]?.push(value) ?? 0) - 1,
                  }))
                : kind;
            outcomes.push([outcome(calls.add(records)), places]);
          }
          return send(calls);
        });
        await Promise.all(sending);
        for (const [promise, places] of outcomes) expect(await promise).toEqual(places);
        expect(await values('a')).toEqual(expected);
      },
    ),
    { numRuns: 40 },
  );
});

test('a topic that is not there refuses every call; one whose fate is unknown is not appended again', async () => {
  const { send, core, values } = await connected();
  const absent = new ProduceCalls('absent');
  const codes = [outcome(absent.add([{ value: '1' }])), outcome(absent.add([]))];
  await send(absent);
  expect(await Promise.all(codes)).toEqual(['UNKNOWN_TOPIC', 'UNKNOWN_TOPIC']);
  let tries = 0;
  const lost = new Appends(async (topic, records, places) => {
    tries += 1;
    await core.produce(topic, records.slice(0, 1), places);
    throw new PortError('UNAVAILABLE', 'gone');
  });
  const calls = new ProduceCalls('a');
  const [kept, gone] = ['kept', 'gone'].map((value) =>
    outcome(calls.add([{ value, partition: 0 }])),
  );
  await calls.send(async (_method, [topic, records, counts]) => {
    const { places, errors } = await lost.add(topic, records, counts);
    return { places: placed(places), errors };
  });
  expect([await kept, await gone, tries]).toEqual([
    [{ partition: 0, offset: 0 }],
    'UNAVAILABLE',
    1,
  ]);
  expect((await values('a'))[0]).toEqual(['kept']);
});

test('text is UTF-8, whatever it is made of', () => {
  const unit = fc.constantFrom('a', '~', '\0', '\x7f', '\x80', 'é', '€', '😀', '\ud800', '\udc00');
  const texts = fc.array(fc.string({ unit, maxLength: 9 }), { maxLength: 20 });
  fc.assert(
    fc.property(texts, (values) => {
      const packer = new RecordPacker();
      for (const value of values) packer.add([{ key: `é${value}`, value }]);
      const records = unpacked(packer.packed());
      const encoder = new TextEncoder();
      const bytes = (text: string) => encoder.encode(text).join();
      expect(records.map(({ value }) => value?.join())).toEqual(values.map(bytes));
      expect(records.map(({ key }) => key?.join())).toEqual(
        values.map((each) => bytes(`é${each}`)),
      );
    }),
    { numRuns: 100 },
  );
});
