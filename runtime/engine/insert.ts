// Appends records to topics as they are; knows no source and no query.

import { assert } from '../base/assert.ts';
import type { ByteWriter } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import { partitionOf } from '../base/hash.ts';
import type { RecordHeader } from '../data/record.ts';
import { giveBack, takeBuilder } from '../data/record-builder.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** A record to append. Text stands for its UTF-8. */
export interface ProducedRecord {
  readonly key?: Uint8Array | string | null | undefined;
  readonly value: Uint8Array | string | null;
  /** Milliseconds since the Unix epoch; absent: now. */
  readonly timestamp?: number | undefined;
  readonly headers?: readonly RecordHeader[] | undefined;
  /** Absent: murmur2 of the key; records without a key share one partition a call, and calls that leave a page together may share it too. */
  readonly partition?: number | undefined;
}

/** Where a record stands. */
export interface ProducedAt {
  readonly partition: number;
  readonly offset: number;
}

/**
 * Appends records to a topic, in order in each partition; each partition's are durable or not by themselves.
 * @param spare partition (modulo the partitions) of records without a key
 * @param places is filled as records are appended, so that it tells those that were when this throws
 * @throws {PortError} what the log refuses; UNKNOWN_TOPIC, UNKNOWN_PARTITION
 */
export async function produce(
  log: Log,
  clock: Clock,
  to: { readonly topic: string; readonly spare: number },
  records: readonly ProducedRecord[],
  places: ProducedAt[] = [],
): Promise<readonly ProducedAt[]> {
  const { topic } = to;
  const description = await log.describe(topic);
  // What millrace alone writes is no topic for records from outside: a record in the catalog would be a statement.
  if (description?.internal !== false)
    throw new PortError('UNKNOWN_TOPIC', `there is no topic '${topic}'`);
  const { partitions, incarnation } = description;
  const now = Math.max(0, Math.floor(clock.now()));
  const byPartition = new Map<number, number[]>();
  const builder = takeBuilder();
  const { keys, values } = builder;
  records.forEach((record, index) => {
    const hasKey = written(keys, record.key);
    const partition =
      record.partition ??
      (hasKey ? partitionOf(keys.buffer, partitions, 0, keys.position) : to.spare % partitions);
    builder.discard();
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
      throw new PortError('UNKNOWN_PARTITION', `topic '${topic}' has no partition ${partition}`);
    }
    const indexes = byPartition.get(partition);
    if (indexes === undefined) byPartition.set(partition, [index]);
    else indexes.push(index);
  });
  for (const [partition, indexes] of byPartition) {
    let sent = 0;
    while (sent < indexes.length) {
      const first = sent;
      for (; sent < indexes.length; sent++) {
        const { key, value, timestamp, headers } = records[
          indexes[sent] as number
        ] as ProducedRecord;
        const has = { hasKey: written(keys, key), hasValue: written(values, value) };
        if (!builder.end(has, timestamp ?? now, headers)) break;
      }
      const bytes = builder.finish();
      assert(bytes !== null, 'one record fits a batch');
      const { base } = await log.append({ topic, partition }, bytes, undefined, incarnation);
      for (let i = first; i < sent; i++)
        places[indexes[i] as number] = { partition, offset: (base ?? 0) + i - first };
    }
  }
  giveBack(builder);
  return places;
}

/** Writes a key or a value; whether there is one. */
function written(to: ByteWriter, given: Uint8Array | string | null | undefined): boolean {
  if (typeof given === 'string') to.utf8(given);
  else if (given !== undefined && given !== null) to.bytes(given);
  else return false;
  return true;
}
