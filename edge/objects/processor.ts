// One task as an object; knows no HTTP.

import { DurableObject } from 'cloudflare:workers';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import type { EdgeEnv, ProcessorPort } from '../env.ts';
import { settle, type Wire } from '../wire.ts';

export class Processor extends DurableObject<EdgeEnv> implements ProcessorPort {
  async wake(_at: TopicPartition, _highWatermark: number): Promise<Wire<boolean>> {
    return settle(() => false);
  }
}
