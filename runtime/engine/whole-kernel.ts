// The code beside a whole kernel, which hosts fetch that have one, and pages never; knows no host.

import { KERNEL_KEYS, WHOLE_KERNEL } from '../operators/parts.ts';
import { ROW_PATH } from '../plan/parts.ts';
import { GROUP_BLOCKS } from '../state/parts.ts';
import { KERNEL_DECODERS } from '../task/parts.ts';
import { announceParts } from './parts.ts';

/** Fetches it: from now on plans and readers count on what a whole kernel decodes and aggregates, state goes side by side, and kernels forget keys. Rejects with UNAVAILABLE when it cannot be fetched. */
export async function loadWholeKernel(): Promise<void> {
  announceParts();
  const name = 'the whole kernel';
  const { WHOLE_KERNEL: PLANS } = await ROW_PATH.load();
  PLANS.from(name, () => import('../plan/whole-kernel.ts'));
  KERNEL_DECODERS.from(name, () => import('../task/kernel-decoders.ts'));
  GROUP_BLOCKS.from(name, () => import('../state/group-blocks.ts'));
  WHOLE_KERNEL.from(name, () => import('../operators/whole-kernel.ts'));
  // In the place of what pages fetch.
  KERNEL_KEYS.given(await import('../operators/number-keys.ts'));
  const parts = [PLANS, KERNEL_DECODERS, GROUP_BLOCKS, WHOLE_KERNEL];
  await Promise.all(parts.map((part) => part.load()));
}
