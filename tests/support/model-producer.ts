// An idempotent producer and what a partition must say to it, by PROTOCOL.md section 5, from all that it has sent there; knows no log.

import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import { PRODUCER_BATCHES_MAX } from '../../runtime/base/limits.ts';
import type { ProducerStamp } from '../../runtime/ports/log.ts';
import type { Draw } from './draws.ts';
import type { GivenRecord } from './log-records.ts';

interface Batch {
  readonly bytes: Uint8Array;
  readonly records: readonly GivenRecord[];
}

interface Sent extends Batch {
  readonly sequence: number;
  readonly base: number;
  readonly epoch: number;
}

/** It may send what it likes: repeats, gaps, batches cut otherwise, of an older epoch. */
export class ModelProducer {
  readonly #id: string;
  readonly #sent: Sent[] = [];
  #epoch = 0;
  #next = 0;

  constructor(id: string) {
    this.#id = id;
  }

  /** A batch that it sent before; null: it has sent none. */
  earlier(draw: Draw): Sent | null {
    return this.#sent[draw(this.#sent.length || 1)] ?? null;
  }

  stamp(draw: Draw, repeated: Sent | null): ProducerStamp {
    const epoch = Math.max(0, this.#epoch + (draw(4) === 0 ? draw(3) - 1 : 0));
    const isOff = draw(4) === 0;
    const due = repeated?.sequence ?? this.#next;
    return { id: this.#id, epoch, sequence: Math.max(0, due + (isOff ? draw(5) - 2 : 0)) };
  }

  /** What the partition answers, as a code or a place; what is taken is remembered. @param highWatermark where it would stand */
  judged(
    { epoch, sequence }: ProducerStamp,
    { bytes, records }: Batch,
    highWatermark: number,
  ): string | { readonly base: number | null; readonly duplicate: boolean } {
    const end = sequence + records.length;
    if (epoch < this.#epoch) return 'FENCED';
    if (sequence > this.#next) return 'OUT_OF_ORDER_SEQUENCE';
    if (sequence === this.#next) {
      this.#sent.push({ bytes, records, sequence, base: highWatermark, epoch });
      this.#next = end;
      this.#epoch = epoch;
      return { base: highWatermark, duplicate: false };
    }
    const known = this.#sent.slice(-PRODUCER_BATCHES_MAX);
    const overlapping = known.filter(
      (batch) => batch.sequence < end && sequence < batch.sequence + batch.records.length,
    );
    const [first] = overlapping;
    const isExact = first?.sequence === sequence && first.records.length === records.length;
    if (isExact && compareBytes(first.bytes, bytes) !== 0) return 'SEQUENCE_REUSED';
    if (!isExact && overlapping.some((batch) => batch.epoch === epoch)) return 'SEQUENCE_REUSED';
    if (end > this.#next) return 'OUT_OF_ORDER_SEQUENCE';
    this.#epoch = epoch;
    // Where the first of them stands; null: that batch is not remembered any more.
    const isThere = first !== undefined && first.sequence <= sequence;
    return { base: isThere ? first.base + sequence - first.sequence : null, duplicate: true };
  }
}
