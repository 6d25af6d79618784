// What is written of a record that is given up; knows no operator.

import { encodeUtf8 } from '../base/bytes.ts';
import { singleRecord } from '../data/record-builder.ts';
import type { Origin } from './current.ts';
import { MESSAGE_LENGTH_MAX, saidBy } from './problem-records.ts';
import { DEAD_LETTERS_TOPIC } from './task-topics.ts';
import type { Outgoing } from './sink.ts';
import type { TaskName } from './topology.ts';

/** The dead-letter record of a record that made its task fail again and again. */
export function deadLetter(
  name: TaskName,
  record: Origin,
  attempts: number,
  error: string,
): Outgoing {
  const { topic, partition, offset, timestamp } = record;
  const value = saidBy(name, {
    topic,
    partition,
    offset,
    attempts,
    error: error.slice(0, MESSAGE_LENGTH_MAX),
  });
  const bytes = singleRecord(encodeUtf8(name.query), value, timestamp);
  return { to: { topic: DEAD_LETTERS_TOPIC, partition: 0 }, count: 1, bytes };
}
