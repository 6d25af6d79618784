// The store of a task with failpoints within its commit and its acknowledgement.

import { SqliteStore } from '../../../edge/adapters/sqlite-store.ts';
import type { TopicPartition } from '../../../runtime/ports/log.ts';
import type { Commit, TaskId } from '../../../runtime/ports/store.ts';
import type { Die } from './points.ts';

export class FailingStore extends SqliteStore {
  protected readonly die: Die;

  constructor(storage: DurableObjectStorage, die: Die) {
    super(storage);
    this.die = die;
  }

  override async acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    this.die('Processor/outbox not acknowledged');
    await super.acknowledge(task, to, next);
    this.die('Processor/outbox acknowledged');
  }

  protected override writePosition(task: number, commit: Commit, position: string): boolean {
    this.die('Processor/state written, position not');
    const isWritten = super.writePosition(task, commit, position);
    this.die('Processor/position written, outbox not');
    return isWritten;
  }
}
