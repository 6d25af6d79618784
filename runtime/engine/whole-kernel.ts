// The code beside a whole kernel, which hosts fetch that have one, and pages never; knows no host.

import { JOIN_RUNS } from '../operators/join-runs-part.ts';
import { KERNEL_KEYS, WHOLE_KERNEL } from '../operators/parts.ts';
import { ROW_PATH } from '../plan/parts.ts';
import { GROUP_BLOCKS, KEPT_COLUMNS } from '../state/parts.ts';
import { KERNEL_DECODERS } from '../task/parts.ts';
import { announceParts } from './parts.ts';

/** Fetches it: from now on plans and readers count on what a whole kernel decodes and aggregates, state goes side by side, and kernels forget keys. Rejects with UNAVAILABLE when it cannot be fetched. */
export async function loadWholeKernel(): Promise<void> {
  announceParts();
  const name = 'the whole kernel';
  const { WHOLE_KERNEL: PLANS } = await ROW_PATH.load();
  PLANS.from(name, () => import('../plan/whole-kernel.ts'));
  KERNEL_DECODERS.from(name, () => import('../task/kernel-decoders.ts'));
  KEPT_COLUMNS.from(name, () => import('../state/column-rows.ts'));
  GROUP_BLOCKS.from(name, () => import('../state/group-blocks.ts'));
  WHOLE_KERNEL.from(name, () => import('../operators/whole-kernel.ts'));
  // In the place of what pages fetch.
  KERNEL_KEYS.given(await import('../operators/number-keys.ts'));
  JOIN_RUNS.from(name, () => import('../operators/join-runs.ts'));
  const parts = [PLANS, KERNEL_DECODERS, KEPT_COLUMNS, GROUP_BLOCKS, WHOLE_KERNEL, JOIN_RUNS];
  await Promise.all(parts.map((part) => part.load()));
}
