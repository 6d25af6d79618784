// The edge with tasks that miss most of their wake-ups, as if the calls were lost: the alarms must make up for it.

import { createEdge, Processor as DeployedProcessor } from '../../../edge/index.ts';
import type { Wire } from '../../../edge/wire.ts';
import type { TopicPartition } from '../../../runtime/ports/log.ts';

export { Catalog, Partition } from '../../../edge/index.ts';
export default createEdge();

const MISS_PROBABILITY = 0.6;
/** A bound, so that the test has one: each repetition waits twice as long. */
const MISSED_IN_A_ROW_MAX = 2;

export class Processor extends DeployedProcessor {
  #missed = 0;

  override async wake(at: TopicPartition, highWatermark: number): Promise<Wire<boolean>> {
    if (this.#missed < MISSED_IN_A_ROW_MAX && Math.random() < MISS_PROBABILITY) {
      this.#missed += 1;
      throw new Error('this wake-up is lost');
    }
    this.#missed = 0;
    return super.wake(at, highWatermark);
  }
}
