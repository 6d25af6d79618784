// Batches cross a real MessageChannel in buffers that come back, never more than a few at a time, with their end or their error.

import { expect, test } from 'vitest';
import { LimitError, PortError, StatementError } from '../../runtime/base/errors.ts';
import {
  COPIED_BYTES_MAX,
  QUERY_BATCHES_MAX,
  RECYCLED_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { type BatchSource, sendBatches } from '../../runtime/browser/batch-channel.ts';
import { BatchReceiver } from '../../runtime/browser/batch-receiver.ts';
import { Buffers } from '../../runtime/browser/buffers.ts';
import { behindMicrotasks } from '../../runtime/ports/behind-microtasks.ts';
import { Line } from '../../runtime/ports/line.ts';
import { packedBatch } from '../../runtime/browser/packed-batch.ts';
import { fromWire } from '../../runtime/ports/from-wire.ts';
import { toWire } from '../../runtime/ports/wire-error.ts';
import { type Batch, select, slice } from '../../runtime/data/batch.ts';
import type { Column } from '../../runtime/data/column.ts';
import { WholeDictionary } from '../../runtime/data/dictionary.ts';
import { RARER_VALUES } from '../../runtime/data/parts.ts';
import { batch, format } from '../../runtime/data/pretty.ts';
import { STRING } from '../../runtime/data/type.ts';
import { announceParts, loadParts } from '../../runtime/engine/parts.ts';

announceParts();
await loadParts();

// Batches are built here, as they are in the Worker where everything about their values has been fetched.
announceParts();
await RARER_VALUES.load();

const HEADER = 'K:STRING key | N:BIGINT | B:BYTES | A:ARRAY<DOUBLE> @rowtime';
const numbered = (n: number): Batch =>
  batch(HEADER, `+ key ${n} | ${n} | 0x0${n % 10} | [${n}.5] @${n}`);

/** Too long to be sent as a copy. */
const BIG = batch(
  'N:DOUBLE',
  ...Array.from({ length: COPIED_BYTES_MAX / 16 + 1 }, (_, n) => `+ ${n} @${n}`),
);

/** Gives `count` batches, then ends, fails, or waits until it is closed; counts how often it was asked and closed. */
class Counted implements BatchSource {
  asked = 0;
  closes = 0;
  readonly #count: number;
  readonly #then: 'end' | 'wait' | Error;
  readonly #made: (n: number) => Batch;
  #wake: (() => void) | null = null;

  constructor(count: number, then: 'end' | 'wait' | Error = 'end', made = numbered) {
    this.#count = count;
    this.#then = then;
    this.#made = made;
  }

  async next(): Promise<Batch | null> {
    if (this.closes === 0 && this.asked < this.#count) return this.#made(this.asked++);
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
  const far = new Line(port1, (run, ms) => void setTimeout(run, ms));
  const near = new Line(port2, behindMicrotasks);
  const receiver = new BatchReceiver(near.channel(1));
  const sending = sendBatches(source, far.channel(1), buffers);
  const { schema } = numbered(0);
  return { receiver, next: () => receiver.next(schema), sending, buffers };
}

/** How often the source was asked a while after it was asked so often. */
async function askedBehind(source: Counted, count: number): Promise<number> {
  await expect.poll(() => source.asked).toBeGreaterThanOrEqual(count);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return source.asked;
}

test('every batch arrives as it was, in order, then the end', async () => {
  const { next, sending } = connected(new Counted(100));
  for (let n = 0; n < 100; n++) {
    const received = await next();
    expect(received === null ? null : format(received)).toBe(format(numbered(n)));
  }
  expect(await next()).toBeNull();
  expect(await next()).toBeNull();
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
  const dictionary = new WholeDictionary(
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
    const { next } = connected(source);
    const received = await next();
    expect(received?.selection).toBeNull();
    expect(format(received as Batch)).toBe(format(chosen as Batch));
    const [column] = received?.columns ?? [];
    expect(column).toMatchObject({ dictionary: { size: strings } });
  }
});

test('a thousand batches travel in the buffers of the first few', async () => {
  const { next, sending, buffers } = connected(new Counted(1000, 'end', () => BIG));
  let received = 0;
  while ((await next()) !== null) received += 1;
  await sending;
  expect(received).toBe(1000);
  expect(buffers.made).toBeLessThanOrEqual(QUERY_BATCHES_MAX);
  expect(buffers.freeBytes).toBeGreaterThan(0);
});

test('while the reader takes nothing the source is asked QUERY_BATCHES_MAX times, and as often again as batches were taken, once these are half of it', async () => {
  const source = new Counted(1000);
  const { receiver, next } = connected(source);
  expect(await askedBehind(source, QUERY_BATCHES_MAX)).toBe(QUERY_BATCHES_MAX);
  const half = QUERY_BATCHES_MAX / 2;
  for (let taken = 0; taken < half; taken++) await next();
  // The last of them is with the reader until it asks for the next one.
  expect(await askedBehind(source, QUERY_BATCHES_MAX)).toBe(QUERY_BATCHES_MAX);
  await next();
  expect(await askedBehind(source, QUERY_BATCHES_MAX + half)).toBe(QUERY_BATCHES_MAX + half);
  await receiver.close();
});

test('rows of COPIED_BYTES_MAX bytes come as a copy, more of them in a buffer that is handed over', () => {
  const rows = (count: number): Batch => {
    const times = Float64Array.from({ length: count }, (_, n) => n);
    const { columns, ...rest } = batch('N:DOUBLE', '+ 1 @1');
    const [column] = columns;
    const numbers = { ...column, validity: null, values: times } as Column;
    return { ...rest, length: count, rowtime: times, op: null, columns: [numbers] };
  };
  const most = rows(COPIED_BYTES_MAX / 16);
  const buffers = new Buffers();
  expect(packedBatch(most, buffers).buffer).toBeNull();
  expect(packedBatch(rows(most.length + 1), buffers).buffer?.byteLength).toBeGreaterThan(
    COPIED_BYTES_MAX,
  );
  expect(buffers.made).toBe(1);
});

test('a reader that leaves closes the source, whether that waits or not', async () => {
  const busy = new Counted(1000);
  const first = connected(busy);
  await first.next();
  await first.receiver.close();
  await first.sending;
  expect(busy.closes).toBeGreaterThan(0);
  expect(await first.next()).toBeNull();

  const silent = new Counted(0, 'wait');
  const second = connected(silent);
  const waiting = second.next();
  await second.receiver.close();
  expect(await waiting).toBeNull();
  await second.sending;
  expect(silent.closes).toBeGreaterThan(0);
});

test('an error of the source comes after the batches before it, with its class and what it says', async () => {
  const { next } = connected(new Counted(2, new LimitError('PUSH_ROWS_MAX', 'too many')));
  expect(await next()).not.toBeNull();
  expect(await next()).not.toBeNull();
  const error = await next().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LimitError);
  expect(error).toMatchObject({ limit: 'PUSH_ROWS_MAX', message: 'too many' });
  await expect(next()).rejects.toBe(error);
});

test('when the Worker is lost the reader sees what had arrived, then why no more comes', async () => {
  const source = new Counted(1000);
  const { receiver, next } = connected(source);
  await next();
  expect(await askedBehind(source, QUERY_BATCHES_MAX)).toBe(QUERY_BATCHES_MAX);
  receiver.end(new PortError('UNAVAILABLE', 'the Worker has ended'));
  for (let n = 1; n < QUERY_BATCHES_MAX; n++) expect(await next()).not.toBeNull();
  await expect(next()).rejects.toThrow('the Worker has ended');
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
