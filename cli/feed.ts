// Feeds the lines of files into topics, piece by piece, and reports those that are no records; knows no query.

import { createReadStream } from 'node:fs';
import { PortError, RecordError } from '../runtime/base/errors.ts';
import { LINE_BYTES_MAX } from '../runtime/base/limits.ts';
import type { Source } from '../runtime/catalog/source.ts';
import type { Engine } from '../runtime/engine/engine.ts';
import type { ProducedRecord } from '../runtime/engine/insert.ts';
import { type Input, UsageError } from './arguments.ts';
import { LineRecords } from './line-record.ts';
import { type Line, linesOf } from './lines.ts';

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
    const made: ProducedRecord[] = [];
    for (const line of lines) {
      if (isBlank(line)) continue;
      const record = recordOf(line, records);
      if (typeof record !== 'string') {
        made.push(record);
        continue;
      }
      fed.skipped += 1;
      onProblem(`${input.path}:${line.number}: ${record}`);
    }
    await engine.produce(input.topic, made);
    fed.in += made.length;
    await onFed();
  }
}

function isBlank({ bytes }: Line): boolean {
  return bytes !== null && bytes.every((byte) => byte === 0x20 || byte === 0x09);
}

/** The record, or why the line is none. */
function recordOf(line: Line, records: LineRecords): ProducedRecord | string {
  if (line.bytes === null) return `the line is longer than ${LINE_BYTES_MAX} bytes`;
  try {
    return records.record(line.bytes);
  } catch (thrown) {
    if (thrown instanceof RecordError) {
      return thrown.field === '' ? thrown.message : `${thrown.field}: ${thrown.message}`;
    }
    if (thrown instanceof PortError) return thrown.message;
    throw thrown;
  }
}
