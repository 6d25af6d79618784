// Reads topics for people and their programs, record by record; knows no source.

import { PortError } from '../base/errors.ts';
import { FETCH_BYTES_MAX } from '../base/limits.ts';
import { RARE_RECORDS } from '../data/parts.ts';
import { indexAt, parseRecordBatch } from '../data/record.ts';
import { recordAt, type TopicRecord } from '../data/topic-record.ts';
import type { Fetched, Log, TopicPartition } from '../ports/log.ts';
import { WRONG_RECORDS } from '../task/parts.ts';

export interface ReadOptions {
  /** 0 when absent. */
  readonly partition?: number | undefined;
  /** The first offset; absent: the earliest. */
  readonly from?: number | undefined;
  readonly recordsMax?: number | undefined;
}

/** Records of one partition, from an offset on. The records of columnar batches have neither key nor value here. */
export async function readRecords(
  log: Log,
  topic: string,
  options: ReadOptions,
): Promise<readonly TopicRecord[]> {
  const { partition = 0, recordsMax = Infinity } = options;
  const at = { topic, partition };
  let offset = options.from ?? (await log.bounds(at)).start;
  if (RARE_RECORDS.fetched === null) await RARE_RECORDS.load();
  const found: TopicRecord[] = [];
  let known: string | undefined;
  for (;;) {
    const isAsked = offset === options.from;
    const { batches, highWatermark, incarnation } = isAsked
      ? await log.read(at, offset, FETCH_BYTES_MAX)
      : await readRetained(log, at, offset, known);
    known = incarnation;
    for (const { base, count, bytes } of batches) {
      const records = parseRecordBatch(bytes);
      const from = indexAt(records, base, offset);
      for (let i = from; i < records.count && found.length < recordsMax; i++) {
        found.push(recordAt({ partition, base }, records, i));
      }
      offset = base + count;
    }
    if (offset >= highWatermark || found.length >= recordsMax) return found;
  }
}

/**
 * Batches from an offset on, or from the first that is still there.
 * @param known the incarnation of the topic that the offset is of; undefined: whichever is there
 * @throws {PortError} what `Log.read` throws, OFFSET_OUT_OF_RANGE only beyond the end; INCARNATION_CHANGED
 */
export async function readRetained(
  log: Log,
  at: TopicPartition,
  from: number,
  known: string | undefined,
): Promise<Fetched> {
  try {
    const fetched = await log.read(at, from, FETCH_BYTES_MAX);
    if ((known ?? fetched.incarnation) === fetched.incarnation) return fetched;
    throw (await WRONG_RECORDS.load()).anotherTopic(at, fetched);
  } catch (thrown) {
    const start = thrown instanceof PortError ? Number(thrown.detail['start']) : 0;
    if (start > from) return readRetained(log, at, start, known);
    throw thrown;
  }
}
