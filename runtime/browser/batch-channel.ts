// Batches of one query from the Worker to the page: small ones as copies, others in buffers handed over and given back, never more than a few on the way; knows no query.

import { QUERY_BATCHES_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Transport } from '../ports/transport.ts';
import { withParts } from '../task/with-parts.ts';
import type { Buffers } from './buffers.ts';
import { isDense, type PackedBatch, packedBatch } from './packed-batch.ts';
import { toWire, type WireError } from '../ports/wire-error.ts';

/** From the Worker: a batch, or the end. */
export type Sent = PackedBatch | { readonly error: WireError | null };

/** From the page: batches that were taken, with the buffers of theirs, so that as many more may come; null: no more are wanted. */
export type Answer = { readonly count: number; readonly buffers: readonly ArrayBuffer[] } | null;

/** Where batches come from; `close` makes a waiting `next` give null. */
export interface BatchSource {
  next(): Promise<Batch | null>;
  close(): Promise<void>;
}

/**
 * Sends all batches of the source, then its end or its error. At most QUERY_BATCHES_MAX are on the way or with the reader: while it has
 * not taken them, the source is not asked, and waits in its turn.
 * @param onSent called when a batch has been sent
 */
export async function sendBatches(
  source: BatchSource,
  transport: Transport,
  buffers: Buffers,
  onSent?: () => void,
): Promise<void> {
  let room = QUERY_BATCHES_MAX;
  let wake: (() => void) | null = null;
  const unsubscribe = transport.receive((message) => {
    const answer = message as Answer;
    if (answer === null) {
      room = Infinity;
      void source.close();
    } else {
      for (const buffer of answer.buffers) buffers.give(buffer);
      room += answer.count;
    }
    wake?.();
  });
  const send = (message: Sent, transfer: readonly ArrayBuffer[] = []): void =>
    transport.send(message, transfer, true);
  try {
    for (;;) {
      // What is waited for is one message only: nobody else wakes.
      if (room === 0) await new Promise<void>((resolve) => (wake = resolve));
      const batch = room === Infinity ? null : await source.next();
      if (batch === null) break;
      room -= 1;
      const pack = (): PackedBatch => packedBatch(batch, buffers);
      // Nothing is waited for where no part can be missing.
      const packed = isDense(batch) ? pack() : await withParts(pack);
      send(packed, packed.buffer === null ? [] : [packed.buffer]);
      onSent?.();
    }
    send({ error: null });
  } catch (thrown) {
    send({ error: toWire(thrown) });
  } finally {
    unsubscribe();
    await source.close();
  }
}
