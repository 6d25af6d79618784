// Keeps the processing log within its bound; knows no entry.

import { PROCESSING_LOG_RECORDS_MAX } from '../base/limits.ts';
import type { Log, Unsubscribe } from '../ports/log.ts';
import { PROCESSING_LOG_TOPIC } from '../task/task-topics.ts';

/** Lets old entries of the processing log go when it has a tenth more than it keeps. */
export function boundProcessingLog(log: Log): Unsubscribe {
  const at = { topic: PROCESSING_LOG_TOPIC, partition: 0 };
  let trimming = false;
  const trim = async (): Promise<void> => {
    const { start, highWatermark } = await log.bounds(at);
    if (highWatermark - start > PROCESSING_LOG_RECORDS_MAX * 1.1) {
      await log.trim(at, highWatermark - PROCESSING_LOG_RECORDS_MAX);
    }
  };
  return log.subscribe(at, () => {
    if (trimming) return;
    trimming = true;
    // What is not trimmed now is trimmed after the next entry.
    trim().then(
      () => (trimming = false),
      () => (trimming = false),
    );
  });
}
