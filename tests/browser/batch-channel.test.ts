// Batches cross a real MessageChannel in buffers that come back, never more than a few at a time, with their end or their error.

import { expect, test } from 'vitest';
import { LimitError, PortError, StatementError } from '../../runtime/base/errors.ts';
import { QUERY_BATCHES_MAX, RECYCLED_BYTES_MAX } from '../../runtime/base/limits.ts';
import { type BatchSource, sendBatches } from '../../runtime/browser/batch-channel.ts';
import { BatchReceiver } from '../../runtime/browser/batch-receiver.ts';
import { Buffers } from '../../runtime/browser/buffers.ts';
import { portTransport } from '../../runtime/browser/port-transport.ts';
import { fromWire, toWire } from '../../runtime/browser/wire-error.ts';
import { type Batch, select, slice } from '../../runtime/data/batch.ts';
import { Dictionary } from '../../runtime/data/dictionary.ts';
import { RARER_VALUES } from '../../runtime/data/parts.ts';
import { batch, format } from '../../runtime/data/pretty.ts';
import { STRING } from '../../runtime/data/type.ts';
import { announceParts } from '../../runtime/engine/parts.ts';

// Batches are built here, as they are in the Worker where everything about their values has been fetched.
announceParts();
await RARER_VALUES.load();

const HEADER = 'K:STRING key | N:BIGINT | B:BYTES | A:ARRAY<DOUBLE> @rowtime';
const numbered = (n: number): Batch =>
  batch(HEADER, `+ key ${n} | ${n} | 0x0${n % 10} | [${n}.5] @${n}`);

/** Gives `count` batches, then ends, fails, or waits until it is closed; counts how often it was asked and closed. */
class Counted implements BatchSource {
  asked = 0;
  closes = 0;
  readonly #count: number;
  readonly #then: 'end' | 'wait' | Error;
  #wake: (() => void) | null = null;

  constructor(count: number, then: 'end' | 'wait' | Error = 'end') {
    this.#count = count;
    this.#then = then;
  }

  async next(): Promise<Batch | null> {
    if (this.closes === 0 && this.asked < this.#count) return numbered(this.asked++);
    if (this.#then instanceof Error) throw this.#then;
    if (this.closes === 0 && this.#then === 'wait') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return null;
  }

  async close(): Promise<void> {
    this.closes += 1;
    this.#wake?.();
  }
}

function connected(source: BatchSource) {
  const { port1, port2 } = new MessageChannel();
  const buffers = new Buffers();
  const sending = sendBatches(source, portTransport(port1), buffers);
  const receiver = new BatchReceiver(numbered(0).schema, portTransport(port2));
  return { receiver, sending, buffers };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

test('every batch arrives as it was, in order, then the end', async () => {
  const { receiver, sending } = connected(new Counted(100));
  for (let n = 0; n < 100; n++) {
    const received = await receiver.next();
    expect(received === null ? null : format(received)).toBe(format(numbered(n)));
  }
  expect(await receiver.next()).toBeNull();
  expect(await receiver.next()).toBeNull();
  await sending;
});

test('rows that were chosen from a batch arrive alone, and without strings that no row uses', async () => {
  const whole = batch(
    HEADER,
    ...Array.from(
      { length: 9 },
      (_, n) => `+ key ${n} | ${n === 3 ? 'null' : n} | 0x0${n} | [${n}.5] @${n}`,
    ),
  );
  const bytes = new TextEncoder().encode('abcdefghi');
  const [, ...others] = whole.columns;
  const dictionary = new Dictionary(
    bytes,
    Uint32Array.from({ length: 10 }, (_, i) => i),
  );
  const keys = { type: STRING, validity: null, storage: 'dictionary', dictionary } as const;
  const values = Uint32Array.from({ length: 9 }, (_, n) => n);
  const all = { ...whole, columns: [{ ...keys, values }, ...others] };
  const cases = [
    { chosen: select(all, Uint32Array.of(3, 5, 8)), strings: 3 },
    { chosen: slice(all, 0, 4), strings: 9 },
  ];
  for (const { chosen, strings } of cases) {
    let sent = false;
    const source = {
      next: async () => (sent ? null : ((sent = true), chosen)),
      close: async () => undefined,
    };
    const { receiver } = connected(source);
    const received = await receiver.next();
    expect(received?.selection).toBeNull();
    expect(format(received as Batch)).toBe(format(chosen as Batch));
    const [column] = received?.columns ?? [];
    expect(column).toMatchObject({ dictionary: { size: strings } });
  }
});

test('a thousand batches travel in the buffers of the first few', async () => {
  const { receiver, sending, buffers } = connected(new Counted(1000));
  let received = 0;
  while ((await receiver.next()) !== null) received += 1;
  await sending;
  expect(received).toBe(1000);
  expect(buffers.made).toBeLessThanOrEqual(QUERY_BATCHES_MAX);
  expect(buffers.freeBytes).toBeGreaterThan(0);
});

test('while the reader takes nothing the source is asked QUERY_BATCHES_MAX times, and once more for each batch taken', async () => {
  const source = new Counted(1000);
  const { receiver } = connected(source);
  await settled();
  expect(source.asked).toBe(QUERY_BATCHES_MAX);
  await receiver.next();
  await settled();
  // The first batch is with the reader until it asks for the second.
  expect(source.asked).toBe(QUERY_BATCHES_MAX);
  await receiver.next();
  await settled();
  expect(source.asked).toBe(QUERY_BATCHES_MAX + 1);
  await receiver.close();
});

test('a reader that leaves closes the source, whether that waits or not', async () => {
  const busy = new Counted(1000);
  const first = connected(busy);
  await first.receiver.next();
  await first.receiver.close();
  await first.sending;
  expect(busy.closes).toBeGreaterThan(0);
  expect(await first.receiver.next()).toBeNull();

  const silent = new Counted(0, 'wait');
  const second = connected(silent);
  const waiting = second.receiver.next();
  await second.receiver.close();
  expect(await waiting).toBeNull();
  await second.sending;
  expect(silent.closes).toBeGreaterThan(0);
});

test('an error of the source comes after the batches before it, with its class and what it says', async () => {
  const { receiver } = connected(new Counted(2, new LimitError('PUSH_ROWS_MAX', 'too many')));
  expect(await receiver.next()).not.toBeNull();
  expect(await receiver.next()).not.toBeNull();
  const error = await receiver.next().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LimitError);
  expect(error).toMatchObject({ limit: 'PUSH_ROWS_MAX', message: 'too many' });
  await expect(receiver.next()).rejects.toBe(error);
});

test('when the Worker is lost the reader sees what had arrived, then why no more comes', async () => {
  const { receiver } = connected(new Counted(1000));
  await receiver.next();
  await settled();
  receiver.end(new PortError('UNAVAILABLE', 'the Worker has ended'));
  for (let n = 1; n < QUERY_BATCHES_MAX; n++) expect(await receiver.next()).not.toBeNull();
  await expect(receiver.next()).rejects.toThrow('the Worker has ended');
});

test('free buffers are kept up to RECYCLED_BYTES_MAX, and no further', () => {
  const buffers = new Buffers();
  buffers.give(new ArrayBuffer(RECYCLED_BYTES_MAX - 8192));
  buffers.give(new ArrayBuffer(8192));
  expect(buffers.freeBytes).toBe(RECYCLED_BYTES_MAX);
  buffers.give(new ArrayBuffer(4096));
  expect(buffers.freeBytes).toBe(RECYCLED_BYTES_MAX);
  expect(buffers.take(5000).byteLength).toBe(8192);
  expect(buffers.made).toBe(0);
  expect(buffers.take(RECYCLED_BYTES_MAX).byteLength).toBe(RECYCLED_BYTES_MAX);
  expect(buffers.made).toBe(1);
});

test.each([
  new StatementError('UNKNOWN_COLUMN', 'no column X', { line: 2, column: 7 }, 'did you mean Y?'),
  new StatementError('SYNTAX', 'line 1:1: twice', { line: 1, column: 1 }),
  new PortError('OUT_OF_ORDER_SEQUENCE', 'a gap', { expected: 5 }),
  new LimitError('QUERIES_MAX', 'too many queries'),
  new TypeError('a function was expected'),
])('an error that crosses keeps all that it says: %s', (error) => {
  const crossed = fromWire(structuredClone(toWire(error)));
  expect(crossed.constructor).toBe(error.constructor);
  expect(crossed.message).toBe(error.message);
  expect(Object.entries(crossed)).toEqual(Object.entries(error));
});
