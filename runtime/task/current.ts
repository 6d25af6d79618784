// What a task is working on right now: the records that rows point back to, and their logical time; knows no operator.

import { offsetAt, type RecordBatch, type RecordHeader } from '../data/record.ts';
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
 * The seed names the task and the input. A topic's incarnation, made at random with the topic, makes it another one in each installation.
 */
export class Current {
  readonly #task: TaskId;
  #records: RecordBatch | null = null;
  #place: RecordPlace = { topic: '', partition: 0, base: 0, incarnation: '' };
  #time: LogicalTime;

  /** @param incarnations of the topics of all its inputs */
  constructor(task: TaskId, incarnations: readonly string[]) {
    this.#task = task;
    this.#time = { now: 0, seed: '', idleSeed: `${task} ${incarnations.join(' ')}` };
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
    const { topic, partition, base, incarnation } = place;
    const seed = `${this.#task} ${topic} ${partition} ${incarnation}`;
    this.#time = { ...this.#time, now: this.nowMs, seed, firstOffset: base };
  }

  /** The record of that index in the current chunk. */
  origin(index: number): Origin {
    const { topic, partition, base } = this.#place;
    return {
      topic,
      partition,
      offset: this.#records === null ? base : offsetAt(this.#records, base, index),
      timestamp: this.#records?.timestamps[index] ?? 0,
      headers: this.headers(index),
    };
  }

  headers(index: number): readonly RecordHeader[] {
    return this.#records?.headers(index) ?? NO_HEADERS;
  }
}
