// What is written of one problem into the processing log; knows no operator.

import { encodeUtf8 } from '../base/bytes.ts';
import type { RowProblem } from '../operators/operator.ts';
import type { Current } from './current.ts';
import { taskId, type TaskName } from './topology.ts';

/** Longest text that an entry quotes. */
export const MESSAGE_LENGTH_MAX = 1000;

/** The value of a record that a task writes of itself: the query and the task, then what is said. */
export function saidBy(name: TaskName, what: Readonly<Record<string, unknown>>): Uint8Array {
  return encodeUtf8(JSON.stringify({ query: name.query, task: taskId(name), ...what }));
}

/** The record of the processing log for one problem. */
export function entryOf(
  name: TaskName,
  current: Current,
  { code, origin, field }: RowProblem,
  message: string,
): { readonly key: Uint8Array; readonly value: Uint8Array; readonly timestamp: number } {
  const record = origin === null ? null : current.origin(origin);
  const { topic, partition } = current.place;
  const value = saidBy(name, {
    topic,
    partition,
    offset: record?.offset ?? null,
    field: field.slice(0, MESSAGE_LENGTH_MAX),
    code,
    message: message.slice(0, MESSAGE_LENGTH_MAX),
  });
  const timestamp = record?.timestamp ?? Math.max(0, current.time.now);
  return { key: encodeUtf8(name.query), value, timestamp };
}
