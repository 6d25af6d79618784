// What a task is working on right now: the records that rows point back to, and their logical time; knows no operator.

import { murmur2 } from '../base/hash.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import type { RecordBatch, RecordHeader } from '../data/record.ts';
import type { LogicalTime } from '../operators/operator.ts';
import type { TaskId } from '../ports/store.ts';
import type { RecordPlace } from './record-columns.ts';

/** The record that a row came from. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

const NO_HEADERS: readonly RecordHeader[] = [];

/**
 * The current input. `Batch.origin` counts within `records`.
 *
 * Logical time: `now` is the greatest record timestamp that the task has seen up to the end of the current chunk (committed, never going
 * back). Chunks are cut by the log and by BATCH_ROWS_MAX, not by fetches or commits, so that a restart or another pace changes no answer.
 * The seed and a row's origin add up to a number that only the task and the record's offset decide.
 */
export class Current {
  readonly #task: TaskId;
  #records: RecordBatch | null = null;
  #place: RecordPlace = { topic: '', partition: 0, base: 0 };
  #time: LogicalTime = { now: 0, seed: 0 };

  constructor(task: TaskId) {
    this.#task = task;
  }

  /** Greatest record timestamp so far, or -Infinity. */
  nowMs = -Infinity;

  get time(): LogicalTime {
    return this.#time;
  }

  get place(): RecordPlace {
    return this.#place;
  }

  /** Begins a chunk: records `from .. to` (indexes) of a record batch. */
  begin(records: RecordBatch, place: RecordPlace, from: number, to: number): void {
    this.#records = records;
    this.#place = place;
    const { timestamps } = records;
    // Two maxima, so that one comparison need not wait for the other.
    let even = this.nowMs;
    let odd = even;
    for (let i = from; i < to; i += 2) {
      const ms = timestamps[i] as number;
      const next = i + 1 < to ? (timestamps[i + 1] as number) : ms;
      even = ms > even ? ms : even;
      odd = next > odd ? next : odd;
    }
    this.nowMs = Math.max(even, odd);
    const seed =
      murmur2(encodeUtf8(`${this.#task} ${place.topic} ${place.partition}`)) + place.base;
    this.#time = { now: this.nowMs, seed: seed >>> 0, firstOffset: place.base };
  }

  /** The record of that index in the current chunk. */
  origin(index: number): Origin {
    const { topic, partition, base } = this.#place;
    return {
      topic,
      partition,
      offset: base + index,
      timestamp: this.#records?.timestamps[index] ?? 0,
      headers: this.headers(index),
    };
  }

  headers(index: number): readonly RecordHeader[] {
    return this.#records?.headers(index) ?? NO_HEADERS;
  }
}
