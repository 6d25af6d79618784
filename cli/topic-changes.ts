// Reads what has come into the topic of a stream or table and makes result lines of it; knows no file.

import { BATCH_ROWS_MAX, FETCH_BYTES_MAX } from '../runtime/base/limits.ts';
import type { Source } from '../runtime/catalog/source.ts';
import { offsetAt, parseRecordBatch } from '../runtime/data/record.ts';
import { FORMATS } from '../runtime/formats/formats.ts';
import type { SourceStep } from '../runtime/plan/step.ts';
import type { FetchedBatch, Log, TopicPartition } from '../runtime/ports/log.ts';
import { type Reader, readerOf } from '../runtime/task/input.ts';
import { ResultLines } from './result-lines.ts';

/** The changes of one source, from where its topic ended before. */
export class TopicChanges {
  readonly #source: Source;
  readonly #reader: Reader;
  readonly #lines: ResultLines;
  /** The next offset of each partition. */
  readonly #next: number[];
  readonly #onProblem: (message: string) => void;

  /** @param from the first offset of each partition that is read; absent: the first of all */
  constructor(
    source: Source,
    onProblem: (message: string) => void,
    from: readonly number[] | undefined,
  ) {
    const step = readingStep(source);
    this.#source = source;
    this.#reader = readerOf(step, FORMATS);
    this.#lines = new ResultLines(source.name, step.schema);
    this.#next = Array.from({ length: source.partitions }, (_, i) => from?.[i] ?? 0);
    this.#onProblem = onProblem;
  }

  /** Result lines of what came since the last call: partition by partition, each in its order. */
  async *read(log: Log): AsyncGenerator<Uint8Array> {
    const { topic } = this.#source;
    for (const partition of this.#next.keys()) {
      const at = { topic, partition };
      for (;;) {
        const { batches } = await log.read(at, this.#next[partition] ?? 0, FETCH_BYTES_MAX);
        if (batches.length === 0) break;
        for (const fetched of batches) {
          yield* this.#linesOf(at, fetched);
          this.#next[partition] = fetched.base + fetched.count;
        }
      }
    }
  }

  *#linesOf(at: TopicPartition, { base, bytes }: FetchedBatch): Generator<Uint8Array> {
    const records = parseRecordBatch(bytes, 'CORRUPT', { checksum: false });
    const { count } = records;
    const placeOf = (index: number) =>
      `${at.topic}[${at.partition}] ${offsetAt(records, base, index)}`;
    for (let from = 0; from < count; from += BATCH_ROWS_MAX) {
      const to = Math.min(count, from + BATCH_ROWS_MAX);
      const place = { ...at, base, incarnation: '' };
      const batch = this.#reader.read(records, place, from, to, (index, error) =>
        this.#onProblem(`${placeOf(index)}: ${error.message}`),
      );
      if (batch !== null) yield this.#lines.lines(batch);
    }
  }
}

/** Reads all columns; what is printed is the record's own time. */
function readingStep(source: Source): SourceStep {
  const { columns } = source.schema;
  const stored = columns.filter(({ role }) => role === 'key' || role === 'value');
  return {
    step: 'source',
    id: '1',
    source: source.name,
    kind: 'stream',
    topic: source.topic,
    keyFormat: source.keyFormat,
    valueFormat: source.valueFormat,
    window: source.window,
    timestamp: null,
    headers: [],
    sourceSchema: { columns: stored },
    schema: { columns: columns.filter(({ role }) => role !== 'pseudo') },
    materialized: false,
  };
}
