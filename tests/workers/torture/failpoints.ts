// The edge with points at which its objects die, as the torture runs it; never a part of what is deployed.

import {
  Partition as DeployedPartition,
  Processor as DeployedProcessor,
} from '../../../edge/index.ts';
import { SqliteStore } from '../../../edge/adapters/sqlite-store.ts';
import type { PartitionMeta } from '../../../edge/objects/partition-tables.ts';
import type { Commit, TaskId } from '../../../runtime/ports/store.ts';
import type { ProducerStamp, TopicPartition } from '../../../runtime/ports/log.ts';
import type { Verdict } from '../../../runtime/ports/producers.ts';

/** How often an object dies between the append of an output and its leaving the outbox. */
const ACKNOWLEDGE_PROBABILITY = 0.03;
/** How often an object dies between writing state and writing offsets. */
const POSITION_PROBABILITY = 0.02;

/** Ends the object as a crash would, now and then; the harness counts the lines. */
export type Die = (point: string, probability: number) => void;

export class FailingStore extends SqliteStore {
  protected readonly die: Die;

  constructor(storage: DurableObjectStorage, die: Die) {
    super(storage);
    this.die = die;
  }

  override async acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    this.die('acknowledge', ACKNOWLEDGE_PROBABILITY);
    return super.acknowledge(task, to, next);
  }

  protected override writePosition(task: number, commit: Commit, position: string): void {
    this.die('position', POSITION_PROBABILITY);
    super.writePosition(task, commit, position);
  }
}

export class Processor extends DeployedProcessor {
  protected override createStore(storage: DurableObjectStorage): SqliteStore {
    return new FailingStore(storage, (point, probability) => this.die(point, probability));
  }

  protected die(point: string, probability: number): void {
    if (Math.random() >= probability) return;
    console.log(`FAILPOINT ${point}`);
    this.ctx.abort(`failpoint ${point}`);
  }
}

/** True for the appends of tasks; those of clients have ids without a slash. */
export function isTask(stamp: ProducerStamp): boolean {
  return stamp.id.includes('/');
}

/** Says when it drops what a task has sent before. */
export class Partition extends DeployedPartition {
  protected override judged(
    meta: PartitionMeta,
    stamp: ProducerStamp,
    count: number,
    crc: number,
  ): Verdict {
    const verdict = super.judged(meta, stamp, count, crc);
    if (verdict.kind === 'repeat' && isTask(stamp)) console.log('REPEAT');
    return verdict;
  }
}
