// Producers that send until they are told to stop, each record once however often the server dies; knows no checker.

import type { Workerd } from '../support/workerd.ts';
import { asked, posting } from './asking.ts';

export const TOPIC = 'bets';
export const PARTITIONS = 2;
const GROUPS = 13;
/** Sizes of batches are spread evenly over their logarithms: up to the first of these, and of producers that send in bulk from there up to the second. */
const BATCH_RECORDS_MAX = 600;
const BULK_RECORDS_MAX = 8000;
/** One acknowledged batch in so many is followed by another of the same sequence and another body, which must be refused. */
const FORGED_EVERY = 25;
/** Amounts are unique: `producer * PRODUCER_RECORDS_MAX + n` names a record. */
export const PRODUCER_RECORDS_MAX = 1_000_000;
const RETRY_MS = 5;

/** One record as its producer made it. */
export interface SentRecord {
  readonly group: string;
  readonly amount: number;
}

/** A batch that the server has acknowledged. */
export interface AckedBatch {
  readonly from: number;
  readonly count: number;
  /** Offset of its first record; null for a repeat whose offset was forgotten. */
  readonly base: number | null;
  readonly duplicate: boolean;
  /** When it was first sent, in ms of `performance.now`. */
  readonly sentMs: number;
}

/** The record number `n` of a producer: a pure function, so that the checker knows it too. */
export function recordOf(producer: number, n: number): SentRecord {
  return {
    group: `g${(producer * 7 + n * 5) % GROUPS}`,
    amount: producer * PRODUCER_RECORDS_MAX + n,
  };
}

/** The key of a record; that of a forged one, which nobody may ever read, has an `x` for its number. */
export const keyOf = (producer: number, n: number | 'x'): string => `${producer}-${n}`;

interface Reply {
  readonly status: number;
  readonly offsets: readonly { readonly offset: number | null }[];
  readonly duplicate: boolean;
}

/** One idempotent producer, bound to one partition. */
export class Producer {
  readonly number: number;
  readonly partition: number;
  readonly acked: AckedBatch[] = [];
  /** Records of those. */
  ackedRecords = 0;
  retries = 0;
  forged = 0;
  readonly #edge: Workerd;
  readonly #id: string;
  readonly #random: () => number;
  readonly #isBulk: boolean;
  #sent = 0;

  constructor(
    edge: Workerd,
    number: number,
    { random, isBulk }: { readonly random: () => number; readonly isBulk: boolean },
  ) {
    this.#edge = edge;
    this.number = number;
    this.partition = number % PARTITIONS;
    this.#isBulk = isBulk;
    this.#id = `${Date.now()}.producer-${number}`;
    this.#random = random;
  }

  /** Records that were sent, acknowledged or not. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends until `signal`; the last batch is repeated until it is acknowledged. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = this.#sent;
      const count = this.#count();
      this.#sent += count;
      const body = this.#body(from, count);
      const sentMs = performance.now();
      const { offsets, duplicate } = await this.#sendUntilAnswered(body, from, 200);
      const base = offsets[0]?.offset ?? null;
      this.acked.push({ from, count, base, duplicate, sentMs });
      this.ackedRecords += count;
      if (this.#random() < 1 / FORGED_EVERY) {
        const forged = { records: Array(count).fill(this.#record('x')) };
        await this.#sendUntilAnswered(forged, from, 409);
        this.forged += 1;
      }
    }
  }

  #count(): number {
    const [least, most] = this.#isBulk
      ? [BATCH_RECORDS_MAX, BULK_RECORDS_MAX]
      : [1, BATCH_RECORDS_MAX];
    return Math.ceil(least * (most / least) ** this.#random());
  }

  #body(from: number, count: number): object {
    return { records: Array.from({ length: count }, (_, i) => this.#record(from + i)) };
  }

  #record(n: number | 'x'): object {
    const { group, amount } = n === 'x' ? { group: 'x', amount: -1 } : recordOf(this.number, n);
    const value = { GRP: group, AMOUNT: amount };
    return {
      key: keyOf(this.number, n),
      value,
      partition: this.partition,
      timestamp: n === 'x' ? 0 : n,
    };
  }

  async #sendUntilAnswered(body: object, sequence: number, status: number): Promise<Reply> {
    for (;;) {
      const reply = await this.#send(body, sequence, status);
      if (reply !== null) return reply;
      this.retries += 1;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** null: no answer, or a passing fault; the outcome is unknown. @throws at any other status than the one due */
  async #send(body: object, sequence: number, status: number): Promise<Reply | null> {
    const stamp = {
      'Producer-Id': this.#id,
      'Producer-Epoch': '0',
      'Producer-Seq': String(sequence),
    };
    const response = await asked(this.#edge, `/topics/${TOPIC}/records`, posting(body, stamp));
    if (response === null) return null;
    const text = await response.text();
    if (response.status === status)
      return { status, ...(JSON.parse(text) as Omit<Reply, 'status'>) };
    throw new Error(
      `producer ${this.number} was answered ${response.status}, not ${status}: ${text}`,
    );
  }
}
