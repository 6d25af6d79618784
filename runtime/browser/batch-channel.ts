// Batches of one query from the Worker to the page: in buffers handed over and given back, never more than a few on the way; knows no query.

import { QUERY_BATCHES_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Transport } from '../ports/transport.ts';
import { withParts } from '../task/with-parts.ts';
import type { Buffers } from './buffers.ts';
import { type PackedBatch, packedBatch } from './packed-batch.ts';
import { toWire, type WireError } from './wire-error.ts';

/** From the Worker. */
export type Sent =
  | { readonly kind: 'batch'; readonly batch: PackedBatch; readonly buffer: ArrayBuffer }
  | { readonly kind: 'end'; readonly error: WireError | null };

/** From the page: `taken` gives a buffer back and asks for one batch more; `close` wants no more. */
export type Answer =
  | { readonly kind: 'taken'; readonly buffer: ArrayBuffer }
  | { readonly kind: 'close' };

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
      const packed = await withParts(() => packedBatch(batch, buffers));
      send({ kind: 'batch', ...packed }, [packed.buffer]);
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
