// One partition as a consumer reads it: where it stands, and the next fetch; knows no other partition.

import { PortError } from '../base/errors.ts';
import type { TopicPartition } from '../ports/log.ts';
import { type Connection, partitionPath, readJson } from './connection.ts';
import type { ConsumedBatch } from './frames.ts';
import { later } from './later.ts';
import type { Subscription } from './record-socket.ts';

/** Where to begin: an offset, an end of the log, or the first record that is not older than a time (ms since the Unix epoch). */
export type Start = 'earliest' | 'latest' | number | { readonly timestamp: number };

/** What to do when the records at a position have left the log. */
export type Reset = 'fail' | 'earliest' | 'latest';

export interface FetchOptions {
  readonly bytesMax: number;
  /** How long the edge waits for a record when there is none. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

export class PartitionReader {
  readonly partition: number;
  readonly #connection: Connection;
  readonly #at: TopicPartition;
  readonly #reset: Reset;
  readonly #subscription: Subscription | null;
  /** The offset of the next record for the reader. */
  position: number;
  /** Rises when somebody seeks: what was fetched before is then of no use. */
  generation = 0;
  /** The offset that is fetched next. */
  #cursor: number;
  #incarnation: string | null;
  #underWay: AbortController | null = null;

  constructor(options: {
    readonly connection: Connection;
    readonly topic: string;
    readonly partition: number;
    readonly position: number;
    readonly incarnation: string | null;
    readonly reset: Reset;
    /** null: it asks for the records. */
    readonly subscription: Subscription | null;
  }) {
    this.#subscription = options.subscription;
    this.#connection = options.connection;
    this.#at = options;
    this.partition = options.partition;
    this.position = options.position;
    this.#cursor = options.position;
    this.#incarnation = options.incarnation;
    this.#reset = options.reset;
  }

  seek(offset: number): void {
    this.generation++;
    this.position = offset;
    this.#cursor = offset;
    this.#underWay?.abort();
    this.#subscription?.end();
  }

  /** Fetches again what was fetched and not taken. */
  rewind(): void {
    this.seek(this.position);
  }

  /** Nothing is wanted until the next fetch. */
  rest(): void {
    this.#subscription?.end();
  }

  /** The next batches; none when no record came in time, or somebody sought meanwhile. */
  async fetch(options: FetchOptions): Promise<readonly ConsumedBatch[]> {
    const { generation } = this;
    const control = new AbortController();
    this.#underWay = control;
    const signal = AbortSignal.any([options.signal, control.signal]);
    try {
      const batches = await this.#fetch(this.#cursor, { ...options, signal });
      if (generation !== this.generation) return [];
      const last = batches.at(-1);
      if (last !== undefined) this.#cursor = last.end;
      return batches;
    } catch (thrown) {
      if (generation !== this.generation) return [];
      const to = this.#resetTo(thrown);
      if (to === null) throw thrown;
      this.seek(to);
      return [];
    }
  }

  async #fetch(
    from: number,
    { bytesMax, waitMs, signal }: FetchOptions,
  ): Promise<readonly ConsumedBatch[]> {
    if (this.#subscription !== null) {
      const found = await this.#subscription.next(from, this.#incarnation, signal);
      this.#incarnation = found.incarnation;
      return this.#read(found.bytes, from);
    }
    const asked = new URLSearchParams({
      offset: String(from),
      max_bytes: String(bytesMax),
      wait_ms: String(waitMs),
    });
    if (this.#incarnation !== null) asked.set('incarnation', this.#incarnation);
    const path = `${partitionPath(this.#at.topic, this.partition)}/records?${asked}`;
    const headers = { Accept: 'application/vnd.millrace.batches' };
    return this.#connection.retried(
      { method: 'GET', path, headers, signal, waitMs },
      async (response) => {
        const bytes = new Uint8Array(await response.arrayBuffer());
        this.#incarnation ??= response.headers.get('Millrace-Incarnation');
        return this.#read(bytes, from);
      },
    );
  }

  async #read(bytes: Uint8Array, from: number): Promise<readonly ConsumedBatch[]> {
    const { readFrames } = await later('records', import('./frames.ts'));
    return readFrames(bytes, this.#at, from);
  }

  /** Where to go on after a refusal; null: nowhere. */
  #resetTo(thrown: unknown): number | null {
    if (this.#reset === 'fail' || !(thrown instanceof PortError)) return null;
    if (thrown.code !== 'OFFSET_OUT_OF_RANGE') return null;
    const to = thrown.detail[this.#reset === 'earliest' ? 'start' : 'highWatermark'];
    return typeof to === 'number' ? to : null;
  }
}

/** The offset of the first record that is not older than a time; the high watermark when there is none. */
export async function offsetForTime(
  connection: Connection,
  at: { readonly topic: string; readonly partition: number },
  timestamp: number,
): Promise<number> {
  const path = `${partitionPath(at.topic, at.partition)}/offsets?timestamp=${timestamp}`;
  const { offset } = await connection.retried(
    { method: 'GET', path },
    readJson<{ readonly offset: number }>,
  );
  return offset;
}
