// The page's end of a query's batches: takes them as they come, and gives their buffers back; knows no query.

import { QUERY_BATCHES_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import { WholeDictionary } from '../data/dictionary.ts';
import type { Schema } from '../data/schema.ts';
import type { Transport } from '../ports/transport.ts';
import type { Answer, Sent } from './batch-channel.ts';
import type { PackedBatch } from './packed-batch.ts';
import { fromWire } from '../ports/from-wire.ts';

/**
 * The page's end. A batch that `next` gives is valid until `next` is called again or the query is closed: its arrays are views of a
 * buffer that then goes back to the Worker.
 */
export class BatchReceiver {
  readonly #transport: Transport;
  readonly #unsubscribe: () => void;
  readonly #waiting: PackedBatch[] = [];
  /** Batches that were handed out since the Worker was told of any, and their buffers; the reader may still have the last one. */
  #count = 0;
  #buffers: ArrayBuffer[] = [];
  #end: { readonly error: Error | null } | null = null;
  #wake: (() => void) | null = null;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#unsubscribe = transport.receive((message) => {
      const sent = message as Sent;
      if ('error' in sent) this.end(sent.error && fromWire(sent.error));
      else {
        this.#waiting.push(sent);
        this.#wake?.();
      }
    });
  }

  /**
   * @param schema of the batches
   * @throws what ended the query, once the batches before it were read
   */
  async next(schema: Schema): Promise<Batch | null> {
    this.#giveBack();
    for (;;) {
      const packed = this.#waiting.shift();
      if (packed !== undefined) {
        this.#count += 1;
        const { buffer, ...rows } = packed;
        if (buffer !== null) this.#buffers.push(buffer);
        return unpackedBatch(schema, rows);
      }
      if (this.#end !== null) {
        if (this.#end.error !== null) throw this.#end.error;
        return null;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Ends the query from this side: what waits is not wanted, and the Worker is told. */
  async close(): Promise<void> {
    if (this.#end !== null) return;
    this.#transport.send(null satisfies Answer);
    this.#waiting.length = 0;
    this.end(null);
  }

  /** No more will come: after what has arrived, the reader sees the error, or the end. */
  end(error: Error | null): void {
    this.#unsubscribe();
    this.#end ??= { error };
    this.#wake?.();
  }

  /** The Worker is told of half of what may be on the way at once: it never waits for the other half. */
  #giveBack(): void {
    if (this.#count < QUERY_BATCHES_MAX / 2) return;
    const taken: Answer = { count: this.#count, buffers: this.#buffers };
    this.#transport.send(taken, this.#buffers, true);
    this.#count = 0;
    this.#buffers = [];
  }
}

/** The batch again; its arrays are views of one buffer. */
function unpackedBatch(schema: Schema, { columns, ...rest }: Omit<PackedBatch, 'buffer'>): Batch {
  return {
    ...rest,
    schema,
    selection: null,
    origin: null,
    columns: columns.map(({ dictionary, ...column }, index) => ({
      ...column,
      type: schema.columns[index]?.type,
      ...(dictionary && { dictionary: new WholeDictionary(dictionary.bytes, dictionary.offsets) }),
    })) as Batch['columns'],
  };
}
