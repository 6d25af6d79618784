// Feeds the lines of files into topics, piece by piece, and reports those that are no records; knows no query.

import { createReadStream } from 'node:fs';
import { LINE_BYTES_MAX } from '../runtime/base/limits.ts';
import type { Source } from '../runtime/catalog/source.ts';
import type { Engine } from '../runtime/engine/engine.ts';
import { type Input, UsageError } from './arguments.ts';
import { LineRecords } from './line-record.ts';
import { linesOf } from './lines.ts';

/** Bytes of a file that are read, fed and processed at a time. */
const PIECE_BYTES = 262_144;

/** What became of the lines of a topic's files. */
export interface Fed {
  in: number;
  skipped: number;
}

export interface FeedOptions {
  readonly engine: Engine;
  /** Called after each piece that was fed. */
  readonly onFed: () => Promise<void>;
  readonly onProblem: (message: string) => void;
}

/**
 * The source that says how the lines of an input become records: the first over its topic.
 * @throws {UsageError} when the topic is unknown or takes no rows
 */
export function fedSource(engine: Engine, { topic }: Input): Source {
  const sources = [...engine.catalog.sources.values()].filter((source) => !source.readOnly);
  const source = sources.find((one) => one.topic === topic);
  if (source === undefined) {
    const known = [...new Set(sources.map((one) => one.topic))].join(', ');
    throw new UsageError(
      `--input: no stream or table is over a topic '${topic}'${known === '' ? '' : `; there is ${known}`}`,
    );
  }
  if (source.window !== null) {
    throw new UsageError(`--input: ${source.name} takes no rows: its key is windowed`);
  }
  if (source.valueFormat.format === 'COLUMNAR') {
    throw new UsageError(`--input: ${source.name} takes no lines: it is COLUMNAR`);
  }
  return source;
}

/** Feeds one file from its beginning to its end; never more of it than a piece is in memory. */
export async function feed(
  input: Input,
  source: Source,
  fed: Fed,
  options: FeedOptions,
): Promise<void> {
  const { engine, onFed, onProblem } = options;
  const records = new LineRecords(source);
  const stream = createReadStream(input.path, { highWaterMark: PIECE_BYTES });
  for await (const lines of linesOf(stream, LINE_BYTES_MAX)) {
    const made = records.records(lines);
    for (const { line, why } of made.problems) onProblem(`${input.path}:${line}: ${why}`);
    await engine.produce(input.topic, made.records);
    fed.in += made.records.length;
    fed.skipped += made.problems.length;
    await onFed();
  }
}
