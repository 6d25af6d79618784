// Producers that send until they are told to stop, each record once however often the server dies; knows no checker.

import type { Workerd } from '../support/workerd.ts';

export const TOPIC = 'bets';
export const PARTITIONS = 2;
const GROUPS = 13;
const BATCH_RECORDS_MAX = 20;
/** Amounts are unique: `producer * PRODUCER_RECORDS_MAX + n` names a record. */
export const PRODUCER_RECORDS_MAX = 1_000_000;

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
}

/** The record number `n` of a producer: a pure function, so that the checker knows it too. */
export function recordOf(producer: number, n: number): SentRecord {
  return {
    group: `g${(producer * 7 + n * 5) % GROUPS}`,
    amount: producer * PRODUCER_RECORDS_MAX + n,
  };
}

/** One idempotent producer, bound to one partition. */
export class Producer {
  readonly number: number;
  readonly partition: number;
  readonly acked: AckedBatch[] = [];
  retries = 0;
  readonly #edge: Workerd;
  readonly #id: string;
  readonly #random: () => number;
  #sent = 0;

  constructor(edge: Workerd, number: number, random: () => number) {
    this.#edge = edge;
    this.number = number;
    this.partition = number % PARTITIONS;
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
      const count = 1 + Math.floor(this.#random() * BATCH_RECORDS_MAX);
      this.#sent += count;
      await this.#sendUntilAcked(from, count);
    }
  }

  async #sendUntilAcked(from: number, count: number): Promise<void> {
    const records = Array.from({ length: count }, (_, i) => {
      const n = from + i;
      const { group, amount } = recordOf(this.number, n);
      const value = { GRP: group, AMOUNT: amount };
      return { key: `${this.number}-${n}`, value, partition: this.partition, timestamp: n };
    });
    for (;;) {
      const answer = await this.#send(JSON.stringify({ records }), from);
      if (answer !== null) {
        const base = answer.offsets[0]?.offset ?? null;
        this.acked.push({ from, count, base, duplicate: answer.duplicate });
        return;
      }
      this.retries += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** null: no answer, or a passing fault; the outcome is unknown. @throws when the server refuses for good */
  async #send(
    body: string,
    sequence: number,
  ): Promise<{ offsets: { offset: number | null }[]; duplicate: boolean } | null> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#edge.url}/topics/${TOPIC}/records`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Producer-Id': this.#id,
          'Producer-Epoch': '0',
          'Producer-Seq': String(sequence),
        },
        body,
      });
      text = await response.text();
    } catch {
      return null; // The server is down, or went down in between.
    }
    if (response.status === 200) return JSON.parse(text);
    if (response.status >= 500) return null;
    throw new Error(`producer ${this.number} was refused: ${response.status} ${text}`);
  }
}
