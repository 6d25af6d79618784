// The page's end of a query's batches: takes them as they come, and gives their buffers back; knows no query.

import { InvariantError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { Dictionary } from '../data/dictionary.ts';
import type { Schema } from '../data/schema.ts';
import type { Transport } from '../ports/transport.ts';
import type { Answer, BatchSource, Sent } from './batch-channel.ts';
import type { PackedBatch } from './packed-batch.ts';
import { fromWire } from './wire-error.ts';

/**
 * The page's end. A batch that `next` gives is valid until `next` is called again or the query is closed: its arrays are views of a
 * buffer that then goes back to the Worker.
 */
export class BatchReceiver implements BatchSource {
  readonly #schema: Schema;
  readonly #transport: Transport;
  readonly #waiting: (Sent | { readonly kind: 'end'; readonly error: Error | null })[] = [];
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
        return unpackedBatch(this.#schema, sent.batch);
      }
      if (sent !== undefined) {
        const { error } = sent;
        this.#end = { error: error === null || error instanceof Error ? error : fromWire(error) };
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
  end(error: Error | null): void {
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

/** The batch again; its arrays are views of the buffer that came with it. */
function unpackedBatch(schema: Schema, { columns, ...rest }: PackedBatch): Batch {
  return {
    ...rest,
    schema,
    selection: null,
    origin: null,
    columns: columns.map(({ dictionary, ...column }, index) => ({
      ...column,
      type: schema.columns[index]?.type,
      ...(dictionary && { dictionary: new Dictionary(dictionary.bytes, dictionary.offsets) }),
    })) as Batch['columns'],
  };
}
