// A task's position: what a commit changes besides state and outbox, kept as one row of JSON; knows no SQL.

import { PortError } from '../base/errors.ts';
import type { TopicPartition } from './log.ts';
import type { Commit, CounterEntry, OffsetEntry, Rebuilt, StreamTimeEntry } from './store.ts';

interface Sequence {
  readonly to: TopicPartition;
  readonly next: number;
}

/** Plain JSON; offsets, stream times, counters and next sequences of all commits so far. */
export interface PositionJson {
  readonly offsets: readonly OffsetEntry[];
  readonly streamTimes: readonly StreamTimeEntry[];
  readonly counters: readonly CounterEntry[];
  readonly sequences: readonly Sequence[];
}

export const START: PositionJson = { offsets: [], streamTimes: [], counters: [], sequences: [] };

/** The position after a commit: entries of the commit replace those of the same name. */
export function advanced(position: PositionJson, commit: Commit): PositionJson {
  const sent = commit.outbox.map(({ to, sequence, count }) => ({ to, next: sequence + count }));
  return {
    offsets: merged(position.offsets, commit.offsets, ({ at }) => keyOf(at)),
    streamTimes: merged(position.streamTimes, commit.streamTimes, ({ step }) => step),
    counters: merged(position.counters, commit.counters, ({ name }) => name),
    sequences: merged(position.sequences, sent, ({ to }) => keyOf(to)),
  };
}

/** The position that a task begins with when its state is made again. */
export function begunAgain(
  { sequences }: Pick<PositionJson, 'sequences'>,
  { offsets, streamTimes }: Rebuilt,
): PositionJson {
  return { ...START, offsets, streamTimes, sequences };
}

/** @throws {PortError} CORRUPT when the text is not a position */
export function parsePosition(text: string): PositionJson {
  try {
    return { ...START, ...(JSON.parse(text) as PositionJson) };
  } catch (thrown) {
    throw new PortError('CORRUPT', 'the position of a task is damaged', {}, { cause: thrown });
  }
}

function merged<T>(before: readonly T[], changed: readonly T[], key: (entry: T) => string): T[] {
  const entries = new Map(before.map((entry) => [key(entry), entry]));
  for (const entry of changed) entries.set(key(entry), entry);
  return [...entries.values()];
}

function keyOf(at: TopicPartition): string {
  return `${at.partition} ${at.topic}`;
}
