// Which core a process runs on, and how much of its time it has had; knows no server.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Kernel ticks of a process's times are hundredths of a second on Linux. */
const TICK_MS = 10;

/**
 * Client on the first core, server on the second, where the machine has two and `taskset`; else both go where they will.
 * @returns whether they are pinned
 */
export function pin(pid: number, core: number): boolean {
  // Not `availableParallelism`: a process that is pinned has one, and so has what it starts.
  if (cpus().length < 2) return false;
  const { status } = spawnSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
  return status === 0;
}

/** Processor time of a process so far, in ms; NaN where the system does not tell. */
export function processorMs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return Number.NaN; // Not Linux.
  }
}

/** How long the first thread of a process has waited for a core so far, in ms; NaN where the system does not tell. */
export function waitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1_000_000;
  } catch {
    return Number.NaN; // Not Linux.
  }
}
