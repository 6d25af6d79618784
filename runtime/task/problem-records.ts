// What is written of one problem, into the processing log or the dead letters; knows no operator.

import { encodeUtf8 } from '../base/bytes.ts';
import { singleRecord } from '../data/record-builder.ts';
import type { RowProblem } from '../operators/operator.ts';
import type { Current, Origin } from './current.ts';
import type { Outgoing } from './sink.ts';
import { taskId, type TaskName } from './topology.ts';

/** Topics that tasks write besides their sinks; one partition each. */
export const PROCESSING_LOG_TOPIC = '__processing_log';
export const DEAD_LETTERS_TOPIC = '__dead_letters';

/** Longest text that an entry quotes. */
const MESSAGE_LENGTH_MAX = 1000;

/** The record of the processing log for one problem. */
export function entryOf(
  name: TaskName,
  current: Current,
  { code, origin, field }: RowProblem,
  message: string,
): { readonly key: Uint8Array; readonly value: Uint8Array; readonly timestamp: number } {
  const record = origin === null ? null : current.origin(origin);
  const { topic, partition } = current.place;
  const value = encodeUtf8(
    JSON.stringify({
      query: name.query,
      task: taskId(name),
      topic,
      partition,
      offset: record?.offset ?? null,
      field: field.slice(0, MESSAGE_LENGTH_MAX),
      code,
      message: message.slice(0, MESSAGE_LENGTH_MAX),
    }),
  );
  const timestamp = record?.timestamp ?? Math.max(0, current.time.now);
  return { key: encodeUtf8(name.query), value, timestamp };
}

/** The dead-letter record of a record that made its task fail again and again. */
export function deadLetter(
  name: TaskName,
  record: Origin,
  attempts: number,
  error: string,
): Outgoing {
  const { topic, partition, offset, timestamp } = record;
  const value = encodeUtf8(
    JSON.stringify({
      query: name.query,
      task: taskId(name),
      topic,
      partition,
      offset,
      attempts,
      error: error.slice(0, MESSAGE_LENGTH_MAX),
    }),
  );
  const bytes = singleRecord(encodeUtf8(name.query), value, timestamp);
  return { to: { topic: DEAD_LETTERS_TOPIC, partition: 0 }, count: 1, bytes };
}
