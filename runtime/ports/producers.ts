// How a partition judges idempotent appends, as one pure function over a small record that every log adapter stores; knows no storage.

import { PortError } from '../base/errors.ts';
import { PRODUCER_IDLE_MS_MAX, PRODUCERS_MAX } from '../base/limits.ts';
import type { ProducerStamp } from './log.ts';
import { accepted, newProducer } from './plain-append.ts';

/** One appended batch as its partition remembers it. */
export interface RememberedBatch {
  readonly sequence: number;
  readonly count: number;
  /** Checksum of the record batch: the same sequence with another body is refused. */
  readonly crc: number;
  /** Offset of its first record. */
  readonly base: number;
  /** Epoch under which it came. */
  readonly epoch: number;
}

/** What a partition remembers of one producer. Plain JSON; stored in the transaction of the append. */
export interface KnownProducer {
  readonly epoch: number;
  /** The sequence that its next record will have. */
  readonly next: number;
  /** When it last appended, by the partition's clock. */
  readonly lastMs: number;
  /** The newest PRODUCER_BATCHES_MAX batches, oldest first. */
  readonly batches: readonly RememberedBatch[];
}

/** The batch to be judged and the partition it comes to. */
export interface Arrival {
  readonly stamp: ProducerStamp;
  readonly count: number;
  readonly crc: number;
  /** The offset that the batch's first record would get. */
  readonly highWatermark: number;
  /** Latest creation time among the producers that this partition has forgotten; -Infinity when none. */
  readonly forgottenMs: number;
  readonly nowMs: number;
}

/**
 * What to do: `append` at the high watermark and store `producer`; or answer that it is a `repeat` of what stands at
 * `base` (null: older than remembered) and store `producer`, whose epoch may have been raised.
 */
export type Verdict =
  | { readonly kind: 'append'; readonly producer: KnownProducer }
  | { readonly kind: 'repeat'; readonly base: number | null; readonly producer: KnownProducer };

/** When the producer was made, from its id. @throws {PortError} UNKNOWN_PRODUCER when the id does not say */
function createdMsOf(id: string): number {
  const digits = /^(\d{1,15})\../.exec(id);
  if (digits === null) {
    throw new PortError(
      'UNKNOWN_PRODUCER',
      `producer id '${id}' does not begin with its creation time in ms and a dot`,
    );
  }
  return Number(digits[1]);
}

/**
 * Judges one stamped append; PROTOCOL.md section 5 has the rules and why they hold. Call it, and store what it says,
 * in the transaction that appends.
 * @param known what the partition remembers of `stamp.id`; null when nothing
 * @throws {PortError} FENCED (detail.epoch), OUT_OF_ORDER_SEQUENCE (detail.expected), SEQUENCE_REUSED, UNKNOWN_PRODUCER (detail.forgottenMs)
 */
export function judge(known: KnownProducer | null, arrival: Arrival): Verdict {
  const { stamp, count } = arrival;
  const createdMs = createdMsOf(stamp.id);
  if (!isCount(stamp.epoch) || !isCount(stamp.sequence) || !isCount(stamp.sequence + count)) {
    throw new PortError('INVALID_BATCH', 'epoch and sequence are integers from 0 to 2^53 - 1');
  }
  if (known === null) {
    // Nothing that was forgotten is younger than `forgottenMs`: a younger unknown producer is a new one.
    if (createdMs <= arrival.forgottenMs) {
      throw new PortError(
        'UNKNOWN_PRODUCER',
        `producer '${stamp.id}' is older than this partition remembers producers`,
        { forgottenMs: arrival.forgottenMs },
      );
    }
    if (stamp.sequence !== 0) throw outOfOrder(stamp, 0);
    return accepted(newProducer(arrival), arrival);
  }
  if (stamp.epoch < known.epoch) {
    throw new PortError(
      'FENCED',
      `producer '${stamp.id}' has epoch ${known.epoch}; this append came with ${stamp.epoch}`,
      {
        epoch: known.epoch,
      },
    );
  }
  if (stamp.sequence === known.next) return accepted(known, arrival);
  if (stamp.sequence > known.next) throw outOfOrder(stamp, known.next);
  return repeat(known, arrival);
}

/**
 * The batch begins below the next sequence. Under one epoch a sender repeats exactly what it sent. Under a raised epoch it may have been
 * restored to an older state and have cut its output otherwise; what it makes is the same records, so positions decide.
 */
function repeat(known: KnownProducer, arrival: Arrival): Verdict {
  const { stamp, count, crc } = arrival;
  const end = stamp.sequence + count;
  for (const batch of known.batches) {
    const same = batch.sequence === stamp.sequence && batch.count === count;
    const overlaps = batch.sequence < end && stamp.sequence < batch.sequence + batch.count;
    if (same ? batch.crc !== crc : overlaps && batch.epoch === stamp.epoch) {
      throw new PortError(
        'SEQUENCE_REUSED',
        `producer '${stamp.id}' used sequence ${stamp.sequence} for another batch`,
        {
          sequence: stamp.sequence,
        },
      );
    }
  }
  if (end > known.next) throw outOfOrder(stamp, known.next);
  const first = known.batches.find(
    (batch) => batch.sequence <= stamp.sequence && stamp.sequence < batch.sequence + batch.count,
  );
  return {
    kind: 'repeat',
    base: first === undefined ? null : first.base + (stamp.sequence - first.sequence),
    producer: { ...known, epoch: stamp.epoch, lastMs: arrival.nowMs },
  };
}

function outOfOrder(stamp: ProducerStamp, expected: number): PortError {
  return new PortError(
    'OUT_OF_ORDER_SEQUENCE',
    `producer '${stamp.id}' sent sequence ${stamp.sequence}; ${expected} is expected`,
    { expected },
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** A producer as far as forgetting goes. */
export interface Idle {
  readonly id: string;
  readonly lastMs: number;
}

/**
 * Which producers a partition forgets before it admits a new one: those idle for longer than PRODUCER_IDLE_MS_MAX, and, when
 * PRODUCERS_MAX are left, those idle for longest. The partition then raises its `forgottenMs` to `forgottenMs` of the answer, which
 * keeps an append of a forgotten producer from being taken for that of a new one.
 */
export function toForget(
  producers: readonly Idle[],
  nowMs: number,
): { readonly ids: readonly string[]; readonly forgottenMs: number } {
  const byIdleness = [...producers].sort((a, b) => a.lastMs - b.lastMs);
  const idle = byIdleness.findIndex((producer) => producer.lastMs >= nowMs - PRODUCER_IDLE_MS_MAX);
  const count = Math.max(
    idle < 0 ? byIdleness.length : idle,
    byIdleness.length - PRODUCERS_MAX + 1,
    0,
  );
  const ids = byIdleness.slice(0, count).map((producer) => producer.id);
  return {
    ids,
    forgottenMs: ids.reduce((latest, id) => Math.max(latest, createdMsOf(id)), -Infinity),
  };
}
