// Records that a topic let go before a task read them: where it goes on, and what the processing log says of it; knows no operator.

import { encodeUtf8 } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import { singleRecord } from '../data/record-builder.ts';
import type { Fetched, TopicPartition } from '../ports/log.ts';
import type { Input } from './inputs.ts';
import { saidBy } from './problem-records.ts';
import { PROCESSING_LOG_TOPIC } from './task-topics.ts';
import type { Outgoing } from './sink.ts';
import type { TaskName } from './topology.ts';

/** Records `from .. to` (offsets) that were not read; the task goes on at `to`. */
export interface Gap {
  readonly at: TopicPartition;
  readonly from: number;
  readonly to: number;
  readonly reset: 'earliest' | 'latest';
}

/**
 * Moves an input over the records that are gone.
 * @throws {PortError} the refusal, where the input is between the tasks of one query or has been read beyond the end of its partition
 */
export function steppedOver(input: Input, refusal: PortError): Gap {
  const { at, fetched: from, reset } = input;
  const start = Number(refusal.detail['start']);
  if (reset === null || !(from < start)) throw refusal;
  const to = reset === 'earliest' ? start : Number(refusal.detail['highWatermark']);
  input.next = to;
  input.fetched = to;
  return { at, from, to, reset };
}

/** Why reading ends where a topic was made again. */
export function anotherTopic({ topic }: TopicPartition, { incarnation }: Fetched): PortError {
  const message = `topic '${topic}' is not the one that was read before`;
  return new PortError('INCARNATION_CHANGED', message, { incarnation });
}

/** @param nowMs the task's logical time */
export function gapEntry(name: TaskName, { at, from, to, reset }: Gap, nowMs: number): Outgoing {
  const value = saidBy(name, {
    topic: at.topic,
    partition: at.partition,
    offset: from,
    field: '',
    code: 'GAP',
    message:
      `the topic let records go before they were read: those from offset ${from} on are missing; ` +
      `the query goes on at ${to}, auto.offset.reset being ${reset}`,
  });
  const bytes = singleRecord(encodeUtf8(name.query), value, Math.max(0, nowMs));
  return { to: { topic: PROCESSING_LOG_TOPIC, partition: 0 }, count: 1, bytes };
}
