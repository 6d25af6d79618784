// A mutant that the torture must catch: a task commits its offsets in a later transaction than its state.

import { createEdge } from '../../../edge/index.ts';
import type { SqliteStore } from '../../../edge/adapters/sqlite-store.ts';
import type { Commit, OutboxAppend, TaskId } from '../../../runtime/ports/store.ts';
import { FailingStore, Processor as FailingProcessor } from './failpoints.ts';

export { Catalog } from '../../../edge/index.ts';
export { Partition } from './failpoints.ts';
export default createEdge();

class LateOffsetsStore extends FailingStore {
  #late: (() => void) | null = null;

  protected override writePosition(task: number, commit: Commit, position: string): void {
    this.#late = () => super.writePosition(task, commit, position);
  }

  override async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const pending = await super.commit(task, commit);
    await scheduler.wait(1);
    this.#late?.();
    return pending;
  }
}

export class Processor extends FailingProcessor {
  protected override createStore(storage: DurableObjectStorage): SqliteStore {
    return new LateOffsetsStore(storage, (point, probability) => this.die(point, probability));
  }
}
