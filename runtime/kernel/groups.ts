// What is rarely asked of a kernel: groups that its host keeps, brought in and out, and how much it holds; knows no operator and no store.

import { assert } from '../base/assert.ts';
import { RESULT_EMITTED, STAT_ENTRIES, STAT_GROUPS, STAT_PANES, STATE_ROWS_MAX } from './abi.ts';
import { granted } from './exports.ts';
import type { Kernel, KernelBatch, KernelGroups, KernelState } from './instance.ts';

/**
 * Makes the groups that a `process` of the same batch from the same row needs and does not have, and lists them, so that
 * the host can `restore` those that its store knows before. A group without a row is in no output. Where the groups of all
 * rows are too many for one list, those of the rows that one `process` takes are in it.
 * @throws {LimitError} they do not fit
 */
export function probe(
  kernel: Kernel,
  batch: Omit<KernelBatch, 'arguments'>,
  from = 0,
): KernelGroups {
  const rows = kernel.copyRows(batch);
  granted(kernel.calls.probe(rows, batch.selection?.length ?? -1, from));
  const views = kernel.views.attach();
  const length = views.result[RESULT_EMITTED >> 2];
  return { ids: views.outId.slice(0, length), windowStart: views.outWindow.slice(0, length) };
}

/** As `Kernel.collectChanges`, of every group that is in the kernel, changed or not. */
export function collectAll(kernel: Kernel, into: (state: KernelState) => void): number {
  granted(kernel.calls.markAll());
  return kernel.collectChanges(into);
}

/**
 * Sets groups to their state, in batches. They are no changes.
 * @throws {LimitError} they do not fit; those before the refused one are set
 * @throws {TaskCorrupted} the bytes are not a state of this program
 */
export function restore(kernel: Kernel, groups: readonly KernelState[]): void {
  const most = Math.min(STATE_ROWS_MAX, kernel.rowsMax);
  if (groups.length > 0) kernel.forgetRows();
  for (let from = 0; from < groups.length; from += most) {
    const part = groups.slice(from, from + most);
    const views = kernel.views.attach();
    for (const [i, { id, windowStart, state }] of part.entries()) {
      assert(state.length === kernel.stateBytes, 'a state has the bytes of its program');
      views.ids[i] = id;
      views.rowtime[i] = windowStart;
      views.states.set(state, i * kernel.stateBytes);
    }
    granted(kernel.calls.restore(part.length));
  }
}

/** Keys known, groups and open windows held, bytes of memory taken. */
export function kernelStats({ calls, views }: Kernel): {
  entries: number;
  groups: number;
  panes: number;
  memoryBytes: number;
} {
  return {
    entries: calls.stat(STAT_ENTRIES),
    groups: calls.stat(STAT_GROUPS),
    panes: calls.stat(STAT_PANES),
    memoryBytes: views.attach().memory.byteLength,
  };
}
