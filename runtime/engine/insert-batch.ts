// Appends rows to columnar topics as encoded batches; knows no record.

import type { Source } from '../catalog/source.ts';
import type { Batch } from '../data/batch.ts';
import { FORMATS } from '../formats/formats.ts';
import type { Log } from '../ports/log.ts';
import { RepartitionWriter } from '../task/repartition.ts';

/**
 * Appends a batch of a COLUMNAR source, each row to the partition of its key.
 * @param spare partition (modulo the partitions) of rows without a key
 * @throws {PortError} what the log refuses
 */
export async function appendBatch(
  log: Log,
  { topic, partitions, schema }: Source,
  batch: Batch,
  spare: number,
): Promise<void> {
  const keys = schema.columns.filter(({ role }) => role === 'key').length;
  const keyFormat = { format: keys === 1 ? 'KAFKA' : 'JSON', options: [], wrap: false };
  const step = {
    step: 'repartition',
    id: '',
    input: '',
    schema,
    topic,
    partitions,
    keyFormat,
  } as const;
  const fallbackPartition = spare % partitions;
  const writer = new RepartitionWriter(step, FORMATS, { fallbackPartition, checksum: true });
  writer.write(batch);
  const appends: Promise<unknown>[] = [];
  writer.drain(({ to, bytes }) => appends.push(log.append(to, bytes)));
  await Promise.all(appends);
}
