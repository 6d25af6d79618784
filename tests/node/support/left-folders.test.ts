// What killed runs have left is thrown away, and nothing that a living process uses.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { LEFT_AGE_MS_MAX, ownName, throwAwayLeft } from '../../support/left-folders.ts';

test('old folders are thrown away, but not those whose process lives', async () => {
  const ended = spawn(process.execPath, ['--version']);
  await once(ended, 'close');
  const folder = mkdtempSync(join(tmpdir(), 'left-'));
  const of = (ms: number, ...names: string[]): void => {
    for (const name of names) {
      mkdirSync(join(folder, name));
      const seconds = (Date.now() - ms) / 1000;
      utimesSync(join(folder, name), seconds, seconds);
    }
  };
  const old = LEFT_AGE_MS_MAX + 60_000;
  const own = ownName('a');
  of(old, own, `${own}.capnp`, `workerd-${ended.pid}-b`, 'workerd-0f-c', 'bundle-main-1', 'other');
  of(0, `workerd-${ended.pid}-d`, 'bundle-main-2');
  throwAwayLeft(folder, 'bundle-main-');
  const kept = readdirSync(folder).sort();
  rmSync(folder, { recursive: true });
  const expected = [own, `${own}.capnp`, `workerd-${ended.pid}-d`, 'bundle-main-2', 'other'];
  expect(kept).toEqual(expected.sort());
});
