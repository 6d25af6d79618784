// Batches of one query from the Worker to the page: encoded, in buffers handed over and given back, never more than a few on the way; knows no query.

import { ByteWriter } from '../base/bytes.ts';
import { InvariantError } from '../base/errors.ts';
import { QUERY_BATCHES_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import { decodeBatch, writeBatch } from '../data/codec.ts';
import type { Schema } from '../data/schema.ts';
import type { Transport } from '../ports/transport.ts';
import type { Buffers } from './buffers.ts';
import { fromWire, toWire, type WireError } from './wire-error.ts';

/** From the Worker. */
type Sent =
  | { readonly kind: 'batch'; readonly buffer: ArrayBuffer; readonly lengthBytes: number }
  | { readonly kind: 'end'; readonly error: WireError | null };

/** From the page: `taken` gives a buffer back and asks for one batch more; `close` wants no more. */
type Answer = { readonly kind: 'taken'; readonly buffer: ArrayBuffer } | { readonly kind: 'close' };

/** Where batches come from; `close` makes a waiting `next` give null. */
export interface BatchSource {
  next(): Promise<Batch | null>;
  close(): Promise<void>;
}

/**
 * Sends all batches of the source, then its end or its error. At most QUERY_BATCHES_MAX are on the way or with the reader: while it has
 * not taken them, the source is not asked, and waits in its turn.
 */
export async function sendBatches(
  source: BatchSource,
  transport: Transport,
  buffers: Buffers,
): Promise<void> {
  const writer = new ByteWriter(4096);
  const wanted = new Wanted();
  const send = (message: Sent, transfer: readonly ArrayBuffer[] = []): void =>
    transport.send(message, transfer);
  const unsubscribe = transport.receive((message) => {
    const answer = message as Answer;
    if (answer.kind === 'taken') {
      buffers.give(answer.buffer);
      wanted.oneMore();
    } else {
      wanted.noMore();
      void source.close();
    }
  });
  try {
    while (await wanted.take()) {
      const batch = await source.next();
      if (batch === null) break;
      writer.truncate(0);
      writeBatch(writer, batch);
      const lengthBytes = writer.position;
      const buffer = buffers.take(lengthBytes);
      new Uint8Array(buffer).set(writer.written());
      send({ kind: 'batch', buffer, lengthBytes }, [buffer]);
    }
    send({ kind: 'end', error: null });
  } catch (thrown) {
    send({ kind: 'end', error: toWire(thrown) });
  } finally {
    unsubscribe();
    await source.close();
  }
}

/** How many batches the reader has room for. */
class Wanted {
  #room = QUERY_BATCHES_MAX;
  #isClosed = false;
  #wake: (() => void) | null = null;

  /** Takes room for one, when there is some; false when the reader wants no more. */
  async take(): Promise<boolean> {
    while (this.#room === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#room -= 1;
    return !this.#isClosed;
  }

  oneMore(): void {
    this.#room += 1;
    this.#wake?.();
  }

  noMore(): void {
    this.#isClosed = true;
    this.#wake?.();
  }
}

/**
 * The page's end. A batch that `next` gives is valid until `next` is called again or the query is closed: its arrays are views of a
 * buffer that then goes back to the Worker.
 */
export class BatchReceiver implements BatchSource {
  readonly #schema: Schema;
  readonly #transport: Transport;
  readonly #waiting: Sent[] = [];
  #taken: ArrayBuffer | null = null;
  #end: { readonly error: Error | null } | null = null;
  #wake: (() => void) | null = null;

  constructor(schema: Schema, transport: Transport) {
    this.#schema = schema;
    this.#transport = transport;
    const unsubscribe = transport.receive((message) => {
      const sent = message as Sent;
      this.#waiting.push(sent);
      if (sent.kind === 'end') unsubscribe();
      this.#wake?.();
    });
  }

  /** @throws what ended the query, once the batches before it were read */
  async next(): Promise<Batch | null> {
    this.#giveBack();
    for (;;) {
      if (this.#end !== null) {
        if (this.#end.error !== null) throw this.#end.error;
        return null;
      }
      const sent = this.#waiting.shift();
      if (sent?.kind === 'batch') {
        this.#taken = sent.buffer;
        return decodeBatch(this.#schema, new Uint8Array(sent.buffer, 0, sent.lengthBytes));
      }
      if (sent?.kind === 'end') {
        this.#end = { error: sent.error === null ? null : fromWire(sent.error) };
        continue;
      }
      if (this.#wake !== null) throw new InvariantError('a query has one reader');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  /** Ends the query from this side: what waits is not wanted, and the Worker is told. */
  async close(): Promise<void> {
    if (this.#end !== null) return;
    this.#transport.send({ kind: 'close' } satisfies Answer);
    this.#waiting.length = 0;
    this.#taken = null;
    this.#end = { error: null };
    this.#wake?.();
  }

  /** The Worker is no more: after what has arrived, the reader sees the error, or the end. */
  end(error: WireError | null): void {
    this.#waiting.push({ kind: 'end', error });
    this.#wake?.();
  }

  #giveBack(): void {
    const buffer = this.#taken;
    if (buffer === null) return;
    this.#taken = null;
    this.#transport.send({ kind: 'taken', buffer } satisfies Answer, [buffer]);
  }
}
