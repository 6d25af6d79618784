// A mutant that the torture must catch: a partition appends what a task repeats.

import { createEdge, Partition as DeployedPartition } from '../../../edge/index.ts';
import type { PartitionMeta } from '../../../edge/objects/partition-tables.ts';
import type { ProducerStamp } from '../../../runtime/ports/log.ts';
import type { Verdict } from '../../../runtime/ports/producers.ts';
import { isTask } from './failpoints.ts';

export { Catalog } from '../../../edge/index.ts';
export { Processor } from './failpoints.ts';
export default createEdge();

export class Partition extends DeployedPartition {
  protected override judged(
    meta: PartitionMeta,
    stamp: ProducerStamp,
    count: number,
    crc: number,
  ): Verdict {
    if (!isTask(stamp)) return super.judged(meta, stamp, count, crc);
    const { epoch, sequence } = stamp;
    return { kind: 'append', producer: { epoch, next: sequence + count, lastMs: 0, batches: [] } };
  }
}
