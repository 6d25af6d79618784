// The fetched input of a task: record batches waiting per partition, taken in the order of the runs rule; knows no operator.

import { existing } from '../base/assert.ts';
import { BATCH_ROWS_MAX, FETCH_BYTES_MAX } from '../base/limits.ts';
import type { RecordError } from '../base/errors.ts';
import { PortError } from '../base/errors.ts';
import { type Batch, slice } from '../data/batch.ts';
import { indexAt, offsetAt, type RecordBatch } from '../data/record.ts';
import type { Fetched, Log, TopicPartition } from '../ports/log.ts';
import type { OffsetEntry } from '../ports/store.ts';
import type { Blocks } from './blocks.ts';
import type { Reader } from './input.ts';
import type { Gap } from './gaps.ts';
import type { Merging } from './pair.ts';
import { RUNS, WRONG_RECORDS } from './parts.ts';
import type { RecordPlace } from './record-columns.ts';
import { Sharing } from './sharing.ts';

/** One record that was skipped. */
export interface Skipped {
  readonly index: number;
  readonly error: RecordError;
}

/** The next rows of one input, and what else is done with once they are: records skipped, the position behind them. */
export interface Run {
  readonly input: number;
  /** By reader; null when every record of it was skipped. */
  readonly batches: readonly (Batch | null)[];
  readonly skipped: readonly Skipped[];
  readonly records: RecordBatch;
  readonly place: RecordPlace;
  /** Records `from .. to` (indexes in the record batch) are what the run takes in. */
  readonly from: number;
  readonly to: number;
  /** Where the chunk began that the run is a part of. */
  readonly chunkFrom: number;
  readonly chunkTo: number;
}

export type Reset = 'earliest' | 'latest' | null;

export interface Input {
  readonly at: TopicPartition;
  readonly readers: readonly Reader[];
  /** Where reading goes on when records were let go before they were read; null: it does not. */
  readonly reset: Reset;
  /** Offset of the next record to take. */
  next: number;
  /** Offset of the next record to fetch. */
  fetched: number;
  incarnation: string;
  highWatermark: number;
  waiting: Waiting[];
  chunk: Chunk | null;
  /** How often there may be more than the last read has shown. */
  wakes: number;
  /** True: the last read began after the last of those and has shown the end. */
  isAtEnd: boolean;
  /** A read that is under way, at `fetched`. */
  ahead: Promise<ReadAhead> | null;
}

interface ReadAhead {
  readonly wakes: number;
  readonly outcome: { readonly fetched: Fetched } | { readonly thrown: unknown };
}

interface Waiting {
  readonly base: number;
  /** Offset to go on at behind its records: beyond those that compaction has taken. */
  end: number;
  readonly records: RecordBatch;
  readonly latestMs: number | undefined;
}

/** Decoded and not yet taken. */
export interface Chunk {
  readonly records: RecordBatch;
  readonly place: RecordPlace;
  /** Offset to go on at behind it. */
  readonly next: number;
  readonly from: number;
  readonly to: number;
  readonly batches: readonly (Batch | null)[];
  readonly skipped: readonly Skipped[];
  /** Rows of each batch, and index of records, that were taken. */
  rows: readonly number[];
  at: number;
}

/**
 * The inputs of a task. Several are taken in runs: the longest prefix of one input that keeps the order (rowtime, input). It is judged
 * only while every input that has more is known, so that what is taken does not hang on the pace of fetches.
 */
export class TaskInputs {
  readonly #inputs: readonly Input[];
  readonly #blocks: Blocks | null;
  readonly #sharing: Sharing;
  /** true: `wake` is called after the last record of all, so that what was read to its end is not read again before. */
  isTold = false;
  /** Records that were let go before they were read, and stepped over; whoever tells of them takes them. */
  readonly gaps: Gap[] = [];

  /**
   * @param readers per input; several where several sources read its topic
   * @param resets per input
   * @param blocks where chunks end too
   * @param sharing with other tasks of the engine
   */
  constructor(
    readers: readonly (readonly Reader[])[],
    positions: readonly OffsetEntry[],
    resets: readonly Reset[] = [],
    blocks: Blocks | null = null,
    sharing: Sharing = new Sharing(),
  ) {
    this.#blocks = blocks;
    this.#sharing = sharing;
    this.#inputs = positions.map(({ at, next, incarnation }, index) => {
      return {
        at,
        readers: existing(readers[index], 'reader'),
        reset: resets[index] ?? null,
        next,
        fetched: next,
        incarnation,
        highWatermark: next,
        waiting: [],
        chunk: null,
        wakes: 0,
        isAtEnd: false,
        ahead: null,
      };
    });
  }

  /** Positions behind the last records taken. */
  get positions(): readonly OffsetEntry[] {
    return this.#inputs.map(({ at, next, incarnation }) => ({ at, next, incarnation }));
  }

  /**
   * Fetches for every input that has nothing waiting.
   * @returns true when something is waiting
   * @throws {PortError} INCARNATION_CHANGED when a topic is another one than before; OFFSET_OUT_OF_RANGE where `reset` is null; {PartMissing}
   */
  async fetch(log: Log): Promise<boolean> {
    const lacking = this.#inputs.filter(
      (input) => isDrained(input) && !(this.isTold && input.isAtEnd),
    );
    for (const input of lacking) input.ahead ??= readAhead(log, input);
    for (const input of lacking) {
      // What compaction has left may hold no record at all.
      do this.#fetched(input, await (input.ahead ??= readAhead(log, input)));
      while (input.waiting.length === 0 && input.fetched < input.highWatermark);
    }
    return !this.#inputs.every(isDrained);
  }

  /** There may be more than the last reads have shown. */
  wake(): void {
    for (const input of this.#inputs) {
      input.wakes += 1;
      input.isAtEnd = false;
    }
  }

  /**
   * True when everything is taken that the last reads have shown, and they have shown all that there was. A log that is at hand is asked
   * again when more has come meanwhile, or is about to; where that is a call, what is there does not wait for its answer.
   */
  isCaughtUp(log: Log): boolean {
    if (!this.isTold || log.isAppending === true) return false;
    return this.#inputs.every(
      (input) =>
        isDrained(input) &&
        (log.isRemote === true ? input.fetched >= input.highWatermark : input.isAtEnd),
    );
  }

  /** Begins to read what is known to be there, for inputs that have nothing waiting. At most one read an input is under way. */
  readAhead(log: Log): void {
    for (const input of this.#inputs) {
      if (isDrained(input) && input.fetched < input.highWatermark)
        input.ahead ??= readAhead(log, input);
    }
  }

  #fetched(input: Input, { wakes, outcome }: ReadAhead): void {
    input.ahead = null;
    const fetched = 'fetched' in outcome ? outcome.fetched : this.#refused(input, outcome.thrown);
    if (fetched === null) return;
    if (fetched.incarnation !== input.incarnation)
      throw WRONG_RECORDS.code.anotherTopic(input.at, fetched);
    input.highWatermark = fetched.highWatermark;
    for (const batch of fetched.batches) {
      const { base, count, maxTimestamp: latestMs, handed } = batch;
      const records = handed ?? this.#sharing.parsed(batch.bytes);
      const end = base + count;
      input.fetched = end;
      const last = input.waiting.at(-1);
      if (indexAt(records, base, input.next) < records.count) {
        input.waiting.push({ base, end, records, latestMs });
      } else if (last === undefined) input.next = end;
      else last.end = end;
    }
    input.isAtEnd = input.fetched >= input.highWatermark && wakes === input.wakes;
  }

  /** null: the records are gone, and the input has stepped over them. */
  #refused(input: Input, thrown: unknown): null {
    if (!(thrown instanceof PortError) || thrown.code !== 'OFFSET_OUT_OF_RANGE') throw thrown;
    this.gaps.push(WRONG_RECORDS.code.steppedOver(input, thrown));
    return null;
  }

  /**
   * Takes the next run, of at most `recordsMax` records. Null when an input must be fetched first, or when there is nothing.
   * @throws {PartMissing} when there are several inputs, or a bound
   */
  take(recordsMax: number): Run | null {
    const [only] = this.#inputs;
    if (only === undefined || this.#inputs.length > 1 || recordsMax < Infinity)
      return RUNS.code.nextRun(this.#inputs, this.#chunkOf, recordsMax);
    const chunk = this.#chunkOf(only);
    return chunk === null ? null : takeTo(only, chunk, 0, chunk.to, wholes(chunk));
  }

  /** As `Merging.take`, of these inputs. */
  takePair(pair: Merging, took: (records: number) => void): boolean {
    return pair.take(this.#inputs, this.#chunkOf, took);
  }

  readonly #chunkOf = (input: Input): Chunk | null => {
    if (input.chunk !== null) return input.chunk;
    const waiting = input.waiting[0];
    if (waiting === undefined) return null;
    const { base, end, records, latestMs } = waiting;
    const start = indexAt(records, base, input.next);
    // Chunks begin at multiples of BATCH_ROWS_MAX within the record batch, wherever reading began.
    const whole = Math.min(
      records.count,
      (Math.floor(start / BATCH_ROWS_MAX) + 1) * BATCH_ROWS_MAX,
    );
    const to = Math.min(whole, this.#blocks?.cut(records, base, start) ?? whole);
    const from = start - (start % BATCH_ROWS_MAX);
    const place: RecordPlace = {
      ...input.at,
      base,
      incarnation: input.incarnation,
      latestMs: to - from === records.count ? latestMs : undefined,
    };
    const skipped: Skipped[] = [];
    const batches = input.readers.map((reader) =>
      reader.read(records, place, start, to, (index, error) => skipped.push({ index, error })),
    );
    skipped.sort((a, b) => a.index - b.index);
    if (to === records.count) input.waiting.shift();
    const rows = batches.map(() => 0);
    // A record that several readers skip is skipped once.
    const once = skipped.filter(({ index }, i) => index !== skipped[i - 1]?.index);
    const next = to === records.count ? end : offsetAt(records, base, to);
    input.chunk = { records, place, next, from, to, batches, skipped: once, rows, at: start };
    return input.chunk;
  };
}

function isDrained({ chunk, waiting }: Input): boolean {
  return chunk === null && waiting.length === 0;
}

/** Never rejects: nobody may be waiting for it. */
function readAhead(log: Log, { at, fetched: from, wakes }: Input): Promise<ReadAhead> {
  return log.read(at, from, FETCH_BYTES_MAX).then(
    (fetched) => ({ wakes, outcome: { fetched } }),
    (thrown: unknown) => ({ wakes, outcome: { thrown } }),
  );
}

/** How many rows each reader made of the chunk. */
export function wholes({ batches }: Chunk): number[] {
  return batches.map((batch) => batch?.length ?? 0);
}

/**
 * Takes what is left of a chunk up to a record.
 * @param ends rows of each batch that are taken then
 */
export function takeTo(
  input: Input,
  chunk: Chunk,
  index: number,
  to: number,
  ends: readonly number[],
): Run {
  const { batches, rows, records, place } = chunk;
  const run: Run = {
    input: index,
    batches: batches.map((batch, reader) =>
      batch === null ? null : slice(batch, rows[reader] as number, ends[reader] as number),
    ),
    skipped: chunk.skipped.filter(({ index: at }) => at >= chunk.at && at < to),
    records,
    place,
    from: chunk.at,
    to,
    chunkFrom: chunk.from,
    chunkTo: chunk.to,
  };
  advance(input, chunk, to, ends);
  return run;
}

/** What is left of a chunk begins at a record now, and at a row of each batch. */
export function advance(input: Input, chunk: Chunk, to: number, rows: readonly number[]): void {
  chunk.rows = rows;
  chunk.at = to;
  const isTaken = to === chunk.to;
  input.next = isTaken ? chunk.next : offsetAt(chunk.records, chunk.place.base, to);
  if (isTaken) input.chunk = null;
}
