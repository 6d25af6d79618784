// Reads for those who ask what a topic holds, while retention lets go of its oldest records; knows no storage.

import { PortError } from '../base/errors.ts';
import { FETCH_BYTES_MAX } from '../base/limits.ts';
import type { Fetched, Log, TopicPartition } from './log.ts';

/**
 * Batches from an offset on, or from the first that is still there.
 * @throws {PortError} what `Log.read` throws; OFFSET_OUT_OF_RANGE only beyond the end
 */
export async function readRetained(log: Log, at: TopicPartition, from: number): Promise<Fetched> {
  try {
    return await log.read(at, from, FETCH_BYTES_MAX);
  } catch (thrown) {
    const start = thrown instanceof PortError ? Number(thrown.detail['start']) : 0;
    if (start > from) return readRetained(log, at, start);
    throw thrown;
  }
}
