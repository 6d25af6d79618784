// What can be seen of a log beside what a plain model of its history says; changes nothing, and knows no adapter.

import { expect } from 'vitest';
import { PortError } from '../../runtime/base/errors.ts';
import {
  indexAt,
  offsetAt,
  parseRecordBatch,
  RECORD_BATCH_HEADER_BYTES,
} from '../../runtime/data/record.ts';
import type {
  FetchedBatch,
  Log,
  TopicDescription,
  TopicPartition,
} from '../../runtime/ports/log.ts';
import type { Draw } from '../support/draws.ts';
import { type GivenRecord, isSameRecord, readRecord } from '../support/log-records.ts';
import type { ModelProducer } from '../support/model-producer.ts';
import type { LogUnderTest } from './log.ts';

export const HISTORY_PARTITIONS = 2;
/** By how much an adapter's clock may go on by itself within a history. */
export const SLACK_MS = 600_000;
/** More bytes than there are. */
export const ALL = 1 << 30;

interface ModelRecord extends GivenRecord {
  /** Since when compaction may have met this tombstone; Infinity: it has not. */
  metMs: number;
}

export interface ModelPartition {
  /** By offset, whatever has become of them. */
  readonly records: ModelRecord[];
  start: number;
  /** Base of the batch that was appended last. */
  newest: number;
  /** Of all that were appended. */
  readonly bases: number[];
  producers: ModelProducer[];
}

/** Who reads a partition to its end, a little at a time. */
interface Reader {
  readonly at: TopicPartition;
  next: number;
  incarnation: string;
}

/** A topic, what the model knows of it, and who reads it. */
export interface History {
  readonly under: LogUnderTest;
  readonly draw: Draw;
  readonly topic: string;
  readonly startMs: number;
  /** As it was opened last. */
  log: Log;
  description: TopicDescription | null;
  partitions: ModelPartition[];
  /** Incarnations that the topic has had. */
  readonly earlier: string[];
  readonly readers: Reader[];
  /** Milliseconds by which upkeep has been told that time went on. */
  passedMs: number;
}

export function nowOf(history: History): number {
  return history.startMs + history.passedMs;
}

export function bounds(
  history: History,
  at: TopicPartition,
): { readonly start: number; readonly highWatermark: number } {
  const { start, records } = partitionOf(history, at);
  return { start, highWatermark: records.length };
}

export function partitionOf(history: History, { partition }: TopicPartition): ModelPartition {
  const found = history.partitions[partition];
  if (found === undefined) throw new Error(`the model has no partition ${partition}`);
  return found;
}

/** All that can be seen is as the model has it. */
export async function check(history: History, did: string): Promise<void> {
  try {
    for (let partition = 0; partition < HISTORY_PARTITIONS; partition++)
      await checkPartition(history, { topic: history.topic, partition });
  } catch (thrown) {
    throw new Error(did, { cause: thrown });
  }
}

async function checkPartition(history: History, at: TopicPartition): Promise<void> {
  const partition = partitionOf(history, at);
  const { records } = partition;
  const { start, highWatermark, incarnation } = await history.log.bounds(at);
  expect({ highWatermark, incarnation }).toEqual({
    highWatermark: records.length,
    incarnation: history.description?.incarnation,
  });
  if (start !== partition.start)
    checkStart(history, partition, start, await allBatches(history, at));
  partition.start = start;
  const from = start + history.draw(records.length - start + 1);
  const whole = await allBatches(history, at, from);
  expect(compare(history, at, from, whole)).toBe(records.length);
  const found = offsetsOf(whole, from);
  checkKept(history, partition, found, from);
  for (const outside of [start - 1, records.length + 1])
    expect(await refusal(history.log.read(at, outside, 1))).toBe('OFFSET_OUT_OF_RANGE');
  await checkTimes(history, at, start);
}

/** Upkeep comes by itself, too, and may not have come to its end. */
function checkStart(
  history: History,
  partition: ModelPartition,
  start: number,
  kept: readonly FetchedBatch[],
): void {
  const { retentionMs, retentionBytes } = policyOf(history);
  expect(retentionMs !== null || retentionBytes !== null).toBe(true);
  expect(start).toBeGreaterThan(partition.start);
  expect(start).toBeLessThanOrEqual(partition.newest);
  // Batches that were made one are less by what each has at its beginning.
  const merged = partition.bases.filter((base) => base >= start).length - kept.length;
  const keptBytes = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const isOver =
    retentionBytes !== null && keptBytes + merged * RECORD_BATCH_HEADER_BYTES >= retentionBytes;
  // What goes by its size may be followed by what goes by its age, so that less is left in the end.
  if (isOver || (retentionBytes !== null && retentionMs !== null)) return;
  const compacts = compaction(history, partition);
  for (let offset = partition.start; offset < start; offset++) {
    const { timestamp } = partition.records[offset] as ModelRecord;
    const isOld = retentionMs !== null && timestamp < nowOf(history) - retentionMs;
    expect(isOld || compacts(offset), `offset ${offset}`).toBe(true);
  }
}

function checkKept(
  history: History,
  partition: ModelPartition,
  found: ReadonlySet<number>,
  from: number,
): void {
  const compacts = compaction(history, partition);
  for (let offset = from; offset < partition.records.length; offset++)
    expect(found.has(offset) || compacts(offset), `offset ${offset}`).toBe(true);
}

/** Whether compaction may take the record at an offset. */
function compaction(
  history: History,
  { records, newest }: ModelPartition,
): (offset: number) => boolean {
  const { compacted, deleteRetentionMs } = policyOf(history);
  const last = new Map(records.map(({ key }, offset) => [String(key), offset]));
  return (offset) => {
    const { key, value, metMs } = records[offset] as ModelRecord;
    const isMetLong = value === null && nowOf(history) - metMs > deleteRetentionMs;
    return compacted && offset < newest && (last.get(String(key)) !== offset || isMetLong);
  };
}

async function checkTimes(history: History, at: TopicPartition, start: number): Promise<void> {
  const { records } = partitionOf(history, at);
  const batches = await allBatches(history, at);
  const kept = [...offsetsOf(batches, start)];
  const asked = records.length === 0 ? 0 : (records[history.draw(records.length)]?.timestamp ?? 0);
  for (const ms of [0, asked, asked + 1, 2 ** 53 - 1]) {
    const expected = kept.find((offset) => (records[offset]?.timestamp ?? 0) >= ms);
    expect(await history.log.offsetForTime(at, ms), `time ${ms}`).toBe(expected ?? records.length);
  }
}

/** The records of the batches are the model's. @returns where it goes on */
export function compare(
  history: History,
  at: TopicPartition,
  from: number,
  batches: readonly FetchedBatch[],
): number {
  const { records } = partitionOf(history, at);
  let next = from;
  for (const { base, count, bytes } of batches) {
    const batch = parseRecordBatch(bytes);
    expect(batch.span).toBe(count);
    expect(next === from ? base <= from && base + count > from : base === next).toBe(true);
    for (let i = 0; i < batch.count; i++) {
      const offset = offsetAt(batch, base, i);
      const found = readRecord(batch, i);
      const own = records[offset];
      if (own === undefined || !isSameRecord(found, own)) expect(found).toEqual(own);
    }
    next = base + count;
  }
  return next;
}

export function policyOf(history: History): TopicDescription {
  if (history.description === null) throw new Error('the topic has been created');
  return history.description;
}

function offsetsOf(batches: readonly FetchedBatch[], from: number): Set<number> {
  const found = new Set<number>();
  for (const { base, bytes } of batches) {
    const records = parseRecordBatch(bytes);
    for (let i = indexAt(records, base, from); i < records.count; i++)
      found.add(offsetAt(records, base, i));
  }
  return found;
}

export function codeOf(thrown: unknown): string {
  if (thrown instanceof PortError) return thrown.code;
  throw thrown;
}

export async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'done', codeOf);
}

export async function allBatches(
  history: History,
  at: TopicPartition,
  from?: number,
): Promise<readonly FetchedBatch[]> {
  let next = from ?? (await history.log.bounds(at)).start;
  const found: FetchedBatch[] = [];
  for (;;) {
    const { batches, highWatermark } = await history.log.read(at, next, ALL);
    found.push(...batches);
    for (const { base, count } of batches) next = base + count;
    if (next >= highWatermark) return found;
  }
}
