// What a random history does to a log, and to a plain model beside it; knows no adapter.

import { expect } from 'vitest';
import { indexAt, parseRecordBatch } from '../../runtime/data/record.ts';
import type { FetchedBatch, TopicPartition } from '../../runtime/ports/log.ts';
import { producerId } from '../../runtime/ports/plain-append.ts';
import type { Draw } from '../support/draws.ts';
import { drawnBatch, drawnPolicy, type GivenRecord } from '../support/log-records.ts';
import { ModelProducer } from '../support/model-producer.ts';
import { type LogUnderTest, tidied } from './log.ts';
import {
  ALL,
  allBatches,
  codeOf,
  compare,
  type History,
  HISTORY_PARTITIONS,
  type ModelPartition,
  nowOf,
  partitionOf,
  policyOf,
  refusal,
  SLACK_MS,
} from './log-history-checks.ts';

const PRODUCERS = 2;

export function begunHistory(under: LogUnderTest, draw: Draw, topic: string): History {
  const startMs = under.now();
  const none = { description: null, partitions: [], earlier: [], readers: [], passedMs: 0 };
  return { under, draw, topic, startMs, log: under.log, ...none };
}

/** Does one thing. @returns what */
export async function step(history: History): Promise<string> {
  if (history.description === null) return create(history);
  const at = { topic: history.topic, partition: history.draw(HISTORY_PARTITIONS) };
  const does = history.draw(40);
  if (does < 10) return appendSome(history, at);
  if (does < 20) return appendStamped(history, at);
  if (does < 23) return trim(history, at);
  if (does < 32) return tidy(history, at);
  if (does < 34) return refuseOthers(history, at);
  if (does < 35) return removeWhileAppending(history, at);
  if (does < 37) return reopen(history);
  return read(history, at);
}

async function create(history: History): Promise<string> {
  const spec = drawnPolicy(history.draw, history.topic, HISTORY_PARTITIONS);
  const description = await history.log.create(spec);
  expect(description).toMatchObject(spec);
  expect(history.earlier).not.toContain(description.incarnation);
  history.description = description;
  history.partitions = Array.from({ length: HISTORY_PARTITIONS }, () => ({
    records: [],
    start: 0,
    newest: 0,
    bases: [],
    producers: Array.from(
      { length: PRODUCERS },
      (_, i) => new ModelProducer(producerId(history.startMs, `p${i}`)),
    ),
  }));
  return 'create';
}

/** Batches that come side by side, in one partition or in several. */
async function appendSome(history: History, first: TopicPartition): Promise<string> {
  const ats = Array.from({ length: 1 + history.draw(3) }, (_, i) =>
    i === 0 ? first : { topic: history.topic, partition: history.draw(HISTORY_PARTITIONS) },
  );
  const policy = policyOf(history);
  const given = ats.map((at) => ({ at, ...drawnBatch(history.draw, policy, nowOf(history)) }));
  const told = await Promise.allSettled(
    given.map(({ at, bytes }) => history.log.append(at, bytes)),
  );
  const done: { at: TopicPartition; base: number; records: readonly GivenRecord[] }[] = [];
  for (const [i, outcome] of told.entries()) {
    const { at, records, refusal } = given[i] as (typeof given)[number];
    if (outcome.status === 'rejected') {
      expect(codeOf(outcome.reason)).toBe(refusal);
      continue;
    }
    expect(refusal).toBeNull();
    const { base, count, duplicate, incarnation } = outcome.value;
    expect({ count, duplicate }).toEqual({ count: records.length, duplicate: false });
    expect(incarnation).toBe(history.description?.incarnation);
    done.push({ at, base: base ?? -1, records });
  }
  done.sort((a, b) => a.base - b.base);
  for (const { at, base, records } of done) await took(history, at, base, records);
  return `append ${JSON.stringify(given.map(({ at, records }) => [at.partition, records.length]))}`;
}

async function appendStamped(history: History, at: TopicPartition): Promise<string> {
  const { producers } = partitionOf(history, at);
  const producer = producers[history.draw(PRODUCERS)] as ModelProducer;
  const known = history.draw(3) === 0 ? producer.earlier(history.draw) : null;
  const batch = known ?? {
    ...drawnBatch(history.draw, policyOf(history), nowOf(history)),
    refusal: null,
  };
  const stamp = producer.stamp(history.draw, known);
  const isKeyless = policyOf(history).compacted && batch.records.some(({ key }) => key === null);
  const append = history.log.append(at, batch.bytes, stamp);
  const outcome = await append.then(
    (result) => result,
    (thrown: unknown) => codeOf(thrown),
  );
  const text = `stamped ${JSON.stringify(stamp)} of ${batch.records.length}`;
  if (isKeyless) {
    expect(outcome, text).toBe('INVALID_RECORD');
    return text;
  }
  const verdict = producer.judged(stamp, batch, partitionOf(history, at).records.length);
  if (typeof verdict === 'string') {
    expect(outcome, text).toBe(verdict);
    return text;
  }
  const { base, duplicate } = verdict;
  expect(outcome, text).toMatchObject({ base, duplicate, count: batch.records.length });
  if (!duplicate) await took(history, at, base ?? -1, batch.records);
  return text;
}

/** The log has them at that place. */
async function took(
  history: History,
  at: TopicPartition,
  base: number,
  given: readonly GivenRecord[],
): Promise<void> {
  const partition = partitionOf(history, at);
  expect(base).toBe(partition.records.length);
  const policy = policyOf(history);
  const times: number[] = [];
  // Of several that come side by side retention may take the first ones at once.
  const isThere = (await history.log.bounds(at)).start <= base;
  if (policy.timestampType === 'LogAppendTime' && isThere) {
    const [first] = (await history.log.read(at, base, 1)).batches;
    const stored = parseRecordBatch(first?.bytes ?? new Uint8Array());
    const at0 = indexAt(stored, first?.base ?? 0, base);
    const appendMs = stored.timestamps[at0] ?? -1;
    expect(appendMs).toBeGreaterThanOrEqual(history.startMs);
    expect(appendMs).toBeLessThanOrEqual(nowOf(history) + SLACK_MS);
    times.push(...given.map(() => appendMs));
  }
  partition.newest = base;
  partition.bases.push(base);
  met(history, partition);
  given.forEach((record, i) =>
    partition.records.push({
      ...record,
      timestamp: times[i] ?? record.timestamp,
      metMs: Infinity,
    }),
  );
}

/** Upkeep may have come by: it may have met all tombstones but those of the newest batch. */
function met(history: History, { records, newest }: ModelPartition): void {
  for (const record of records.slice(0, newest))
    if (record.value === null) record.metMs = Math.min(record.metMs, nowOf(history));
}

async function trim(history: History, at: TopicPartition): Promise<string> {
  const partition = partitionOf(history, at);
  const before = history.draw(partition.records.length + 3) - history.draw(2);
  const batches = await allBatches(history, at);
  await history.log.trim(at, before);
  const ends = batches.map(({ base, count }) => base + count).filter((end) => end <= before);
  partition.start = Math.max(partition.start, ...ends);
  return `trim ${before}`;
}

async function tidy(history: History, at: TopicPartition): Promise<string> {
  const aheadMs = [0, 0, 700_000, 1_800_000, 3_600_000, 3_600_001][history.draw(6)] ?? 0;
  const partition = partitionOf(history, at);
  history.passedMs += aheadMs;
  const expected = keptFrom(history, await allBatches(history, at));
  await tidied(history.under, at, aheadMs);
  met(history, partition);
  const { compacted } = policyOf(history);
  // What compaction takes from batches may let go the next of them.
  if (!compacted) partition.start = Math.max(partition.start, expected);
  return `tidy ${at.partition} after ${aheadMs}`;
}

/** Where retention lets the log begin, as it is said in PROTOCOL.md section 12. */
function keptFrom(history: History, batches: readonly FetchedBatch[]): number {
  const { retentionMs, retentionBytes } = policyOf(history);
  let kept = batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  let from = batches[0]?.base ?? 0;
  for (const { base, count, bytes } of batches.slice(0, -1)) {
    const latest = Math.max(...parseRecordBatch(bytes).timestamps);
    const isOld = retentionMs !== null && latest < nowOf(history) - retentionMs;
    const isOver = retentionBytes !== null && kept - bytes.length >= retentionBytes;
    if (!isOld && !isOver) return from;
    kept -= bytes.length;
    from = base + count;
  }
  return from;
}

async function refuseOthers(history: History, at: TopicPartition): Promise<string> {
  const { bytes } = drawnBatch(
    history.draw,
    { ...policyOf(history), compacted: true },
    nowOf(history),
  );
  const other = { ...at, partition: HISTORY_PARTITIONS };
  expect(await refusal(history.log.append(other, bytes))).toBe('UNKNOWN_PARTITION');
  expect(await refusal(history.log.read(other, 0, 1))).toBe('UNKNOWN_PARTITION');
  const unknown = { ...at, topic: 'none' };
  expect(await refusal(history.log.append(unknown, bytes))).toBe('UNKNOWN_TOPIC');
  const spec = drawnPolicy(history.draw, history.topic, 1 + history.draw(3));
  expect(await refusal(history.log.create(spec))).toBe('TOPIC_EXISTS');
  for (const incarnation of history.earlier) {
    const late = history.log.append(at, bytes, undefined, incarnation);
    expect(await refusal(late)).toBe('INCARNATION_CHANGED');
  }
  expect(await history.log.describe(history.topic)).toEqual(history.description);
  return 'refusals';
}

async function removeWhileAppending(history: History, at: TopicPartition): Promise<string> {
  const policy = { ...policyOf(history), compacted: true };
  const { bytes, refusal: invalid } = drawnBatch(history.draw, policy, nowOf(history));
  const known = history.description?.incarnation ?? '';
  const [first, , second] = await Promise.allSettled([
    history.log.append(at, bytes, undefined, known),
    history.log.remove(history.topic),
    history.log.append(at, bytes, undefined, known),
  ]);
  for (const outcome of [first, second]) {
    if (outcome.status === 'fulfilled') continue;
    expect([invalid, 'UNKNOWN_TOPIC', 'INCARNATION_CHANGED', 'UNAVAILABLE']).toContain(
      codeOf(outcome.reason),
    );
  }
  expect(await refusal(history.log.append(at, bytes))).toBe('UNKNOWN_TOPIC');
  expect(await refusal(history.log.bounds(at))).toBe('UNKNOWN_TOPIC');
  expect(await history.log.describe(history.topic)).toBeNull();
  history.earlier.push(known);
  history.description = null;
  return `remove; ${await create(history)}`;
}

async function reopen(history: History): Promise<string> {
  const { reopenLog } = history.under;
  if (reopenLog === undefined) return 'nothing';
  history.log = await reopenLog({ name: history.topic, partitions: HISTORY_PARTITIONS });
  return 'reopen';
}

/** A reader goes on, or a new one begins. */
async function read(history: History, at: TopicPartition): Promise<string> {
  const incarnation = history.description?.incarnation ?? '';
  const own = history.readers.filter((reader) => reader.incarnation === incarnation);
  let reader = own[history.draw(own.length + 1)];
  if (reader === undefined) {
    reader = { at, next: partitionOf(history, at).start, incarnation };
    history.readers.push(reader);
  }
  const { start, records } = partitionOf(history, reader.at);
  reader.next = Math.max(reader.next, start);
  const bytesMax = [1, 150, 70_000, ALL][history.draw(4)] ?? 1;
  const { batches } = await history.log.read(reader.at, reader.next, bytesMax);
  if (reader.next < records.length) expect(batches.length).toBeGreaterThan(0);
  reader.next = compare(history, reader.at, reader.next, batches);
  return `read ${reader.at.partition} up to ${reader.next}`;
}
