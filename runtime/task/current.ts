// What a task is working on right now: the records that rows point back to, and their logical time; knows no operator.

import type { Batch } from '../data/batch.ts';
import { NO_HEADERS, offsetAt, type RecordBatch, type RecordHeader } from '../data/record.ts';
import { latestOf } from '../data/timestamps.ts';
import type { Emit, Holding, LogicalTime, Moment } from '../operators/operator.ts';
import { originOf } from '../ports/incarnation.ts';
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

/**
 * The current input. `Batch.origin` counts within `records`.
 *
 * Logical time: `now` is the greatest record timestamp that the task has seen up to the end of the current chunk (committed, never going
 * back). Chunks are cut by the log and by BATCH_ROWS_MAX, not by fetches or commits, so that a restart or another pace changes no answer.
 * The seed names the task and the input. A topic's incarnation, made at random with the topic, makes it another one in each installation.
 */
export class Current implements Holding {
  readonly #task: TaskId;
  #moment: CurrentMoment;
  readonly #idleSeed: string;

  /** @param incarnations of the topics of all its inputs */
  constructor(task: TaskId, incarnations: readonly string[]) {
    this.#task = task;
    this.#idleSeed = `${task} ${incarnations.map(originOf).join(' ')}`;
    this.#moment = {
      records: null,
      place: { topic: '', partition: 0, base: 0, incarnation: '' },
      time: { now: 0, seed: '', idleSeed: this.#idleSeed },
    };
  }

  /** Greatest record timestamp so far, or -Infinity. */
  nowMs = -Infinity;

  get time(): LogicalTime {
    return this.#moment.time;
  }

  get place(): RecordPlace {
    return this.#moment.place;
  }

  /** The same object while chunk and time are the same. */
  get moment(): CurrentMoment {
    return this.#moment;
  }

  /**
   * Begins a chunk, or goes on with one: records `from .. to` (indexes) of a record batch.
   * @param place an object of the chunk's own
   */
  begin(records: RecordBatch, place: RecordPlace, from: number, to: number): void {
    let { moment } = place;
    if (moment === undefined) {
      const { latestMs = latestOf(records.timestamps, from, to) } = place;
      this.nowMs = Math.max(this.nowMs, latestMs);
    }
    if (moment?.time.now !== this.nowMs) {
      const { topic, partition, base, incarnation } = place;
      const seed = `${this.#task} ${topic} ${partition} ${originOf(incarnation)}`;
      const idleSeed = this.#idleSeed;
      moment = { records, place, time: { now: this.nowMs, seed, idleSeed, firstOffset: base } };
      place.moment = moment;
    }
    this.#moment = moment;
  }

  /** Goes on with a chunk, whose moment it is. */
  turn(moment: Moment): void {
    // It is what `moment` gave: nothing else makes one.
    this.#moment = moment as CurrentMoment;
  }

  emit(moment: Moment, batch: Batch, out: Emit): void {
    const now = this.#moment;
    this.turn(moment);
    out(batch);
    this.#moment = now;
  }

  /** The records of the chunk are held no more, until it goes on. */
  letGo(): void {
    const { place, time } = this.#moment;
    place.moment = undefined;
    this.#moment = { records: null, place, time };
  }

  /** The record of that index in the current chunk. */
  origin(index: number): Origin {
    const { records, place } = this.#moment;
    const { topic, partition, base } = place;
    return {
      topic,
      partition,
      offset: records === null ? base : offsetAt(records, base, index),
      timestamp: records?.timestamps[index] ?? 0,
      headers: this.headers(index),
    };
  }

  headers(index: number): readonly RecordHeader[] {
    return this.#moment.records?.headers(index) ?? NO_HEADERS;
  }
}

/** What rows belong to, and the records that they are made of; null: none have come. */
export interface CurrentMoment extends Moment {
  readonly records: RecordBatch | null;
  readonly place: RecordPlace;
  readonly time: LogicalTime;
}
