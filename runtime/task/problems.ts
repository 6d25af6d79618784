// The entries of the processing log that a task writes: every problem by the record that made it; knows no operator.

import { RecordBatchBuilder } from '../data/record-builder.ts';
import type { RowProblem } from '../operators/operator.ts';
import type { Current } from './current.ts';
import { entryOf } from './problem-records.ts';
import type { Outgoing } from './sink.ts';
import type { TaskName } from './topology.ts';

/** Entries written for one chunk of input; what is beyond is one entry that counts them. */
export const PROBLEMS_PER_CHUNK_MAX = 1000;

/**
 * Gathers problems as records of the processing log: JSON `{query, task, topic, partition, offset, field, code, message}`, with the
 * rowtime of the record. They are capped by chunk, not by commit: the same input makes the same entries whatever the pace.
 */
export class ProblemLog {
  readonly #name: TaskName;
  readonly #current: Current;
  readonly #topic: string;
  readonly #builder = new RecordBatchBuilder();
  #finished: Outgoing[] = [];
  #inChunk = 0;
  #last: RowProblem | null = null;

  constructor(name: TaskName, current: Current, topic: string) {
    this.#name = name;
    this.#current = current;
    this.#topic = topic;
  }

  add(problem: RowProblem): void {
    this.#inChunk += 1;
    this.#last = problem;
    if (this.#inChunk <= PROBLEMS_PER_CHUNK_MAX) this.#append(problem, problem.reason);
  }

  /** Ends a chunk: says how many problems were left out. */
  endChunk(): void {
    const left = this.#inChunk - PROBLEMS_PER_CHUNK_MAX;
    if (left > 0 && this.#last !== null) {
      this.#append(
        { ...this.#last, field: '' },
        `${left} more problems in the same batch are counted and not listed`,
      );
    }
    this.#inChunk = 0;
  }

  #append(problem: RowProblem, message: string): void {
    const { key, value, timestamp } = entryOf(this.#name, this.#current, problem, message);
    if (this.#builder.append(key, value, timestamp)) return;
    this.#finish();
    this.#builder.append(key, value, timestamp);
  }

  #finish(): void {
    const { count } = this.#builder;
    const bytes = this.#builder.finish();
    if (bytes !== null)
      this.#finished.push({ to: { topic: this.#topic, partition: 0 }, count, bytes });
  }

  drain(into: (outgoing: Outgoing) => void): void {
    this.#finish();
    for (const outgoing of this.#finished) into(outgoing);
    this.#finished = [];
  }
}
