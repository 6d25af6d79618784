// What several processes need and one makes, while the others wait for it; knows not what it is.

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive } from './left-folders.ts';
import { HANGS_MS } from './waits.ts';

const LOOK_MS = 50;

/**
 * Has `make` make the file or folder at `path`, unless it is there or another process makes it just now, which is waited for. It is there once it is whole.
 * @throws what `make` throws; whoever waits tries it then
 */
export async function madeOnce(path: string, make: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  while (!existsSync(path)) {
    if (!takes(lock)) {
      await pause(LOOK_MS);
      continue;
    }
    try {
      if (!existsSync(path)) await make();
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

/** False while somebody else has it who lives. */
function takes(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
  }
  if (isLeft(lock)) rmSync(lock, { force: true });
  return false;
}

/** Whoever had it was killed. */
function isLeft(lock: string): boolean {
  const modifiedMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (modifiedMs === undefined) return false;
  try {
    const holder = readFileSync(lock, 'utf8');
    // Nothing yet: it has been taken just now. And another process may have that number by now.
    return (holder !== '' && !isAlive(Number(holder))) || Date.now() - modifiedMs > HANGS_MS;
  } catch {
    return false; // It has been given back meanwhile.
  }
}
