// The kernel's groups that it does not hold: in the store, or set aside for want of room; knows no batch of columns.

import type { ByteWriter } from '../base/bytes.ts';
import { probe, restore } from '../kernel/groups.ts';
import type { Kernel, KernelBatch, KernelState } from '../kernel/instance.ts';
import type { StateBytes, TableId } from '../ports/store.ts';
import { RowTable } from '../state/row-table.ts';
import type { OperatorContext } from './operator.ts';

/** Committed state, with over it the changes of kernels that were given up. */
export class StoredGroups {
  readonly #rows: RowTable;
  readonly #writeKey: (kernel: Kernel, id: number, startMs: number) => ByteWriter;
  /** No window that starts later has a group here: all of its rows came to the kernel that is in use. */
  #latestMs: number;

  /** @param writeKey the key bytes of a group of the kernel by its id and window, good until the next call */
  constructor(
    table: TableId,
    { state, streamTime }: OperatorContext,
    writeKey: (kernel: Kernel, id: number, startMs: number) => ByteWriter,
  ) {
    this.#rows = new RowTable(table, state, true);
    this.#writeKey = writeKey;
    this.#latestMs = streamTime.ms;
  }

  /** Gives the kernel the groups that a batch needs, from a row on, and that it does not have. @throws {LimitError} they do not fit */
  bring(kernel: Kernel, batch: KernelBatch, from: number): void {
    const { ids, windowStart } = probe(kernel, batch, from);
    const wanted: { id: number; windowStart: number; row: number }[] = [];
    for (let i = 0; i < ids.length; i++) {
      const startMs = windowStart[i] as number;
      const id = ids[i] as number;
      if (startMs > this.#latestMs) continue;
      wanted.push({ id, windowStart: startMs, row: this.#locate(kernel, id, startMs) });
    }
    // A store that keeps its keys in order then finds neighbours one after the other.
    wanted.sort((a, b) => this.#rows.compare(a.row, b.row));
    const found: KernelState[] = [];
    for (const { id, windowStart: startMs, row } of wanted) {
      const state = this.#rows.get(row);
      if (state !== null) found.push({ id, windowStart: startMs, state });
    }
    restore(kernel, found);
  }

  #locate(kernel: Kernel, id: number, startMs: number): number {
    const key = this.#writeKey(kernel, id, startMs);
    return this.#rows.locate(key.buffer, 0, key.position);
  }

  /** Keeps what the kernel changed, before it is given up. */
  setAside(kernel: Kernel): void {
    this.#latestMs = Math.max(this.#latestMs, kernel.streamTime);
    this.#take(kernel);
  }

  #take(kernel: Kernel): void {
    kernel.collectChanges(({ id, windowStart, state }) => {
      this.#rows.set(this.#locate(kernel, id, windowStart), state);
    });
  }

  /**
   * Hands over every group that changed since the last call, of the kernel or set aside, each once.
   * @returns true when the kernel needs none of these groups any more, because their windows have closed
   */
  changes(kernel: Kernel, into: (change: StateBytes) => void): boolean {
    // What was read is kept beside what was set aside, so that both go through one table and each key comes once.
    this.#take(kernel);
    this.#rows.changes(into);
    const { window } = kernel.program;
    return window !== null && this.#latestMs + window.sizeMs <= kernel.streamTime - window.graceMs;
  }
}
