// What killed runs leave in a temporary folder: which of it is thrown away, and that nothing is which a living process uses.

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** A bundle of other sources, or data that a killed run has left, is thrown away when it is older than this. */
export const LEFT_AGE_MS_MAX = 3_600_000;

/** A name for data of this process, by which others see whether it lives. */
export function ownName(unique: string): string {
  return `workerd-${process.pid}-${unique}`;
}

/** Throws away the data of processes that have ended, and bundles whose names begin so, where they are old. */
export function throwAwayLeft(folder: string, bundle: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(bundle) && !(name.startsWith('workerd-') && !isOwned(name))) continue;
    const path = join(folder, name);
    const modifiedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    // Another process may throw the same away.
    if (modifiedMs !== undefined && Date.now() - modifiedMs > LEFT_AGE_MS_MAX)
      rmSync(path, { recursive: true, force: true });
  }
}

/** Whether a living process has named it: one that runs for hours does not touch its folder again. */
function isOwned(name: string): boolean {
  const [, pid] = /^workerd-(\d+)-/.exec(name) ?? [];
  return pid !== undefined && isAlive(Number(pid));
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    // It lives, and is another user's.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
