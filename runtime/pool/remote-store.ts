// The store port in a Worker: commits are calls to the engine's thread, which has the store; state is resident here. Knows no operator.

import type { Calls } from '../ports/calls.ts';
import type { TopicPartition } from '../ports/log.ts';
import { ResidentTables } from '../ports/resident.ts';
import type { Commit, OutboxAppend, Restored, Store, TaskId, TaskStore } from '../ports/store.ts';
import { withParts } from '../task/with-parts.ts';
import { buffersOf, changesOf, packsOf, type StatePage } from './packed-state.ts';
import type { ServedPorts } from './served-ports.ts';

/** One a Worker. State that is too large for it is refused as `RESIDENT_STATE_BYTES_MAX`: the task then goes back to the engine's thread. */
export class RemoteStore implements TaskStore {
  readonly takesBlocks = true;
  readonly delivers: boolean;
  readonly #calls: Calls<ServedPorts>;
  readonly #stateBytesMax: number | undefined;
  readonly #tables = new Map<TaskId, ResidentTables>();

  /** @param delivers as the engine's store has it */
  constructor(calls: Calls<ServedPorts>, delivers: boolean, stateBytesMax?: number) {
    this.#calls = calls;
    this.delivers = delivers;
    this.#stateBytesMax = stateBytesMax;
  }

  async load(task: TaskId): Promise<Restored> {
    const { tables: ids, ...rest } = await this.#calls.call('load', [task]);
    const tables = new ResidentTables();
    for (const id of ids) {
      let behind: Uint8Array | null = null;
      do {
        const page: StatePage = await this.#calls.call('state', [task, id, behind]);
        const changes = changesOf([page.pack]);
        await withParts(() => tables.refuseTooLarge(task, changes, this.#stateBytesMax));
        tables.apply(changes);
        behind = page.after;
      } while (behind !== null);
    }
    await this.#calls.call('loaded', [task]);
    this.#tables.set(task, tables);
    return { ...rest, reader: tables };
  }

  async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const { changes, blocks, outbox, ...rest } = commit;
    const tables = this.#tables.get(task);
    const packs = await withParts(() => {
      tables?.refuseTooLarge(task, changes, this.#stateBytesMax, blocks);
      return packsOf(commit);
    });
    // What may still wait for delivery afterwards is kept here too; what the commit delivers is wanted nowhere else.
    const appends = outbox.map((append) => {
      const { bytes } = append;
      const isWhole = bytes.length === bytes.buffer.byteLength;
      return this.delivers && isWhole ? append : { ...append, bytes: bytes.slice() };
    });
    const buffers = [
      ...buffersOf(packs),
      ...appends.map(({ bytes }) => bytes.buffer as ArrayBuffer),
    ];
    const sent = { ...rest, packs, outbox: appends };
    const pending = await this.#calls.call('commit', [task, sent], buffers);
    tables?.apply(changes, blocks);
    return pending.map((place) => outbox[place] as OutboxAppend);
  }

  async acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    await this.#calls.call('acknowledge', [task, to, next]);
  }

  /** In two calls, for what it begins with is made here: the second is refused when another commit has come in between. */
  async rebuild(task: TaskId, begin: Parameters<Store['rebuild']>[1]): Promise<void> {
    const committed = await this.#calls.call('committed', [task]);
    if (committed === null) return;
    const rebuilt = begin(committed);
    if (rebuilt !== null) await this.#calls.call('rebuild', [task, committed, rebuilt]);
  }

  /** The task has ended here. */
  forget(task: TaskId): void {
    this.#tables.delete(task);
  }
}
