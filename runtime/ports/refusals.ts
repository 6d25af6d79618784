// What every log adapter refuses in the same words: places, offsets, incarnations and stored bytes that are wrong; knows no storage.

import { PortError } from '../base/errors.ts';
import { PartMissing } from '../base/part.ts';
import { parseRecordBatch, type RecordBatch } from '../data/record.ts';
import type { TopicPartition } from './log.ts';
import { sumOf } from './plain-append.ts';

export function topicExists(topic: string): PortError {
  return new PortError('TOPIC_EXISTS', `topic '${topic}' exists already`);
}

export function unknownTopic(topic: string): PortError {
  return new PortError('UNKNOWN_TOPIC', `topic '${topic}' does not exist`);
}

/** @param partitions how many the topic has */
export function unknownPartition(at: TopicPartition, partitions: number): PortError {
  return new PortError(
    'UNKNOWN_PARTITION',
    `topic '${at.topic}' has partitions 0 to ${partitions - 1}; ${at.partition} was asked for`,
  );
}

/** @throws {PortError} INCARNATION_CHANGED unless the caller knows this topic, or does not say which one it knows */
export function checkIncarnation(
  topic: string,
  known: string | null | undefined,
  incarnation: string,
): void {
  if (known === undefined || known === null || known === incarnation) return;
  throw new PortError(
    'INCARNATION_CHANGED',
    `topic '${topic}' was made again, or put back, since it was last seen`,
    { incarnation },
  );
}

/** @throws {PortError} OFFSET_OUT_OF_RANGE unless `start <= from <= highWatermark` */
export function checkOffset(
  at: TopicPartition,
  from: number,
  { start, highWatermark }: { readonly start: number; readonly highWatermark: number },
): void {
  if (from >= start && from <= highWatermark) return;
  throw new PortError(
    'OFFSET_OUT_OF_RANGE',
    `topic '${at.topic}' partition ${at.partition} holds offsets ${start} to ${highWatermark}; ${from} was asked for`,
    { start, highWatermark },
  );
}

/** There should be a batch at that offset. */
export function missingBatch(at: TopicPartition, offset: number): PortError {
  return new PortError(
    'CORRUPT',
    `topic '${at.topic}' partition ${at.partition} has no batch at offset ${offset}`,
    { topic: at.topic, partition: at.partition, offset },
  );
}

/** What is stored with a batch and must agree with its bytes. */
export interface StoredBatch {
  /** Offset of the first one that it covers. */
  readonly base: number;
  /** Offsets that it covers. */
  readonly count: number;
  /** As it was when the batch was stored, where the adapter keeps it. */
  readonly crc?: number | undefined;
}

/** Parses a stored batch after checking that it is what was stored. @throws {PortError} CORRUPT with topic, partition and offset */
export function storedBatch(
  at: TopicPartition,
  bytes: Uint8Array,
  { base, count, crc }: StoredBatch,
): RecordBatch {
  let cause: unknown;
  try {
    const records = parseRecordBatch(bytes, 'CORRUPT');
    if (records.span === count && (crc === undefined || crc === sumOf(bytes))) return records;
  } catch (thrown) {
    if (thrown instanceof PartMissing) throw thrown;
    cause = thrown;
  }
  throw damagedBatch(at, base, cause);
}

/** The batch at that offset is not what was appended. */
export function damagedBatch(
  { topic, partition }: TopicPartition,
  offset: number,
  cause: unknown,
): PortError {
  const message = `topic '${topic}' partition ${partition} offset ${offset}: the stored batch fails its checks`;
  return new PortError('CORRUPT', message, { topic, partition, offset }, { cause });
}
